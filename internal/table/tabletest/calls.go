package tabletest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"styx/internal/table"
)

func limits(t *testing.T, tab table.Table) {
	k := key("0.T#l", "#")
	bytes := func(n int) table.Item { // an item of exactly n bytes
		i := table.Item{Key: k, Doc: letters(1)}
		i.Doc = letters(n - i.Size() + 1)
		return i
	}
	whole := bytes(table.MaxItem)
	write(t, tab, table.Put(whole))
	want(t, tab, k, &whole)
	over := bytes(table.MaxItem + 1)
	other := table.Put(item(key("0.T#other", "#"), "{}"))
	is(t, tab.Write(t.Context(), table.Put(over)), table.ErrTooLarge)
	is(t, tab.Write(t.Context(), other, table.Put(over)), table.ErrTooLarge)
	want(t, tab, k, &whole)
	want(t, tab, other.Key, nil)

	// Only where the item is can it be known how large an update makes it.
	grow := table.Update(k, []table.Change{table.Set(table.AttrSt, string(letters(4<<10)))})
	is(t, tab.Write(t.Context(), grow), table.ErrTooLarge)
	is(t, tab.Write(t.Context(), other, grow), table.ErrTooLarge)
	want(t, tab, k, &whole)
	want(t, tab, other.Key, nil)

	var ops []table.Op
	for i := range table.MaxOps + 1 {
		ops = append(ops, table.Put(item(key("0.T#m", fmt.Sprint(i)), "{}")))
	}
	is(t, tab.Write(t.Context(), ops...), table.ErrTooLarge)
	ops = nil
	for i := range 11 {
		ops = append(ops, table.Put(table.Item{Key: key("0.T#m", fmt.Sprint(i)), Doc: letters(385 << 10)}))
	}
	is(t, tab.Write(t.Context(), ops...), table.ErrTooLarge)
	if page := query(t, tab, table.Query{PK: "0.T#m"}); len(page.Items) != 0 {
		t.Errorf("%d items of a write that was too large", len(page.Items))
	}
	write(t, tab, ops[:5]...)
}

func invalid(t *testing.T, tab table.Table) {
	ok := table.Put(item(one(), "{}"))
	long := func(n int) string { return string(letters(n)) }
	set := func(c ...table.Change) table.Op { return table.Update(one(), c) }
	for name, ops := range map[string][]table.Op{
		"no partition key":         {table.Put(item(key("", "#"), "{}"))},
		"no sort key":              {table.Delete(key("0.T", ""))},
		"long partition key":       {table.Put(item(key(long(2049), "#"), "{}"))},
		"long sort key":            {table.Put(item(key("0.T", long(1025)), "{}"))},
		"NUL in a key":             {table.Put(item(key("0.T", "a\x00"), "{}"))},
		"key not UTF-8":            {table.Put(item(key("0.T\xff", "#"), "{}"))},
		"document not UTF-8":       {table.Put(item(one(), "\xff"))},
		"status not UTF-8":         {set(table.Set(table.AttrSt, "\xff"))},
		"long index key":           {table.Put(table.Item{Key: one(), GK: long(2049), GS: "1"})},
		"NUL in an index key":      {set(table.Set(table.AttrGS, "\x00"))},
		"update without change":    {set()},
		"attribute changed twice":  {set(table.Set(table.AttrN, 1), table.Add(table.AttrN, 1))},
		"text in a number":         {set(table.Set(table.AttrN, "1"))},
		"number in a text":         {set(table.Set(table.AttrSt, 1))},
		"bytes in a text":          {set(table.Set(table.AttrSt, []byte("a")))},
		"value of another type":    {set(table.Set(table.AttrN, 1.5))},
		"unknown attribute":        {set(table.Set("x", 1))},
		"unset, unknown attribute": {set(table.Unset("x"))},
		"add to a text":            {set(table.Add(table.AttrSt, 1))},
		"check without condition":  {table.Check(one())},
		"condition, wrong type":    {table.Put(item(one(), "{}"), table.Is(table.AttrV, "1"))},
		"condition, deep":          {table.Put(item(one(), "{}"), table.Not(table.Any(table.Less(table.AttrSt, 1), table.Exists())))},
	} {
		t.Run(name, func(t *testing.T) {
			is(t, tab.Write(t.Context(), ops...), table.ErrInvalid)
			is(t, tab.Write(t.Context(), append(ops, table.Put(item(key("0.T#other", "#"), "{}")))...), table.ErrInvalid)
		})
	}
	is(t, tab.Write(t.Context(), ok, table.Delete(one())), table.ErrDuplicateKey)
	is(t, tab.Write(t.Context(), table.Check(one(), table.Absent()), ok), table.ErrDuplicateKey)
	want(t, tab, one(), nil)
	want(t, tab, key("0.T#other", "#"), nil)

	_, err := tab.Get(t.Context(), one(), key("", "#"))
	is(t, err, table.ErrInvalid)
	for name, q := range map[string]table.Query{
		"no partition":         {},
		"two partitions":       {PK: "a", GK: "b"},
		"index prefix":         {GK: "b", Prefix: "c"},
		"negative limit":       {PK: "a", Limit: -1},
		"not UTF-8":            {PK: "a\xff"},
		"NUL":                  {PK: "a", Prefix: "\x00"},
		"after outside prefix": {PK: "a", Prefix: "S#", After: "T#1"},
		"long":                 {PK: "a", After: long(1025)},
	} {
		t.Run("query "+name, func(t *testing.T) {
			_, err := tab.Query(t.Context(), q)
			is(t, err, table.ErrInvalid)
		})
	}
}

