package table

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Refusal is what a backend returns from one attempt when another may fare better: throttling, a conflict with another
// transaction, a failing server, a broken connection.
type Refusal struct {
	Cause error
	Lost  bool // no answer came: what was asked for may have happened
}

func (r *Refusal) Error() string { return r.Cause.Error() }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// Retry tries refused calls again, with full jitter, for as long as the context allows.
type Retry struct {
	Rand     io.Reader     // of the jitter; safe for concurrent use
	Patience time.Duration // for contexts without a deadline; 0 = 10 s
}

const (
	patience  = 10 * time.Second
	firstWait = 25 * time.Millisecond // upper bound of the first wait, doubled for each one after it
	longWait  = time.Second           // upper bound of every wait
)

// Do calls attempt until it returns something other than a *Refusal, and returns that. Once ctx has ended, no attempt
// begins: the answer then matches ctx's error, and ErrBusy if time ran out under refusals.
func (r Retry) Do(ctx context.Context, e *Entry, attempt func(context.Context) error) error {
	bounded := ctx
	if _, ok := ctx.Deadline(); !ok {
		limit := r.Patience
		if limit == 0 {
			limit = patience
		}
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	var last *Refusal
	for n := 0; ; n++ {
		if bounded.Err() != nil {
			return gaveUp(ctx, bounded.Err(), last)
		}
		e.Sent()
		err := attempt(bounded)
		var refusal *Refusal
		if !errors.As(err, &refusal) {
			return err
		}
		last = refusal
		if n == 0 && refusal.Lost {
			// Mostly a kept connection that did not survive a pause. Trying at once also keeps the time short in which
			// others may write over an item whose write we do not know the outcome of.
			continue
		}
		wait, err := r.jitter(min(firstWait<<min(n, 10), longWait))
		if err != nil {
			return err
		}
		pause(bounded, wait)
	}
}

// gaveUp is the answer once time is over, the caller's own or our patience; last is the newest refusal, nil if none.
func gaveUp(ctx context.Context, over error, last *Refusal) error {
	switch {
	case last == nil || errors.Is(over, context.Canceled):
		return over
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w: %w", ErrBusy, over, last.Cause)
	default:
		return fmt.Errorf("%w: %w", ErrBusy, last.Cause)
	}
}

// jitter returns a random duration below limit.
func (r Retry) jitter(limit time.Duration) (time.Duration, error) {
	var b [8]byte
	if _, err := io.ReadFull(r.Rand, b[:]); err != nil {
		return 0, fmt.Errorf("read randomness: %w", err)
	}
	return time.Duration(binary.BigEndian.Uint64(b[:]) % uint64(limit)), nil //nolint:gosec // limit is positive, the rest is less
}

// pause returns after d, or earlier when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
