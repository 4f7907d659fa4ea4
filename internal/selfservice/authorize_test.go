package selfservice_test

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"styx/internal/fault"
	"styx/internal/session"
	"styx/internal/table"
	"styx/internal/table/local"
	"styx/internal/web"
)

const sessionCookie = "ory_kratos_session"

// TestAuthorizeKnowsWhomWhoamiKnows, and nobody else: each row is a request that
// both are asked about.
func TestAuthorizeKnowsWhomWhoamiKnows(t *testing.T) {
	later := time.Date(2026, 7, 1, 13, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		more   string // configuration
		then   func(t *testing.T, h *house, browser, app *client)
		header func(cookie, token, strange string) http.Header
		want   int
	}{
		"nobody":         {header: func(_, _, _ string) http.Header { return http.Header{} }, want: 401},
		"a cookie":       {header: cookies("%"), want: 200},
		"a token":        {header: tokens("%"), want: 200},
		"a bearer":       {header: bearers("Bearer %"), want: 200},
		"Bearer's case":  {header: bearers("bEARER %"), want: 200},
		"another scheme": {header: bearers("Basic %"), want: 401},
		"no scheme":      {header: bearers("%"), want: 401},
		"the token in a cookie": {header: func(_, token, _ string) http.Header {
			return http.Header{"Cookie": {sessionCookie + "=" + token}}
		}, want: 401},
		"the cookie as a token": {header: func(cookie, _, _ string) http.Header {
			return http.Header{"X-Session-Token": {cookie}}
		}, want: 401},
		"the second of several cookies": {header: func(cookie, _, strange string) http.Header {
			return http.Header{"Cookie": {"a=1; " + sessionCookie + "=" + strange + "; " + sessionCookie + "=x; " + sessionCookie + "=" + cookie}}
		}, want: 200},
		"a wrong token and a cookie": {header: func(cookie, _, _ string) http.Header {
			return http.Header{"X-Session-Token": {"ory_st_x"}, "Cookie": {sessionCookie + "=" + cookie}}
		}, want: 401},
		"a tampered cookie": {header: cookies("%A"), want: 401},
		"a cookie's first half": {header: func(cookie, _, _ string) http.Header {
			return http.Header{"Cookie": {sessionCookie + "=" + cookie[:len(cookie)/2]}}
		}, want: 401},
		"another cookie's name": {header: func(cookie, _, _ string) http.Header { return http.Header{"Cookie": {"session=" + cookie}} }, want: 401},
		"another instance's cookie": {header: func(_, _, strange string) http.Header {
			return http.Header{"Cookie": {sessionCookie + "=" + strange}}
		}, want: 401},
		"a tampered token": {header: func(_, token, _ string) http.Header {
			return http.Header{"X-Session-Token": {token[:len(token)-1] + map[bool]string{true: "1", false: "0"}[strings.HasSuffix(token, "0")]}}
		}, want: 401},
		"expired":  {header: cookies("%"), then: func(_ *testing.T, h *house, _, _ *client) { h.clock.pass(24 * time.Hour) }, want: 401},
		"inactive": {header: tokens("%"), then: func(t *testing.T, h *house, _, app *client) { t.Helper(); h.inactive(t, app.whoami(t).Identity.ID) }, want: 401},
		"signed out": {header: tokens("%"), then: func(t *testing.T, h *house, _, app *client) {
			t.Helper()
			if err := h.Store.Revoke(t.Context(), app.whoami(t).Identity.ID, app.whoami(t).ID); err != nil {
				t.Fatal(err)
			}
		}, want: 401},
		"revoked by another": {header: tokens("%"), then: func(t *testing.T, _ *house, browser, _ *client) {
			t.Helper()
			if a := browser.ask(t, http.MethodDelete, "/sessions"); a.Code != http.StatusOK {
				t.Fatalf("revoked: %d %s", a.Code, a.Body)
			}
		}, want: 401},
		"before the last restore":               {header: tokens("%"), more: "styx: {sessions: {not_before: " + later.Format(time.RFC3339) + "}}", want: 401},
		"a second factor that is not asked for": {header: tokens("%"), then: withSecondFactor, more: "session: {whoami: {required_aal: aal1}}", want: 200},
		"a second factor that is":               {header: tokens("%"), then: withSecondFactor, more: "session: {whoami: {required_aal: highest_available}}", want: 403},
		"the highest there is":                  {header: tokens("%"), more: "session: {whoami: {required_aal: highest_available}}", want: 200},
	} {
		t.Run(name, func(t *testing.T) {
			h := openFactors(t, row.more)
			browser, app := h.client(spa), h.client(api)
			browser.signUp(t, "ann@example.org")
			app.token = h.comeIn(t, h.identified(t, browser), session.Method{Method: "password", AAL: session.AAL1}).token
			other := open(t, "secrets: {default: [the secret of another instance]}").client(spa)
			other.signUp(t, "ann@example.org")
			if row.then != nil {
				row.then(t, h, browser, app)
			}
			r := h.client(api).request(t, http.MethodGet, "/sessions/whoami", "", "")
			maps.Copy(r.Header, row.header(browser.jar[sessionCookie], app.token, other.jar[sessionCookie]))

			known, err := h.Authorize(r)
			got := http.StatusOK
			if err != nil {
				got = web.Status(err)
			}
			if whoami := h.client(api).send(r).Code; got != row.want || whoami != row.want {
				t.Errorf("authorize: %d %v, whoami: %d, want %d", got, err, whoami, row.want)
			}
			if (len(known) > 0) != (row.want == http.StatusOK) {
				t.Errorf("it tells %v", known)
			}
		})
	}
}

