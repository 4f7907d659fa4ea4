package builtin

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"styx/internal/app/routes"
)

// production is a configuration that is no development's, and has no secret.
const production = `
serve: {public: {base_url: "https://id.example.org/auth/"}}
identity: {default_schema_id: default, schemas: [{id: default, url: "base64://eyJwcm9wZXJ0aWVzIjp7fX0="}]}
ciphers: {algorithm: xchacha20-poly1305}
selfservice:
  default_browser_return_url: https://app.example.org/
  flows:
    recovery: {enabled: true}
    registration: {enabled: false}
    login: {after: {default_browser_return_url: "https://shop.example.org/in"}}
courier: {smtp: {from_address: no-reply@example.org}}
`

// deployed is the function, with that configuration beside it and nothing else.
func deployed(t *testing.T) http.Handler {
	t.Helper()
	return at(t, "https://id.example.org/auth/")
}

// at is the function of a public API with that URL.
func at(t *testing.T, publicURL string) http.Handler {
	t.Helper()
	file := filepath.Join(t.TempDir(), "styx.yml")
	content := strings.Replace(production, "https://id.example.org/auth/", publicURL, 1)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	handler, err := UI(t.Context(), func(name string) string {
		return map[string]string{"STYX_CONFIG": file, "AWS_LAMBDA_RUNTIME_API": "169.254.100.1:9001"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func TestUINeedsNoSecretAndNoTable(t *testing.T) {
	w := httptest.NewRecorder()
	deployed(t).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	page := w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(page, "https://id.example.org/auth/ui/recovery") || strings.Contains(page, "/ui/registration") || strings.Contains(page, "inbox") {
		t.Errorf("%d %s", w.Code, page)
	}
	policy := w.Header().Get("Content-Security-Policy")
	for _, target := range []string{"https://id.example.org", "https://app.example.org", "https://shop.example.org"} {
		if _, forms, _ := strings.Cut(policy, "form-action "); !strings.Contains(forms, target) {
			t.Errorf("a form may not end at %s: %s", target, policy)
		}
	}
}

// TestRoutesLeadToPages: what the table of routes sends here is answered here,
// and no page is left out of it.
func TestRoutesLeadToPages(t *testing.T) {
	mux := http.NewServeMux()
	for _, route := range routes.Pages {
		mux.Handle(route.Pattern(), http.NotFoundHandler())
	}
	handler := deployed(t)
	for request, want := range map[string]int{
		"GET /": 200, "HEAD /": 200, "GET /ui": 303, "GET /ui/login": 303, "GET /ui/styx.css": 200, "GET /ui/nothing": 404, "GET /ui/inbox": 404,
		"POST /ui/session": 403, "POST /ui/login": 405,
	} {
		verb, path, _ := strings.Cut(request, " ")
		r := httptest.NewRequestWithContext(t.Context(), verb, path, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if _, pattern := mux.Handler(r); w.Code != want || pattern == "" {
			t.Errorf("%s: %d, want %d, by the route %q", request, w.Code, want, pattern)
		}
	}
}

func TestKeysOfPages(t *testing.T) {
	var keys []string
	for _, route := range routes.Pages {
		keys = append(keys, route.Keys()...)
	}
	want := []string{"GET /", "HEAD /", "GET /ui", "HEAD /ui", "GET /ui/{page+}", "HEAD /ui/{page+}", "POST /ui/{page+}"}
	if !slices.Equal(keys, want) {
		t.Errorf("%v, want %v", keys, want)
	}
}

// TestPagesCallNoMachineButTheAPIs: what is inside a Lambda is called only where
// the public URL says so itself, as an emulator's does.
func TestPagesCallNoMachineButTheAPIs(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"127.0.0.1":       1,
		"localhost":       1,
		"0.0.0.0":         0, // which Linux takes for itself, as it would a name that was made to lead there
		"169.254.169.254": 0,
	} {
		asked = 0
		w := httptest.NewRecorder()
		at(t, "http://"+host+":"+port+"/").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ui/session", nil))
		if asked != want {
			t.Errorf("%s: asked %d times, %d %s", host, asked, w.Code, w.Body)
		}
	}
}
