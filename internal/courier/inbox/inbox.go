package inbox

import (
	"context"
	"slices"
	"sync"
	"time"

	"styx/internal/courier"
)

// capacity is how many messages are kept; older ones go.
const capacity = 500

// Kept is a message that arrived.
type Kept struct {
	courier.Letter
	At time.Time
}

// Inbox takes every message. It is safe for concurrent use.
type Inbox struct {
	now func() time.Time

	mu   sync.Mutex
	kept []Kept // oldest first
}

// New returns an empty inbox.
func New(now func() time.Time) *Inbox { return &Inbox{now: now} }

// Send implements courier.Send. A message that arrives again takes the place of
// the one before.
func (b *Inbox) Send(_ context.Context, l *courier.Letter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = slices.DeleteFunc(b.kept, func(k Kept) bool { return k.ID == l.ID })
	b.kept = append(b.kept, Kept{Letter: *l, At: b.now()})
	if len(b.kept) > capacity {
		b.kept = slices.Delete(b.kept, 0, len(b.kept)-capacity)
	}
	return nil
}

// List returns what is kept, newest first.
func (b *Inbox) List() []Kept {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := slices.Clone(b.kept)
	slices.Reverse(list)
	return list
}

// Message returns one of those that are kept.
func (b *Inbox) Message(id string) (Kept, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range b.kept {
		if k.ID == id {
			return k, true
		}
	}
	return Kept{}, false
}
