package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"styx/internal/web"
)

// Authorize tells who sends a request to somebody else's API, in words that are
// handed to it. An error of the caller's (401, 403) means that nobody may know.
type Authorize = func(r *http.Request) (map[string]string, error)

// The events and outcomes that stop a request with an error: API Gateway answers
// 500 and lets nobody through. Neither quotes the event.
var (
	errFormat = errors.New("not an event of an HTTP API's Lambda authorizer: set payload format version 2.0 and simple responses")
	errLookup = errors.New("who sends the request could not be found out")
)

// Authorizer decides about requests to somebody else's HTTP API, as its Lambda
// authorizer. It is safe for concurrent use.
type Authorizer struct {
	authorize Authorize
	journal   *journal
}

// NewAuthorizer makes an Authorizer that lets through whom authorize knows.
func NewAuthorizer(authorize Authorize, settings Settings) *Authorizer {
	return &Authorizer{authorize: authorize, journal: newJournal(settings)}
}

// verdict is a simple response of a Lambda authorizer.
type verdict struct {
	Allowed bool              `json:"isAuthorized"`
	Context map[string]string `json:"context,omitempty"`
}

// Invoke decides about one event. An error lets nobody through.
func (a *Authorizer) Invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	a.journal.note(ctx, func(ctx context.Context, began time.Time, written *line) {
		var v verdict
		if v, err = a.decide(ctx, payload, began, written); err == nil {
			answer = encoded(v)
		}
	})
	return answer, err
}

func (a *Authorizer) decide(ctx context.Context, payload []byte, began time.Time, written *line) (v verdict, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			written.threw(thrown)
			written.failed = true
			v, err = verdict{}, errLookup
		}
	}()
	var event events.APIGatewayV2CustomAuthorizerV2Request
	if json.Unmarshal(payload, &event) != nil || event.Version != "2.0" || event.Type != "REQUEST" {
		written.kind, written.failed = "malformed_event", true
		return verdict{}, errFormat
	}
	if id := event.RequestContext.RequestID; id != "" {
		written.requestID = id
	}
	written.route = event.RouteKey
	r, err := presented(event)
	if err != nil {
		written.kind = "malformed_event"
		return verdict{}, nil
	}
	ctx, cancel := context.WithDeadline(ctx, deadline(ctx, began))
	defer cancel()
	known, err := a.authorize(r.WithContext(ctx))
	if err == nil {
		return verdict{true, known}, nil
	}
	status := web.Status(err)
	written.kind = errKind(status)
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return verdict{}, nil
	}
	written.failed = true
	written.trouble = []slog.Attr{slog.String("err", err.Error())}
	return verdict{}, errLookup
}

// presented is what a request says about its sender: its header, as far as it
// may decide. Nothing else of the request does.
func presented(event events.APIGatewayV2CustomAuthorizerV2Request) (*http.Request, error) {
	given, err := header(event.Headers, event.Cookies, 0)
	if err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	if len(event.IdentitySource) > 0 {
		keepOnly(given, event.IdentitySource)
	}
	return &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/"}, Header: given}, nil
}

// keepOnly leaves of a header what the authorizer's identity source names.
// Its values are the key under which API Gateway remembers the verdict: were a
// cookie beside them to decide, whoever sends the same values later would be
// taken for the cookie's owner.
func keepOnly(header http.Header, source []string) {
	maps.DeleteFunc(header, func(_ string, values []string) bool {
		return !slices.ContainsFunc(source, func(named string) bool {
			return slices.Equal(values, []string{strings.Trim(named, " \t")})
		})
	})
}
