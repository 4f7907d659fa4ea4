package outbound

import (
	"context"
	"time"
)

// Reserve is the time at the end of a request that belongs to its commit.
const Reserve = 3 * time.Second

// WithBudget returns a context for outgoing calls: it ends reserve before ctx
// does, so that whatever a stranger's server does, there is time left to write.
// With less than reserve left it has ended already. A ctx without a deadline is
// only made cancellable.
func WithBudget(ctx context.Context, reserve time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-reserve))
}
