package bill

import (
	"fmt"
	"strconv"
	"strings"
)

// Operation is one line of what test/proofs records.
type Operation struct {
	Name        string
	Read, Write float64 // units
	Waits       string  // for the table: r, w or t each
	Calls       int     // of the table
	Hashes      int     // of passwords
	Function    string
}

// operations reads the record.
func operations(record string) (map[string]Operation, []string, error) {
	found, order := map[string]Operation{}, []string(nil)
	for line := range strings.Lines(record) {
		fields := strings.Fields(line)
		if len(fields) < 6 {
			return nil, nil, fmt.Errorf("not an operation: %q", line)
		}
		name, rest := strings.Join(fields[:len(fields)-5], " "), fields[len(fields)-5:]
		o := Operation{Name: name, Waits: rest[2], Function: functionOf(name)}
		if o.Waits == "-" {
			o.Waits = ""
		}
		var errs [4]error
		o.Read, errs[0] = strconv.ParseFloat(rest[0], 64)
		o.Write, errs[1] = strconv.ParseFloat(rest[1], 64)
		o.Calls, errs[2] = strconv.Atoi(rest[3])
		o.Hashes, errs[3] = strconv.Atoi(rest[4])
		for _, err := range errs {
			if err != nil {
				return nil, nil, fmt.Errorf("%q: %w", line, err)
			}
		}
		found[name], order = o, append(order, name)
	}
	return found, order, nil
}

// functionOf is the function that an operation is for.
func functionOf(name string) string {
	for _, f := range []struct{ part, function string }{
		{"admin", "Admin"},
		{"send a mail", "Courier"},
		{"whoami", "Session"},
		{"sessions", "Session"},
		{"logout", "Session"},
		{"log out", "Session"},
		{"registration", "Registration"},
		{"settings", "Settings"},
		{"recovery", "Recovery"},
		{"verification", "Verification"},
	} {
		if strings.Contains(name, f.part) {
			return f.function
		}
	}
	return "Login"
}

// milliseconds is how long an event of the operation takes in a function of so much memory: what it waits for, and what it
// computes at that memory's share of a CPU.
func (o Operation) milliseconds(memory float64) float64 {
	waits := 0.0
	for _, kind := range o.Waits {
		waits += latency[kind]
	}
	if o.Function == "Courier" {
		waits += sesWait
	}
	computes := eventCPU + callCPU*float64(o.Calls) + hashCPU*float64(o.Hashes)
	return waits + computes*max(1, oneCPU/memory)
}
