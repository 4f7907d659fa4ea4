// Package inbox keeps mail on this machine, for a local server without a way to
// send any: the newest messages, in memory, until the process ends.
//
// It refuses to store: what a message says is in no table and in no file.
package inbox
