package gateway

import (
	"context"
	"time"
)

const (
	// longest is what a request may take: API Gateway gives up at 30 s.
	longest = 27 * time.Second
	// reserve is left of the function's time to answer and to log.
	reserve = time.Second
)

// deadline is when the request must have its answer: after longest, or reserve
// before the function's own time is up.
func deadline(ctx context.Context, began time.Time) time.Time {
	until := began.Add(longest)
	if end, ok := ctx.Deadline(); ok && end.Add(-reserve).Before(until) {
		return end.Add(-reserve)
	}
	return until
}
