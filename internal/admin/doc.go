// Package admin answers the admin API: it creates, shows, lists and deletes
// identities.
//
// It owns the strict reading of what administrators send, the import of
// passwords, the filters of a list, its page tokens and its links.
//
// It refuses to check who is calling: the admin API stands behind IAM, or on
// loopback, and whoever reaches it may do everything. What it can not import it
// refuses by name; nothing that was sent is dropped without a word.
package admin
