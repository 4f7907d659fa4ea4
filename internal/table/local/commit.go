package local

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"styx/internal/table"
)

const (
	sweepEvery = time.Minute
	sweepMost  = 1000 // items one sweep removes, so that no commit becomes long
)

// write is one Write on its way to the file.
type write struct {
	ops   []table.Op
	state atomic.Int32
	done  chan struct{} // closed once what follows is set
	committed
	failed error // of the file: nothing is known of the outcome
}

// committed is what became of a write that reached the file.
type committed struct {
	err   error // nil, or why none of it is stored
	units float64
}

// States of a write.
const (
	waiting   int32 = iota
	taken           // by who commits
	withdrawn       // by its writer
)

// errUnchanged rolls back a transaction that changed nothing: there is nothing to sync.
var errUnchanged = errors.New("nothing changed")

// commit has ops carried out and synced. Whoever gets the turn commits for all that wait.
func (t *Table) commit(ctx context.Context, ops []table.Op) (committed, error) {
	w := &write{ops: ops, done: make(chan struct{})}
	t.mu.Lock()
	t.queue = append(t.queue, w)
	t.mu.Unlock()
	select {
	case <-w.done:
	case t.turn <- struct{}{}:
		t.commitQueue()
	case <-ctx.Done():
		if w.state.CompareAndSwap(waiting, withdrawn) {
			return committed{}, ctx.Err()
		}
	}
	<-w.done
	return w.committed, w.failed
}

// commitQueue commits what is queued, in one file transaction, and gives the turn back.
func (t *Table) commitQueue() {
	defer func() { <-t.turn }()
	t.mu.Lock()
	queue := t.queue
	t.queue = nil
	t.mu.Unlock()
	var mine []*write
	for _, w := range queue {
		if w.state.CompareAndSwap(waiting, taken) {
			mine = append(mine, w)
		}
	}
	if len(mine) == 0 {
		return
	}
	err := t.db.Update(func(tx *bbolt.Tx) error {
		changed := false
		for _, w := range mine {
			var err error
			if w.committed, err = apply(tx, w.ops); err != nil {
				return err
			}
			changed = changed || w.err == nil
		}
		swept, err := t.sweep(tx)
		if err != nil {
			return err
		}
		if !changed && !swept {
			return errUnchanged
		}
		return nil
	})
	for _, w := range mine {
		if err != nil && !errors.Is(err, errUnchanged) {
			w.failed = fmt.Errorf("write to table file: %w", err)
		}
		close(w.done)
	}
}

// apply carries out one write within tx: all of it, or, as committed.err then says, nothing. An error is the file's.
func apply(tx *bbolt.Tx, ops []table.Op) (committed, error) {
	type change struct{ old, now *table.Item }
	changes := make([]change, len(ops))
	used := 0
	for i, op := range ops {
		old, err := read(tx, itemKey(op.Key))
		if err != nil {
			return committed{}, err
		}
		if !table.Holds(op.When, old) {
			return committed{err: &table.ConditionFailed{Op: i, Item: old}}, nil
		}
		now := table.Apply(op, old)
		if now != nil && now.Size() > table.MaxItem {
			return committed{err: fmt.Errorf("operation %d: item of %d bytes: %w", i, now.Size(), table.ErrTooLarge)}, nil
		}
		changes[i] = change{old, now}
		own, listed := writeUnits(old, now)
		if len(ops) > 1 { // a transaction prepares each item and then writes it; the index follows once
			own *= 2
		}
		if op.Kind == table.OpCheck {
			listed = 0
		}
		used += own + listed
	}
	for i, c := range changes {
		if ops[i].Kind == table.OpCheck {
			continue
		}
		if err := store(tx, itemKey(ops[i].Key), c.old, c.now); err != nil {
			return committed{}, err
		}
	}
	return committed{units: float64(used)}, nil
}

// store puts now in place of old, under key and in the index and the expiry list; nil stands for no item.
func store(tx *bbolt.Tx, key []byte, old, now *table.Item) error {
	for _, list := range []struct {
		name []byte
		of   func([]byte, *table.Item) []byte
	}{{index, indexKey}, {expiry, expiryKey}} {
		before, after := list.of(key, old), list.of(key, now)
		if string(before) == string(after) {
			continue
		}
		b := tx.Bucket(list.name)
		if before != nil {
			if err := b.Delete(before); err != nil {
				return err
			}
		}
		if after != nil {
			if err := b.Put(after, nil); err != nil {
				return err
			}
		}
	}
	if now == nil {
		return tx.Bucket(items).Delete(key)
	}
	return tx.Bucket(items).Put(key, encode(now))
}

// sweep removes items past their ttl, now and then, and says whether it removed any.
func (t *Table) sweep(tx *bbolt.Tx) (bool, error) {
	now := t.now()
	if age := now.Sub(t.swept); age >= 0 && age < sweepEvery {
		return false, nil
	}
	t.swept = now
	end := expiryKey(nil, &table.Item{TTL: max(now.Unix(), 1)})
	var keys [][]byte
	c := tx.Bucket(expiry).Cursor()
	for k, _ := c.First(); k != nil && string(k) < string(end) && len(keys) < sweepMost; k, _ = c.Next() {
		keys = append(keys, append([]byte(nil), k[len(end):]...))
	}
	for _, key := range keys {
		old, err := read(tx, key)
		if err != nil {
			return false, err
		}
		if err := store(tx, key, old, nil); err != nil {
			return false, err
		}
	}
	return len(keys) > 0, nil
}