func nothing(t *testing.T, tab table.Table) {
	ctx, tally := table.WithTally(t.Context())
	if items, err := tab.Get(ctx); len(items) != 0 || err != nil {
		t.Errorf("get: %v, %v", items, err)
	}
	if err := tab.Write(ctx); err != nil {
		t.Errorf("write: %v", err)
	}
	if calls := tally.Calls(); len(calls) != 0 {
		t.Errorf("calls were made: %v", calls)
	}
}

// within fails unless call returns soon and with an error that is target.
func within(t *testing.T, target error, call func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- call() }()
	timer := time.NewTimer(2 * time.Second)
	defer timer.Stop()
	select {
	case err := <-done:
		is(t, err, target)
	case <-timer.C:
		t.Fatal("did not end with its context")
	}
}

func ended(t *testing.T, tab table.Table) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late, stop := context.WithTimeout(t.Context(), -time.Second)
	defer stop()
	for _, c := range []struct {
		ctx    context.Context //nolint:containedctx // the row's point
		target error
	}{{gone, context.Canceled}, {late, context.DeadlineExceeded}} {
		within(t, c.target, func() error { _, err := tab.Get(c.ctx, one()); return err })
		within(t, c.target, func() error { _, err := tab.Get(c.ctx, one(), key("0.T#two", "#")); return err })
		within(t, c.target, func() error { _, err := tab.Query(c.ctx, table.Query{PK: "0.T"}); return err })
		within(t, c.target, func() error { return tab.Write(c.ctx, table.Put(item(one(), "{}"))) })
		within(t, c.target, func() error { return tab.Write(c.ctx, table.Delete(one())) })
		within(t, c.target, func() error {
			return tab.Write(c.ctx, table.Put(item(one(), "{}")), table.Delete(key("0.T#two", "#")))
		})
	}
	want(t, tab, one(), nil)
}

// together runs n goroutines and waits for them.
func together(t *testing.T, n int, fn func(i int) error) []error {
	t.Helper()
	fns := make([]func(context.Context) error, n)
	errs := make([]error, n)
	for i := range fns {
		fns[i] = func(context.Context) error { errs[i] = fn(i); return nil }
	}
	if err := table.Together(t.Context(), fns...); err != nil {
		t.Fatal(err)
	}
	return errs
}

func counter(t *testing.T, tab table.Table) {
	const writers, each = 50, 2
	errs := together(t, writers, func(int) error {
		for range each {
			if err := tab.Write(t.Context(), table.Update(one(), []table.Change{table.Add(table.AttrN, 1)})); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	want(t, tab, one(), &table.Item{Key: one(), N: writers * each})

	const most = 10
	capped := key("0.T#cap", "#")
	paid := 0
	for _, err := range together(t, writers, func(int) error {
		return tab.Write(t.Context(), table.Update(capped, []table.Change{table.Add(table.AttrN, 1)}, table.Less(table.AttrN, most)))
	}) {
		var failed *table.ConditionFailed
		switch {
		case err == nil:
			paid++
		case !errors.As(err, &failed):
			t.Error(err)
		case failed.Item == nil || failed.Item.N != most:
			t.Errorf("refused at %s", show(failed.Item))
		}
	}
	if paid != most {
		t.Errorf("%d got through a cap of %d", paid, most)
	}
}

func oneWinner(t *testing.T, tab table.Table) {
	const writers = 50
	guard := key("0.C#password#h", "#")
	for name, ops := range map[string]func(i int) []table.Op{
		"a single put": func(i int) []table.Op {
			return []table.Op{table.Put(table.Item{Key: one(), St: fmt.Sprint(i)}, table.Absent())}
		},
		"a transaction": func(i int) []table.Op {
			return []table.Op{
				table.Put(table.Item{Key: key("0.I#"+fmt.Sprint(i), "#"), St: "identity"}, table.Absent()),
				table.Put(table.Item{Key: guard, St: fmt.Sprint(i)}, table.Absent()),
			}
		},
		"a delete": func(int) []table.Op {
			return []table.Op{table.Delete(key("0.X#code", "#"), table.Exists())}
		},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, tab, table.Put(item(key("0.X#code", "#"), "{}")))
			winners := 0
			for i, err := range together(t, writers, func(i int) error { return tab.Write(t.Context(), ops(i)...) }) {
				var failed *table.ConditionFailed
				switch {
				case err == nil:
					winners++
				case !errors.As(err, &failed):
					t.Errorf("writer %d: %v", i, err)
				}
			}
			if winners != 1 {
				t.Errorf("%d winners", winners)
			}
		})
	}
	owner := get(t, tab, guard).St
	for i := range writers {
		if got := get(t, tab, key("0.I#"+fmt.Sprint(i), "#")); (got != nil) != (fmt.Sprint(i) == owner) {
			t.Errorf("identity %d is %s, though %s has the guard", i, show(got), owner)
		}
	}
}

