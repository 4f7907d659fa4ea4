// Package cloud is what the command line knows of AWS: whose credentials are at
// hand, how a request to an admin API behind API Gateway is signed, and what a
// deployment has to look like.
package cloud
