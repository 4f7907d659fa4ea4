// Package lambda runs Lambda functions without AWS: the real binary against a
// Runtime API on loopback.
//
// Build compiles a function as a deployment does, Start runs it in one or more
// processes, Invoke queues an event for the next free one. gatewaytest.Transport
// makes the events and puts all of it behind an http.Client.
package lambda
