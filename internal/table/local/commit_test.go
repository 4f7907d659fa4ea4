package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"styx/internal/table"
)

func opened(t *testing.T) *Table {
	t.Helper()
	tab, err := Memory(Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tab.Close(); err != nil {
			t.Error(err)
		}
	})
	return tab
}

// commits is how many transactions the file has seen.
func commits(t *testing.T, tab *Table) int {
	t.Helper()
	n := 0
	if err := tab.db.View(func(tx *bbolt.Tx) error { n = tx.ID(); return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// queued waits until n writes are.
func queued(t *testing.T, tab *Table, n int) {
	t.Helper()
	for tab.waiting() < n {
		if t.Context().Err() != nil {
			t.Fatal("they never were")
		}
		time.Sleep(time.Millisecond)
	}
}

func (t *Table) waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.queue)
}

func TestWritersShareOneCommit(t *testing.T) {
	tab := opened(t)
	const writers = 200
	before := commits(t, tab)
	tab.turn <- struct{}{} // a commit is under way
	done := make(chan error)
	k := table.Key{PK: "0.T", SK: "#"}
	for range writers {
		go func() {
			done <- tab.Write(context.WithoutCancel(t.Context()), table.Put(table.Item{Key: k}, table.Absent()))
		}()
	}
	queued(t, tab, writers)
	<-tab.turn
	wins := 0
	for range writers {
		var failed *table.ConditionFailed
		switch err := <-done; {
		case err == nil:
			wins++
		case !errors.As(err, &failed):
			t.Error(err)
		}
	}
	if n := commits(t, tab) - before; n != 1 || wins != 1 {
		t.Errorf("%d commits, %d wins, want one of each", n, wins)
	}
}

func TestNothingChangedIsNotCommitted(t *testing.T) {
	tab := opened(t)
	before := commits(t, tab)
	for range 3 {
		var failed *table.ConditionFailed
		if err := tab.Write(t.Context(), table.Delete(table.Key{PK: "0.T", SK: "#"}, table.Exists())); !errors.As(err, &failed) {
			t.Error(err)
		}
	}
	if n := commits(t, tab) - before; n != 0 {
		t.Errorf("%d commits", n)
	}
}

func TestWithdrawnWriteIsNotCommitted(t *testing.T) {
	tab := opened(t)
	tab.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	k := table.Key{PK: "0.T", SK: "#"}
	go func() { done <- tab.Write(ctx, table.Put(table.Item{Key: k})) }()
	queued(t, tab, 1)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) { // it ends though the commit before it has not
		t.Errorf("got %v", err)
	}
	<-tab.turn
	if err := tab.Write(t.Context(), table.Put(table.Item{Key: table.Key{PK: "0.T", SK: "other"}})); err != nil {
		t.Fatal(err)
	}
	got, err := tab.Get(t.Context(), k)
	if err != nil || got[0] != nil {
		t.Errorf("a withdrawn write is stored: %v, %v", got[0], err)
	}
}

func FuzzDecode(f *testing.F) {
	full := table.Item{Key: table.Key{PK: "p", SK: "s"}, Doc: []byte("{}"), V: -1, DV: 2, Exp: 3, TTL: 4, N: 5, St: "x", GK: "g", GS: "é"}
	f.Add(itemKey(full.Key), encode(&full))
	f.Add([]byte{0, 9, 'x'}, []byte{1, 2, 3})
	f.Add([]byte{0, 1, 'x', 'y'}, []byte{0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, key, record []byte) {
		item, err := decode(key, record)
		if err != nil {
			if item != nil {
				t.Error("an error and an item")
			}
			return
		}
		again, err := decode(itemKey(item.Key), encode(item))
		if err != nil || fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", item) {
			t.Errorf("%+v came back as %+v, %v", item, again, err)
		}
		if !bytes.Equal(itemKey(item.Key), key) {
			t.Errorf("key %x came back as %x", key, itemKey(item.Key))
		}
	})
}

// What the embedded table says of a write is what DynamoDB would.
func TestWritesCountTheIndex(t *testing.T) {
	tab := opened(t)
	item := func(name, place string, bytes int) table.Item {
		return table.Item{Key: table.Key{PK: "0.T#" + name, SK: "#"}, GK: place, GS: place, Doc: bytes2k[:bytes]}
	}
	for _, c := range []struct {
		name string
		ops  []table.Op
		want float64
	}{
		{"an item", []table.Op{table.Put(item("plain", "", 100))}, 1},
		{"an item in the index", []table.Op{table.Put(item("listed", "a", 100))}, 2},
		{"in its place", []table.Op{table.Put(item("listed", "a", 1500))}, 4},
		{"to another place", []table.Op{table.Put(item("listed", "b", 100))}, 2 + 2 + 1},
		{"in a transaction, where the index follows once", []table.Op{table.Put(item("listed", "b", 100)), table.Check(item("plain", "", 0).Key, table.Exists())}, 2 + 1 + 2},
		{"out of the index", []table.Op{table.Delete(item("listed", "b", 0).Key)}, 2},
	} {
		ctx, tally := table.WithTally(t.Context())
		if err := tab.Write(ctx, c.ops...); err != nil {
			t.Fatal(err)
		}
		if got := tally.WCU(); got != c.want {
			t.Errorf("%s: %v units, want %v", c.name, got, c.want)
		}
	}
}

var bytes2k = bytes.Repeat([]byte("x"), 2<<10)
