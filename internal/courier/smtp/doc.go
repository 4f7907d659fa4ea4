// Package smtp hands mail to a mail server.
//
// It owns the reading of the connection URI, the making of the mail and what a
// server's answer means: what it refuses with 5xx is refused for good, all else
// passes. A server that says yes and then misbehaves has said yes.
//
// It refuses to send a password over a connection that others can read, except
// to this very machine.
package smtp
