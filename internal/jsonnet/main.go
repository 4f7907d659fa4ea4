package jsonnet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
)

const (
	// maxDepth is how deep calls may nest, as in the interpreter's own programs.
	maxDepth = 500
	// maxText bounds the text of an error, in bytes.
	maxText = 2 << 10
)

// Exit codes of an evaluator.
const (
	exitDone = iota
	exitUnfit
	exitOutOfMemory // the Go runtime's own
	exitLate
)

// Main makes an evaluator of a process that was started as one, and does not
// return then; any other process goes on. Every program that uses this package
// calls it before it does anything else, a test by its TestMain.
func Main() {
	if len(os.Args) != 2 || os.Args[1] != flag {
		return
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		os.Exit(exitUnfit)
	}
	os.Exit(exitDone)
}

// serve answers queries until there are no more.
func serve(in io.Reader, out io.Writer) error {
	queries := json.NewDecoder(in)
	var first order
	if err := queries.Decode(&first); err != nil {
		return fmt.Errorf("read the limits: %w", err)
	}
	limits := first.Limits
	debug.SetMemoryLimit(limits.Memory / 2) // collect in time
	if err := confine(limits.Memory); err != nil {
		return fmt.Errorf("take on the limits: %w", err)
	}
	if _, err := io.WriteString(out, greeting); err != nil {
		return fmt.Errorf("greet: %w", err)
	}
	programs := make(map[string]ast.Node)
	answers := json.NewEncoder(out)
	for {
		var q query
		if err := queries.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a query: %w", err)
		}
		// Who asked kills a program that takes too long. Should that process be
		// gone itself, this ends it all the same.
		alarm := time.AfterFunc(limits.Time+time.Second, func() { os.Exit(exitLate) })
		a := evaluate(programs, q, limits)
		alarm.Stop()
		if err := answers.Encode(a); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
}

// evaluate answers one query, and keeps the program it compiled for it.
func evaluate(programs map[string]ast.Node, q query, limits Limits) (a answer) {
	defer func() {
		if crash := recover(); crash != nil { // the interpreter's own fault
			a = answer{Ending: endedInError, Output: short(fmt.Sprint("the interpreter crashed: ", crash))}
		}
	}()
	program := programs[q.Program]
	if program == nil {
		if q.Source == nil {
			return answer{Ending: endedInError, Output: "the program was not sent"}
		}
		var err error
		if program, err = jsonnet.SnippetToAST("program", *q.Source); err != nil {
			return failed(err)
		}
		programs[q.Program] = program
	}
	vm := jsonnet.MakeVM()
	vm.MaxStack = maxDepth
	vm.SetTraceOut(io.Discard)
	vm.Importer(refuser{})
	for name, raw := range q.Top {
		code, err := plain(raw)
		if err != nil {
			return failed(err)
		}
		vm.TLACode(name, code)
	}
	for name, raw := range q.External {
		code, err := plain(raw)
		if err != nil {
			return failed(err)
		}
		vm.ExtCode(name, code)
	}
	value, err := vm.Evaluate(program)
	if err != nil {
		return failed(err)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(value)); err != nil {
		return failed(err)
	}
	if out.Len() > limits.Output {
		return answer{Ending: endedTooLarge}
	}
	return answer{Ending: endedWell, Output: out.String()}
}

// plain returns JSON that Jsonnet reads too: in JSON alone, names may repeat and
// half a surrogate pair may stand in a string.
func plain(raw []byte) (string, error) {
	reader := json.NewDecoder(bytes.NewReader(raw))
	reader.UseNumber()
	var value any
	if err := reader.Decode(&value); err != nil {
		return "", err
	}
	out, err := json.Marshal(value)
	return string(out), err
}

func failed(err error) answer {
	if raised, ok := errors.AsType[jsonnet.RuntimeError](err); ok {
		if raised.Msg == "cancel" {
			return answer{Ending: endedByCancel}
		}
		return answer{Ending: endedInError, Output: short(place(raised) + raised.Msg)}
	}
	return answer{Ending: endedInError, Output: short(err.Error())}
}

// place says where an error was raised, "" when that is not known.
func place(raised jsonnet.RuntimeError) string {
	for _, frame := range raised.StackTrace {
		if at := frame.Loc.String(); strings.HasPrefix(at, "program:") {
			return at + ": "
		}
	}
	return ""
}

func short(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxText)], "")
}

// refuser is the importer that finds nothing.
type refuser struct{}

// Import refuses.
func (refuser) Import(_, _ string) (contents jsonnet.Contents, foundAt string, err error) {
	return jsonnet.Contents{}, "", errors.New("imports are not allowed")
}
