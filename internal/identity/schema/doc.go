// Package schema validates traits against an identity schema and derives from
// them what the schema says they are: identifiers and addresses.
//
// It owns the compiled form of a schema, the formats, and the translation of a
// validator's findings into messages of the contract. It stands apart from
// package identity because linking a JSON Schema library costs every start
// several milliseconds.
//
// A schema is compiled once and then only read: nothing is compiled for a
// request. It refuses to fetch anything on its own.
package schema
