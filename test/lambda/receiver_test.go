//go:build dynamodb

package lambda_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// fate is what becomes of a call to a receiver: it answers w, or forwards the
// call and has the answer. nil is forward.
type fate func(w http.ResponseWriter, r *http.Request, forward http.Handler)

// receiver stands between the courier and an API it calls, SES or SQS.
type receiver struct {
	url string

	mu     sync.Mutex
	fate   func(body string) fate
	bodies []string // of all calls so far
}

// newReceiver starts one before the API at upstream; it ends with the test.
func newReceiver(t *testing.T, upstream string) *receiver {
	t.Helper()
	target, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	v := &receiver{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		v.mu.Lock()
		v.bodies = append(v.bodies, string(body))
		script := v.fate
		v.mu.Unlock()
		var its fate
		if script != nil {
			its = script(string(body))
		}
		if its == nil {
			forward.ServeHTTP(w, r)
			return
		}
		its(w, r, forward)
	}))
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

// script has each later call meet the fate that its body is given; nil forwards
// all.
func (v *receiver) script(script func(body string) fate) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fate = script
}

// heard are the bodies of all calls so far.
func (v *receiver) heard() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string{}, v.bodies...)
}

// always is a script that has one fate for all.
func always(f fate) func(string) fate { return func(string) fate { return f } }

// says refuses a call as AWS does.
func says(status int, code string) fate {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"message":"refused by the test"}`)
	}
}

// cut breaks the connection before the receiver has the call.
func cut(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// silent never answers.
func silent(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// lost has the call carried out and its answer lost.
func lost(_ http.ResponseWriter, r *http.Request, forward http.Handler) {
	forward.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}
