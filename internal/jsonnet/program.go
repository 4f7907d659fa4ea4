package jsonnet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

var (
	// ErrCancel says that the program ended itself with `error "cancel"`.
	ErrCancel = errors.New("jsonnet: the program cancels")
	// ErrLimit says that a program took more time, memory or output than it may.
	ErrLimit = errors.New("jsonnet: the program exceeds its limits")
)

// Error says what is wrong with a program, in the interpreter's words and with
// the place. It is for the operator: a program may put what it was handed into
// its error.
type Error struct{ Text string }

// Error returns the text.
func (e *Error) Error() string { return "jsonnet: " + e.Text }

// Program is one program. An evaluator compiles it when it first runs it, and
// keeps it compiled.
type Program struct {
	evaluator *Evaluator
	key       string // names the source
	source    string
}

// Program returns the program of that source, which is judged when it first runs.
func (e *Evaluator) Program(source []byte) *Program {
	sum := sha256.Sum256(source)
	return &Program{evaluator: e, key: hex.EncodeToString(sum[:]), source: string(source)}
}

// Arguments are what a program is handed; the values must encode as JSON.
type Arguments struct {
	Top      map[string]any // of a program that is a function: its arguments, by name
	External map[string]any // what std.extVar returns
}

// Eval runs the program and returns its value as compact JSON.
//
// Errors: ErrCancel; ErrLimit; an *Error for a program that is wrong; ctx's own
// when it ended first; others when no evaluator could be started.
func (p *Program) Eval(ctx context.Context, args Arguments) ([]byte, error) {
	q := query{Program: p.key}
	var err error
	if q.Top, err = encode(args.Top); err != nil {
		return nil, err
	}
	if q.External, err = encode(args.External); err != nil {
		return nil, err
	}
	a, err := p.evaluator.run(ctx, q, p.source)
	if err != nil {
		return nil, err
	}
	switch a.Ending {
	case endedWell:
		return []byte(a.Output), nil
	case endedByCancel:
		return nil, ErrCancel
	case endedTooLarge:
		return nil, fmt.Errorf("%w: more than %d bytes of output", ErrLimit, p.evaluator.limits.Output)
	default:
		return nil, &Error{Text: a.Output}
	}
}

func encode(values map[string]any) (map[string]json.RawMessage, error) {
	out := make(map[string]json.RawMessage, len(values))
	for name, value := range values {
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("encode %s for a program: %w", name, err)
		}
		out[name] = raw
	}
	return out, nil
}
