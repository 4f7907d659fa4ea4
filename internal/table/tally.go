package table

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// Verb names what a call did.
type Verb string

// The three verbs.
const (
	VerbGet   Verb = "Get"
	VerbQuery Verb = "Query"
	VerbWrite Verb = "Write"
)

// Call is one call of a Table, as a Tally remembers it.
type Call struct {
	Verb  Verb
	Items int // keys asked for, operations written, items a query found
	Trip  int // the round trip it began in, from 0; calls issued together share one
	Tries int // how often it was sent, 1 if nothing went wrong
	RCU   float64
	WCU   float64
}

// Tally is the record of what one request did at the table. Its methods are safe for concurrent use.
type Tally struct {
	mu    sync.Mutex
	calls []*Call
	clock clock
}

// clock counts the round trips that one line of execution has waited for.
type clock struct{ now int }

// line is where a context stands: in which tally, and by which clock.
type line struct {
	tally *Tally
	clock *clock
}

type lineKey struct{}

// WithTally returns a context whose calls are recorded in the returned Tally.
func WithTally(ctx context.Context) (context.Context, *Tally) {
	t := &Tally{}
	return context.WithValue(ctx, lineKey{}, line{t, &t.clock}), t
}

// Calls returns the calls so far, in the order of their round trips; those of one trip in the order of verb and items,
// as they have none of their own.
func (t *Tally) Calls() []Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	calls := make([]Call, len(t.calls))
	for i, c := range t.calls {
		calls[i] = *c
	}
	slices.SortStableFunc(calls, func(a, b Call) int {
		return cmp.Or(cmp.Compare(a.Trip, b.Trip), cmp.Compare(a.Verb, b.Verb), cmp.Compare(a.Items, b.Items))
	})
	return calls
}

// RoundTrips is how many times the request waited for the table: calls issued together count once, calls sent again
// count again.
func (t *Tally) RoundTrips() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.clock.now
}

// RCU is the sum of read capacity units used.
func (t *Tally) RCU() float64 { return t.sum(func(c *Call) float64 { return c.RCU }) }

// WCU is the sum of write capacity units used.
func (t *Tally) WCU() float64 { return t.sum(func(c *Call) float64 { return c.WCU }) }

func (t *Tally) sum(of func(*Call) float64) float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	var sum float64
	for _, c := range t.calls {
		sum += of(c)
	}
	return sum
}

// Together runs fns concurrently as one round trip of the tally: as many as the longest of them takes. All finish
// before it returns, whatever the others do; the first error in the order of fns is returned. A panic in one of them
// is raised again in the caller's goroutine.
func Together(ctx context.Context, fns ...func(context.Context) error) error {
	at, tallied := ctx.Value(lineKey{}).(line)
	clocks := make([]clock, len(fns))
	errs := make([]error, len(fns))
	panics := make([]any, len(fns))
	start := 0
	if tallied {
		at.tally.mu.Lock()
		start = at.clock.now
		at.tally.mu.Unlock()
	}
	var wg sync.WaitGroup
	for i, fn := range fns {
		own := ctx
		if tallied {
			clocks[i].now = start
			own = context.WithValue(ctx, lineKey{}, line{at.tally, &clocks[i]})
		}
		wg.Go(func() {
			defer func() { panics[i] = recover() }()
			errs[i] = fn(own)
		})
	}
	wg.Wait()
	if tallied {
		at.tally.mu.Lock()
		for _, c := range clocks {
			at.clock.now = max(at.clock.now, c.now)
		}
		at.tally.mu.Unlock()
	}
	for _, p := range panics {
		if p != nil {
			panic(p)
		}
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Entry is a backend's hand on the record of one call. A nil Entry, of a context without a tally, records nothing.
type Entry struct {
	at   line
	call *Call
}

// Begin records a call that is about to be sent. Backends call it once per Get, Query and Write.
func Begin(ctx context.Context, verb Verb, items int) *Entry {
	at, ok := ctx.Value(lineKey{}).(line)
	if !ok {
		return nil
	}
	at.tally.mu.Lock()
	defer at.tally.mu.Unlock()
	c := &Call{Verb: verb, Items: items, Trip: at.clock.now}
	at.tally.calls = append(at.tally.calls, c)
	return &Entry{at, c}
}

// Sent records that the call was sent, once more.
func (e *Entry) Sent() {
	if e == nil {
		return
	}
	e.at.tally.mu.Lock()
	defer e.at.tally.mu.Unlock()
	e.call.Tries++
	e.at.clock.now++
}

// Used adds what the store says the call cost.
func (e *Entry) Used(rcu, wcu float64) {
	if e == nil {
		return
	}
	e.at.tally.mu.Lock()
	defer e.at.tally.mu.Unlock()
	e.call.RCU += rcu
	e.call.WCU += wcu
}

// Found records how many items a query returned.
func (e *Entry) Found(items int) {
	if e == nil {
		return
	}
	e.at.tally.mu.Lock()
	defer e.at.tally.mu.Unlock()
	e.call.Items = items
}

// Spread does a piece of work for each of count, so many at once, and returns
// the first error it came upon; what began is finished.
func Spread(ctx context.Context, atOnce, count int, do func(ctx context.Context, at int) error) error {
	hands := make([]func(context.Context) error, min(atOnce, count))
	for hand := range hands {
		hands[hand] = func(ctx context.Context) error {
			for at := hand; at < count; at += len(hands) {
				if err := do(ctx, at); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return Together(ctx, hands...)
}
