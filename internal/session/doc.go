// Package session holds what Styx knows of a proof of identity: which methods
// were passed and when, the assurance level they add up to, the devices seen,
// and how long it holds.
//
// It decides whether a session is alive; it stores nothing and knows no cookie.
package session