// transfers moves amounts between accounts, each under the versions it read, while others look on.
func transfers(t *testing.T, tab table.Table) {
	const accounts, writers, moves, start = 4, 8, 10, 100
	account := func(i int) table.Key { return key("0.T#account", fmt.Sprint(i)) }
	all := make([]table.Key, accounts)
	for i := range all {
		all[i] = account(i)
		write(t, tab, table.Put(table.Item{Key: all[i], N: start, V: 1}))
	}
	move := func(from, to int) error {
		for {
			read, err := tab.Get(t.Context(), account(from), account(to))
			if err != nil {
				return err
			}
			step := []table.Change{table.Add(table.AttrN, -1), table.Add(table.AttrV, 1)}
			err = tab.Write(t.Context(),
				table.Update(account(from), step, table.Is(table.AttrV, read[0].V), table.More(table.AttrN, 0)),
				table.Put(table.Item{Key: account(to), N: read[1].N + 1, V: read[1].V + 1}, table.Is(table.AttrV, read[1].V)),
			)
			if _, lost := errors.AsType[*table.ConditionFailed](err); !lost {
				return err
			}
		}
	}
	errs := together(t, writers, func(w int) error {
		for i := range moves {
			if err := move((w+i)%accounts, (w+i+1+w%2)%accounts); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	var sum, versions int64
	items, err := tab.Get(t.Context(), all...)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		sum += i.N
		versions += i.V
	}
	if sum != accounts*start {
		t.Errorf("%d in all accounts, %d put there", sum, accounts*start)
	}
	if wanted := int64(accounts + 2*writers*moves); versions != wanted {
		t.Errorf("versions add up to %d, want %d: every move counts once", versions, wanted)
	}
}

func tally(t *testing.T, tab table.Table) {
	ctx, tally := table.WithTally(t.Context())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := tab.Get(ctx, one())
	must(err)
	must(tab.Write(ctx, table.Put(item(one(), "{}"))))
	must(table.Together(ctx,
		func(ctx context.Context) error { _, err := tab.Get(ctx, one(), key("0.T#two", "#")); return err },
		func(ctx context.Context) error {
			return tab.Write(ctx, table.Update(key("0.T#n", "#"), []table.Change{table.Add(table.AttrN, 1)}))
		},
	))
	_, err = tab.Query(ctx, table.Query{PK: one().PK})
	must(err)
	must(tab.Write(ctx, table.Delete(one()), table.Put(item(key("0.T#two", "#"), "{}"))))

	var got []string
	for _, c := range tally.Calls() {
		got = append(got, fmt.Sprintf("%d %s %d", c.Trip, c.Verb, c.Items))
		if c.Tries != 1 && c.Verb != table.VerbWrite { // concurrent writes elsewhere may be in the way of ours
			t.Errorf("%s took %d tries", c.Verb, c.Tries)
		}
	}
	wanted := []string{"0 Get 1", "1 Write 1", "2 Get 2", "2 Write 1", "3 Query 1", "4 Write 2"}
	if !slices.Equal(got, wanted) {
		t.Errorf("calls:\n got %s\nwant %s", strings.Join(got, ", "), strings.Join(wanted, ", "))
	}
	if n := tally.RoundTrips(); n != 5 {
		t.Errorf("%d round trips, want 5", n)
	}
	if tally.RCU() <= 0 || tally.WCU() < 4 {
		t.Errorf("%v RCU, %v WCU: too few to be true", tally.RCU(), tally.WCU())
	}
}
