package selfservice_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"styx/internal/config"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
)

// TestRefreshKeepsTheSession: same id and token, a later life.
func TestRefreshKeepsTheSession(t *testing.T) {
	h := open(t)
	for i, of := range kinds {
		c := h.client(of)
		email := fmt.Sprintf("ann%d@example.org", i)
		before := c.signUp(t, email)
		token, cookies := c.token, fmt.Sprint(c.jar)
		csrf := c.jar[csrfCookie(c)]
		h.clock.pass(time.Hour)
		after := c.signIn(t, email, "refresh=true")
		if after.ID != before.ID || c.token != token {
			t.Errorf("%s: the session is %s with token %v, want %s with %v", of, after.ID, c.token == token, before.ID, true)
		}
		if !after.AuthenticatedAt.Equal(h.Now()) || !after.ExpiresAt.Equal(h.Now().Add(24*time.Hour)) || !after.IssuedAt.Equal(before.IssuedAt) || len(after.Methods) != 2 {
			t.Errorf("%s: the session is %+v", of, after)
		}
		if of != api && (fmt.Sprint(c.jar) == cookies || c.jar[csrfCookie(c)] != csrf) {
			t.Errorf("%s: the session's cookie was not given again, or the other was", of)
		}
	}
}

// csrfCookie is the name of a browser's anti-CSRF cookie.
func csrfCookie(c *client) string {
	for name := range c.jar {
		if strings.HasPrefix(name, "csrf_token_") {
			return name
		}
	}
	return ""
}

// TestRefreshAsSomebodyElse begins a session of its own, with its own forms.
func TestRefreshAsSomebodyElse(t *testing.T) {
	h := open(t)
	eve := h.client(api).signUp(t, "eve@example.org")
	for i, of := range kinds {
		c := h.client(of)
		before := c.signUp(t, fmt.Sprintf("ann%d@example.org", i))
		token, csrf := c.token, c.jar[csrfCookie(c)]
		after := c.signIn(t, "eve@example.org", "refresh=true")
		if after.ID == before.ID || after.Identity.ID != eve.Identity.ID || of == api && c.token == token || len(after.Methods) != 1 {
			t.Errorf("%s: the session is %+v", of, after)
		}
		if of != api && c.jar[csrfCookie(c)] == csrf {
			t.Errorf("%s: earlier forms are still good", of)
		}
	}
}

// TestEveryLoginIsANewSession so that nobody can plant one (ASVS 7.2.4).
func TestEveryLoginIsANewSession(t *testing.T) {
	h := open(t)
	h.client(api).signUp(t, "ann@example.org")
	seen := map[string]bool{}
	for _, of := range append(kinds, kinds...) {
		c := h.client(of)
		mine := c.signIn(t, "ann@example.org", "")
		if seen[mine.ID] || c.token != "" && seen[c.token] {
			t.Errorf("%s: the session was there before", of)
		}
		seen[mine.ID], seen[c.token] = true, true
	}
}

