// Package local is the embedded backend of table: one file, or memory, for the local process and for tests.
//
// It owns the file's layout, the group commit and the faults that tests may ask for. It refuses a file that another
// process has open, or that a newer build has written, and to be more lenient than DynamoDB: the same calls fail.
//
// # Durability
//
// A write is acknowledged once it is synced to the file: a killed process loses none of them, and a copy of the file
// taken while no write is under way is a good file. Writers that arrive during a sync share the next one, so that many
// concurrent writes cost few syncs and a lone one waits for nobody (which is why bbolt's own Batch, which always waits,
// is not used).
//
// # Memory
//
// Memory uses the same code over a file without a name: an anonymous one that lives in memory on Linux, an unlinked
// temporary one elsewhere. One engine to get right, and what tests exercise is what a file gets.
//
// # Layout
//
// Four buckets: "about" (format), "items" (partition key and sort key to record), "index" (index keys and item key, to
// nothing) and "expiry" (ttl and item key, to nothing). Items past their ttl are swept within later commits; until then
// they are returned, as DynamoDB does.
package local
