package store

import (
	"context"
	"errors"
	"fmt"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/table"
)

// newestSessions is how many sessions of an identity a list holds.
const newestSessions = 200

// revoked is the status of a session that was ended.
const revoked = "revoked"

func readSession(item *table.Item) (*session.Session, error) {
	found := new(session.Session)
	if err := decode(item, found); err != nil {
		return nil, err
	}
	found.V, found.Stored, found.Revoked = item.V, item.Doc, item.St == revoked
	return found, nil
}

// putSession adds the write of a session and of its pointer.
func (s *Store) putSession(c *commit, live *session.Session) error {
	document, err := encode(live, live.Stored)
	if err != nil {
		return fmt.Errorf("encode session: %w", err)
	}
	item := table.Item{
		Key: sessionKey(live.IdentityID, live.ID), Doc: document, V: live.V + 1, DV: documentVersion,
		Exp: live.ExpiresAt.UnixMilli(), TTL: s.ttl(live.ExpiresAt, sessionGrace),
		GK: sessionShard(live.ID), GS: live.ID,
	}
	c.stored = append(c.stored, func() { live.V, live.Stored = live.V+1, document })
	// The pointer lasts as long as its session does.
	pointer := table.Item{Key: key(pointers, live.ID), St: live.IdentityID, Exp: item.Exp, TTL: item.TTL}
	if live.V == 0 {
		c.add(errRace, table.Put(item, table.Absent()), table.Put(pointer, table.Absent()))
		return nil
	}
	// A session revoked meanwhile has another version or status: it stays dead.
	c.add(errRace, table.Put(item, table.Is(table.AttrV, live.V), table.Not(table.Is(table.AttrSt, revoked)), writable),
		table.Put(pointer))
	return nil
}

// Resume changes a stored session of who. One that ended meanwhile is an
// Unauthorized fault.
func (s *Store) Resume(ctx context.Context, who *identity.Identity, live *session.Session, change func(*session.Session)) error {
	return s.settle(ctx, who, live, change, func(*commit) error { return nil })
}

// settle changes a session and writes it together with what add adds. A lost
// race reads identity and session again and decides anew. A session of version
// 0 is new: there is nothing to read of it.
func (s *Store) settle(
	ctx context.Context, who *identity.Identity, live *session.Session,
	change func(*session.Session), add func(*commit) error,
) error {
	raced := false
	return Again(ctx, func(ctx context.Context) error {
		if raced {
			if err := s.reread(ctx, who, live); err != nil {
				return err
			}
		}
		raced = true
		if change != nil {
			change(live)
		}
		var c commit
		if err := add(&c); err != nil {
			return err
		}
		if err := s.putSession(&c, live); err != nil {
			return err
		}
		return c.write(ctx, s.Table)
	})
}

// RevokeOthers ends every session of an identity but the one that stays, by
// raising the identity's epoch and re-stamping the survivor in one write. The
// survivor is changed on the way; nil changes nothing else about it.
func (s *Store) RevokeOthers(ctx context.Context, who *identity.Identity, survivor *session.Session, change func(*session.Session)) error {
	return s.settle(ctx, who, survivor, change, func(c *commit) error {
		who.Epoch++
		survivor.Epoch = who.Epoch
		return s.putIdentity(c, who)
	})
}

// errEnded says that a session ended while it was about to go on.
var errEnded = &fault.Error{Kind: fault.Unauthorized, Err: errors.New("session ended meanwhile")}

// reread brings an identity and its stored session up to date.
func (s *Store) reread(ctx context.Context, who *identity.Identity, live *session.Session) error {
	items, err := s.Table.Get(ctx, key(identities, who.ID), sessionKey(who.ID, live.ID))
	if err != nil {
		return fmt.Errorf("read again: %w", err)
	}
	if items[0] == nil || items[1] == nil && live.V > 0 {
		return errEnded
	}
	fresh, err := readIdentity(items[0])
	if err != nil {
		return err
	}
	if live.V == 0 && (!fresh.Active() || fresh.PasswordHash() != who.PasswordHash()) {
		return errEnded // what the new session was judged by is no longer so
	}
	*who = *fresh
	if items[1] == nil {
		return nil
	}
	found, err := readSession(items[1])
	if err != nil {
		return err
	}
	if found.Revoked || found.Epoch != who.Epoch {
		return errEnded
	}
	*live = *found
	return nil
}

// Sessions returns the newest sessions of an identity, newest first, live or not.
func (s *Store) Sessions(ctx context.Context, owner string) ([]*session.Session, error) {
	var found []*session.Session
	query := table.Query{PK: key(identities, owner).PK, Prefix: sessionsOf, Reverse: true, Limit: newestSessions}
	for {
		page, err := s.Table.Query(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("list sessions: %w", err)
		}
		for i := range page.Items {
			one, err := readSession(&page.Items[i])
			if err != nil {
				return nil, err
			}
			found = append(found, one)
		}
		if !page.More || len(found) >= newestSessions {
			return found, nil
		}
		query.After = page.Items[len(page.Items)-1].SK
		query.Limit = newestSessions - len(found)
	}
}

// Bearer is a session and its owner, as one strongly consistent read found them.
type Bearer struct {
	Session *session.Session
	Owner   *identity.Identity
	Token   secret.Token
}

// bearer matches what was read for a token with the token; anything amiss is
// nobody.
func bearer(token secret.Token, owner, live *table.Item) (*Bearer, error) {
	if owner == nil || live == nil {
		return nil, nil
	}
	found, err := readSession(live)
	if err != nil {
		return nil, err
	}
	if !token.MatchesHash(found.Hash) {
		return nil, nil
	}
	who, err := readIdentity(owner)
	if err != nil {
		return nil, err
	}
	return &Bearer{Session: found, Owner: who, Token: token}, nil
}

// Bearer returns whom a session token names, nil for nobody. The session may be
// dead: the caller asks.
func (s *Store) Bearer(ctx context.Context, token secret.Token) (*Bearer, error) {
	items, err := s.Table.Get(ctx, bearerKeys(token)...)
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	return bearer(token, items[0], items[1])
}

// Holder returns an identity and a session of its, each nil where it is not
// there. The session may be dead: the caller asks.
func (s *Store) Holder(ctx context.Context, owner, id string) (*identity.Identity, *session.Session, error) {
	items, err := s.Table.Get(ctx, key(identities, owner), sessionKey(owner, id))
	if err != nil {
		return nil, nil, fmt.Errorf("read session: %w", err)
	}
	var who *identity.Identity
	var live *session.Session
	if items[0] != nil {
		who, err = readIdentity(items[0])
	}
	if err == nil && items[1] != nil {
		live, err = readSession(items[1])
	}
	return who, live, err
}

func bearerKeys(token secret.Token) []table.Key {
	owner := token.Identity.String()
	return []table.Key{key(identities, owner), sessionKey(owner, token.Session.String())}
}
