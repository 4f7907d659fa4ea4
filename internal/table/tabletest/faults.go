package tabletest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"styx/internal/table"
)

// Fault is what goes wrong with one sending of a call.
type Fault int

// The faults a backend's test must be able to cause.
const (
	Nothing     Fault = iota
	Throttle          // refused: too many requests
	Conflict          // refused: another transaction is at one of the items
	LostAnswer        // carried out, but the answer does not arrive
	Unprocessed       // of a Get's keys, the later half is not looked at
)

// Script decides what goes wrong each time a call is sent. It is called from many goroutines at once.
type Script func(table.Verb) Fault

// RunFaults holds a backend to its promises while things go wrong. open returns an empty table that ends with the test,
// and whose calls follow the script.
func RunFaults(t *testing.T, open func(t *testing.T, script Script) table.Table) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, func(*testing.T, Script) table.Table)
	}{
		{"refused calls are tried again", triedAgain},
		{"what stays refused is busy at the deadline", busy},
		{"a refused call ends when it is cancelled", cancelled},
		{"nothing is sent after the deadline", notAfter},
		{"a lost answer changes no outcome", lostAnswers},
		{"a lost answer is known after others wrote the item", lostAmongOthers},
		{"unprocessed keys are fetched again", unprocessed},
		{"keys that stay unprocessed are not absent", neverProcessed},
		{"transfers keep the sum while anything goes wrong", transfersUnderFaults},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open) })
	}
}

// scripted makes a script under which as many sendings end in f as are stored in the counter; none at first.
func scripted(f Fault) (Script, *atomic.Int64) {
	left := &atomic.Int64{}
	left.Store(-1)
	return func(table.Verb) Fault {
		if left.Add(-1) >= 0 {
			return f
		}
		return Nothing
	}, left
}

func triedAgain(t *testing.T, open func(*testing.T, Script) table.Table) {
	for name, f := range map[string]Fault{"throttled": Throttle, "in conflict": Conflict, "unanswered": LostAnswer} {
		t.Run(name, func(t *testing.T) {
			script, left := scripted(f)
			tab := open(t, script)
			calls := []func(context.Context) error{
				func(ctx context.Context) error { return tab.Write(ctx, table.Put(item(one(), "{}"), table.Absent())) },
				func(ctx context.Context) error {
					return tab.Write(ctx, table.Delete(key("0.T#x", "#")), table.Put(item(key("0.T#y", "#"), "{}"), table.Absent()))
				},
			}
			if f != Conflict { // reads are never in conflict
				calls = append(calls,
					func(ctx context.Context) error { _, err := tab.Get(ctx, one()); return err },
					func(ctx context.Context) error { _, err := tab.Get(ctx, one(), key("0.T#y", "#")); return err },
					func(ctx context.Context) error { _, err := tab.Query(ctx, table.Query{PK: one().PK}); return err })
			}
			for i, call := range calls {
				ctx, tally := table.WithTally(t.Context())
				left.Store(3)
				if err := call(ctx); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
				left.Store(-1)
				if c := tally.Calls(); len(c) != 1 || c[0].Tries != 4 || tally.RoundTrips() != 4 {
					t.Errorf("call %d: the tally has %+v and %d round trips, want 4 tries", i, c, tally.RoundTrips())
				}
			}
		})
	}
}

func busy(t *testing.T, open func(*testing.T, Script) table.Table) {
	for name, f := range map[string]Fault{"throttled": Throttle, "in conflict": Conflict} {
		t.Run(name, func(t *testing.T) {
			var armed atomic.Bool
			tab := open(t, func(table.Verb) Fault {
				if armed.Load() {
					return f
				}
				return Nothing
			})
			armed.Store(true)
			calls := []func(context.Context) error{
				func(ctx context.Context) error { return tab.Write(ctx, table.Put(item(one(), "{}"))) },
				func(ctx context.Context) error {
					return tab.Write(ctx, table.Put(item(one(), "{}")), table.Delete(key("0.T#y", "#")))
				},
			}
			if f != Conflict {
				calls = append(calls,
					func(ctx context.Context) error { _, err := tab.Get(ctx, one()); return err },
					func(ctx context.Context) error { _, err := tab.Query(ctx, table.Query{PK: one().PK}); return err })
			}
			for _, call := range calls {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				ctx, tally := table.WithTally(ctx)
				within(t, table.ErrBusy, func() error {
					err := call(ctx)
					is(t, err, context.DeadlineExceeded)
					return err
				})
				cancel()
				if tries := tally.Calls()[0].Tries; tries < 2 || tries > 100 {
					t.Errorf("%d tries in 300 ms", tries)
				}
			}
			armed.Store(false)
			want(t, tab, one(), nil)
		})
	}
}

