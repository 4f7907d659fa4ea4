package gatewaytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
)

// ErrNoSource says that a request lacks what the authorizer's identity source
// names: the API answers 401 and asks nobody.
var ErrNoSource = errors.New("identity source missing")

// Asks is the event by which the API asks a Lambda authorizer about a request.
// The headers named by source are the authorizer's identity source.
func (api API) Asks(r *http.Request, requestID string, source ...string) ([]byte, error) {
	of, err := api.Event(r, requestID)
	if err != nil {
		return nil, err
	}
	var event events.APIGatewayV2CustomAuthorizerV2Request
	if err := json.Unmarshal(of, &event); err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	event.Type = "REQUEST"
	event.RouteArn = "arn:aws:execute-api:eu-central-1:000000000000:yours/$default/" + r.Method + r.URL.Path
	for _, name := range source {
		value := r.Header.Get(name)
		if value == "" {
			return nil, ErrNoSource
		}
		event.IdentitySource = append(event.IdentitySource, value)
	}
	return json.Marshal(event)
}

// Verdict is what the API makes of an authorizer's simple response: whether the
// request passes, and what the API behind gets to know. Anything but a boolean
// verdict and a flat context of texts, numbers and booleans is an error.
func Verdict(answer []byte) (allowed bool, known map[string]any, err error) {
	var from struct {
		IsAuthorized *bool          `json:"isAuthorized"`
		Context      map[string]any `json:"context"`
	}
	if err := json.Unmarshal(answer, &from); err != nil {
		return false, nil, fmt.Errorf("read verdict: %w", err)
	}
	if from.IsAuthorized == nil {
		return false, nil, errors.New("read verdict: there is none")
	}
	for name, value := range from.Context {
		switch value.(type) {
		case string, float64, bool:
		default:
			return false, nil, fmt.Errorf("read verdict: %s is neither text, number nor boolean", name)
		}
	}
	return *from.IsAuthorized, from.Context, nil
}

// Allows asks an authorizer about a request and returns its verdict. An error is
// a 500 to the client, but [ErrNoSource].
func (api API) Allows(ctx context.Context, authorizer Invoker, r *http.Request, source ...string) (bool, map[string]any, error) {
	event, err := api.Asks(r, "request-1", source...)
	if err != nil {
		return false, nil, err
	}
	answer, err := authorizer.Invoke(ctx, event)
	if err != nil {
		return false, nil, err
	}
	return Verdict(answer)
}
