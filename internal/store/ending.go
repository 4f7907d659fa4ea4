package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/session"
	"styx/internal/table"
)

const (
	// deleteBatch is how many sessions one transaction removes: each is two items
	// of at most a hundred.
	deleteBatch = 49
	// atOnce is how many writes of a bulk are under way at a time.
	atOnce = 16
)

// Revoke ends one session of an identity; one that does not exist is no error.
func (s *Store) Revoke(ctx context.Context, owner, id string) error {
	id, ok := parse(id)
	if !ok {
		return fault.Bad("the session id is not a UUID")
	}
	_, err := s.revoke(ctx, owner, id)
	return err
}

// revoke ends one session and tells whether it was there and not ended before.
func (s *Store) revoke(ctx context.Context, owner, id string) (ended bool, err error) {
	err = s.Table.Write(ctx, table.Update(sessionKey(owner, id), []table.Change{table.Set(table.AttrSt, revoked), table.Add(table.AttrV, 1)},
		table.Exists(), table.Not(table.Is(table.AttrSt, revoked))))
	if _, over := errors.AsType[*table.ConditionFailed](err); over {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("revoke session: %w", err)
	}
	return true, nil
}

// RevokeAll ends sessions, of whomever, and tells how many were not ended before.
func (s *Store) RevokeAll(ctx context.Context, sessions []*session.Session) (int, error) {
	var count atomic.Int64
	err := table.Spread(ctx, atOnce, len(sessions), func(ctx context.Context, at int) error {
		ended, err := s.revoke(ctx, sessions[at].IdentityID, sessions[at].ID)
		if ended {
			count.Add(1)
		}
		return err
	})
	return int(count.Load()), err
}

// DeleteAll removes sessions, of whomever, and their pointers.
func (s *Store) DeleteAll(ctx context.Context, sessions []*session.Session) error {
	batches := (len(sessions) + deleteBatch - 1) / deleteBatch
	return table.Spread(ctx, atOnce, batches, func(ctx context.Context, at int) error {
		var c commit
		for _, one := range sessions[at*deleteBatch : min((at+1)*deleteBatch, len(sessions))] {
			c.add(nil, table.Delete(sessionKey(one.IdentityID, one.ID)), table.Delete(key(pointers, one.ID)))
		}
		return c.write(ctx, s.Table)
	})
}

// RevokeOf ends every session of an identity by raising its epoch, and tells how
// many were not ended before. Nobody has none.
func (s *Store) RevokeOf(ctx context.Context, owner string) (int, error) {
	who, err := s.Identity(ctx, owner)
	if fault.Is(err, fault.NotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	count := 0
	err = s.eachSession(ctx, owner, func(found []*session.Session) error {
		for _, one := range found {
			if !one.Revoked && one.Epoch == who.Epoch && one.ExpiresAt.After(s.Now()) {
				count++
			}
		}
		return nil
	})
	if err != nil || count == 0 {
		return 0, err
	}
	return count, s.raiseEpoch(ctx, owner)
}

// DeleteOf removes every session of an identity and tells how many there were.
// The epoch is raised first, so all of them are dead at once and none that
// somebody is about to write again comes back to life.
func (s *Store) DeleteOf(ctx context.Context, owner string) (int, error) {
	raised, count := false, 0
	err := s.eachSession(ctx, owner, func(found []*session.Session) error {
		if !raised && len(found) > 0 {
			if err := s.raiseEpoch(ctx, owner); err != nil {
				return err
			}
			raised = true
		}
		count += len(found)
		return s.DeleteAll(ctx, found)
	})
	return count, err
}

// raiseEpoch makes the sessions that an identity has be of the past.
func (s *Store) raiseEpoch(ctx context.Context, id string) error {
	_, err := s.Amend(ctx, id, func(who *identity.Identity) error {
		who.Epoch++
		return nil
	})
	if fault.Is(err, fault.NotFound) {
		return nil // the sessions of nobody are dead
	}
	return err
}

// eachSession hands over all sessions of an identity, some at a time.
func (s *Store) eachSession(ctx context.Context, owner string, do func([]*session.Session) error) error {
	id, ok := parse(owner)
	if !ok {
		return nil
	}
	query := table.Query{PK: key(identities, id).PK, Prefix: sessionsOf}
	for {
		page, err := s.Table.Query(ctx, query)
		if err != nil {
			return fmt.Errorf("list sessions: %w", err)
		}
		var found []*session.Session
		for at := range page.Items {
			one, err := readSession(&page.Items[at])
			if err != nil {
				return err
			}
			found = append(found, one)
		}
		if err := do(found); err != nil {
			return err
		}
		if !page.More || len(page.Items) == 0 {
			return nil
		}
		query.After = page.Items[len(page.Items)-1].SK
	}
}

// SomeSessions returns up to limit sessions, of whomever, that match, in no
// order, for a bulk that is repeated until nothing matches. It reads the index,
// which may lag behind by a moment.
func (s *Store) SomeSessions(ctx context.Context, limit int, matches func(*session.Session) bool) ([]*session.Session, error) {
	var found []*session.Session
	for _, digit := range shards {
		query := table.Query{GK: sessionShard(string(digit))}
		for {
			page, err := s.Table.Query(ctx, query)
			if err != nil {
				return nil, fmt.Errorf("list sessions: %w", err)
			}
			for at := range page.Items {
				one, err := readSession(&page.Items[at])
				if err != nil {
					return nil, err
				}
				query.After = one.ID
				if matches(one) {
					found = append(found, one)
				}
				if len(found) == limit {
					return found, nil
				}
			}
			if !page.More || len(page.Items) == 0 {
				break
			}
		}
	}
	return found, nil
}
