package courier

import (
	"context"
	"time"
)

// Outbox keeps messages; store.Store is the one.
//
// Every method writes on the condition that nobody else wrote since. A message
// that changed meanwhile belongs to whoever changed it: Sent, Failed and Abandon
// then write nothing and return nil.
type Outbox interface {
	// Claim takes a message that is due for as long as the lease, counting the
	// dispatch that is about to begin. It returns false when there is nothing to
	// do: no such message, not due (the message says when), or another was first.
	Claim(ctx context.Context, id string, lease time.Duration) (*Message, bool, error)
	// Sent notes that a claimed message was sent, and drops what it sealed.
	Sent(ctx context.Context, m *Message) error
	// Failed puts a claimed message back into the queue until its Due.
	Failed(ctx context.Context, m *Message) error
	// Abandon gives a claimed message up and drops what it sealed. A copy stays
	// elsewhere until then, so that the message can be queued again while what it
	// says is still true; the zero time keeps none.
	Abandon(ctx context.Context, m *Message, until time.Time) error
	// Due returns the ids of messages that are due, oldest first, at most limit
	// of them.
	Due(ctx context.Context, limit int) ([]string, error)
}