// TestWhoamiGivesTheCookieAgain only when the session lives longer than the
// browser was told.
func TestWhoamiGivesTheCookieAgain(t *testing.T) {
	h := open(t)
	c := h.client(spa)
	c.signUp(t, "ann@example.org")
	if a := c.ask(t, http.MethodGet, "/sessions/whoami"); a.Header().Get("Set-Cookie") != "" {
		t.Errorf("given again for nothing: %s", a.Header().Get("Set-Cookie"))
	}
	h.clock.pass(time.Hour)
	token, _, found := h.Cookies.Session(c.request(t, http.MethodGet, "/", "", ""))
	if !found {
		t.Fatal("no session in the jar")
	}
	bearer, err := h.Store.Bearer(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	extend := func(s *session.Session) { s.ExpiresAt = h.Now().Add(24 * time.Hour) }
	extend(bearer.Session)
	if err := h.Store.Resume(t.Context(), bearer.Owner, bearer.Session, extend); err != nil {
		t.Fatal(err)
	}
	a := c.ask(t, http.MethodGet, "/sessions/whoami")
	if given := a.Result().Cookies(); len(given) != 1 || given[0].Name != "ory_kratos_session" || given[0].MaxAge != 24*60*60 {
		t.Errorf("after an extension the browser gets %v", given)
	}
	if a := c.ask(t, http.MethodGet, "/sessions/whoami"); a.Header().Get("Set-Cookie") != "" {
		t.Error("given a second time")
	}
}

// TestHowLongWhoamiMayBeRemembered: a gateway is told only where the
// configuration says so, at most what it says, and never of a session that is over.
func TestHowLongWhoamiMayBeRemembered(t *testing.T) {
	for name, want := range map[string]struct {
		flags           string
		somebody, other string
	}{
		"off":    {"{}", "", ""},
		"on":     {"{cacheable_sessions: true}", "86400", "60"},
		"capped": {"{cacheable_sessions: true, cacheable_sessions_max_age: 10s}", "10", "10"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, "feature_flags: "+want.flags)
			c := h.client(api)
			c.signUp(t, "ann@example.org")
			if got := c.ask(t, http.MethodGet, "/sessions/whoami").Header().Get("Ory-Session-Cache-For"); got != want.somebody {
				t.Errorf("a session may be remembered for %q, want %q", got, want.somebody)
			}
			h.clock.pass(25 * time.Hour)
			if got := c.ask(t, http.MethodGet, "/sessions/whoami").Header().Get("Ory-Session-Cache-For"); got != "" {
				t.Errorf("a session that is over may be remembered for %q", got)
			}
			if got := h.client(api).ask(t, http.MethodGet, "/sessions/whoami").Header().Get("Ory-Session-Cache-For"); got != want.other {
				t.Errorf("nobody may be remembered for %q, want %q", got, want.other)
			}
		})
	}
}

// TestWhoamiAnswersEveryVerb as gateways of old ask.
func TestWhoamiAnswersEveryVerb(t *testing.T) {
	h := open(t)
	c := h.client(api)
	mine := c.signUp(t, "ann@example.org")
	for _, verb := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		a := c.ask(t, verb, "/sessions/whoami")
		if a.Code != http.StatusOK || a.Header().Get("X-Kratos-Authenticated-Identity-Id") != mine.Identity.ID {
			t.Errorf("%s answers %d %v", verb, a.Code, a.Header())
		}
		if a := h.client(api).ask(t, verb, "/sessions/whoami"); a.Code != http.StatusUnauthorized {
			t.Errorf("%s of nobody answers %d", verb, a.Code)
		}
	}
}

// TestWhereTheTokenStands: X-Session-Token, else the cookie, else a bearer.
func TestWhereTheTokenStands(t *testing.T) {
	h := open(t)
	app, browser := h.client(api), h.client(spa)
	ann, bob := app.signUp(t, "ann@example.org"), browser.signUp(t, "bob@example.org")
	cookie := "ory_kratos_session=" + browser.jar["ory_kratos_session"]
	stranger := secret.NewToken(zero{}, secret.UUID{1}, secret.UUID{2}).String()
	cut := app.token[:len(app.token)-1]
	for _, w := range []struct {
		name          string
		token, cookie string
		authorization string
		want          string
	}{
		{"the token", app.token, "", "", ann.Identity.ID},
		{"the token in spaces", " " + app.token + " ", "", "", ann.Identity.ID},
		{"the cookie", "", cookie, "", bob.Identity.ID},
		{"the bearer", "", "", "Bearer " + app.token, ann.Identity.ID},
		{"the bearer in lower case", "", "", "bearer " + app.token, ann.Identity.ID},
		{"the token before the cookie", app.token, cookie, "", ann.Identity.ID},
		{"the cookie before the bearer", "", cookie, "Bearer " + app.token, bob.Identity.ID},
		{"a bad token before a good cookie", "bad", cookie, "", ""},
		{"a broken cookie, then the bearer", "", "ory_kratos_session=x", "Bearer " + app.token, ann.Identity.ID},
		{"two cookies, one of them broken", "", "ory_kratos_session=x; " + cookie, "", bob.Identity.ID},
		{"a token nobody was given", stranger, "", "", ""},
		{"a token cut short", cut, "", "", ""},
		{"a token in lower case", strings.ToLower(app.token), "", "", ""},
		{"a token with another secret", forge(t, app.token), "", "", ""},
		{"the token as a cookie", "", "ory_kratos_session=" + app.token, "", ""},
		{"another scheme", "", "", "Basic " + app.token, ""},
		{"no scheme", "", "", app.token, ""},
		{"a bearer of nothing", "", "", "Bearer ", ""},
		{"a token of NULs", "\x00\x00", "", "", ""},
		{"nothing", "", "", "", ""},
	} {
		t.Run(w.name, func(t *testing.T) {
			r := h.client(api).request(t, http.MethodGet, "/sessions/whoami", "", "")
			for name, value := range map[string]string{"X-Session-Token": w.token, "Cookie": w.cookie, "Authorization": w.authorization} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			a := h.client(api).send(r)
			if got := a.Header().Get("X-Kratos-Authenticated-Identity-Id"); got != w.want || (a.Code == http.StatusOK) != (w.want != "") {
				t.Errorf("answered %d for %q, want %q", a.Code, got, w.want)
			}
			if w.want == "" && a.Code != http.StatusUnauthorized {
				t.Errorf("nobody is answered %d", a.Code)
			}
		})
	}
}

