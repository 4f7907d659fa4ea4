// Package fault holds the errors a caller may see.
//
// A room answers with *Error; its zero Kind is Internal, so an error nobody
// classified becomes a logged 500 that tells nothing. Statuses belong to the
// web room alone, and no error carries a secret, a token or a password.
package fault
