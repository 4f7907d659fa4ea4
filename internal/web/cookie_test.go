package web

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"styx/internal/config"
	"styx/internal/secret"
)

func noon() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

func ring(tb testing.TB, secrets ...string) *secret.Ring {
	tb.Helper()
	r, err := secret.New(secret.Lists{Default: secrets}, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// production is the configuration of an instance behind https.
func production(tb testing.TB) *config.Config {
	tb.Helper()
	cookies := config.Cookies{Path: "/", SameSite: "Lax", Secure: true}
	return &config.Config{
		Serve:   config.Serve{Public: config.Public{Server: config.Server{BaseURL: parseURL(tb, "https://id.example.org/")}}},
		Cookies: cookies,
		Session: config.Session{Cookie: config.SessionCookie{Name: "ory_kratos_session", Persistent: true, Cookies: cookies}},
	}
}

func cookiesOf(tb testing.TB, c *config.Config) *Cookies {
	tb.Helper()
	return NewCookies(c, ring(tb, "a secret of the tests"), rand.Reader)
}

func token() secret.Token {
	return secret.NewToken(rand.Reader, secret.NewV4(rand.Reader), secret.NewV7(noon(), rand.Reader))
}

// shape prints a cookie without its value.
func shape(c *http.Cookie) string {
	plain := *c
	plain.Value, plain.Raw = "", ""
	return plain.String()
}

// TestCookieAttributes gives both cookies under each setting that shapes them.
func TestCookieAttributes(t *testing.T) {
	type change = func(*config.Config)
	both := func(set func(*config.Cookies)) change {
		return func(c *config.Config) { set(&c.Cookies); set(&c.Session.Cookie.Cookies) }
	}
	const day = "Expires=Thu, 02 Jul 2026 12:00:00 GMT; Max-Age=86400; "
	for _, c := range []struct {
		name          string
		change        change
		session, csrf string // attributes behind the value
	}{
		{"production", func(*config.Config) {}, "Path=/; " + day + "HttpOnly; Secure; SameSite=Lax", "Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=Lax"},
		{"plain http", both(func(c *config.Cookies) { c.Secure = false }), "Path=/; " + day + "HttpOnly; SameSite=Lax", "Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"},
		{"strict", both(func(c *config.Cookies) { c.SameSite = "Strict" }), "Path=/; " + day + "HttpOnly; Secure; SameSite=Strict", "Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=Strict"},
		{"from any site", both(func(c *config.Cookies) { c.SameSite = "None" }), "Path=/; " + day + "HttpOnly; Secure; SameSite=None", "Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=None"},
		{
			"from any site over plain http, which browsers refuse", both(func(c *config.Cookies) { c.SameSite, c.Secure = "None", false }),
			"Path=/; " + day + "HttpOnly; SameSite=Lax", "Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax",
		},
		{
			"a domain and a path", both(func(c *config.Cookies) { c.Domain, c.Path = "example.org", "/id" }),
			"Path=/id; Domain=example.org; " + day + "HttpOnly; Secure; SameSite=Lax", "Path=/id; Domain=example.org; Max-Age=31536000; HttpOnly; Secure; SameSite=Lax",
		},
		{
			"a session's own attributes", func(c *config.Config) {
				c.Session.Cookie.Cookies = config.Cookies{Domain: "a.example.org", Path: "/a", SameSite: "Strict"}
			},
			"Path=/a; Domain=a.example.org; " + day + "HttpOnly; SameSite=Strict", "Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=Lax",
		},
		{"until the browser ends", func(c *config.Config) { c.Session.Cookie.Persistent = false }, "Path=/; HttpOnly; Secure; SameSite=Lax", "Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=Lax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := production(t)
			c.change(settings)
			cookies := cookiesOf(t, settings)
			w := httptest.NewRecorder()
			cookies.GiveSession(w, token(), noon(), noon().Add(24*time.Hour))
			cookies.giveCSRF(w, secret.NewCSRF(rand.Reader))
			given := w.Result().Cookies()
			if len(given) != 2 {
				t.Fatalf("%d cookies were given", len(given))
			}
			if got := shape(given[0]); got != "ory_kratos_session=; "+c.session {
				t.Errorf("the session's cookie is %s, want %s", got, c.session)
			}
			if got := shape(given[1]); got != cookies.csrf+"=; "+c.csrf {
				t.Errorf("the anti-CSRF cookie is %s, want %s", got, c.csrf)
			}
		})
	}
}

// TestCSRFCookieName is what clients know the cookie by: the SHA-256 of the
// public URL exactly as configured.
func TestCSRFCookieName(t *testing.T) {
	for base, want := range map[string]string{
		"http://127.0.0.1:4433/": "csrf_token_806060ca5bf70dff3caa0e5c860002aade9d470a5a4dce73bcfa7ba10778f481",
	} {
		c := production(t)
		c.Serve.Public.BaseURL = parseURL(t, base)
		if got := cookiesOf(t, c).csrf; got != want {
			t.Errorf("the cookie of %s is called %s, want %s", base, got, want)
		}
	}
	c := production(t)
	with := cookiesOf(t, c).csrf
	c.Serve.Public.BaseURL = parseURL(t, "https://id.example.org")
	if without := cookiesOf(t, c).csrf; without == with {
		t.Error("the trailing slash makes no difference")
	}
}

func TestHostPrefixMakesEveryCookieSecure(t *testing.T) {
	c := production(t)
	c.Styx.HostPrefix = true
	c.Cookies.Secure, c.Session.Cookie.Secure = false, false
	cookies := cookiesOf(t, c)
	w := httptest.NewRecorder()
	cookies.GiveSession(w, token(), noon(), noon().Add(time.Hour))
	cookies.giveCSRF(w, secret.NewCSRF(rand.Reader))
	for _, cookie := range w.Result().Cookies() {
		if !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure || cookie.Path != "/" || cookie.Domain != "" {
			t.Errorf("a browser refuses %s", cookie)
		}
	}
}

// TestSessionCookieComesBack gives a cookie and reads it from the next request.
func TestSessionCookieComesBack(t *testing.T) {
	cookies, given, expires := cookiesOf(t, production(t)), token(), noon().Add(time.Hour)
	w := httptest.NewRecorder()
	cookies.GiveSession(w, given, noon(), expires)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("Cookie", "other=1; ory_kratos_session=planted; "+w.Result().Cookies()[0].String())
	got, promised, found := cookies.Session(r)
	if !found || got != given || !promised.Equal(expires) {
		t.Errorf("read %v, %v, want the session that was given", found, promised)
	}
	if strings.Contains(w.Header().Get("Set-Cookie"), given.String()) {
		t.Error("the cookie shows the token")
	}
}

// TestForeignSessionCookies are nobody's: forged, cut, of another instance, of
// another name.
func TestForeignSessionCookies(t *testing.T) {
	cookies := cookiesOf(t, production(t))
	good := secret.SealCookie(cookies.Ring, "ory_kratos_session", token(), noon())
	other := ring(t, "the secret of somebody else")
	for name, value := range map[string]string{
		"empty":                   "",
		"a token":                 token().String(),
		"cut":                     good[:len(good)-1],
		"longer":                  good + "A",
		"turned around":           good[len(good)/2:] + good[:len(good)/2],
		"of another instance":     secret.SealCookie(other, "ory_kratos_session", token(), noon()),
		"of another cookie":       secret.SealCookie(cookies.Ring, "ory_kratos_continuity", token(), noon()),
		"what Kratos would write": "MTcwNjM2MDAwMHxEdi1CQkFFQ180SUFBUkFCRUFBQV8=",
		"not ASCII":               "\xff\xfe",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Cookie", "ory_kratos_session="+value)
		if _, _, found := cookies.Session(r); found {
			t.Errorf("%s: the cookie is somebody's", name)
		}
	}
}

// TestRetiredSecretStillReads shows that cookies survive a rotation.
func TestRetiredSecretStillReads(t *testing.T) {
	old, fresh := ring(t, "the old secret, 16+"), ring(t, "the new secret, 16+", "the old secret, 16+")
	given := token()
	cookies := NewCookies(production(t), fresh, rand.Reader)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("Cookie", "ory_kratos_session="+secret.SealCookie(old, "ory_kratos_session", given, noon()))
	if got, _, found := cookies.Session(r); !found || got != given {
		t.Error("a cookie of the older secret is nobody's")
	}
}

func TestDroppedSessionIsOverAtOnce(t *testing.T) {
	cookies := cookiesOf(t, production(t))
	w := httptest.NewRecorder()
	cookies.DropSession(w)
	got := w.Header().Get("Set-Cookie")
	for _, part := range []string{"ory_kratos_session=", "Max-Age=0", "Expires=Thu, 01 Jan 1970", "Path=/", "HttpOnly", "Secure"} {
		if !strings.Contains(got, part) {
			t.Errorf("%s lacks %s", got, part)
		}
	}
}

// TestOneCookieOfAName shows that the last of two cookies of a name is the only
// one: which of two a browser keeps is nothing to rely on.
func TestOneCookieOfAName(t *testing.T) {
	cookies := cookiesOf(t, production(t))
	w := httptest.NewRecorder()
	cookies.GiveSession(w, token(), noon(), noon().Add(time.Hour))
	cookies.giveCSRF(w, secret.NewCSRF(rand.Reader))
	cookies.DropSession(w)
	given := w.Result().Cookies()
	if len(given) != 2 || given[0].Name != cookies.csrf || given[1].MaxAge >= 0 {
		t.Errorf("the browser gets %v", given)
	}
}

// FuzzCookieHeader reads any Cookie header: never a panic, never a session or a
// browser that was not given one, and a new anti-CSRF cookie unless the header
// held a valid one.
func FuzzCookieHeader(f *testing.F) {
	cookies := cookiesOf(f, production(f))
	w := httptest.NewRecorder()
	given := secret.Token{Identity: secret.UUID{1}, Session: secret.UUID{2}, Secret: [20]byte{3}} // the same in every worker
	cookies.GiveSession(w, given, noon(), noon().Add(time.Hour))
	session := w.Result().Cookies()[0]
	for _, seed := range []string{
		"", "a=b", session.String(), "=", ";;;", "ory_kratos_session", `ory_kratos_session="` + session.Value + `"`,
		cookies.csrf + "=" + strings.Repeat("A", 43) + "=", cookies.csrf + "=\x00", "ory_kratos_session=v1.a.b.c",
	} {
		f.Add(seed)
	}
	handler := cookies.GuardCSRF(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		foreignCookie(r)
		cookies.FormToken(r)
		cookies.Browser(r)
	}))
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/anything", nil)
		r.Header["Cookie"] = []string{header}
		if got, _, found := cookies.Session(r); found && got != given {
			t.Fatalf("%q is a session nobody was given", header)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		sent, err := r.Cookie(cookies.csrf)
		valid := err == nil && secret.ValidCSRF(sent.Value)
		if isNew := len(w.Header()["Set-Cookie"]) == 1; isNew == valid {
			t.Fatalf("%q: valid is %v, a new cookie is %v", header, valid, isNew)
		}
	})
}
