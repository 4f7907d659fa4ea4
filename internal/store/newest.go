package store

import (
	"cmp"
	"context"
	"slices"

	"styx/internal/table"
)

// Bounds of a list that is read newest first.
const (
	// shardPages is how many pages of each shard one list reads for a filter.
	shardPages = 2
	// shardPage is how many documents such a page holds.
	shardPage = 100
	// listBytes is how much of documents one list holds.
	listBytes = 4 << 20
)

// listing is a list of documents that are spread over shards of the index.
type listing[T any] struct {
	lists   []string // partitions of the index
	read    func(*table.Item) (T, error)
	row     func(T) row
	matches func(T) bool
	picky   bool // whether there is anything that does not match
}

// row is what a list has to know of a document.
type row struct {
	id   string // by which it is ordered
	v    int64
	size int
}

// newest returns up to limit documents older than the one of the id before, ""
// for the newest, and the id that the next page follows after, "" when nothing
// follows. A page may end early, or be empty, and still have a next one.
func newest[T any](ctx context.Context, t table.Table, asked listing[T], before string, limit int) ([]T, string, error) {
	found := make([]partial[T], len(asked.lists))
	reads := make([]func(context.Context) error, len(asked.lists))
	for at, list := range asked.lists {
		reads[at] = func(ctx context.Context) (err error) {
			found[at], err = asked.shard(ctx, t, list, before, limit)
			return err
		}
	}
	if err := table.Together(ctx, reads...); err != nil {
		return nil, "", err
	}
	merged, next := asked.merge(found, limit)
	return merged, next, nil
}

// partial is what was read of one shard: all that matches, newest first, down
// to the id reached; "" is its end.
type partial[T any] struct {
	found   []T
	reached string
}

func (l listing[T]) shard(ctx context.Context, t table.Table, list, before string, limit int) (partial[T], error) {
	var p partial[T]
	query := table.Query{GK: list, After: before, Reverse: true, Limit: limit + 1}
	if l.picky {
		query.Limit = max(query.Limit, shardPage)
	}
	for range shardPages {
		page, err := t.Query(ctx, query)
		if err != nil {
			return partial[T]{}, err
		}
		for at := range page.Items {
			document, err := l.read(&page.Items[at])
			if err != nil {
				return partial[T]{}, err
			}
			if query.After = page.Items[at].GS; l.matches(document) {
				p.found = append(p.found, document)
			}
		}
		if !page.More {
			return p, nil
		}
		if len(p.found) > limit {
			break
		}
	}
	p.reached = query.After
	return p, nil
}

// merge puts shards together, newest first. It goes no further down than the
// shard that was read least far, for older documents of that one are unknown.
func (l listing[T]) merge(shards []partial[T], limit int) (merged []T, next string) {
	floor := ""
	byID := map[string]T{}
	for _, shard := range shards {
		floor = max(floor, shard.reached)
		for _, document := range shard.found {
			// A document on its way from one list to the other may be in both.
			this := l.row(document)
			if other, twice := byID[this.id]; !twice || l.row(other).v < this.v {
				byID[this.id] = document
			}
		}
	}
	weight := 0
	ids := make([]string, 0, len(byID))
	for id := range byID {
		if id >= floor {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(b, a) })
	for at, id := range ids {
		if weight += l.row(byID[id]).size; len(merged) == limit || weight > listBytes && len(merged) > 0 {
			return merged, ids[at-1]
		}
		merged = append(merged, byID[id])
	}
	return merged, floor
}
