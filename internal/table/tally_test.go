package table_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"styx/internal/table"
)

func call(ctx context.Context, verb table.Verb, items, tries int) {
	e := table.Begin(ctx, verb, items)
	for range tries {
		e.Sent()
	}
	e.Used(1, 0.5)
}

func TestTogetherIsOneRoundTrip(t *testing.T) {
	ctx, tally := table.WithTally(t.Context())
	call(ctx, table.VerbGet, 1, 1)
	err := table.Together(ctx,
		func(ctx context.Context) error { call(ctx, table.VerbWrite, 3, 1); return nil },
		func(ctx context.Context) error { call(ctx, table.VerbGet, 2, 1); return nil },
		func(ctx context.Context) error { // two after one another, the second one of two together
			call(ctx, table.VerbGet, 1, 1)
			return table.Together(ctx,
				func(ctx context.Context) error { call(ctx, table.VerbGet, 5, 1); return nil },
				func(ctx context.Context) error { call(ctx, table.VerbQuery, 7, 1); return nil },
			)
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	call(ctx, table.VerbWrite, 1, 3) // sent three times: three waits
	call(ctx, table.VerbGet, 1, 1)
	var got []string
	for _, c := range tally.Calls() {
		got = append(got, fmt.Sprintf("%d %s %d", c.Trip, c.Verb, c.Items))
	}
	want := []string{"0 Get 1", "1 Get 1", "1 Get 2", "1 Write 3", "2 Get 5", "2 Query 7", "3 Write 1", "6 Get 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if n := tally.RoundTrips(); n != 7 {
		t.Errorf("%d round trips, want 7", n)
	}
	if tally.RCU() != 8 || tally.WCU() != 4 {
		t.Errorf("%v RCU, %v WCU", tally.RCU(), tally.WCU())
	}
}

func TestTogetherFinishesAll(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	ran := make([]bool, 4)
	gate := make(chan struct{})
	err := table.Together(t.Context(),
		func(context.Context) error { <-gate; ran[0] = true; return nil },
		func(context.Context) error { <-gate; ran[1] = true; return one },
		func(ctx context.Context) error { close(gate); ran[2] = true; return errors.Join(two, ctx.Err()) },
		func(ctx context.Context) error { <-gate; ran[3] = ctx.Err() == nil; return nil },
	)
	if !errors.Is(err, one) || slices.Contains(ran, false) {
		t.Errorf("got %v, ran %v", err, ran)
	}
}

func TestTogetherPanicsInItsCaller(t *testing.T) {
	finished := false
	defer func() {
		if p := recover(); p != "lost" || !finished {
			t.Errorf("recovered %v, the other finished: %v", p, finished)
		}
	}()
	err := table.Together(t.Context(),
		func(context.Context) error { panic("lost") },
		func(context.Context) error { finished = true; return nil },
	)
	t.Errorf("returned %v", err)
}

func TestWithoutTally(t *testing.T) {
	call(t.Context(), table.VerbGet, 1, 1)
	table.Begin(t.Context(), table.VerbQuery, 0).Found(3)
	if err := table.Together(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSpreadDoesEachOnceAndStopsAtAnError(t *testing.T) {
	var done [50]atomic.Int32
	if err := table.Spread(t.Context(), 7, len(done), func(_ context.Context, at int) error {
		done[at].Add(1)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for at := range done {
		if n := done[at].Load(); n != 1 {
			t.Errorf("piece %d was done %d times", at, n)
		}
	}
	failure := errors.New("no")
	count := 0
	err := table.Spread(t.Context(), 1, 5, func(_ context.Context, at int) error {
		count++
		if at == 2 {
			return failure
		}
		return nil
	})
	if !errors.Is(err, failure) || count != 3 {
		t.Errorf("after %d pieces: %v", count, err)
	}
	if err := table.Spread(t.Context(), 4, 0, func(context.Context, int) error { return failure }); err != nil {
		t.Errorf("nothing to do: %v", err)
	}
}
