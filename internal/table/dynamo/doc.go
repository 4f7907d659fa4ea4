// Package dynamo is the DynamoDB backend of table.
//
// It owns the translation of items, conditions and changes to DynamoDB's language, the connection, and what it takes to
// be certain of a write's outcome. It refuses to interpret: no document is opened here. It links AWS, as only the gateway, the
// courier and service do beside it.
//
// # Certain outcomes
//
// A single write (UpdateItem, also for a Put) shifts a random write id into the item's attributes w, w1, w2 and w3 under
// the condition that it is not among them. When the answer to it is lost, it is sent again; if DynamoDB then answers
// that a condition failed and the old item it returns carries the id, the first one had succeeded. Four ids are kept, not
// one, as others may write the item before we ask again; a Put updates all attributes in place of replacing the item so
// that it keeps them too.
//
// Anything else that has a condition is a transaction under one ClientRequestToken, which DynamoDB carries out once.
// That includes a lone conditional Delete: of an item that is gone nobody can tell who removed it. A Delete without a
// condition may be sent twice.
//
// The SDK retries nothing; table.Retry does.
package dynamo
