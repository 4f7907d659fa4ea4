package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/session"
	"styx/internal/table"
)

// IdentitiesByID returns those of the identities that exist, each once and in
// the order of ids. The read is strongly consistent; an id that is no UUID
// names nobody.
func (s *Store) IdentitiesByID(ctx context.Context, ids []string) ([]*identity.Identity, error) {
	var keys []table.Key
	for _, id := range ids {
		if id, ok := parse(id); ok && !slices.Contains(keys, key(identities, id)) {
			keys = append(keys, key(identities, id))
		}
	}
	items, err := s.Table.Get(ctx, keys...)
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	var found []*identity.Identity
	for _, item := range items {
		if item == nil {
			continue
		}
		who, err := readIdentity(item)
		if err != nil {
			return nil, err
		}
		found = append(found, who)
	}
	slices.SortFunc(found, func(a, b *identity.Identity) int { return cmp.Compare(a.ID, b.ID) })
	return found, nil
}

// Owners returns the ids of the identities that hold any of the guards. The
// read is strongly consistent.
func (s *Store) Owners(ctx context.Context, guards ...string) ([]string, error) {
	keys := make([]table.Key, len(guards))
	for at, guard := range guards {
		keys[at] = guardKey(guard)
	}
	items, err := s.Table.Get(ctx, keys...)
	if err != nil {
		return nil, fmt.Errorf("read guards: %w", err)
	}
	var owners []string
	for _, item := range items {
		if item != nil && !slices.Contains(owners, item.St) {
			owners = append(owners, item.St)
		}
	}
	return owners, nil
}

// CountIdentities returns how many identities there are, or most when there are
// more: the index is read for it, so the bound is on what a count may cost.
func (s *Store) CountIdentities(ctx context.Context, most int) (int, error) {
	count := 0
	for _, shard := range shards {
		query := table.Query{GK: identityShard(string(shard))}
		for count < most {
			query.Limit = most - count
			page, err := s.Table.Query(ctx, query)
			if err != nil {
				return 0, fmt.Errorf("count identities: %w", err)
			}
			count += len(page.Items)
			if !page.More || len(page.Items) == 0 {
				break
			}
			query.After = page.Items[len(page.Items)-1].GS
		}
	}
	return count, nil
}

// Session returns a session by its id alone and its owner, or a NotFound fault.
func (s *Store) Session(ctx context.Context, id string) (*session.Session, *identity.Identity, error) {
	id, ok := parse(id)
	if !ok {
		return nil, nil, fault.Missing()
	}
	pointer, err := s.Table.Get(ctx, key(pointers, id))
	if err != nil {
		return nil, nil, fmt.Errorf("read session pointer: %w", err)
	}
	if pointer[0] == nil {
		return nil, nil, fault.Missing()
	}
	owner := pointer[0].St
	items, err := s.Table.Get(ctx, key(identities, owner), sessionKey(owner, id))
	if err != nil {
		return nil, nil, fmt.Errorf("read session: %w", err)
	}
	if items[0] == nil || items[1] == nil {
		return nil, nil, fault.Missing()
	}
	who, err := readIdentity(items[0])
	if err != nil {
		return nil, nil, err
	}
	found, err := readSession(items[1])
	return found, who, err
}

// SessionsByID returns those of the sessions that exist, whosever they are. The
// read is strongly consistent; an id that is no UUID names none.
func (s *Store) SessionsByID(ctx context.Context, ids []string) ([]*session.Session, error) {
	var keys []table.Key
	for _, id := range ids {
		if id, ok := parse(id); ok && !slices.Contains(keys, key(pointers, id)) {
			keys = append(keys, key(pointers, id))
		}
	}
	owners, err := s.Table.Get(ctx, keys...)
	if err != nil {
		return nil, fmt.Errorf("read session pointers: %w", err)
	}
	var stored []table.Key
	for _, pointer := range owners {
		if pointer != nil {
			stored = append(stored, sessionKey(pointer.St, pointer.PK[len(key(pointers, "").PK):]))
		}
	}
	items, err := s.Table.Get(ctx, stored...)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	var found []*session.Session
	for _, item := range items {
		if item == nil {
			continue
		}
		one, err := readSession(item)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}

// SessionPage is one page of the list of all sessions, newest first.
type SessionPage struct {
	Sessions []*session.Session
	Owners   map[string]*identity.Identity // by id; nil for one that is gone
	// Next is the id that the next page follows after, "" when nothing follows.
	// A page may end early, or be empty, and still have a next one.
	Next string
}

// AllSessions returns up to limit sessions, whosever they are, older than the
// one of the id before, "" for the newest.
func (s *Store) AllSessions(ctx context.Context, before string, limit int) (SessionPage, error) {
	asked := listing[*session.Session]{
		read:    readSession,
		row:     func(one *session.Session) row { return row{one.ID, one.V, len(one.Stored)} },
		matches: func(*session.Session) bool { return true },
	}
	for _, digit := range shards {
		asked.lists = append(asked.lists, sessionShard(string(digit)))
	}
	found, next, err := newest(ctx, s.Table, asked, before, limit)
	if err != nil {
		return SessionPage{}, fmt.Errorf("list sessions: %w", err)
	}
	page := SessionPage{Sessions: found, Owners: map[string]*identity.Identity{}, Next: next}
	for _, one := range found {
		page.Owners[one.IdentityID] = nil
	}
	owners, err := s.IdentitiesByID(ctx, slices.Collect(maps.Keys(page.Owners)))
	if err != nil {
		return SessionPage{}, err
	}
	for _, who := range owners {
		page.Owners[who.ID] = who
	}
	return page, nil
}
