package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

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

// Create stores a new identity. A name that belongs to another is a TakenError.
func (s *Store) Create(ctx context.Context, who *identity.Identity) error {
	var c commit
	if err := s.putIdentity(&c, who); err != nil {
		return err
	}
	return c.write(ctx, s.Table)
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

// deleteBatch is how many sessions one transaction of a deletion removes: each
// is two items of at most a hundred.
const deleteBatch = 49

// Delete removes an identity and all that belongs to it. The identity goes
// last, together with its guards: a deletion that was cut short is completed by
// deleting again, and no name stays taken by nobody.
func (s *Store) Delete(ctx context.Context, id string) error {
	return Again(ctx, func(ctx context.Context) error {
		who, err := s.Identity(ctx, id)
		if err != nil {
			return err
		}
		if err := s.deleteSessions(ctx, who.ID); err != nil {
			return err
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
		return s.deleteSessions(ctx, who.ID)
	})
}

func (s *Store) deleteSessions(ctx context.Context, id string) error {
	owner := key(identities, id)
	for {
		page, err := s.Table.Query(ctx, table.Query{PK: owner.PK, Prefix: sessionsOf, Limit: deleteBatch})
		if err != nil {
			return fmt.Errorf("list sessions to delete: %w", err)
		}
		var c commit
		for _, item := range page.Items {
			c.add(nil, table.Delete(item.Key), table.Delete(key(pointers, item.SK[len(sessionsOf):])))
		}
		if err := c.write(ctx, s.Table); err != nil {
			return err
		}
		if len(page.Items) < deleteBatch && !page.More {
			return nil
		}
	}
}

// Identities returns up to limit identities whose ids follow after, in the
// order of ids, and whether there are more.
func (s *Store) Identities(ctx context.Context, after string, limit int) ([]*identity.Identity, bool, error) {
	var found []*identity.Identity
	for _, shard := range shards {
		if after != "" && string(shard) < after[:1] {
			continue
		}
		for {
			page, err := s.Table.Query(ctx, table.Query{GK: identityShard(string(shard)), After: after, Limit: limit + 1 - len(found)})
			if err != nil {
				return nil, false, fmt.Errorf("list identities: %w", err)
			}
			for i := range page.Items {
				if len(found) == limit {
					return found, true, nil
				}
				who, err := readIdentity(&page.Items[i])
				if err != nil {
					return nil, false, err
				}
				found = append(found, who)
				after = who.ID
			}
			if !page.More {
				break
			}
		}
	}
	return found, false, nil
}
