package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"styx/internal/config"
)

// public returns the chain of the public API around a handler that says "ok".
func public(t *testing.T, cors config.CORS) http.Handler {
	t.Helper()
	return Public(cors, cookiesOf(t, production(t)), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		JSON(w, http.StatusOK, "ok")
	}))
}

// usual is what the configuration's defaults make of serve.public.cors.
func usual(origins ...string) config.CORS {
	return config.CORS{
		Enabled: true, AllowedOrigins: origins, AllowCredentials: true,
		AllowedMethods: []string{"POST", "GET", "PUT", "PATCH", "DELETE"},
		AllowedHeaders: []string{"Authorization", "Content-Type", "Max-Age", "X-Session-Token", "X-XSRF-TOKEN", "X-CSRF-TOKEN"},
		ExposedHeaders: []string{"Content-Type"},
	}
}

func TestCORS(t *testing.T) {
	plain := usual("*")
	plain.AllowCredentials = false
	off := usual("*")
	off.Enabled = false
	for _, c := range []struct {
		name        string
		cors        config.CORS
		origin      string
		allowed     string // Access-Control-Allow-Origin
		credentials string
	}{
		{"off", off, "https://app.example.org", "", ""},
		{"an allowed origin", usual("https://app.example.org"), "https://app.example.org", "https://app.example.org", "true"},
		{"another origin", usual("https://app.example.org"), "https://evil.example", "", ""},
		{"an origin that begins alike", usual("https://app.example.org"), "https://app.example.org.evil.example", "", ""},
		{"an origin of another scheme", usual("https://app.example.org"), "http://app.example.org", "", ""},
		{"an origin of another port", usual("https://app.example.org"), "https://app.example.org:8443", "", ""},
		{"no origin at all", usual("https://app.example.org"), "null", "", ""},
		{"a subdomain", usual("https://*.example.org"), "https://a.example.org", "https://a.example.org", "true"},
		{"no label boundary", usual("https://*.example.org"), "https://evilexample.org", "", ""},
		{"any, with credentials", usual("*"), "https://any.example", "https://any.example", "true"},
		{"any, without", plain, "https://any.example", "*", ""},
		{"an empty list", usual(), "https://any.example", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/sessions/whoami", nil)
			r.Header.Set("Origin", c.origin)
			w := httptest.NewRecorder()
			public(t, c.cors).ServeHTTP(w, r)
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != c.allowed {
				t.Errorf("allowed is %q, want %q", got, c.allowed)
			}
			if got := w.Header().Get("Access-Control-Allow-Credentials"); got != c.credentials {
				t.Errorf("credentials are %q, want %q", got, c.credentials)
			}
			if w.Code != http.StatusOK {
				t.Errorf("answered %d", w.Code)
			}
		})
	}
}

func TestPreflight(t *testing.T) {
	for _, c := range []struct {
		name, origin, method, headers string
		allowed                       bool
	}{
		{"a form's script", "https://app.example.org", "POST", "content-type", true},
		{"a token", "https://app.example.org", "GET", "x-session-token", true},
		{"a cookie named as a header", "https://app.example.org", "GET", "cookie", false},
		{"an unknown method", "https://app.example.org", "BREW", "", false},
		{"another origin", "https://evil.example", "POST", "content-type", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "/self-service/login", nil)
			r.Header.Set("Origin", c.origin)
			r.Header.Set("Access-Control-Request-Method", c.method)
			if c.headers != "" {
				r.Header.Set("Access-Control-Request-Headers", c.headers)
			}
			w := httptest.NewRecorder()
			public(t, usual("https://app.example.org")).ServeHTTP(w, r)
			if w.Code != http.StatusNoContent {
				t.Errorf("answered %d", w.Code)
			}
			if got := w.Header().Get("Access-Control-Allow-Origin") != ""; got != c.allowed {
				t.Errorf("allowed is %v: %v", got, w.Header())
			}
			if got := w.Header().Get("Vary"); got != "Origin, Access-Control-Request-Method, Access-Control-Request-Headers" {
				t.Errorf("varies by %s", got)
			}
			if w.Header().Get("Set-Cookie") != "" {
				t.Error("a preflight gets a cookie")
			}
		})
	}
}

func TestAnswersVaryByCookieAndOrigin(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/sessions/whoami", nil)
	r.Header.Set("Origin", "https://app.example.org")
	w := httptest.NewRecorder()
	public(t, usual("https://app.example.org")).ServeHTTP(w, r)
	if got := strings.Join(w.Header().Values("Vary"), ", "); got != "Origin, Cookie" {
		t.Errorf("varies by %s", got)
	}
	if got := w.Header().Get("Access-Control-Expose-Headers"); got != "Content-Type" {
		t.Errorf("a script may see %s", got)
	}
}

// TestReadsAreNotCached and nothing is said about the others.
func TestReadsAreNotCached(t *testing.T) {
	for method, want := range map[string]string{
		"GET": "private, no-cache, no-store, must-revalidate", "HEAD": "private, no-cache, no-store, must-revalidate",
		"POST": "", "DELETE": "",
	} {
		w := httptest.NewRecorder()
		public(t, config.CORS{}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/sessions", nil))
		if got := w.Header().Get("Cache-Control"); got != want {
			t.Errorf("%s: %q, want %q", method, got, want)
		}
	}
}

// TestPanicTellsNothing answers a panic like any internal error.
func TestPanicTellsNothing(t *testing.T) {
	panics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the key is abc") })
	for name, handler := range map[string]http.Handler{
		"public": Public(config.CORS{}, cookiesOf(t, production(t)), panics),
		"admin":  Admin(panics),
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/sessions", nil))
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "abc") || !strings.Contains(w.Body.String(), `"code":500`) {
			t.Errorf("%s: answered %d %s", name, w.Code, w.Body)
		}
	}
}

func TestAbortedAnswerStaysAborted(t *testing.T) {
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler { //nolint:errorlint // the sentinel itself has to come through
			t.Errorf("recovered %v", cause)
		}
	}()
	Admin(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
}

// TestAdminPrefixIsOptional also for paths that hold encoded slashes.
func TestAdminPrefixIsOptional(t *testing.T) {
	for asked, want := range map[string]string{
		"/identities":             "/admin/identities",
		"/identities/a%2Fb":       "/admin/identities/a%2Fb",
		"/admin/identities":       "/admin/identities",
		"/admin/identities/a%2Fb": "/admin/identities/a%2Fb",
		"/admin":                  "/admin",
		"/administer":             "/admin/administer",
		"/health/alive":           "/health/alive",
		"/healthy":                "/admin/healthy",
		"/version":                "/version",
		"/admin/version":          "/admin/version",
		"/":                       "/admin/",
	} {
		var got string
		handler := Admin(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.EscapedPath() }))
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, asked, nil))
		if got != want {
			t.Errorf("%s is served as %s, want %s", asked, got, want)
		}
	}
}
