// Package httpchannel hands messages to an HTTP service: a gateway for text
// messages, or a mail provider's API.
//
// It owns the request: its body, made by the operator's Jsonnet function or in
// the default form, and how it proves itself. Any 2xx means that the service
// took the message; all else passes, for what a gateway means by its statuses is
// its own affair.
//
// It refuses to repeat a request, and to repeat what the service answered.
package httpchannel
