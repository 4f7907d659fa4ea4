package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/table"
)

// messages is the kind of partition that holds messages.
const messages = "M#"

// How long a message is kept after its last change. A decoy is there to be
// written, not to be read.
const (
	messageGrace = 30 * 24 * time.Hour
	decoyLife    = time.Hour
)

// sealedPart is the sort key of what an abandoned message said, kept apart until
// that is no longer true.
const sealedPart = "sealed"

// said is the document of that part.
type said struct {
	Sealed string `json:"sealed"`
}

func messageKey(id string) table.Key { return key(messages, id) }

// openShard lists the messages still to be sent, closedShard the others, each in
// the order of time. So a sweep never reads what is done. A message is spread by
// its random last digit.
func openShard(digit string) string   { return tenant + messages + "open#" + digit }
func closedShard(digit string) string { return tenant + messages + digit }

// messageItem is the one place where messages are encoded.
func (s *Store) messageItem(m *courier.Message) (table.Item, error) {
	document, err := encode(m, m.Stored)
	if err != nil {
		return table.Item{}, fmt.Errorf("encode message: %w", err)
	}
	item := table.Item{
		Key: messageKey(m.ID), Doc: document, V: m.V + 1, DV: documentVersion,
		N: int64(m.SendCount), St: string(m.Status), TTL: s.ttl(s.Now(), messageGrace),
	}
	if !m.Due.IsZero() {
		item.Exp = m.Due.UnixMilli()
	}
	last := m.ID[len(m.ID)-1:]
	switch {
	case m.Status == "":
		item.TTL = s.ttl(s.Now(), decoyLife)
	case m.Status.Open():
		item.GK, item.GS = openShard(last), m.ID
	case m.Type != courier.Hook:
		item.GK, item.GS = closedShard(last), m.ID
	}
	return item, nil
}

func readMessage(item *table.Item) (*courier.Message, error) {
	m := new(courier.Message)
	if err := decode(item, m); err != nil {
		return nil, err
	}
	m.Status, m.SendCount = courier.Status(item.St), int(item.N)
	m.V, m.Stored = item.V, item.Doc
	if item.Exp != 0 {
		m.Due = time.UnixMilli(item.Exp).UTC()
	}
	return m, nil
}

// putMessage adds the write of a new message to those of the change that
// causes it.
func (s *Store) putMessage(c *commit, m *courier.Message) error {
	item, err := s.messageItem(m)
	if err != nil {
		return err
	}
	c.add(errRace, table.Put(item, table.Absent()))
	c.stored = append(c.stored, func() { m.V, m.Stored = m.V+1, item.Doc })
	return nil
}

// Post writes messages that no other change causes.
func (s *Store) Post(ctx context.Context, all ...*courier.Message) error {
	var c commit
	for _, m := range all {
		if err := s.putMessage(&c, m); err != nil {
			return err
		}
	}
	return c.write(ctx, s.Table)
}

// update writes a message that was read before, unless it changed meanwhile,
// which is errRace. Whatever else is written goes with it.
func (s *Store) update(ctx context.Context, m *courier.Message, more ...table.Op) error {
	item, err := s.messageItem(m)
	if err != nil {
		return err
	}
	var c commit
	c.add(errRace, table.Put(item, table.Is(table.AttrV, m.V), writable))
	c.add(errRace, more...)
	c.stored = append(c.stored, func() { m.V, m.Stored = m.V+1, item.Doc })
	return c.write(ctx, s.Table)
}

// Message returns the message of that id, or a NotFound fault. Hooks and decoys
// are not found: they are nobody's mail.
func (s *Store) Message(ctx context.Context, id string) (*courier.Message, error) {
	m, err := s.message(ctx, id)
	if err != nil {
		return nil, err
	}
	if m == nil || m.Type == courier.Hook {
		return nil, fault.Missing()
	}
	return m, nil
}

// message returns a message of any type, nil for none and for a decoy.
func (s *Store) message(ctx context.Context, id string) (*courier.Message, error) {
	id, ok := parse(id)
	if !ok {
		return nil, nil
	}
	items, err := s.Table.Get(ctx, messageKey(id))
	if err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	if items[0] == nil || items[0].St == "" {
		return nil, nil
	}
	return readMessage(items[0])
}

// Claim implements courier.Outbox.
func (s *Store) Claim(ctx context.Context, id string, lease time.Duration) (*courier.Message, bool, error) {
	m, err := s.message(ctx, id)
	if err != nil || m == nil {
		return nil, false, err
	}
	now := s.Now()
	if !m.Status.Open() || m.Due.After(now) {
		return m, false, nil
	}
	m.Status, m.SendCount, m.UpdatedAt = courier.Processing, m.SendCount+1, now
	m.Due = now.Add(lease)
	if err := s.update(ctx, m); err != nil {
		if errors.Is(err, errRace) {
			return nil, false, nil // another was first, and sees to the rest
		}
		return nil, false, fmt.Errorf("claim message: %w", err)
	}
	return m, true, nil
}

// Sent implements courier.Outbox.
func (s *Store) Sent(ctx context.Context, m *courier.Message) error {
	sent(m)
	return s.close(ctx, m, "sent")
}

// sent leaves nothing to do for a message, and nothing to say.
func sent(m *courier.Message) {
	m.Status, m.Due, m.Sealed = courier.Sent, time.Time{}, ""
}

// Failed implements courier.Outbox.
func (s *Store) Failed(ctx context.Context, m *courier.Message) error {
	m.Status = courier.Queued
	return s.close(ctx, m, "failed")
}

