package full

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"styx/internal/app"
	"styx/internal/config"
	"styx/internal/method/webauthn/script"
	"styx/internal/table/local"
)

const settings = `
dev: true
identity: {schemas: [{id: default, url: "base64://eyJwcm9wZXJ0aWVzIjp7fX0="}]}
selfservice: {default_browser_return_url: "http://127.0.0.1:4433/"}
`

const ownPages = `
selfservice:
  flows:
    error: {ui_url: "https://app.example.org/error"}
    login: {ui_url: "https://app.example.org/login"}
    registration: {ui_url: "https://app.example.org/registration"}
    settings: {ui_url: "https://app.example.org/settings"}
`

func build(t *testing.T, more string) *Server {
	t.Helper()
	c, _, err := config.Load([]config.Source{{Name: "base", Data: []byte(settings)}, {Name: "more", Data: []byte(more)}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := local.Memory(local.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = memory.Close() })
	s, err := Local(app.Parts{Config: c, Table: memory, Now: time.Now, Rand: rand.Reader}, "v1", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func status(t *testing.T, h http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, nil))
	return w
}

// TestPagesWhereNobodyHasOwn: the built-in pages are there when a flow that is
// offered lacks a page, and only then.
func TestPagesWhereNobodyHasOwn(t *testing.T) {
	for name, c := range map[string]struct {
		more  string
		pages bool
	}{
		"no pages of one's own": {"{}", true},
		"pages for every flow":  {ownPages, false},
		"no page for errors":    {strings.Replace(ownPages, `error: {ui_url: "https://app.example.org/error"}`, "", 1), true},
		"no page for settings":  {strings.Replace(ownPages, `settings: {ui_url: "https://app.example.org/settings"}`, "", 1), true},
		"no page for logins":    {strings.Replace(ownPages, `login: {ui_url: "https://app.example.org/login"}`, "", 1), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := build(t, c.more)
			for _, path := range []string{"/", "/ui/error?id=stub:500"} {
				w := status(t, s.Public, http.MethodGet, path)
				if got := w.Code != http.StatusNotFound && strings.HasPrefix(w.Header().Get("Content-Type"), "text/html"); got != c.pages {
					t.Errorf("%s is a page: %v (%d)", path, got, w.Code)
				}
			}
			if w := status(t, s.Public, http.MethodGet, "/self-service/login/browser"); w.Code != http.StatusSeeOther {
				t.Errorf("the API beside them answers %d", w.Code)
			}
		})
	}
}

// TestOneProcessServesEverything on its two faces.
func TestOneProcessServesEverything(t *testing.T) {
	s := build(t, ownPages)
	for request, want := range map[string]int{
		"GET /self-service/login/api":        200,
		"GET /self-service/registration/api": 200,
		"GET /self-service/settings/api":     401,
		"GET /self-service/recovery/api":     400,
		"GET /sessions/whoami":               401,
		"GET /self-service/errors?id=x":      404,
		"GET /schemas":                       200,
		"GET /health/alive":                  200,
		"GET /health/ready":                  200,
		"GET /version":                       404,
		"GET /admin/identities":              307,
		"GET /nothing":                       404,
	} {
		method, target, _ := strings.Cut(request, " ")
		if w := status(t, s.Public, method, target); w.Code != want {
			t.Errorf("public: %s answers %d, want %d", request, w.Code, want)
		}
	}
	for request, want := range map[string]int{
		"GET /admin/identities":       200,
		"GET /identities":             200,
		"GET /health/alive":           200,
		"GET /admin/health/ready":     200,
		"GET /version":                200,
		"GET /admin/version":          200,
		"GET /schemas":                307,
		"GET /self-service/login/api": 307,
		"GET /nothing":                404,
	} {
		method, target, _ := strings.Cut(request, " ")
		if w := status(t, s.Admin, method, target); w.Code != want {
			t.Errorf("admin: %s answers %d, want %d", request, w.Code, want)
		}
	}
	if w := status(t, s.Admin, http.MethodGet, "/version"); w.Body.String() != `{"version":"v1"}` {
		t.Errorf("the version is %s", w.Body)
	}
}

// TestPagesOfAnyOriginLoadTheScript: they load it with crossorigin="anonymous",
// so the browser hands it over only where the answer names their origin.
func TestPagesOfAnyOriginLoadTheScript(t *testing.T) {
	const cors = `serve: {public: {cors: {enabled: true, allowed_origins: ["https://app.example.org"], allow_credentials: true}}}`
	for _, row := range []struct{ name, more, method, origin, allowed string }{
		{"without CORS", "{}", http.MethodGet, "https://app.example.org", "*"},
		{"without an origin", "{}", http.MethodGet, "", "*"},
		{"with CORS", cors, http.MethodGet, "https://app.example.org", "https://app.example.org"},
		{"of an origin CORS does not name", cors, http.MethodGet, "https://other.example.org", "*"},
		{"only its headers", "{}", http.MethodHead, "https://app.example.org", "*"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), row.method, script.Path, nil)
			if row.origin != "" {
				r.Header.Set("Origin", row.origin)
			}
			w := httptest.NewRecorder()
			build(t, row.more).Public.ServeHTTP(w, r)
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/javascript; charset=UTF-8" {
				t.Errorf("answered %d, %s", w.Code, w.Header().Get("Content-Type"))
			}
			if got := w.Header().Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != row.allowed {
				t.Errorf("allowed to %q, want %s", got, row.allowed)
			}
			if row.method == http.MethodGet && w.Body.String() != script.Source {
				t.Error("the answer is not the script")
			}
		})
	}
}
