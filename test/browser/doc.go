// Package browser lets people use the built-in pages: a real Chromium against a
// real "styx serve", with the mail in its inbox and keys that are simulated.
//
// Whatever page they land on is looked at on the way: is everything labelled,
// readable and in reach, on a phone by day and on a desk by night?
//
// The tests stand behind the build tag browser, since they need Chromium:
//
//	go test -tags browser ./test/browser
//	go test -tags browser ./test/browser -shots /tmp/shots    # and see the pages
package browser
