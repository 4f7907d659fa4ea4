// Package proofs holds what the whole of Styx promises and no room alone can
// keep: how often a request waits for the table, that strangers cost what
// owners cost, that one name has one owner whoever races for it, that nothing
// acknowledged is lost with the process, and that no secret rests anywhere.
//
// A house is all of Styx in this process, seen through HTTP; a process is the
// real program. The tests run over every backend of the table: the embedded ones
// always, a DynamoDB API under the build tag dynamodb (test/dynamodb/with.sh).
package proofs
