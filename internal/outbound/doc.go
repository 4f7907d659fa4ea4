// Package outbound is the one way out: every HTTP call that Styx makes on an
// operator's or a stranger's word (web hooks, upstream logins, key sets,
// schemas, the breached-password service) goes through its client.
//
// It owns the answer to "may this address be called?". The answer is given for
// the address a name resolved to, at the moment of connecting, for every
// connection and so for every redirect: a name that changes its mind between
// check and use gains nothing.
//
// It refuses to say what it refused. A refusal is ErrRefused and nothing else,
// so that error texts are no port scanner. It refuses proxies from the
// environment, connections that outlive their request (Lambda freezes what is
// left over), and bodies larger than the caller said it can hold.
package outbound
