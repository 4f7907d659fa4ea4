package store

import (
	"context"
	"fmt"

	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
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

// Register completes a registration in one write: the identity, the session if
// there is one, and the flow, of which there is one winner. A name that belongs
// to another is a TakenError, a flow that was completed before ErrConsumed.
func (s *Store) Register(ctx context.Context, f *flow.Flow, who *identity.Identity, live *session.Session) error {
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
	return c.write(ctx, s.Table)
}