func cancelled(t *testing.T, open func(*testing.T, Script) table.Table) {
	ctx, cancel := context.WithCancel(t.Context())
	var sent atomic.Int64
	tab := open(t, func(table.Verb) Fault {
		if sent.Add(1) == 3 {
			cancel()
		}
		return Throttle
	})
	within(t, context.Canceled, func() error { return tab.Write(ctx, table.Put(item(one(), "{}"))) })
	if n := sent.Load(); n != 3 {
		t.Errorf("sent %d times, cancelled at the third", n)
	}
}

func notAfter(t *testing.T, open func(*testing.T, Script) table.Table) {
	var sent atomic.Int64
	tab := open(t, func(table.Verb) Fault { sent.Add(1); return Throttle })
	ctx, cancel := context.WithTimeout(t.Context(), -time.Millisecond)
	defer cancel()
	within(t, context.DeadlineExceeded, func() error { return tab.Write(ctx, table.Put(item(one(), "{}"))) })
	if n := sent.Load(); n != 0 {
		t.Errorf("sent %d times after the deadline", n)
	}
	soon, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	within(t, table.ErrBusy, func() error { return tab.Write(soon, table.Put(item(one(), "{}"))) })
	time.Sleep(100 * time.Millisecond) // what was sent just before the deadline may still be on its way
	before := sent.Load()
	time.Sleep(300 * time.Millisecond) // longer than the wait that the call was in
	if after := sent.Load(); after != before {
		t.Errorf("sent %d times more after the deadline", after-before)
	}
}

// lostAnswers loses the first answer to every write, and holds each to what it would have done without.
func lostAnswers(t *testing.T, open func(*testing.T, Script) table.Table) {
	for _, c := range []struct {
		name   string
		stands *table.Item
		op     table.Op
		fails  bool
		leaves *table.Item
	}{
		{"put", nil, table.Put(table.Item{Key: one(), V: 1}), false, &table.Item{Key: one(), V: 1}},
		{"put if absent", nil, table.Put(table.Item{Key: one(), V: 1}, table.Absent()), false, &table.Item{Key: one(), V: 1}},
		{"put if absent, refused", &table.Item{Key: one(), V: 1}, table.Put(table.Item{Key: one(), V: 1}, table.Absent()), true, &table.Item{Key: one(), V: 1}},
		{"put if at a version", &table.Item{Key: one(), V: 1}, table.Put(table.Item{Key: one(), V: 2}, table.Is(table.AttrV, 1)), false, &table.Item{Key: one(), V: 2}},
		{"put if absent or mine", nil, table.Put(table.Item{Key: one(), St: "me"}, table.Any(table.Absent(), table.Is(table.AttrSt, "me"))), false, &table.Item{Key: one(), St: "me"}},
		{"add", nil, table.Update(one(), []table.Change{table.Add(table.AttrN, 1)}), false, &table.Item{Key: one(), N: 1}},
		{"add below a cap", &table.Item{Key: one(), N: 4}, table.Update(one(), []table.Change{table.Add(table.AttrN, 1)}, table.Less(table.AttrN, 5)), false, &table.Item{Key: one(), N: 5}},
		{"add at a cap", &table.Item{Key: one(), N: 5}, table.Update(one(), []table.Change{table.Add(table.AttrN, 1)}, table.Less(table.AttrN, 5)), true, &table.Item{Key: one(), N: 5}},
		{"set", &table.Item{Key: one(), St: "queued"}, table.Update(one(), []table.Change{table.Set(table.AttrSt, "sent")}, table.Is(table.AttrSt, "queued")), false, &table.Item{Key: one(), St: "sent"}},
		{"delete", &table.Item{Key: one()}, table.Delete(one()), false, nil},
		{"delete if there", &table.Item{Key: one()}, table.Delete(one(), table.Exists()), false, nil},
		{"delete if there, refused", nil, table.Delete(one(), table.Exists()), true, nil},
		{"delete if mine", &table.Item{Key: one(), St: "me"}, table.Delete(one(), table.Is(table.AttrSt, "me")), false, nil},
		{"check", &table.Item{Key: one(), V: 1}, table.Check(one(), table.Is(table.AttrV, 1)), false, &table.Item{Key: one(), V: 1}},
		{"check, refused", &table.Item{Key: one(), V: 1}, table.Check(one(), table.Is(table.AttrV, 2)), true, &table.Item{Key: one(), V: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			script, left := scripted(LostAnswer)
			tab := open(t, script)
			other := key("0.T#other", "#")
			for _, transaction := range []bool{false, true} {
				write(t, tab, table.Delete(one()))
				ops := []table.Op{c.op}
				if transaction {
					ops = append(ops, table.Update(other, []table.Change{table.Add(table.AttrN, 1)}))
				}
				if c.stands != nil {
					write(t, tab, table.Put(*c.stands))
				}
				left.Store(1)
				err := tab.Write(t.Context(), ops...)
				left.Store(-1)
				if c.fails {
					refused(t, err, 0, c.stands)
				} else if err != nil {
					t.Errorf("got %v", err)
				}
				want(t, tab, one(), c.leaves)
			}
			counted := &table.Item{Key: other, N: 1}
			if c.fails {
				counted = nil
			}
			want(t, tab, other, counted)
		})
	}
}

