package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/table"
)

// parkedLife is how long a submission waits for its sender to come back.
const parkedLife = 15 * time.Minute

// Parked is a submission to a flow that waits until its sender has proved again
// who they are. It is stored sealed: it may hold a new password.
type Parked struct {
	ID       string        `json:"-"`
	Flow     string        `json:"flow"`
	Identity string        `json:"identity"`
	Form     identity.Form `json:"form"`
}

// parkedDocument is what the item holds.
type parkedDocument struct {
	Sealed string `json:"sealed"`
}

func parkedSeal(id string) string { return tenant + "|" + parked + id + "|sealed" }

// Park stores a submission and gives it an id.
func (s *Store) Park(ctx context.Context, p *Parked) error {
	plain, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("park submission: %w", err)
	}
	p.ID = secret.NewV4(s.Rand).String()
	document, err := json.Marshal(parkedDocument{s.Ring.Seal(secret.UseSeal, plain, parkedSeal(p.ID))})
	if err != nil {
		return fmt.Errorf("park submission: %w", err)
	}
	expires := s.Now().Add(parkedLife)
	err = s.Table.Write(ctx, table.Put(table.Item{
		Key: key(parked, p.ID), Doc: document, DV: documentVersion,
		Exp: expires.UnixMilli(), TTL: s.ttl(expires, counterGrace),
	}))
	if err != nil {
		return fmt.Errorf("park submission: %w", err)
	}
	return nil
}

// readParked returns the flow's parked submission, nil for anything else: to a
// caller, one that cannot be read was never there.
func (s *Store) readParked(item *table.Item, flow string) *Parked {
	if item == nil || item.Exp <= s.Now().UnixMilli() {
		return nil
	}
	var document parkedDocument
	if decode(item, &document) != nil {
		return nil
	}
	id := item.PK[len(tenant+parked):]
	plain, err := s.Ring.Open(secret.UseSeal, document.Sealed, parkedSeal(id))
	if err != nil {
		return nil
	}
	found := &Parked{ID: id}
	if json.Unmarshal(plain, found) != nil || found.Flow != flow {
		return nil
	}
	return found
}

// putParked adds the removal of a parked submission, which is taken up once.
func (s *Store) putParked(c *commit, change Change) error {
	if change.Parked != "" {
		c.add(ErrConsumed, table.Delete(key(parked, change.Parked), table.Exists()))
	}
	return nil
}
