package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"styx/internal/fault"
	"styx/internal/secret"
	"styx/internal/table"
)

// How long the table keeps an item after it expired: an expired flow answers
// that it is expired, not that it never was.
const (
	flowGrace    = 7 * 24 * time.Hour
	sessionGrace = 30 * 24 * time.Hour
	counterGrace = 24 * time.Hour
)

// attempts is how often a lost race is read and decided anew.
const attempts = 3

// Store is the records over one table. Now is cut to microseconds.
type Store struct {
	Table table.Table
	Ring  *secret.Ring
	Now   func() time.Time
	Rand  io.Reader
}

// ErrConsumed says that a flow was completed by somebody who came first.
var ErrConsumed = errors.New("flow was completed before")

// errRace says that an item changed between its reading and its writing.
var errRace = errors.New("item changed meanwhile")

// TakenError says that a name belongs to another identity.
type TakenError struct {
	Guard string // C#<type>#<hash>, A#<kind>#<via>#<hash>
}

func (e *TakenError) Error() string { return "name is taken: " + e.Guard }

// Again decides anew when a race was lost, a few times.
func Again(ctx context.Context, decide func(context.Context) error) error {
	for range attempts {
		if err := decide(ctx); !errors.Is(err, errRace) {
			return err
		}
	}
	return &fault.Error{Kind: fault.Busy, Err: errRace}
}

// commit collects what is written together, each operation with what its
// condition's failure means, and what is true once all of it is stored.
type commit struct {
	ops     []table.Op
	failure []func(found *table.Item) error
	stored  []func()
}

func (c *commit) add(failure error, ops ...table.Op) {
	c.addJudged(func(*table.Item) error { return failure }, ops...)
}

// addJudged is add where a failure's meaning depends on what stood in the way.
func (c *commit) addJudged(failure func(found *table.Item) error, ops ...table.Op) {
	for _, op := range ops {
		c.ops = append(c.ops, op)
		c.failure = append(c.failure, failure)
	}
}

func (c *commit) write(ctx context.Context, t table.Table) error {
	err := t.Write(ctx, c.ops...)
	if failed, ok := errors.AsType[*table.ConditionFailed](err); ok {
		return c.failure[failed.Op](failed.Item)
	}
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	for _, note := range c.stored {
		note()
	}
	return nil
}

func (s *Store) ttl(expires time.Time, grace time.Duration) int64 {
	return expires.Add(grace).Unix()
}

// Reachable tells whether the table can be read.
func (s *Store) Reachable(ctx context.Context) error {
	_, err := s.Table.Get(ctx, key(errorsSeen, "reachable"))
	return err
}
