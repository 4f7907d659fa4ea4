// Package flow holds the record of a self-service flow and the contract
// between the engine and the methods.
//
// A method is a value: a Door for each flow it takes part in, nil where it is
// not offered. A door fills its part of a form and judges a submission; it
// answers with an Outcome and never sees a request, a response or the table.
// Loading, guarding, storing and rendering belong to the engine.
package flow