// What requests say of their sender; % is the cookie's value, or the token.
func cookies(form string) func(cookie, token, strange string) http.Header {
	return func(cookie, _, _ string) http.Header {
		return http.Header{"Cookie": {sessionCookie + "=" + strings.ReplaceAll(form, "%", cookie)}}
	}
}

func tokens(form string) func(cookie, token, strange string) http.Header {
	return func(_, token, _ string) http.Header {
		return http.Header{"X-Session-Token": {strings.ReplaceAll(form, "%", token)}}
	}
}

func bearers(form string) func(cookie, token, strange string) http.Header {
	return func(_, token, _ string) http.Header {
		return http.Header{"Authorization": {strings.ReplaceAll(form, "%", token)}}
	}
}

// identified is the identity of a client, whatever level its session has.
func (h *house) identified(t *testing.T, c *client) string {
	t.Helper()
	token, _, found := h.Cookies.Session(c.request(t, http.MethodGet, "/", "", ""))
	if !found {
		t.Fatal("no session in the jar")
	}
	return token.Identity.String()
}

// withSecondFactor gives the owner of both sessions an authenticator app.
func withSecondFactor(t *testing.T, h *house, browser, _ *client) {
	t.Helper()
	h.equip(t, h.identified(t, browser), "password", "totp")
}

// TestAuthorizeTellsNoSecret: what another API gets to know are these texts, which
// docs/authorizers.md explains.
func TestAuthorizeTellsNoSecret(t *testing.T) {
	h := openFactors(t)
	c := h.client(api)
	mine := c.signUp(t, "ann@example.org")
	c.signIn(t, "ann@example.org", "refresh=true")
	known, err := h.Authorize(c.request(t, http.MethodGet, "/", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"identity_id": mine.Identity.ID, "session_id": mine.ID, "aal": "aal1", "methods": "password",
		"authenticated_at": "2026-07-01T12:00:00Z", "expires_at": "2026-07-02T12:00:00Z",
	}
	if !maps.Equal(known, want) {
		t.Errorf("it tells %v, want %v", known, want)
	}
	if slices.ContainsFunc(slices.Collect(maps.Values(known)), func(text string) bool { return strings.Contains(text, c.token) }) {
		t.Error("it tells the token")
	}
	doc, err := os.ReadFile("../../docs/authorizers.md")
	if err != nil {
		t.Fatal(err)
	}
	for key := range want {
		if !strings.Contains(string(doc), "\n| `"+key+"` |") {
			t.Errorf("docs/authorizers.md does not list %s", key)
		}
	}
}

// TestAuthorizeWithoutATableKnowsNobody, and does not say that it is the
// caller's fault.
func TestAuthorizeWithoutATableKnowsNobody(t *testing.T) {
	h := open(t)
	c := h.client(api)
	c.signUp(t, "ann@example.org")
	if err := h.table.(*local.Table).Close(); err != nil {
		t.Fatal(err)
	}
	known, err := h.Authorize(c.request(t, http.MethodGet, "/", "", ""))
	if err == nil || known != nil || fault.Is(err, fault.Unauthorized) || fault.Is(err, fault.Forbidden) {
		t.Errorf("%v %v", known, err)
	}
}

// TestAuthorizeWaitsOnce for the table, and not at all for what is no token.
func TestAuthorizeWaitsOnce(t *testing.T) {
	h := open(t)
	c := h.client(api)
	c.signUp(t, "ann@example.org")
	for token, want := range map[string]int{c.token: 1, "ory_st_x": 0, "": 0} {
		c.token = token
		ctx, tally := table.WithTally(t.Context())
		_, _ = h.Authorize(c.request(t, http.MethodGet, "/", "", "").WithContext(ctx))
		if calls := tally.Calls(); tally.RoundTrips() != want || len(calls) != want {
			t.Errorf("it waits %d times: %+v", tally.RoundTrips(), calls)
		}
	}
}
