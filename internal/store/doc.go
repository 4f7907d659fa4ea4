// Package store keeps records on the table: identities, sessions, flows and
// errors shown to people.
//
// It owns the grammar of keys, the versions of documents, what is written
// together, and how long things stay. Every read on an authentication path is
// strongly consistent and never touches the index.
package store
