// Package hook makes the calls of web hooks: it writes what a call says, sends
// it, and reads what the answer asks for.
//
// It owns the context that a body is made from, and with it what a receiver may
// know: the flow, the request and the identity, without credentials, tokens,
// codes and anti-CSRF values. It owns what an answer means: go on, change the
// identity, refuse with messages for the form, or an error.
//
// It refuses to know flows: when a hook runs, whose identity changes and where a
// message is shown is the engine's matter. It refuses to be a port scanner: what
// went wrong with a connection is for the log alone.
package hook
