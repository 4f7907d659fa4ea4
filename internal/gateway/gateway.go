package gateway

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"styx/internal/audit"
)

// Gateway serves events with a handler. It is safe for concurrent use.
type Gateway struct {
	adapter *httpadapter.HandlerAdapterV2
	handler http.Handler
	base    string
	signed  bool
	edge    [][sha256.Size]byte // of secrets; none where there is no edge
	journal *journal
}

// Settings are what a Gateway needs beside its handler.
type Settings struct {
	BasePath string // under which a custom domain mounts the API; "" for none
	Function string // the function's name, for the log
	Signed   bool   // refuse events that no AWS_IAM authorizer vouched for
	Edge     string // the secrets, comma separated, of the only way to the public API; "" where there are others
	Now      func() time.Time
	Log      *slog.Logger
}

// New makes a Gateway in front of handler.
func New(handler http.Handler, settings Settings) *Gateway {
	g := &Gateway{handler: handler, signed: settings.Signed, edge: digests(settings.Edge), journal: newJournal(settings)}
	if base := strings.Trim(settings.BasePath, "/ "); base != "" {
		g.base = "/" + base
	}
	g.adapter = httpadapter.NewV2(http.HandlerFunc(g.serve))
	return g
}

// Invoke answers one event. It never returns an error, and never panics: every
// event has an HTTP answer, so the process stays and the client sees the
// contract's error body rather than API Gateway's.
func (g *Gateway) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var response events.APIGatewayV2HTTPResponse
	g.journal.note(ctx, func(ctx context.Context, began time.Time, written *line) {
		response = g.answer(ctx, payload, began, written)
		written.kind = cmp.Or(written.kind, errKind(response.StatusCode))
		written.failed = response.StatusCode >= http.StatusInternalServerError
	})
	return encoded(response), nil
}

// answer turns the event into a request, serves it and recovers what panics.
func (g *Gateway) answer(ctx context.Context, payload []byte, began time.Time, written *line) (response events.APIGatewayV2HTTPResponse) {
	var event events.APIGatewayV2HTTPRequest
	defer func() {
		if thrown := recover(); thrown != nil {
			written.threw(thrown)
			response = plain(event.RequestContext.HTTP.Method, http.StatusInternalServerError,
				"An internal server error occurred, please contact the system administrator")
		}
	}()

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
	caller := callerOf(event)
	if g.signed && caller == nil {
		return forbidden("unsigned_event")
	}

	ctx, cancel := context.WithDeadline(ctx, deadline(ctx, began))
	defer cancel()
	ctx = audit.During(context.WithValue(ctx, callerKey{}, caller), written.requestID)
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
