// Package gatewaytest stands in for what is around the gateway: the HTTP API
// that makes events of requests and responses of answers (API, Transport), and
// Lambda's freezing, which nothing may outlive (NoneLeft).
package gatewaytest