// zero is a source of randomness that has none.
type zero struct{}

func (zero) Read(p []byte) (int, error) { return len(p), nil }

// forge names the session of a token without knowing its secret.
func forge(t *testing.T, token string) string {
	t.Helper()
	known, err := secret.ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	return secret.NewToken(zero{}, known.Identity, known.Session).String()
}

// TestRevokingSessions ends what was asked for and nothing else.
func TestRevokingSessions(t *testing.T) {
	h := open(t)
	first, second, third, stranger := h.client(api), h.client(spa), h.client(html), h.client(api)
	a := first.signUp(t, "ann@example.org")
	b := second.signIn(t, "ann@example.org", "")
	h.clock.pass(time.Second)
	c := third.signIn(t, "ann@example.org", "")
	theirs := stranger.signUp(t, "eve@example.org")

	var list []sessionView
	first.ask(t, http.MethodGet, "/sessions").decode(t, &list)
	if len(list) != 2 || list[0].ID != c.ID || list[1].ID != b.ID || !list[0].Active || len(list[0].Devices) != 1 {
		t.Errorf("the others are %+v, want the newest first", list)
	}
	for id, want := range map[string]int{
		a.ID: 400, strings.ToUpper(a.ID): 400, "xx": 400, "..%2fx": 400, b.ID + "0": 400, uuid(): 204, theirs.ID: 204, b.ID: 204, "%00": 400,
	} {
		if got := first.ask(t, http.MethodDelete, "/sessions/"+id); got.Code != want {
			t.Errorf("revoking %s answers %d, want %d: %s", id, got.Code, want, got.Body)
		}
	}
	if first.whoami(t).ID != a.ID || second.whoami(t).ID != "" || third.whoami(t).ID != c.ID || stranger.whoami(t).ID != theirs.ID {
		t.Error("another session ended than the one that was asked for")
	}
	if got := first.ask(t, http.MethodDelete, "/sessions/"+b.ID); got.Code != http.StatusNoContent {
		t.Errorf("revoking again answers %d", got.Code)
	}
	if got := third.ask(t, http.MethodDelete, "/sessions"); got.Code != http.StatusOK || got.Body.String() != `{"count":2}` {
		t.Errorf("revoking the others answers %d %s", got.Code, got.Body)
	}
	if first.whoami(t).ID != "" || third.whoami(t).ID != c.ID || stranger.whoami(t).ID != theirs.ID {
		t.Error("others are the other sessions of the caller")
	}
	for _, verb := range []string{http.MethodGet, http.MethodDelete} {
		if got := second.ask(t, verb, "/sessions"); got.Code != http.StatusUnauthorized {
			t.Errorf("%s /sessions with a dead session answers %d", verb, got.Code)
		}
	}
}

