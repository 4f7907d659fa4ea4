// Package dynamodb puts a real DynamoDB API on this machine under tests.
//
// with.sh runs a command with the endpoint of a fresh one in STYX_TEST_DYNAMODB, start.sh runs one until it is stopped.
// Proxy stands before it: it records every call, counts round trips, and lets answers go astray as a test asks.
// CreateTable makes a table, Items and Stream tell what it holds and what its stream says.
//
// Tests that need the API carry the build tag dynamodb; under it, a missing STYX_TEST_DYNAMODB is a failure.
package dynamodb
