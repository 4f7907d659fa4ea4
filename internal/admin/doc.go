// Package admin answers the admin API: it makes, shows, lists, changes and
// deletes identities, imports their credentials, shows, extends, ends and removes
// sessions, hands over ways back in, and shows what was sent.
//
// It owns the strict reading of what administrators send, the shapes and bounds
// of imported credentials, what a JSON patch may reach, the filters of a list, its
// page tokens and its links.
//
// It refuses to check who is calling: the admin API stands behind IAM, or on
// loopback, and whoever reaches it may do everything. What it can not import it
// refuses by name: nothing that no later sign-in could use is stored.
package admin
