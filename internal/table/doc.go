// Package table is the keyhole through which everything Styx stores passes: three verbs, Get, Query and Write, over one
// table with one index.
//
// It owns the item's shape, the conditions and changes a write may name, the limits every write keeps, the record of what
// a request did (Tally), how long a refused call is tried again (Retry), and the definition of the table itself. Two
// backends stand below it: table/dynamo (DynamoDB) and table/local (one file or memory), held alike by table/tabletest.
//
// It refuses to know what an item means: key grammar, documents, expiry and sealing belong to the rooms above. An item
// whose Exp has passed is still returned; whoever reads it checks.
//
// # Outcomes
//
// A nil error from Write means that all of it is stored; a *ConditionFailed that none of it is, and which operation said
// no. Both are certain, even where an answer was lost on its way and the call had to be sent again. ErrBusy, or a
// context's own error, leaves it open: the write may have happened.
package table
