package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/table"
)

// Identity returns the identity of that id, or a NotFound fault.
func (s *Store) Identity(ctx context.Context, id string) (*identity.Identity, error) {
	id, ok := parse(id)
	if !ok {
		return nil, fault.Missing()
	}
	items, err := s.Table.Get(ctx, key(identities, id))
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	if items[0] == nil {
		return nil, fault.Missing()
	}
	return readIdentity(items[0])
}

func readIdentity(item *table.Item) (*identity.Identity, error) {
	who := new(identity.Identity)
	if err := decode(item, who); err != nil {
		return nil, err
	}
	who.V = item.V
	return who, nil
}

// putIdentity adds the write of an identity and of the difference between the
// guards it had and those it has now. A new identity has version 0.
func (s *Store) putIdentity(c *commit, who *identity.Identity) error {
	guards, err := identity.Guards(who)
	if err != nil {
		return err
	}
	had := who.Guards
	who.Guards = guards
	document, err := json.Marshal(who)
	if err != nil {
		return fmt.Errorf("encode identity: %w", err)
	}
	unchanged := table.All(table.Is(table.AttrV, who.V), writable)
	if who.V == 0 {
		unchanged = table.Absent()
	}
	c.add(errRace, table.Put(table.Item{
		Key: key(identities, who.ID), Doc: document, V: who.V + 1, DV: documentVersion,
		GK: identityShard(who.ID), GS: who.ID,
	}, unchanged))
	c.stored = append(c.stored, func() { who.V++ })
	for _, guard := range guards {
		if !slices.Contains(had, guard) {
			free := table.Any(table.Absent(), table.Is(table.AttrSt, who.ID))
			c.add(&TakenError{guard}, table.Put(table.Item{Key: guardKey(guard), St: who.ID}, free))
		}
	}
	for _, guard := range had {
		if !slices.Contains(guards, guard) {
			c.add(errRace, table.Delete(guardKey(guard), table.Is(table.AttrSt, who.ID)))
		}
	}
	return nil
}

// Create stores a new identity. A name that belongs to another is a TakenError,
// and so is an id.
func (s *Store) Create(ctx context.Context, who *identity.Identity) error {
	var c commit
	if err := s.putIdentity(&c, who); err != nil {
		return err
	}
	if err := c.write(ctx, s.Table); err != errRace { //nolint:errorlint // our own value, handed through unwrapped
		return err
	}
	return &TakenError{who.ID}
}

// Owner returns who holds a guard, or a NotFound fault.
func (s *Store) Owner(ctx context.Context, guard string) (*identity.Identity, error) {
	items, err := s.Table.Get(ctx, guardKey(guard))
	if err != nil {
		return nil, fmt.Errorf("read guard: %w", err)
	}
	if items[0] == nil {
		return nil, fault.Missing()
	}
	return s.Identity(ctx, items[0].St)
}

// Upgrade stores a change that nobody waits for: if the identity changed since
// it was read, the change is dropped.
func (s *Store) Upgrade(ctx context.Context, who *identity.Identity, change func(*identity.Identity)) error {
	change(who)
	var c commit
	if err := s.putIdentity(&c, who); err != nil {
		return err
	}
	if err := c.write(ctx, s.Table); err != errRace { //nolint:errorlint // our own value, handed through unwrapped
		return err
	}
	return nil
}

// Amend reads an identity, changes it and stores it; a race that was lost is
// decided anew. Its own errors are a NotFound fault and a TakenError.
func (s *Store) Amend(ctx context.Context, id string, change func(*identity.Identity) error) (*identity.Identity, error) {
	var changed *identity.Identity
	err := Again(ctx, func(ctx context.Context) error {
		who, err := s.Identity(ctx, id)
		if err != nil {
			return err
		}
		if err := change(who); err != nil {
			return err
		}
		var c commit
		if err := s.putIdentity(&c, who); err != nil {
			return err
		}
		changed = who
		return c.write(ctx, s.Table)
	})
	return changed, err
}

// Delete removes an identity and all that belongs to it, so much in a
// transaction as fits. The identity goes last, together with its guards: a
// deletion that was cut short is completed by deleting again, and no name stays
// taken by nobody.
func (s *Store) Delete(ctx context.Context, id string) error {
	return Again(ctx, func(ctx context.Context) error {
		who, err := s.Identity(ctx, id)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err := s.clear(ctx, id); err != nil {
			return err
		}
		if err != nil {
			return err // nobody, and nothing is left of whom a crash deleted half
		}
		var c commit
		c.add(errRace, table.Delete(key(identities, who.ID), table.Is(table.AttrV, who.V)))
		for _, guard := range who.Guards {
			c.add(errRace, table.Delete(guardKey(guard), table.Is(table.AttrSt, who.ID)))
		}
		if err := c.write(ctx, s.Table); err != nil {
			return err
		}
		// A session that began meanwhile is dead without its identity.
		return s.clear(ctx, who.ID)
	})
}

// clear removes everything of an identity but its document: sessions with their
// pointers, and whatever else is kept beside it.
func (s *Store) clear(ctx context.Context, id string) error {
	id, ok := parse(id)
	if !ok {
		return nil
	}
	itself := key(identities, id)
	for {
		page, err := s.Table.Query(ctx, table.Query{PK: itself.PK, Limit: deleteBatch + 1})
		if err != nil {
			return fmt.Errorf("list what to delete: %w", err)
		}
		var c commit
		for _, item := range page.Items {
			if item.Key == itself {
				continue
			}
			c.add(nil, table.Delete(item.Key))
			if session, is := strings.CutPrefix(item.SK, sessionsOf); is {
				c.add(nil, table.Delete(key(pointers, session)))
			}
		}
		if err := c.write(ctx, s.Table); err != nil {
			return err
		}
		if !page.More {
			return nil
		}
	}
}

// Identities returns up to limit identities whose ids follow after, in the
// order of ids, and whether there are more. The shard where the page begins
// mostly holds all of it; where it does not, the others are read together.
func (s *Store) Identities(ctx context.Context, after string, limit int) ([]*identity.Identity, bool, error) {
	first := 0
	if after != "" {
		first = max(0, strings.Index(shards, after[:1]))
	}
	found, err := s.identitiesOf(ctx, first, after, limit+1)
	if err != nil {
		return nil, false, err
	}
	if lacking := limit + 1 - len(found); lacking > 0 {
		others := make([][]*identity.Identity, len(shards)-first-1)
		err := table.Spread(ctx, len(others), len(others), func(ctx context.Context, at int) (err error) {
			others[at], err = s.identitiesOf(ctx, first+1+at, "", lacking)
			return err
		})
		if err != nil {
			return nil, false, err
		}
		found = append(found, slices.Concat(others...)...)
	}
	return found[:min(limit, len(found))], len(found) > limit, nil
}

// identitiesOf returns up to limit identities of one shard.
func (s *Store) identitiesOf(ctx context.Context, shard int, after string, limit int) ([]*identity.Identity, error) {
	var found []*identity.Identity
	for {
		page, err := s.Table.Query(ctx, table.Query{GK: identityShard(shards[shard:]), After: after, Limit: limit - len(found)})
		if err != nil {
			return nil, fmt.Errorf("list identities: %w", err)
		}
		for at := range page.Items {
			who, err := readIdentity(&page.Items[at])
			if err != nil {
				return nil, err
			}
			found = append(found, who)
			after = who.ID
		}
		if !page.More || len(found) >= limit || len(page.Items) == 0 {
			return found, nil
		}
	}
}
