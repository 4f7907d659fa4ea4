package jsonnet

import "encoding/json"

// flag is the one argument of a process that is an evaluator. It looks like a
// flag so that a program which does not call Main stops at it.
const flag = "-styx-jsonnet-evaluator"

// greeting is the first line of an evaluator.
const greeting = "styx-jsonnet/1\n"

// order is the first line an evaluator is sent: its limits. Queries follow.
type order struct {
	Limits Limits `json:"limits"`
}

// query asks for one evaluation; an answer follows before the next query.
type query struct {
	Program  string                     `json:"program"`
	Source   *string                    `json:"source,omitempty"` // when this evaluator was not sent it yet
	Top      map[string]json.RawMessage `json:"top,omitempty"`
	External map[string]json.RawMessage `json:"external,omitempty"`
}

// How an evaluation ends.
const (
	endedWell     = "value"
	endedByCancel = "cancel"
	endedTooLarge = "large"
	endedInError  = "error"
)

// answer holds the value as JSON, or the text of the error.
type answer struct {
	Ending string `json:"ending"`
	Output string `json:"output,omitempty"`
}