// TestDeadSessions are good for nothing, wherever they are shown: those of an
// identity that was switched off (CVE-2025-64521) or deleted, expired ones,
// revoked ones, and those from before the operator's line.
func TestDeadSessions(t *testing.T) {
	type kill = func(*testing.T, *house, sessionView)
	for name, w := range map[string]struct {
		kill    kill
		revives bool
	}{
		"inactive": {func(t *testing.T, h *house, s sessionView) {
			t.Helper()
			h.inactive(t, s.Identity.ID)
		}, true},
		"deleted": {func(t *testing.T, h *house, s sessionView) {
			t.Helper()
			if err := h.Store.Delete(t.Context(), s.Identity.ID); err != nil {
				t.Fatal(err)
			}
		}, false},
		"expired": {func(_ *testing.T, h *house, _ sessionView) { h.clock.pass(24 * time.Hour) }, false},
		"revoked": {func(t *testing.T, h *house, s sessionView) {
			t.Helper()
			if err := h.Store.Revoke(t.Context(), s.Identity.ID, s.ID); err != nil {
				t.Fatal(err)
			}
		}, false},
		"before the line": {func(_ *testing.T, h *house, _ sessionView) {
			settings := *h.Config
			settings.Styx.NotBefore = h.Now().Add(time.Second)
			h.Config = &settings
		}, false},
		"of an earlier epoch": {func(t *testing.T, h *house, s sessionView) {
			t.Helper()
			h.change(t, s.Identity.ID, func(who *identity.Identity) { who.Epoch++ })
		}, false},
	} {
		for _, of := range kinds {
			t.Run(name+"/"+of, func(t *testing.T) {
				h := open(t)
				c := h.client(of)
				mine := c.signUp(t, "ann@example.org")
				logout := ""
				if of != api {
					var link struct {
						Token string `json:"logout_token"`
					}
					c.ask(t, http.MethodGet, "/self-service/logout/browser").decode(t, &link)
					logout = link.Token
				}
				w.kill(t, h, mine)
				for request, want := range map[string]int{
					"GET /sessions/whoami": 401, "POST /sessions/whoami": 401, "GET /sessions": 401, "DELETE /sessions": 401, "DELETE /sessions/" + uuid(): 401,
				} {
					verb, path, _ := strings.Cut(request, " ")
					if a := c.ask(t, verb, path); a.Code != want {
						t.Errorf("%s answers %d, want %d", request, a.Code, want)
					}
				}
				if of != api {
					for _, path := range []string{"/self-service/logout/browser", "/self-service/logout?token=" + logout} {
						if p := c.problem(t, c.ask(t, http.MethodGet, path)); p.Code != http.StatusUnauthorized || p.ID != "session_inactive" {
							t.Errorf("%s answers %+v", path, p)
						}
					}
				}
				// It starts flows like anybody, refreshes nothing and asks for no second factor.
				for _, kind := range []string{"login", "registration"} {
					c.start(t, kind, "")
				}
				if f := c.fetch(t, "login", c.start(t, "login", "refresh=true")).flow(t); f.Refresh {
					t.Error("there is something to refresh")
				}
				if p := c.problem(t, c.opened(t, "login", "aal=aal2")); p.ID != "session_aal1_required" {
					t.Errorf("a second factor answers %+v", p)
				}
				if w.revives {
					h.change(t, mine.Identity.ID, func(who *identity.Identity) { who.SetState(identity.Active, h.Now()) })
					if got := c.whoami(t); got.ID != mine.ID {
						t.Error("switched on again, the session is still dead")
					}
				}
			})
		}
	}
}

// TestSessionDiesWhileAFormIsOpen: a refresh that comes too late is a login.
func TestSessionDiesWhileAFormIsOpen(t *testing.T) {
	h := open(t)
	for i, of := range kinds {
		c := h.client(of)
		email := fmt.Sprintf("ann%d@example.org", i)
		before := c.signUp(t, email)
		id := c.start(t, "login", "refresh=true")
		token := c.csrf(t, "login", id)
		if err := h.Store.Revoke(t.Context(), before.Identity.ID, before.ID); err != nil {
			t.Fatal(err)
		}
		after := c.done(t, c.submit(t, "login", id, fields{"method": "password", "identifier": email, "password": password, "csrf_token": token}))
		if after.ID == before.ID || after.ID == "" {
			t.Errorf("%s: the session is %s", of, after.ID)
		}
	}
}

