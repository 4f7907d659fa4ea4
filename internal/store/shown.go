package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"styx/internal/fault"
	"styx/internal/secret"
	"styx/internal/table"
)

// errorLife is how long an error can be read by the page that shows it.
const errorLife = time.Hour

// Shown is an error kept for the page that shows it.
type Shown struct {
	ID        string          `json:"id"`
	Error     json.RawMessage `json:"error"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// KeepError stores an error and returns its id.
func (s *Store) KeepError(ctx context.Context, body json.RawMessage) (string, error) {
	now := s.Now()
	shown := Shown{ID: secret.NewV4(s.Rand).String(), Error: body, CreatedAt: now, UpdatedAt: now}
	document, err := json.Marshal(shown)
	if err != nil {
		return "", fmt.Errorf("encode error: %w", err)
	}
	expires := now.Add(errorLife)
	err = s.Table.Write(ctx, table.Put(table.Item{
		Key: key(errorsSeen, shown.ID), Doc: document, DV: documentVersion,
		Exp: expires.UnixMilli(), TTL: s.ttl(expires, counterGrace),
	}))
	if err != nil {
		return "", fmt.Errorf("keep error: %w", err)
	}
	return shown.ID, nil
}

// ShownError returns an error that was kept, or a NotFound fault.
func (s *Store) ShownError(ctx context.Context, id string) (*Shown, error) {
	id, ok := parse(id)
	if !ok {
		return nil, fault.Missing()
	}
	items, err := s.Table.Get(ctx, key(errorsSeen, id))
	if err != nil {
		return nil, fmt.Errorf("read error: %w", err)
	}
	if items[0] == nil || items[0].Exp <= s.Now().UnixMilli() {
		return nil, fault.Missing()
	}
	shown := new(Shown)
	return shown, decode(items[0], shown)
}
