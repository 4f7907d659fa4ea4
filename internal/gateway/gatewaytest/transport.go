package gatewaytest

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
)

// Invoker answers events: a Function, or a gateway.Gateway in this process.
type Invoker interface {
	Invoke(ctx context.Context, event []byte) ([]byte, error)
}

// Transport is an HTTP API in front of functions, as an http.RoundTripper. It
// is safe for concurrent use.
type Transport struct {
	API API
	// Route names the function that owns a request, as the API's routes do.
	Route func(r *http.Request) (Invoker, error)

	count atomic.Int64
}

// To routes every request to one function.
func To(one Invoker) func(*http.Request) (Invoker, error) {
	return func(*http.Request) (Invoker, error) { return one, nil }
}

// RoundTrip makes an event of the request, has the function answer it, and
// makes a response of the answer.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	function, err := t.Route(r)
	if err != nil {
		return nil, err
	}
	event, err := t.API.Event(r, fmt.Sprintf("request-%d", t.count.Add(1)))
	if err != nil {
		return nil, err
	}
	answer, err := function.Invoke(r.Context(), event)
	if err != nil {
		return nil, err
	}
	response, err := Response(answer)
	if err != nil {
		return nil, err
	}
	response.Request = r
	return response, nil
}