// TestInactiveAtTheDoor says so to who knows the password, and to nobody else.
func TestInactiveAtTheDoor(t *testing.T) {
	h := open(t)
	h.inactive(t, h.client(api).signUp(t, "ann@example.org").Identity.ID)
	for _, of := range kinds {
		c := h.client(of)
		if f := c.again(t, "login", c.tryIn(t, "ann@example.org", password, "")); fmt.Sprint(f.messages()) != "[4010011]" {
			t.Errorf("%s: the right password says %v", of, f.messages())
		}
		if f := c.again(t, "login", c.tryIn(t, "ann@example.org", "wrong password", "")); fmt.Sprint(f.messages()) != "[4000006]" {
			t.Errorf("%s: a wrong password says %v", of, f.messages())
		}
		if got := c.whoami(t); got.ID != "" {
			t.Errorf("%s: signed in", of)
		}
	}
}

// TestSecondFactorIsAsked of who has one, wherever a session is used.
func TestSecondFactorIsAsked(t *testing.T) {
	h := open(t)
	for i, of := range kinds {
		c := h.client(of)
		email := fmt.Sprintf("ann%d@example.org", i)
		mine := c.signUp(t, email)
		h.change(t, mine.Identity.ID, func(who *identity.Identity) {
			who.Credentials[identity.TOTP] = identity.Credential{
				Type: identity.TOTP, Identifiers: []string{who.ID}, Config: json.RawMessage(`{"totp_url":"otpauth://totp/x"}`),
				CreatedAt: h.Now(), UpdatedAt: h.Now(),
			}
		})
		for _, request := range []string{"GET /sessions/whoami", "GET /sessions", "DELETE /sessions", "DELETE /sessions/" + uuid()} {
			verb, path, _ := strings.Cut(request, " ")
			a := c.ask(t, verb, path+"?return_to=https://app.example.org/x")
			const want = "https://id.example.org/self-service/login/browser?aal=aal2&return_to=https%3A%2F%2Fapp.example.org%2Fx"
			if p := c.problem(t, a); p.Code != http.StatusForbidden || p.ID != "session_aal2_required" || p.Details["redirect_browser_to"] != want {
				t.Errorf("%s, %s: %+v", request, of, p)
			}
		}
		other := h.client(of)
		a := other.tryIn(t, email, password, "")
		switch of {
		case api:
			var body struct {
				Session struct {
					Identity any `json:"identity"`
				} `json:"session"`
			}
			if a.decode(t, &body); a.Code != http.StatusOK || body.Session.Identity != nil {
				t.Errorf("an app gets %d %s", a.Code, a.Body)
			}
		case spa:
			if p := other.problem(t, a); p.Code != http.StatusUnprocessableEntity || p.ID != "browser_location_change_required" {
				t.Errorf("a script gets %+v", p)
			}
		default:
			if a.Code != http.StatusSeeOther || a.location(t).Query().Get("aal") != "aal2" {
				t.Errorf("a browser is sent to %s", a.location(t))
			}
		}
	}
	if h.Config.Session.WhoAmI.RequiredAAL != config.HighestAvailable {
		t.Error("the default asks for less")
	}
}

