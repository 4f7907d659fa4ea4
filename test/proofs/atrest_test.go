package proofs

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"styx/internal/gateway/gatewaytest"
	"styx/internal/table"
)

// scenario does all that people do, right and wrong, in each kind of client. It
// returns an address whose owner stays.
func scenario(c *client) string {
	c.t.Helper()
	expect := func(a answer, status int) answer {
		c.t.Helper()
		if a.status != status {
			c.t.Errorf("want %d: %v", status, a)
		}
		return a
	}
	get := func(c *client, address string) answer { return c.do(http.MethodGet, address, nil) }
	for name, b := range map[string]*client{
		"native": c, "script": c.browser("application/json"), "page": c.browser("text/html"),
	} {
		fine, refused := http.StatusOK, http.StatusBadRequest
		if name == "page" {
			fine, refused = http.StatusSeeOther, http.StatusSeeOther
		}
		address := name + "@example.com"
		form := b.open("registration", "?return_to=http%3A%2F%2F127.0.0.1%3A4455%2F")
		if a := form.register(address, "short"); a.status != refused && a.status != http.StatusFound {
			c.t.Errorf("a password too short: %v", a)
		}
		first := expect(form.register(address, password+" of "+name), fine)
		if name == "native" {
			b = b.bearing(first.Token)
		}
		expect(get(b, b.public+"/sessions/whoami"), http.StatusOK)
		expect(b.open("login", "?refresh=true").login(address, wrong), refused)
		expect(b.open("login", "?refresh=true").login(address, password+" of "+name), fine)
		if name == "native" {
			expect(b.do(http.MethodDelete, b.public+"/sessions", nil), http.StatusOK)
			expect(b.do(http.MethodDelete, b.public+"/self-service/logout/api", map[string]string{"session_token": first.Token}), http.StatusNoContent)
			continue
		}
		// A token that was made for another browser.
		form = b.open("login", "?refresh=true")
		form.csrf = c.browser("application/json").open("login", "").csrf
		forged := expect(form.login(address, password+" of "+name), refusedForgery(name))
		if page, err := url.Parse(forged.header.Get("Location")); err == nil && page.Query().Get("id") != "" {
			expect(get(b, b.public+"/self-service/errors?id="+page.Query().Get("id")), http.StatusOK)
		}
		// As scripts ask: the link is JSON for every client.
		asked := get(b, b.public+"/self-service/logout/browser")
		expect(get(b, b.public+"/self-service/logout?token="+asked.LogoutToken[:len(asked.LogoutToken)-1]), refusedForgery(name))
		expect(get(b, asked.LogoutURL), map[string]int{"page": http.StatusSeeOther, "script": http.StatusNoContent}[name])
		expect(get(b, b.public+"/sessions/whoami"), http.StatusUnauthorized)
		expect(b.open("login", "").login(address, password+" of "+name), fine)
	}
	id := c.create(withPassword("imported@example.com"))
	c.seen.add("password", password)
	c.enter("imported@example.com")
	expect(get(c, c.admin+"/admin/identities/"+id), http.StatusOK)
	expect(get(c, c.admin+"/admin/identities"), http.StatusOK)
	expect(c.do(http.MethodDelete, c.admin+"/admin/identities/"+id, nil), http.StatusNoContent)
	expect(get(c, c.public+"/self-service/login/flows?id="+id), http.StatusNotFound)
	expect(c.do(http.MethodPost, c.public+"/self-service/login?flow="+id, map[string]string{"method": "password", "password": password}), http.StatusNotFound)
	return "script@example.com"
}

// refusedForgery is the status by which that client's forged request ends.
func refusedForgery(client string) int {
	if client == "page" {
		return http.StatusSeeOther
	}
	return http.StatusForbidden
}

// secretKinds are what a scenario sees; a check that saw fewer would prove less.
var secretKinds = []string{
	"anti-CSRF token", "cookie csrf_token", "cookie ory_kratos", "logout token", "password", "session token",
}

func (l *ledger) complete(t *testing.T) {
	t.Helper()
	if kinds := l.kinds(); !slices.Equal(kinds, secretKinds) {
		t.Errorf("the run saw %q, want %q", kinds, secretKinds)
	}
}

// TestNoSecretRests looks for every secret of a run in whatever the table was
// given, in every byte at rest, and, of DynamoDB, in every byte sent there.
func TestNoSecretRests(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			over := b.open(t)
			seam := &recording{Table: over}
			h := build(t, seam)
			stays := scenario(h.client)
			h.seen.complete(t)
			places := map[string][]byte{"the seam": seam.all()}
			if over.rest != nil {
				places["storage"] = over.rest()
			}
			for place, text := range places {
				if !strings.Contains(string(text), stays) {
					t.Errorf("%s does not even hold what it has to", place)
				}
				for _, found := range h.seen.found(text) {
					t.Errorf("%s holds a %s", place, found)
				}
			}
		})
	}
}

// inline answers one request at a time by calling a handler, as a Lambda does,
// and looks for what outlived the call: goroutines, and calls of the table.
type inline struct {
	table.Table

	t        *testing.T
	handlers map[string]http.Handler // by host
	requests int
	serving  atomic.Bool
}

func (i *inline) RoundTrip(r *http.Request) (*http.Response, error) {
	before := gatewaytest.Watch()
	recorder := httptest.NewRecorder()
	served := r.Clone(r.Context())
	if served.Body == nil {
		served.Body = http.NoBody
	}
	i.serving.Store(true)
	i.handlers[r.URL.Host].ServeHTTP(recorder, served)
	i.serving.Store(false)
	for _, stack := range before.Left() {
		i.t.Errorf("%s %s left a goroutine behind:\n%s", r.Method, r.URL.Path, stack)
	}
	i.requests++
	response := recorder.Result()
	response.Request = r
	return response, nil
}

func (i *inline) Get(ctx context.Context, keys ...table.Key) ([]*table.Item, error) {
	i.check()
	return i.Table.Get(ctx, keys...)
}

func (i *inline) Query(ctx context.Context, q table.Query) (table.Page, error) {
	i.check()
	return i.Table.Query(ctx, q)
}

func (i *inline) Write(ctx context.Context, ops ...table.Op) error {
	i.check()
	return i.Table.Write(ctx, ops...)
}

func (i *inline) check() {
	if !i.serving.Load() {
		i.t.Error("the table was called after the request was answered")
	}
}

// TestNothingOutlivesItsRequest runs the scenario and looks after each request.
func TestNothingOutlivesItsRequest(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			called := &inline{t: t, Table: b.open(t)}
			h := build(t, called)
			called.handlers = map[string]http.Handler{
				strings.TrimPrefix(h.public, "http://"): h.server.Public,
				strings.TrimPrefix(h.admin, "http://"):  h.server.Admin,
			}
			h.http.Transport = called
			scenario(h.client)
			if called.requests < 50 {
				t.Errorf("only %d requests were made", called.requests)
			}
			t.Logf("%d requests", called.requests)
		})
	}
}
