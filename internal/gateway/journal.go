package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"styx/internal/table"
)

// journal writes one line about each event.
type journal struct {
	name string
	now  func() time.Time
	log  *slog.Logger
	warm atomic.Bool
}

func newJournal(settings Settings) *journal {
	return &journal{name: settings.Function, now: settings.Now, log: settings.Log}
}

// line is what the log says about one event. The path stays out of it: paths
// and queries carry codes, tokens and identifiers.
type line struct {
	kind      string // err_kind, from a closed list; "" for nothing
	failed    bool   // and it was not the caller's fault
	requestID string
	route     string      // the pattern that matched; "" when none did, or a copy of the request was routed
	trouble   []slog.Attr // of a panic or an error
}

// lineKey finds the line in the context that crosses the adapter.
type lineKey struct{}

// threw notes a panic.
func (l *line) threw(thrown any) {
	l.kind = "panic"
	l.trouble = []slog.Attr{slog.String("panic", thrownText(thrown)), slog.String("stack", string(debug.Stack()))}
}

// note has an event answered and writes its line.
func (j *journal) note(ctx context.Context, answer func(ctx context.Context, began time.Time, written *line)) {
	began := j.now()
	cold := !j.warm.Swap(true)
	ctx, tally := table.WithTally(ctx)
	written := &line{}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		written.requestID = lc.AwsRequestID
	}
	answer(ctx, began, written)

	level := slog.LevelInfo
	if written.failed {
		level = slog.LevelError
	}
	j.log.LogAttrs(ctx, level, "request", append([]slog.Attr{
		slog.String("request_id", written.requestID),
		slog.String("route", written.route),
		slog.String("function", j.name),
		slog.Bool("cold_start", cold),
		slog.Float64("ms", math.Round(float64(j.now().Sub(began).Microseconds())/100)/10),
		slog.Int("table_calls", len(tally.Calls())),
		slog.Float64("rcu", tally.RCU()),
		slog.Float64("wcu", tally.WCU()),
		slog.String("err_kind", written.kind),
	}, written.trouble...)...)
}

// thrownText describes a panic for the log. Only the runtime's own errors are
// quoted; whatever else was thrown may hold what a log must not.
func thrownText(thrown any) string {
	if err, ok := thrown.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", thrown)
}

// errKind names what went wrong, from a closed list; "" for nothing.
func errKind(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "unauthorized"
	case http.StatusForbidden:
		return "forbidden"
	case http.StatusNotFound:
		return "not_found"
	case http.StatusConflict:
		return "conflict"
	case http.StatusGone:
		return "gone"
	case http.StatusUnprocessableEntity:
		return "unprocessable"
	case http.StatusTooManyRequests:
		return "too_many"
	case http.StatusBadGateway:
		return "upstream"
	case http.StatusServiceUnavailable:
		return "busy"
	case http.StatusGatewayTimeout:
		return "upstream_timeout"
	}
	switch {
	case status >= http.StatusInternalServerError:
		return "internal"
	case status >= http.StatusBadRequest:
		return "bad_request"
	}
	return ""
}
