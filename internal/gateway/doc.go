// Package gateway turns API Gateway HTTP API events (payload 2.0) into HTTP
// requests and the answers back into events, and boots a Lambda function from
// its environment, one that no API calls as well.
//
// It owns the event: what an *http.Request behind it looks like is what a
// net/http server would have shown the handler for the same request, as far as
// API Gateway still knows it. It owns the frame around a request, too: the
// deadline, the recovered panic, the one log line.
//
// It refuses to answer: routes, statuses and bodies belong to the handlers, but
// for three that no handler can give (a malformed event, an unsigned event for
// the admin function, a panic). It never reads Host or forwarded headers; they
// are passed on as they came and nothing here depends on them.
package gateway
