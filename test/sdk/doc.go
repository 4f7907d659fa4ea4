// Package sdk drives the admin API with Ory's published clients, unchanged: the Go module github.com/ory/client-go and
// the npm package @ory/kratos-client. It is a module of its own, so that they and what they need stay out of Styx's.
//
//	cd test/sdk && go test ./...
//
// It needs node and npm, which fetches the package into .cache/ once.
package sdk
