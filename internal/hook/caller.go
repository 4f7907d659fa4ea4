package hook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/jsonnet"
	"styx/internal/outbound"
)

// Caller calls web hooks.
type Caller struct {
	Client          *http.Client // outbound's
	Programs        *jsonnet.Catalog
	HeaderAllowlist []string // request headers that bodies may see, clients.web_hook.header_allowlist
	OwnCookies      []string // names of the cookies that prove who somebody is, see Context
	Rand            io.Reader
}

// Result is what a receiver that was asked wants.
type Result struct {
	Identity *Change // nil: the identity stays as it is
}

const (
	// attempts is how often a call is made until it is answered.
	attempts = 3
	// firstPause is how long the first repetition waits; each later one twice that.
	firstPause = 250 * time.Millisecond
	// longest bounds one attempt of a request that has no deadline of its own.
	longest = 30 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 5 << 20
)

// What a person is told when a receiver is at fault.
const (
	unreachable = "A third-party upstream service could not be reached. Please try again later."
	improper    = "A third-party upstream service responded improperly. Please try again later."
)

// Call makes the call and waits for the answer. A body that cancels skips it.
// Connection errors and answers from 500 on are tried again while the request
// has time; outbound.Reserve of it is left.
//
// Every error is a *fault.Error: BadRequest with Fields when the receiver
// refuses; Upstream when it answers 400 or more without having been asked;
// UpstreamTimeout when it does not answer in time; else Internal.
func (c *Caller) Call(ctx context.Context, h config.WebHook, in Context) (Result, error) {
	result, err := c.call(ctx, h, in)
	if err == nil || fault.As(err) != nil {
		return result, err
	}
	return Result{}, Failed(h, err)
}

// ErrFailed is the cause of the Internal fault of a call that could not be made
// or whose answer means nothing: the receiver's or the operator's mistake.
// Kratos answers it with status 400 and the code of an internal error.
var ErrFailed = errors.New("web hook failed")

// Failed is the fault of a call that failed.
func Failed(h config.WebHook, err error) error {
	return &fault.Error{Kind: fault.Internal, Err: fmt.Errorf("%w: %s: %w", ErrFailed, Label(h), err)}
}

func (c *Caller) call(ctx context.Context, h config.WebHook, in Context) (Result, error) {
	asked := h.Parse || h.CanInterrupt
	ctx, cancel := outbound.WithBudget(ctx, outbound.Reserve)
	defer cancel()
	req, err := c.Prepare(ctx, h, in)
	if errors.Is(err, ErrSkip) {
		return Result{}, nil
	}
	var status int
	var body []byte
	if err == nil {
		status, body, err = c.insist(ctx, req, func(status int) bool {
			return status >= http.StatusBadRequest && asked || status == http.StatusOK && h.Parse
		})
	}
	switch {
	case late(err):
		return Result{}, &fault.Error{Kind: fault.UpstreamTimeout, Reason: unreachable, Err: fmt.Errorf("web hook %s: %w", Label(h), err)}
	case err != nil:
		return Result{}, err
	case status >= http.StatusBadRequest && asked:
		return Result{}, refusal(body)
	case status >= http.StatusBadRequest:
		return Result{}, &fault.Error{
			Kind: fault.Upstream, Message: fmt.Sprintf("webhook failed with status code %d", status), Reason: improper,
			Err: fmt.Errorf("web hook %s", Label(h)),
		}
	case status == http.StatusOK && h.Parse:
		change, err := parseChange(body)
		return Result{Identity: change}, err
	}
	return Result{}, nil
}

// insist sends the request until it is answered with less than 500, or for the
// last time.
func (c *Caller) insist(ctx context.Context, req Request, wanted func(status int) bool) (status int, body []byte, err error) {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		status, body, err = c.attempt(ctx, req, wanted)
		if attempt == attempts || !worthAnother(ctx, status, err) {
			return status, body, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return status, body, err
		}
		pause *= 2
	}
}

// worthAnother tells whether the same call may end otherwise in a moment.
func worthAnother(ctx context.Context, status int, err error) bool {
	if err == nil {
		return status >= http.StatusInternalServerError && status != http.StatusNotImplemented
	}
	return ctx.Err() == nil && !late(err) && !errors.Is(err, outbound.ErrRefused) &&
		!errors.Is(err, outbound.ErrTooLarge) && !errors.Is(err, errRedirects)
}

// late tells whether the receiver took too long.
func late(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	timed, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && timed.Timeout()
}

// Label names a hook in the log. Its URL may hold a secret, its host does not.
func Label(h config.WebHook) string {
	if h.ID != "" {
		return h.ID
	}
	if h.URL == nil {
		return "without a URL"
	}
	return "at " + h.URL.Host
}
