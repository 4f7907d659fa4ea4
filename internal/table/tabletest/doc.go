// Package tabletest is the one suite that every backend of table passes: Run for what a table does, RunFaults for what
// it does while the store refuses, forgets to answer or answers in part, and Agree, which plays random calls against a
// model small enough to be believed.
package tabletest
