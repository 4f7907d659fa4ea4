package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/table"
)

// done is the status of a completed flow.
const done = "done"

func readFlow(item *table.Item, kind flow.Kind) (*flow.Flow, error) {
	if item == nil {
		return nil, fault.Missing()
	}
	found := new(flow.Flow)
	if err := decode(item, found); err != nil {
		return nil, err
	}
	if found.Kind != kind {
		return nil, fault.Missing()
	}
	found.V, found.Stored, found.Done = item.V, item.Doc, item.St == done
	return found, nil
}

func (s *Store) flowItem(f *flow.Flow) (table.Item, error) {
	document, err := encode(f, f.Stored)
	if err != nil {
		return table.Item{}, fmt.Errorf("encode flow: %w", err)
	}
	return table.Item{
		Key: key(flows, f.ID), Doc: document, V: f.V + 1, DV: documentVersion,
		Exp: f.ExpiresAt.UnixMilli(), TTL: s.ttl(f.ExpiresAt, flowGrace),
	}, nil
}

// Flow returns the flow of that kind and id, expired or not, or a NotFound fault.
func (s *Store) Flow(ctx context.Context, kind flow.Kind, id string) (*flow.Flow, error) {
	id, ok := parse(id)
	if !ok {
		return nil, fault.Missing()
	}
	items, err := s.Table.Get(ctx, key(flows, id))
	if err != nil {
		return nil, fmt.Errorf("read flow: %w", err)
	}
	return readFlow(items[0], kind)
}

// SaveFlow writes a flow's form. Two tabs may race: the last one's form stays,
// but a completed flow is never opened again.
func (s *Store) SaveFlow(ctx context.Context, f *flow.Flow) error {
	item, err := s.flowItem(f)
	if err != nil {
		return err
	}
	var c commit
	c.add(nil, table.Put(item, table.Not(table.Is(table.AttrSt, done)), writable))
	return c.write(ctx, s.Table)
}

// Change is what a submission changes, all of it or nothing.
type Change struct {
	Flow    *flow.Flow
	Consume bool // completes the flow, of which there is one winner
	Fresh   bool // what was sent before is void: guesses start anew

	Who  *identity.Identity // nil: nobody changed
	Mail []*courier.Message
	New  *flow.Flow // begins with this change; nil for none
	// Stranger writes as much for nobody as Who would be.
	Stranger bool
}

// Commit stores a change. ErrConsumed says that another submission completed
// the flow first. A lost race for the identity is for Again to decide anew.
func (s *Store) Commit(ctx context.Context, change Change) error {
	var c commit
	if err := s.putFlow(&c, change); err != nil {
		return err
	}
	if change.Who != nil {
		if err := s.putIdentity(&c, change.Who); err != nil {
			return err
		}
	}
	if change.Stranger {
		s.putStranger(&c)
	}
	if err := s.putNew(&c, change.New, change.Mail); err != nil {
		return err
	}
	return c.write(ctx, s.Table)
}

// likeIdentity is about how large an identity's document is.
const likeIdentity = 1 << 10

// putStranger adds a write that costs what one of an identity costs.
func (s *Store) putStranger(c *commit) {
	expires := s.Now().Add(time.Minute)
	c.add(nil, table.Put(table.Item{
		Key: key(counters, secret.NewV4(s.Rand).String()), Doc: []byte(`"` + strings.Repeat("-", likeIdentity) + `"`),
		DV: documentVersion, Exp: expires.UnixMilli(), TTL: s.ttl(expires, 0),
	}))
}

// putFlow adds the write of a flow as it is now; how often it was guessed at is
// kept, because a guess that runs beside this write must count.
func (s *Store) putFlow(c *commit, change Change) error {
	item, err := s.flowItem(change.Flow)
	if err != nil {
		return err
	}
	set := []table.Change{
		table.Set(table.AttrDoc, item.Doc), table.Set(table.AttrV, item.V), table.Set(table.AttrDV, item.DV),
		table.Set(table.AttrExp, item.Exp), table.Set(table.AttrTTL, item.TTL),
	}
	when := []table.Cond{table.Exists(), table.Not(table.Is(table.AttrSt, done)), writable}
	if change.Consume {
		set = append(set, table.Set(table.AttrSt, done))
		when = append(when, table.Is(table.AttrV, change.Flow.V))
	}
	if change.Fresh {
		set = append(set, table.Unset(table.AttrN))
	}
	c.add(ErrConsumed, table.Update(item.Key, set, when...))
	return nil
}

// Register completes a registration in one write: the identity, the session if
// there is one, and the flow, of which there is one winner. A name that belongs
// to another is a TakenError, a flow that was completed before ErrConsumed.
func (s *Store) Register(
	ctx context.Context, f *flow.Flow, who *identity.Identity, live *session.Session,
	verification *flow.Flow, mail []*courier.Message,
) error {
	var c commit
	c.add(ErrConsumed, table.Update(key(flows, f.ID),
		[]table.Change{table.Set(table.AttrSt, done), table.Add(table.AttrV, 1)},
		table.Exists(), table.Not(table.Is(table.AttrSt, done)), table.More(table.AttrExp, s.Now().UnixMilli())))
	if err := s.putIdentity(&c, who); err != nil {
		return err
	}
	if live != nil {
		if err := s.putSession(&c, live); err != nil {
			return err
		}
	}
	if err := s.putNew(&c, verification, mail); err != nil {
		return err
	}
	return c.write(ctx, s.Table)
}

// putNew adds the writes of a flow that begins, nil for none, and of mail.
func (s *Store) putNew(c *commit, f *flow.Flow, mail []*courier.Message) error {
	if f != nil {
		item, err := s.flowItem(f)
		if err != nil {
			return err
		}
		c.add(errRace, table.Put(item, table.Absent()))
	}
	for _, m := range mail {
		if err := s.putMessage(c, m); err != nil {
			return err
		}
	}
	return nil
}
