// Package audit says what happened that a security review asks about: who signed
// in and how, what changed how somebody signs in, what was refused and why.
//
// It owns the closed lists of events and reasons, and the one form of a record. A
// record names identities, sessions and flows by their ids; it never holds an
// identifier, an address, a trait, a code or a token.
package audit
