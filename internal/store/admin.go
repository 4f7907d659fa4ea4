package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"styx/internal/identity"
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