func lostAmongOthers(t *testing.T, open func(*testing.T, Script) table.Table) {
	for name, c := range map[string]struct {
		ours   table.Op
		others []table.Op
		leaves table.Item
	}{
		"adds among adds": {
			table.Update(one(), []table.Change{table.Add(table.AttrN, 1)}),
			[]table.Op{
				table.Update(one(), []table.Change{table.Add(table.AttrN, 10)}),
				table.Update(one(), []table.Change{table.Add(table.AttrN, 100)}, table.More(table.AttrN, 0)),
				table.Update(one(), []table.Change{table.Add(table.AttrN, 1000)}),
			},
			table.Item{Key: one(), N: 1111},
		},
		"a version others went on from": {
			table.Put(table.Item{Key: one(), V: 1}, table.Is(table.AttrV, 0)),
			[]table.Op{
				table.Put(table.Item{Key: one(), V: 2, St: "b"}, table.Is(table.AttrV, 1)),
				table.Put(table.Item{Key: one(), V: 3, St: "c"}, table.Is(table.AttrV, 2)),
			},
			table.Item{Key: one(), V: 3, St: "c"},
		},
		"a put that others replaced": {
			table.Put(table.Item{Key: one(), St: "a"}),
			[]table.Op{table.Put(table.Item{Key: one(), St: "b"})},
			table.Item{Key: one(), St: "b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var tab table.Table
			var sent atomic.Int64
			sent.Store(-1000)
			ready := make(chan struct{})
			tab = open(t, func(table.Verb) Fault {
				<-ready
				switch sent.Add(1) {
				case 1:
					return LostAnswer
				case 2: // ours again: others come first
					for _, op := range c.others {
						if err := tab.Write(t.Context(), op); err != nil {
							t.Errorf("another's write: %v", err)
						}
						if err := tab.Write(t.Context(), table.Check(one(), table.Exists())); err != nil {
							t.Errorf("another's check: %v", err)
						}
					}
				}
				return Nothing
			})
			close(ready)
			sent.Store(0)
			write(t, tab, c.ours)
			sent.Store(10)
			want(t, tab, one(), &c.leaves)
		})
	}
}

func unprocessed(t *testing.T, open func(*testing.T, Script) table.Table) {
	script, left := scripted(Unprocessed)
	tab := open(t, script)
	keys := make([]table.Key, 9)
	for i := range keys {
		keys[i] = key(fmt.Sprintf("0.T#%d", i), "#")
		if i%3 != 0 {
			write(t, tab, table.Put(item(keys[i], "{}")))
		}
	}
	ctx, tally := table.WithTally(t.Context())
	left.Store(2)
	got, err := tab.Get(ctx, keys...)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range keys {
		if (got[i] != nil) != (i%3 != 0) || got[i] != nil && got[i].Key != k {
			t.Errorf("key %d: got %s", i, show(got[i]))
		}
	}
	if c := tally.Calls(); len(c) != 1 || c[0].Items != len(keys) || c[0].Tries != 3 {
		t.Errorf("the tally has %+v, want one call of 3 tries", c)
	}
}

func neverProcessed(t *testing.T, open func(*testing.T, Script) table.Table) {
	tab := open(t, func(v table.Verb) Fault {
		if v == table.VerbGet {
			return Unprocessed
		}
		return Nothing
	})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	within(t, table.ErrBusy, func() error {
		got, err := tab.Get(ctx, one(), key("0.T#two", "#"))
		if got != nil {
			t.Errorf("got %v", got)
		}
		return err
	})
}

func transfersUnderFaults(t *testing.T, open func(*testing.T, Script) table.Table) {
	var mu sync.Mutex
	d := rand.New(rand.NewPCG(1, 1))
	tab := open(t, func(v table.Verb) Fault {
		mu.Lock()
		defer mu.Unlock()
		roll := Fault(d.IntN(25))
		switch {
		case roll > Unprocessed, roll == Conflict && v != table.VerbWrite, roll == Unprocessed && v != table.VerbGet:
			return Nothing
		default:
			return roll
		}
	})
	transfers(t, tab)

	// One writer, so that no other's write can push its own out of sight.
	for range 20 {
		write(t, tab, table.Update(one(), []table.Change{table.Add(table.AttrN, 1)}))
	}
	want(t, tab, one(), &table.Item{Key: one(), N: 20})

	var failed *table.ConditionFailed
	wins := 0
	for range 5 {
		switch err := tab.Write(t.Context(), table.Delete(one(), table.Exists())); {
		case err == nil:
			wins++
		case !errors.As(err, &failed):
			t.Error(err)
		}
	}
	if wins != 1 {
		t.Errorf("%d of 5 deletes found the item", wins)
	}
}
