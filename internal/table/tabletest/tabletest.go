package tabletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"styx/internal/table"
)

// patience is how long the suite waits for the index, which may lag behind.
const patience = 10 * time.Second

// Run holds a backend to what table.Table promises. open returns an empty table that ends with the test.
func Run(t *testing.T, open func(t *testing.T) table.Table) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, table.Table)
	}{
		{"an item comes back as it was put", itemComesBack},
		{"get answers each key in its place", getAligned},
		{"get reads more keys than one batch", getMany},
		{"conditions", conditions},
		{"a failed condition names its operation and the item", failedCondition},
		{"a transaction is all or nothing", allOrNothing},
		{"update", update},
		{"put replaces every attribute", putReplaces},
		{"delete", remove},
		{"check", check},
		{"a partition is walked in pages, up and down", pages},
		{"a prefix ends where it ends", prefixes},
		{"a page ends early when it is full", fullPage},
		{"the index holds items with both keys", indexMembers},
		{"the index is walked in pages, up and down", indexPages},
		{"an expired item is not a deleted one", expired},
		{"limits", limits},
		{"invalid calls", invalid},
		{"no keys and no operations cost nothing", nothing},
		{"an ended context", ended},
		{"a counter under concurrency", counter},
		{"one of many wins", oneWinner},
		{"transfers keep the sum", transfers},
		{"the tally counts calls", tally},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func key(pk, sk string) table.Key { return table.Key{PK: pk, SK: sk} }

// one is the key most cases use.
func one() table.Key { return key("0.T#one", "#") }

func item(k table.Key, doc string) table.Item { return table.Item{Key: k, Doc: []byte(doc)} }

func write(t *testing.T, tab table.Table, ops ...table.Op) {
	t.Helper()
	if err := tab.Write(t.Context(), ops...); err != nil {
		t.Fatalf("write: %v", err)
	}
}

func get(t *testing.T, tab table.Table, k table.Key) *table.Item {
	t.Helper()
	items, err := tab.Get(t.Context(), k)
	if err != nil {
		t.Fatalf("get %v: %v", k, err)
	}
	if len(items) != 1 {
		t.Fatalf("get of one key answered with %d items", len(items))
	}
	return items[0]
}

func query(t *testing.T, tab table.Table, q table.Query) table.Page {
	t.Helper()
	page, err := tab.Query(t.Context(), q)
	if err != nil {
		t.Fatalf("query %+v: %v", q, err)
	}
	return page
}

// want fails unless the item under k is w; nil for none.
func want(t *testing.T, tab table.Table, k table.Key, w *table.Item) {
	t.Helper()
	if got := get(t, tab, k); !reflect.DeepEqual(got, w) {
		t.Errorf("item %v:\n got %s\nwant %s", k, show(got), show(w))
	}
}

// refused fails unless err says that operation op failed where old stood.
func refused(t *testing.T, err error, op int, old *table.Item) {
	t.Helper()
	var failed *table.ConditionFailed
	switch {
	case !errors.As(err, &failed):
		t.Errorf("got %v, want a failed condition", err)
	case failed.Op != op:
		t.Errorf("operation %d failed, want %d", failed.Op, op)
	case !reflect.DeepEqual(failed.Item, old):
		t.Errorf("failed on\n %s\nwant\n %s", show(failed.Item), show(old))
	}
}

func is(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("got error %v, want %v", err, target)
	}
}

func show(i *table.Item) string {
	if i == nil {
		return "none"
	}
	s := fmt.Sprintf("%+v", *i)
	if len(s) > 400 {
		s = s[:400] + "…"
	}
	return s
}

// eventually fails unless ok holds within patience.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// sortKeys lists the sort keys of a page.
func sortKeys(page table.Page) string {
	var keys []string
	for _, i := range page.Items {
		keys = append(keys, i.SK)
	}
	return strings.Join(keys, " ")
}

// walk follows a query to its end and returns the sort keys of each page, pages divided by bars.
func walk(t *testing.T, tab table.Table, q table.Query) string {
	t.Helper()
	var pages []string
	for {
		page := query(t, tab, q)
		if len(page.Items) > 0 || len(pages) == 0 {
			pages = append(pages, sortKeys(page))
		}
		if !page.More {
			return strings.Join(pages, "|")
		}
		last := page.Items[len(page.Items)-1]
		q.After = last.SK
		if q.GK != "" {
			q.After = last.GS
		}
	}
}

func letters(n int) []byte { return bytes.Repeat([]byte("a"), n) }
