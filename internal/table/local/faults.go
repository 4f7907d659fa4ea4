package local

import (
	"context"
	"errors"
	"time"

	"styx/internal/table"
)

// Faults decides what goes wrong with a call each time it is sent. It is called from many goroutines at once.
type Faults func(Call) Fault

// Call is what a fault may be made for.
type Call struct {
	Verb table.Verb
	Keys []table.Key // none for a query
}

// Fault is what goes wrong. The zero Fault is nothing.
type Fault struct {
	Delay       time.Duration // before the call is looked at
	Kind        FaultKind
	Unprocessed int // how many of a Get's keys stay without an answer this time
}

// FaultKind tells faults apart.
type FaultKind int

// The kinds of faults.
const (
	None       FaultKind = iota
	Throttle             // refused, too many requests
	Conflict             // refused, another transaction is at one of the items
	LostAnswer           // done, but the answer does not arrive
)

// faulty lets one attempt at a call go wrong as it is told to.
func (t *Table) faulty(ctx context.Context, c Call, attempt func(Fault) error) error {
	var f Fault
	if t.faults != nil {
		f = t.faults(c)
	}
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return &table.Refusal{Cause: ctx.Err()}
		}
	}
	switch f.Kind {
	case Throttle:
		return &table.Refusal{Cause: errors.New("throttled")}
	case Conflict:
		return &table.Refusal{Cause: errors.New("transaction conflict")}
	case LostAnswer:
		// The outcome is dropped on purpose; Write remembers it.
		_ = attempt(f)
		return &table.Refusal{Cause: errors.New("connection reset"), Lost: true}
	default:
		return attempt(f)
	}
}
