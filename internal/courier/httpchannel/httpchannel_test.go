package httpchannel

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/outbound"
)

func letter() *courier.Letter {
	return &courier.Letter{
		ID: "m", Type: courier.SMS, Template: courier.VerificationCodeValid, To: "+4915112345",
		Content: courier.Content{Text: "Your code is 123456"},
		Data:    json.RawMessage(`{"to":"+4915112345","verification_code":"123456","identity":{"n":12345678901234567890}}`),
		Headers: map[string][]string{"Accept-Language": {"de"}},
	}
}

// gateway answers every request in one way and keeps what it got.
type gateway struct {
	*httptest.Server
	status int
	wait   time.Duration

	mu     sync.Mutex
	got    []*http.Request
	bodies []string
}

// asked is how many requests came.
func (g *gateway) asked() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.got)
}

func serve(t *testing.T, g *gateway) (*gateway, config.Request) {
	t.Helper()
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		g.mu.Lock()
		g.got, g.bodies = append(g.got, r), append(g.bodies, string(body))
		g.mu.Unlock()
		select {
		case <-time.After(g.wait):
		case <-r.Context().Done():
		}
		w.WriteHeader(g.status)
		_, _ = io.WriteString(w, "your key hunter2 is fine")
	}))
	t.Cleanup(g.Close)
	target, err := url.Parse(g.URL + "/sms")
	if err != nil {
		t.Fatal(err)
	}
	return g, config.Request{URL: target}
}

func client() *http.Client { return outbound.New(outbound.Policy{AllowPrivate: true}) }

func TestDefaultBody(t *testing.T) {
	g, to := serve(t, &gateway{status: http.StatusAccepted})
	if err := New(Options{Request: to, Client: client()}).Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	want := `{"recipient":"+4915112345","template_type":"verification_code_valid","to":"+4915112345","recovery_code":null,` +
		`"recovery_url":null,"verification_url":null,"verification_code":"123456","subject":"","body":"Your code is 123456"}`
	if len(g.bodies) != 1 || g.bodies[0] != want {
		t.Errorf("sent %s, want %s", g.bodies, want)
	}
	if r := g.got[0]; r.Method != http.MethodPost || r.URL.Path != "/sms" || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("sent %s %s %v", r.Method, r.URL, r.Header)
	}
}

func TestOwnBody(t *testing.T) {
	g, to := serve(t, &gateway{status: http.StatusOK})
	to.Body, to.Method = "file://./sms.jsonnet", http.MethodPut
	to.Headers = map[string]config.Secret{"Content-Type": "text/x-own", "X-Key": "k"}
	var uri, argument string
	s := New(Options{Request: to, Client: client(), Eval: func(_ context.Context, u string, a []byte) ([]byte, error) {
		uri, argument = u, string(a)
		return []byte(`{"own":true}`), nil
	}})
	if err := s.Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	want := `{"recipient":"+4915112345","subject":"","body":"Your code is 123456","template_type":"verification_code_valid","message_type":"sms",` +
		`"template_data":{"to":"+4915112345","verification_code":"123456","identity":{"n":12345678901234567890}},"request_headers":{"Accept-Language":["de"]}}`
	if uri != "file://./sms.jsonnet" || argument != want {
		t.Errorf("called %s with\n%s, want\n%s", uri, argument, want)
	}
	if r := g.got[0]; g.bodies[0] != `{"own":true}` || r.Method != http.MethodPut || r.Header.Get("Content-Type") != "text/x-own" || r.Header.Get("X-Key") != "k" {
		t.Errorf("sent %s %v %s", r.Method, r.Header, g.bodies[0])
	}
	l := letter()
	l.Headers = nil
	if err := s.Send(t.Context(), l); err != nil || !strings.HasSuffix(argument, `"request_headers":{}}`) {
		t.Errorf("without headers: %s, %v", argument, err)
	}
	s.Eval = func(context.Context, string, []byte) ([]byte, error) { return nil, errors.New("RUNTIME ERROR") }
	if err := s.Send(t.Context(), letter()); err == nil || len(g.bodies) != 2 {
		t.Errorf("a body that could not be made: %v, %d requests", err, len(g.bodies))
	}
}

func TestAuth(t *testing.T) {
	for name, row := range map[string]struct {
		auth  config.Auth
		proof func(*http.Request) bool
	}{
		"none": {config.Auth{}, func(r *http.Request) bool { return r.Header.Get("Authorization") == "" }},
		"basic": {config.Auth{Type: config.AuthBasic, User: "harbour", Password: "gateway"}, func(r *http.Request) bool {
			user, password, ok := r.BasicAuth()
			return ok && user == "harbour" && password == "gateway"
		}},
		"key in a header": {config.Auth{Type: config.AuthAPIKey, Name: "X-Key", Value: "k", In: "header"}, func(r *http.Request) bool {
			return r.Header.Get("X-Key") == "k"
		}},
		"key in a cookie": {config.Auth{Type: config.AuthAPIKey, Name: "key", Value: "k", In: "cookie"}, func(r *http.Request) bool {
			cookie, err := r.Cookie("key")
			return err == nil && cookie.Value == "k"
		}},
	} {
		g, to := serve(t, &gateway{status: http.StatusNoContent})
		to.Auth = row.auth
		if err := New(Options{Request: to, Client: client()}).Send(t.Context(), letter()); err != nil || !row.proof(g.got[0]) {
			t.Errorf("%s: %v, %v", name, err, g.got[0].Header)
		}
	}
}

// Whatever a service answers but 2xx passes, is asked once, and is not repeated
// in the error, nor is its URL.
func TestFailuresPass(t *testing.T) {
	for _, status := range []int{199 + 101, 400, 401, 404, 429, 500, 503} {
		g, to := serve(t, &gateway{status: status})
		to.URL.RawQuery = "key=hunter2"
		err := New(Options{Request: to, Client: client()}).Send(t.Context(), letter())
		if _, refused := errors.AsType[*courier.RefusedError](err); err == nil || refused || g.asked() != 1 || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%d: %v after %d requests", status, err, g.asked())
		}
	}
	g, to := serve(t, &gateway{status: 200, wait: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	to.URL.RawQuery = "key=hunter2"
	if err := New(Options{Request: to, Client: client()}).Send(ctx, letter()); err == nil || strings.Contains(err.Error(), "hunter2") || g.asked() != 1 {
		t.Errorf("a service that hangs: %v", err)
	}
	guarded := outbound.New(outbound.Policy{})
	if err := New(Options{Request: to, Client: guarded}).Send(t.Context(), letter()); !errors.Is(err, outbound.ErrRefused) {
		t.Errorf("a private address: %v", err)
	}
	if err := New(Options{Client: client()}).Send(t.Context(), letter()); err == nil {
		t.Error("a channel without a URL sent something")
	}
}
