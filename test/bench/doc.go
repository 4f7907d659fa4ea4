// Command bench measures what Styx costs on this machine and prints it as
// tables: the HTTP operations on each kind of table, a login by a known and by
// an unknown account, the Lambda functions, the start of `styx serve`, and many identities moved.
// Nothing here passes or fails; docs/performance.md says how to read it.
//
//	go run ./test/bench                     about a quarter of an hour
//	go run ./test/bench operations boot     these sections only
//	go run ./test/bench -profile /tmp/p     CPU profiles of the handlers instead
//
// With an endpoint in STYX_TEST_DYNAMODB (test/dynamodb/with.sh sets it) the
// operations run on DynamoDB, too, and the functions have a table to read.
package main