// Abandon implements courier.Outbox.
func (s *Store) Abandon(ctx context.Context, m *courier.Message, until time.Time) error {
	var kept []table.Op
	if m.Sealed != "" && until.After(s.Now()) {
		document, err := json.Marshal(said{m.Sealed})
		if err != nil {
			return fmt.Errorf("encode what the message said: %w", err)
		}
		kept = append(kept, table.Put(table.Item{
			Key: table.Key{PK: messageKey(m.ID).PK, SK: sealedPart}, Doc: document, DV: documentVersion,
			Exp: until.UnixMilli(), TTL: until.Unix(),
		}))
	}
	m.Status, m.Due, m.Sealed = courier.Abandoned, time.Time{}, ""
	return s.close(ctx, m, "abandoned", kept...)
}

// close ends a claim. A claim that was lost meanwhile is not ours to end.
func (s *Store) close(ctx context.Context, m *courier.Message, how string, more ...table.Op) error {
	err := s.update(ctx, m, more...)
	if err != nil && !errors.Is(err, errRace) {
		return fmt.Errorf("note message as %s: %w", how, err)
	}
	return nil
}

// Requeue makes an abandoned message due again, as if it had never been tried.
// It is a NotFound fault when there is no such message, a Conflict when it is
// not abandoned, and Gone when what it said is no longer true or never was kept.
func (s *Store) Requeue(ctx context.Context, id string) (*courier.Message, error) {
	m, err := s.message(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case m == nil:
		return nil, fault.Missing()
	case m.Status != courier.Abandoned:
		return nil, &fault.Error{Kind: fault.Conflict, Reason: "The message is not abandoned."}
	}
	part := table.Key{PK: messageKey(m.ID).PK, SK: sealedPart}
	items, err := s.Table.Get(ctx, part)
	if err != nil {
		return nil, fmt.Errorf("read what the message said: %w", err)
	}
	now := s.Now()
	if items[0] == nil || items[0].Exp <= now.UnixMilli() {
		return nil, &fault.Error{Kind: fault.Gone, Reason: "What the message said has expired."}
	}
	var kept said
	if err := decode(items[0], &kept); err != nil {
		return nil, err
	}
	m.Sealed = kept.Sealed
	m.Status, m.SendCount, m.Due, m.UpdatedAt = courier.Queued, 0, now, now
	if err := s.update(ctx, m, table.Delete(part)); err != nil {
		if errors.Is(err, errRace) {
			return nil, &fault.Error{Kind: fault.Conflict, Reason: "The message is not abandoned."}
		}
		return nil, fmt.Errorf("queue message again: %w", err)
	}
	return m, nil
}

// Remark adds to a message what became of it after it was sent, such as a
// bounce. That may come before whoever sends it has noted the receiver's yes, or
// though that yes was lost: the message is sent all the same, and is not sent
// again. A message that is gone is no error.
func (s *Store) Remark(ctx context.Context, id string, d courier.Dispatch) error {
	return Again(ctx, func(ctx context.Context) error {
		m, err := s.message(ctx, id)
		if err != nil || m == nil {
			return err
		}
		if m.Status.Open() {
			sent(m)
		}
		m.Add(d)
		m.UpdatedAt = d.UpdatedAt
		return s.update(ctx, m)
	})
}

// Due implements courier.Outbox. The index may lag behind: what is missed now
// is found by the next sweep.
func (s *Store) Due(ctx context.Context, limit int) ([]string, error) {
	now := s.Now().UnixMilli()
	found := make([][]string, len(shards))
	reads := make([]func(context.Context) error, len(shards))
	for at, digit := range shards {
		reads[at] = func(ctx context.Context) error {
			query := table.Query{GK: openShard(string(digit))}
			for {
				page, err := s.Table.Query(ctx, query)
				if err != nil {
					return fmt.Errorf("list open messages: %w", err)
				}
				for _, item := range page.Items {
					if query.After = item.GS; item.Exp <= now {
						found[at] = append(found[at], item.GS)
					}
				}
				if !page.More || len(found[at]) >= limit || len(page.Items) == 0 {
					return nil
				}
			}
		}
	}
	if err := table.Together(ctx, reads...); err != nil {
		return nil, err
	}
	due := slices.Concat(found...)
	slices.Sort(due)
	return due[:min(limit, len(due))], nil
}

// MessageFilter says which messages a list is to hold; its zero value, all.
type MessageFilter struct {
	Status    courier.Status
	Recipient string
}

func (f MessageFilter) matches(m *courier.Message) bool {
	return m.Type != courier.Hook && (f.Status == "" || m.Status == f.Status) && (f.Recipient == "" || m.Recipient == f.Recipient)
}

// MessagePage is one page of a list, newest first.
type MessagePage struct {
	Messages []*courier.Message
	// Next is the id that the next page follows after, "" when nothing follows.
	// A page may end early, or be empty, and still have a next one.
	Next string
}

// Messages returns up to limit messages older than the one of the id before, ""
// for the newest.
func (s *Store) Messages(ctx context.Context, f MessageFilter, before string, limit int) (MessagePage, error) {
	asked := listing[*courier.Message]{
		read:    readMessage,
		row:     func(m *courier.Message) row { return row{m.ID, m.V, len(m.Stored)} },
		matches: f.matches,
		picky:   f != MessageFilter{},
	}
	for _, digit := range shards {
		if f.Status == "" || f.Status.Open() {
			asked.lists = append(asked.lists, openShard(string(digit)))
		}
		if f.Status == "" || !f.Status.Open() {
			asked.lists = append(asked.lists, closedShard(string(digit)))
		}
	}
	found, next, err := newest(ctx, s.Table, asked, before, limit)
	if err != nil {
		return MessagePage{}, fmt.Errorf("list messages: %w", err)
	}
	return MessagePage{found, next}, nil
}
