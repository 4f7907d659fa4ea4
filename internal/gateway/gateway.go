package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"styx/internal/audit"
	"styx/internal/table"
)

const (
	// longest is what a request may take: API Gateway gives up at 30 s.
	longest = 27 * time.Second
	// reserve is left of the function's time to answer and to log.
	reserve = time.Second
)

// Gateway serves events with a handler. It is safe for concurrent use.
type Gateway struct {
	adapter *httpadapter.HandlerAdapterV2
	handler http.Handler
	base    string
	name    string
	signed  bool
	edge    string
	now     func() time.Time
	log     *slog.Logger
	warm    atomic.Bool
}

// Settings are what a Gateway needs beside its handler.
type Settings struct {
	BasePath string // under which a custom domain mounts the API; "" for none
	Function string // the function's name, for the log
	Signed   bool   // refuse events that no AWS_IAM authorizer vouched for
	Edge     string // the secret of the only way to the public API; "" where there are others
	Now      func() time.Time
	Log      *slog.Logger
}

// New makes a Gateway in front of handler.
func New(handler http.Handler, settings Settings) *Gateway {
	g := &Gateway{
		handler: handler,
		name:    settings.Function,
		signed:  settings.Signed,
		edge:    settings.Edge,
		now:     settings.Now,
		log:     settings.Log,
	}
	if base := strings.Trim(settings.BasePath, "/ "); base != "" {
		g.base = "/" + base
	}
	g.adapter = httpadapter.NewV2(http.HandlerFunc(g.serve))
	return g
}

// line is what the log says about one request. The path stays out of it: paths
// and queries carry codes, tokens and identifiers.
type line struct {
	kind      string // err_kind: "malformed_event", "unsigned_event", "around_the_edge" or "panic"; "" to take it from the status
	requestID string
	route     string      // the ServeMux pattern that matched; "" when none did, or a copy of the request was routed
	trouble   []slog.Attr // of a panic
}

// lineKey finds the line in the context that crosses the adapter.
type lineKey struct{}

// Invoke answers one event. It never returns an error, and never panics: every
// event has an HTTP answer, so the process stays and the client sees the
// contract's error body rather than API Gateway's.
func (g *Gateway) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	began := g.now()
	cold := !g.warm.Swap(true)
	ctx, tally := table.WithTally(ctx)
	written := &line{}
	response := g.answer(ctx, payload, began, written)

	level := slog.LevelInfo
	if response.StatusCode >= http.StatusInternalServerError {
		level = slog.LevelError
	}

	g.log.LogAttrs(ctx, level, "request", append([]slog.Attr{
		slog.String("request_id", written.requestID),
		slog.String("route", written.route),
		slog.String("function", g.name),
		slog.Bool("cold_start", cold),
		slog.Float64("ms", math.Round(float64(g.now().Sub(began).Microseconds())/100)/10),
		slog.Int("table_calls", len(tally.Calls())),
		slog.Float64("rcu", tally.RCU()),
		slog.Float64("wcu", tally.WCU()),
		slog.String("err_kind", cmp.Or(written.kind, errKind(response.StatusCode))),
	}, written.trouble...)...)
	return encoded(response), nil
}

// answer turns the event into a request, serves it and recovers what panics.
func (g *Gateway) answer(ctx context.Context, payload []byte, began time.Time, written *line) (response events.APIGatewayV2HTTPResponse) {
	var event events.APIGatewayV2HTTPRequest
	defer func() {
		if thrown := recover(); thrown != nil {
			written.kind = "panic"
			written.trouble = []slog.Attr{slog.String("panic", thrownText(thrown)), slog.String("stack", string(debug.Stack()))}
			response = plain(event.RequestContext.HTTP.Method, http.StatusInternalServerError,
				"An internal server error occurred, please contact the system administrator")
		}
	}()

	if lc, ok := lambdacontext.FromContext(ctx); ok {
		written.requestID = lc.AwsRequestID
	}
	malformed := func() events.APIGatewayV2HTTPResponse {
		written.kind = "malformed_event"
		return plain(event.RequestContext.HTTP.Method, http.StatusBadRequest,
			"The request was malformed or contained invalid parameters")
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return malformed()
	}
	if id := event.RequestContext.RequestID; id != "" {
		written.requestID = id
	}
	passed, err := translate(event, g.base)
	if err != nil {
		return malformed()
	}
	forbidden := func(kind string) events.APIGatewayV2HTTPResponse {
		written.kind = kind
		return plain(event.RequestContext.HTTP.Method, http.StatusForbidden, "The requested action was forbidden")
	}
	if !g.byTheEdge(&passed) {
		return forbidden("around_the_edge")
	}
	known := facts{requestID: written.requestID, caller: callerOf(event)}
	if g.signed && known.caller == nil {
		return forbidden("unsigned_event")
	}

	ctx, cancel := context.WithDeadline(ctx, deadline(ctx, began))
	defer cancel()
	ctx = audit.During(context.WithValue(ctx, factsKey{}, known), known.requestID)
	ctx = context.WithValue(ctx, lineKey{}, written)
	response, err = g.adapter.ProxyWithContext(withPassage(ctx, passed), passed.event)
	if err != nil {
		// translate lets through only what the adapter can carry.
		panic(fmt.Errorf("adapter refused a translated event: %w", err))
	}
	return response
}

// serve stands between the adapter and the handler and gives the handler the
// request and the writer a server would have given it.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	r = restored(r)
	if written, ok := r.Context().Value(lineKey{}).(*line); ok {
		// A ServeMux notes the pattern on the request it is given, also when
		// the handler behind it panics.
		defer func() { written.route = r.Pattern }()
	}
	a := &answer{to: w, method: r.Method, own: make(http.Header)}
	g.handler.ServeHTTP(a, r)
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
}

// deadline is when the request must have its answer: after longest, or reserve
// before the function's own time is up.
func deadline(ctx context.Context, began time.Time) time.Time {
	until := began.Add(longest)
	if end, ok := ctx.Deadline(); ok && end.Add(-reserve).Before(until) {
		return end.Add(-reserve)
	}
	return until
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