// TestLogout of a browser needs the link its page was given.
func TestLogout(t *testing.T) {
	h := open(t)
	for i, of := range []string{spa, html} {
		c, other := h.client(of), h.client(of)
		mine := c.signUp(t, fmt.Sprintf("ann%d@example.org", i))
		other.signUp(t, fmt.Sprintf("eve%d@example.org", i))
		link := func(c *client) (token, path string) {
			t.Helper()
			var offer struct {
				URL   string `json:"logout_url"`
				Token string `json:"logout_token"`
			}
			c.ask(t, http.MethodGet, "/self-service/logout/browser?return_to=https://app.example.org/bye").decode(t, &offer)
			return offer.Token, strings.TrimPrefix(offer.URL, "https://id.example.org")
		}
		token, path := link(c)
		theirs, _ := link(other)
		for given, want := range map[string]int{"": 400, "x": 403, theirs: 403, token + "x": 403, strings.ToLower(token): 403} {
			if p := c.problem(t, c.ask(t, http.MethodGet, "/self-service/logout?token="+given)); p.Code != want {
				t.Errorf("%s: token %q answers %+v", of, given, p)
			}
		}
		for query, want := range map[string]string{"return_to=//evil.example": "self_service_flow_return_to_forbidden"} {
			if p := c.problem(t, c.ask(t, http.MethodGet, "/self-service/logout?token="+token+"&"+query)); p.ID != want {
				t.Errorf("%s: %s answers %+v", of, query, p)
			}
			if p := c.problem(t, c.ask(t, http.MethodGet, "/self-service/logout/browser?"+query)); p.ID != want {
				t.Errorf("%s: the link with %s answers %+v", of, query, p)
			}
		}
		if c.whoami(t).ID != mine.ID {
			t.Fatalf("%s: signed out by a request that was refused", of)
		}
		csrf := c.jar[csrfCookie(c)]
		a := c.ask(t, http.MethodGet, path)
		if of == spa && a.Code != http.StatusNoContent || of == html && (a.Code != http.StatusSeeOther || a.location(t).String() != "https://app.example.org/bye") {
			t.Errorf("%s: answered %d %s", of, a.Code, a.Header().Get("Location"))
		}
		if _, kept := c.jar["ory_kratos_session"]; kept || c.jar[csrfCookie(c)] == csrf || c.whoami(t).ID != "" || other.whoami(t).ID == "" {
			t.Errorf("%s: the browser holds %v", of, c.jar)
		}
	}
}

// TestLogoutOfAnApp takes the token in the body, and again.
func TestLogoutOfAnApp(t *testing.T) {
	h := open(t)
	c := h.client(api)
	c.signUp(t, "ann@example.org")
	out := func(body string) answer {
		return c.send(c.request(t, http.MethodDelete, "/self-service/logout/api", "application/json", body))
	}
	for body, want := range map[string]int{
		"": 400, "x": 400, "[]": 400, `{"session_token":1}`: 400, `{"session_token":"` + strings.Repeat("x", 5000) + `"}`: 400, "\xff": 400,
		"null": 403, "{}": 403, `{"session_token":""}`: 403, `{"session_token":"x"}`: 403, `{"session_token":"` + forge(t, c.token) + `"}`: 403,
	} {
		if a := out(body); a.Code != want {
			t.Errorf("%.40q answers %d, want %d", body, a.Code, want)
		}
	}
	if c.whoami(t).ID == "" {
		t.Fatal("signed out by a request that was refused")
	}
	for range 2 {
		if a := out(`{"session_token":"` + c.token + `"}`); a.Code != http.StatusNoContent {
			t.Errorf("answered %d %s", a.Code, a.Body)
		}
		if c.whoami(t).ID != "" {
			t.Error("still signed in")
		}
	}
}

// TestTokenExchange has nothing to give yet.
func TestTokenExchange(t *testing.T) {
	c := open(t).client(api)
	for query, want := range map[string]int{"": 400, "init_code=a": 400, "return_to_code=a": 400, "init_code=a&return_to_code=b": 404} {
		if a := c.ask(t, http.MethodGet, "/sessions/token-exchange?"+query); a.Code != want {
			t.Errorf("%q answers %d, want %d", query, a.Code, want)
		}
	}
}

// TestSecondFactorWithoutTheFirst is asked of nobody: a flow for it ends with
// the session it was started in.
func TestSecondFactorWithoutTheFirst(t *testing.T) {
	h := open(t)
	for i, of := range kinds {
		c := h.client(of)
		email := fmt.Sprintf("ann%d@example.org", i)
		mine := c.signUp(t, email)
		id := c.start(t, "login", "aal=aal2")
		sent := fields{"method": "password", "identifier": email, "password": password, "csrf_token": c.csrf(t, "login", id)}
		if f := c.again(t, "login", c.submit(t, "login", id, sent)); fmt.Sprint(f.messages()) != "[4010002]" {
			t.Errorf("%s: the first factor again says %v", of, f.messages())
		}
		if err := h.Store.Revoke(t.Context(), mine.Identity.ID, mine.ID); err != nil {
			t.Fatal(err)
		}
		if p := c.problem(t, c.submit(t, "login", id, sent)); p.Code != http.StatusUnauthorized || p.ID != "session_aal1_required" {
			t.Errorf("%s: without a session it answers %+v", of, p)
		}
	}
}
