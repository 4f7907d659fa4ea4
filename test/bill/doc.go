// Package bill computes what Styx costs on AWS: from the units that test/proofs
// records for each operation, from the stack that infra records, from unit prices
// and from a pattern of use. Its test holds the tables of docs/cost.md to it.
package bill
