package table_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"styx/internal/table"
)

var errCause = errors.New("throttled")

func TestRetryWithinPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, tries := time.Now(), 0
		var last time.Time
		longest := time.Duration(0)
		err := table.Retry{Rand: rand.Reader}.Do(t.Context(), nil, func(context.Context) error {
			if tries > 0 {
				longest = max(longest, time.Since(last))
			}
			last = time.Now()
			tries++
			return &table.Refusal{Cause: errCause}
		})
		took := time.Since(start)
		if !errors.Is(err, table.ErrBusy) || !errors.Is(err, errCause) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want busy and the cause, no deadline of the caller's", err)
		}
		if took != 10*time.Second {
			t.Errorf("gave up after %v", took)
		}
		if tries < 15 || tries > 60 || longest >= time.Second {
			t.Errorf("%d tries, at most %v apart", tries, longest)
		}
	})
}

func TestRetryAtOnceAfterLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, tries := time.Now(), 0
		err := table.Retry{Rand: iotest.ErrReader(errors.New("not asked"))}.Do(t.Context(), nil, func(context.Context) error {
			if tries++; tries == 1 {
				return &table.Refusal{Cause: errCause, Lost: true}
			}
			return nil
		})
		if err != nil || tries != 2 || time.Since(start) != 0 {
			t.Errorf("%d tries in %v, %v", tries, time.Since(start), err)
		}
	})
}

func TestRetryReturnsOtherErrors(t *testing.T) {
	tries := 0
	err := table.Retry{Rand: rand.Reader}.Do(t.Context(), nil, func(context.Context) error { tries++; return errCause })
	if !errors.Is(err, errCause) || tries != 1 {
		t.Errorf("%d tries, %v", tries, err)
	}
}

func TestRetryWithoutRandomness(t *testing.T) {
	broken := errors.New("no randomness")
	err := table.Retry{Rand: iotest.ErrReader(broken)}.Do(t.Context(), nil, func(context.Context) error { return &table.Refusal{Cause: errCause} })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	for name, c := range map[string]struct {
		deadline time.Duration
		cancel   time.Duration
		busy     bool
		target   error
	}{
		"deadline":  {300 * time.Millisecond, time.Hour, true, context.DeadlineExceeded},
		"cancelled": {time.Hour, 300 * time.Millisecond, false, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
				defer cancel()
				time.AfterFunc(c.cancel, cancel)
				start := time.Now()
				err := table.Retry{Rand: rand.Reader}.Do(ctx, nil, func(context.Context) error { return &table.Refusal{Cause: errCause} })
				if !errors.Is(err, c.target) || errors.Is(err, table.ErrBusy) != c.busy {
					t.Errorf("got %v", err)
				}
				if took := time.Since(start); took != 300*time.Millisecond {
					t.Errorf("ended after %v", took)
				}
			})
		})
	}
}
