// Package web holds the HTTP grammar that every handler shares: what a client
// accepts, cookies, anti-CSRF tokens, safe redirects, who called, and the one
// mapping from errors to statuses.
//
// URLs come from the configuration: no Host and no forwarded header reaches an
// answer. It knows no flow and reads no table.
package web
