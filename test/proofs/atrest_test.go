package proofs

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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
	for name, another := range map[string]func() *client{
		"native": func() *client { return c },
		"script": func() *client { return c.browser("application/json") },
		"page":   func() *client { return c.browser("text/html") },
	} {
		b := another()
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
		form = b.open("settings", "")
		expect(form.submit(map[string]string{"method": "profile", "traits.email": address, "traits.name": name}), fine)
		expect(form.submit(map[string]string{"method": "password", "password": "short"}), refused)
		expect(form.submit(map[string]string{"method": "password", "password": password + " for " + name}), fine)
		expect(form.submit(map[string]string{"method": "password", "password": password + " of " + name}), fine)
		for kind, sent := range map[string]int{"verification": 2, "recovery": 1} { // a registration sends the first
			form := another().open(kind, "")
			expect(form.submit(map[string]string{"method": "code", "email": address}), fine)
			code := c.mail(address, codeMail[kind], sent).code
			for _, guess := range []string{code + "0", code} {
				expect(form.submit(map[string]string{"method": "code", "code": guess}), fine)
			}
		}
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

// links proves somebody's address by links, wrong and right ones, in a browser.
func links(c *client) {
	c.t.Helper()
	const address = "linked@example.com"
	c.create(withPassword(address))
	for kind, template := range map[string]string{"verification": "verification_valid", "recovery": "recovery_valid"} {
		b := c.browser("text/html")
		if a := b.open(kind, "").submit(map[string]string{"method": "link", "email": address}); a.status != http.StatusSeeOther {
			c.t.Errorf("%s by a link: %v", kind, a)
		}
		link := c.mail(address, template, 1).link
		for _, followed := range []string{link + "x", link, link} {
			if a := b.do(http.MethodGet, followed, nil); a.status != http.StatusSeeOther {
				c.t.Errorf("%s by a link: %v", kind, a)
			}
		}
	}
}

// lapse changes a password in a session that is too old for that.
func lapse(h *house) {
	h.t.Helper()
	page, waiting := h.park("late@example.com", password+" at last")
	page.do(http.MethodGet, waiting, nil)
	h.opens("late@example.com", password+" at last")
}

// park submits a new password in a session that is too old for that, and signs in
// again. It returns the page and where it comes back to what it had submitted.
func (h *house) park(address, other string) (page *client, waiting string) {
	h.t.Helper()
	page = h.browser("text/html")
	if a := page.open("registration", "").register(address, password); a.status != http.StatusSeeOther {
		h.t.Fatalf("registration: %v", a)
	}
	h.pass(2 * time.Hour)
	a := page.open("settings", "").submit(newPassword(other))
	a = page.follow("login", a.header.Get("Location")).login(address, password)
	if waiting = a.header.Get("Location"); a.status != http.StatusSeeOther || !strings.Contains(waiting, "/self-service/settings?flow=") {
		h.t.Fatalf("a login to go on with the settings: %v, to %s", a, waiting)
	}
	return page, waiting
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
	"anti-CSRF token", "code", "cookie csrf_token", "cookie ory_kratos", "logout token", "password", "session token",
}

func (l *ledger) complete(t *testing.T, more ...string) {
	t.Helper()
	want := slices.Sorted(slices.Values(append(more, secretKinds...)))
	if kinds := l.kinds(); !slices.Equal(kinds, want) {
		t.Errorf("the run saw %q, want %q", kinds, want)
	}
}

// TestNoSecretRests looks for every secret of a run in whatever the table was
// given, in every byte at rest, and, of DynamoDB, in every byte sent there and in
// what its stream says.
func TestNoSecretRests(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			over := b.open(t)
			seam, calls := &recording{Table: over}, receive(t, fine)
			hook := calls.hook("ctx", background)
			hooks := fmt.Sprintf(`selfservice: {flows: {
				login: {after: {hooks: [%[1]s]}}, settings: {after: {hooks: [%[1]s]}},
				recovery: {after: {hooks: [%[1]s]}}, verification: {after: {hooks: [%[1]s]}},
				registration: {after: {password: {hooks: [{hook: session}, %[1]s]}}}}}`, hook)
			h, linked := build(t, seam, hooks), build(t, seam, hooks, byLink)
			linked.seen = h.seen
			stays := scenario(h.client)
			links(linked.client)
			lapse(h)
			h.seen.complete(t, "link token")
			look := func(when string) {
				places := map[string][]byte{"the seam": seam.all()}
				if over.rest != nil {
					places["storage"] = over.rest()
				}
				for place, text := range places {
					if !strings.Contains(string(text), stays) {
						t.Errorf("%s does not even hold what it has to", place)
					}
					for _, found := range h.seen.found(text) {
						t.Errorf("%s %s holds a %s", when, place, found)
					}
				}
			}
			look("before anything is sent,")
			letters := h.deliver()
			if sent := len(calls.got()); len(letters) < 10 || sent < 20 {
				t.Errorf("%d letters and %d calls left", len(letters), sent)
			}
			look("after all was sent,")
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
