package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"styx/internal/app/routes"
	"styx/internal/config"
	"styx/internal/selfservice"
	"styx/internal/table/local"
)

const settings = `
dev: true
serve: {public: {base_url: "https://id.example.org/auth/"}, admin: {base_url: "https://admin.example.org/"}}
identity: {schemas: [{id: default, url: "base64://eyJwcm9wZXJ0aWVzIjp7fX0="}]}
selfservice:
  default_browser_return_url: https://app.example.org/
  flows: {login: {ui_url: "https://app.example.org/login"}}
`

func configured(t *testing.T, more ...string) *config.Config {
	t.Helper()
	sources := []config.Source{{Name: "base", Data: []byte(settings)}}
	for _, text := range more {
		sources = append(sources, config.Source{Name: "more", Data: []byte(text)})
	}
	c, _, err := config.Load(sources, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func build(t *testing.T, more ...string) *App {
	t.Helper()
	memory, err := local.Memory(local.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = memory.Close() })
	a, err := New(Parts{Config: configured(t, more...), Table: memory, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestRoutesAndHandlersAgree: every handler is in the table of routes under the
// function that mounts it, and every route has a handler.
func TestRoutesAndHandlersAgree(t *testing.T) {
	a := build(t)
	mounted := map[string][]selfservice.Handlers{
		"login":        {a.Engine.Login()},
		"registration": {a.Engine.Registration()},
		"settings":     {a.Engine.Settings()},
		"recovery":     {a.Engine.Recovery()},
		"verification": {a.Engine.Verification()},
		"session":      {a.Engine.Sessions()},
		"meta":         {a.Engine.Meta(), a.Engine.Errors(), a.Elsewhere()},
	}
	want, got := map[string][]string{}, map[string][]string{}
	for _, route := range routes.All {
		want[route.Function] = append(want[route.Function], route.Pattern())
	}
	for function, all := range mounted {
		for _, handlers := range all {
			for pattern := range handlers {
				got[function] = append(got[function], pattern)
			}
		}
	}
	for _, lists := range []map[string][]string{want, got} {
		for _, list := range lists {
			slices.Sort(list)
		}
	}
	for function := range mounted {
		if !slices.Equal(got[function], want[function]) {
			t.Errorf("%s mounts\n%s\nand the table says\n%s", function, strings.Join(got[function], "\n"), strings.Join(want[function], "\n"))
		}
	}
	if len(want) != len(mounted) {
		t.Errorf("the table names %d functions", len(want))
	}
}

// TestFunctionsKnowEachOthersPaths: what another function answers is 404 here,
// and a method that none answers 405, as in the one local process.
func TestFunctionsKnowEachOthersPaths(t *testing.T) {
	a := build(t)
	handler := a.Public(a.Engine.Login())
	for request, want := range map[string]int{
		"GET /self-service/login/api":        200,
		"GET /self-service/registration/api": 404,
		"GET /sessions/whoami":               404,
		"GET /nothing":                       404,
		"PUT /self-service/login":            405,
		"PUT /self-service/registration":     405,
	} {
		verb, path, _ := strings.Cut(request, " ")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), verb, path, nil))
		if w.Code != want {
			t.Errorf("%s answers %d, want %d", request, w.Code, want)
		}
	}
}

// TestOtherAPI sends a caller at the wrong door to the right one, by the
// configured URL, with path and query.
func TestOtherAPI(t *testing.T) {
	a := build(t)
	public := a.Public(a.Elsewhere())
	mux := http.NewServeMux()
	for pattern, handler := range a.Publicly() {
		mux.HandleFunc(pattern, handler)
	}
	for _, c := range []struct {
		at            http.Handler
		request, want string
	}{
		{public, "GET /identities?page_size=1", "https://admin.example.org/admin/identities?page_size=1"},
		{public, "GET /admin/identities", "https://admin.example.org/admin/identities"},
		{public, "DELETE /identities/x%2Fy/sessions", "https://admin.example.org/admin/identities/x%2Fy/sessions"},
		{public, "POST /recovery/link", "https://admin.example.org/admin/recovery/link"},
		{public, "POST /recovery/code", "https://admin.example.org/admin/recovery/code"},
		{public, "GET /admin/courier/messages", "https://admin.example.org/admin/courier/messages"},
		{mux, "GET /admin/schemas", "https://id.example.org/auth/schemas"},
		{mux, "GET /admin/schemas/default?a=b", "https://id.example.org/auth/schemas/default?a=b"},
		{mux, "POST /admin/self-service/login?flow=1", "https://id.example.org/auth/self-service/login?flow=1"},
		{mux, "GET /admin/sessions/whoami", "https://id.example.org/auth/sessions/whoami"},
	} {
		verb, target, _ := strings.Cut(c.request, " ")
		r := httptest.NewRequestWithContext(t.Context(), verb, target, nil)
		r.Host = "evil.example"
		w := httptest.NewRecorder()
		c.at.ServeHTTP(w, r)
		if got := w.Header().Get("Location"); w.Code != http.StatusTemporaryRedirect || got != c.want {
			t.Errorf("%s answers %d %s, want %s", c.request, w.Code, got, c.want)
		}
	}
}

// TestPagesStandIn for the flows that have none, below the public URL.
func TestPagesStandIn(t *testing.T) {
	flows := build(t).Config.Flows
	for got, want := range map[string]string{
		flows.Login.UIURL.String():        "https://app.example.org/login",
		flows.Registration.UIURL.String(): "https://id.example.org/auth/ui/registration",
		flows.Error.UIURL.String():        "https://id.example.org/auth/ui/error",
		flows.Verification.UIURL.String(): "https://id.example.org/auth/ui/verification",
	} {
		if got != want {
			t.Errorf("the page is %s, want %s", got, want)
		}
	}
	c := configured(t)
	if withPages(c); c.Flows.Registration.UIURL != nil {
		t.Error("the configuration itself was changed")
	}
}

// TestOwnFlowsAreAllowed to be returned to, and nothing else of the public URL.
func TestOwnFlowsAreAllowed(t *testing.T) {
	returns := build(t).Engine.Returns
	for asked, want := range map[string]bool{
		"https://id.example.org/auth/self-service/settings/browser": true,
		"https://id.example.org/auth/":                              false,
		"https://id.example.org/self-service/login/browser":         false,
		"https://app.example.org/":                                  false,
	} {
		if _, err := returns.Resolve(asked, nil); (err == nil) != want {
			t.Errorf("%s: %v", asked, err)
		}
	}
}

// TestTimesAreWhatDocumentsHold: UTC and microseconds.
func TestTimesAreWhatDocumentsHold(t *testing.T) {
	c := configured(t)
	zoned := time.Date(2026, 7, 1, 14, 0, 0, 123456789, time.FixedZone("", 7200))
	a, err := New(Parts{Config: c, Now: func() time.Time { return zoned }, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Engine.Now(); got.Location() != time.UTC || got.Nanosecond() != 123456000 || !got.Equal(zoned.Truncate(time.Microsecond)) {
		t.Errorf("now is %s", got)
	}
}

// TestFunctionFromItsEnvironment builds every function as a Lambda does, without
// a network, and says clearly what is missing.
func TestFunctionFromItsEnvironment(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("styx.yml", settings)
	aws := map[string]string{
		"STYX_CONFIG": good, "STYX_TABLE": "styx", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c",
	}
	with := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return aws[name]
		}
	}
	for name, build := range map[string]func(context.Context, func(string) string) (http.Handler, error){"session": Session, "meta": Meta} {
		if handler, err := build(t.Context(), with()); err != nil || handler == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		getenv func(string) string
		says   []string
	}{
		"no file":             {with("STYX_CONFIG", filepath.Join(folder, "none.yml")), []string{"read configuration", "none.yml"}},
		"no table":            {with("STYX_TABLE", ""), []string{"STYX_TABLE"}},
		"no name for a table": {with("STYX_TABLE", "a b"), []string{"dsn", "name of a table"}},
		"a file of no sense":  {with("STYX_CONFIG", write("broken.yml", "a: [")), []string{"broken.yml"}},
		"a file with mistakes": {
			with("STYX_CONFIG", write("wrong.yml", strings.Replace(settings, "dev: true", "dev: maybe\nsesion: {}", 1))),
			[]string{"dev", "sesion", "wrong.yml:2", "wrong.yml:3"},
		},
	} {
		_, err := Session(t.Context(), c.getenv)
		if err == nil {
			t.Errorf("%s is no error", name)
			continue
		}
		for _, part := range c.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", name, err, part)
			}
		}
	}
}

// TestRefusedParts are mistakes that the configuration's own checks let through.
func TestRefusedParts(t *testing.T) {
	short := configured(t)
	short.Secrets.Default = []config.Secret{"short"}
	costly := configured(t)
	costly.Hashers.Bcrypt.Cost = 31
	for name, c := range map[string]*config.Config{"a short secret": short, "a hash that no function bears": costly} {
		if _, err := New(Parts{Config: c, Now: time.Now, Rand: rand.Reader}); err == nil || strings.Contains(fmt.Sprint(err), "\"short\"") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVersion(t *testing.T) {
	for linked, want := range map[string]string{"": "dev", "v1.2.3": "v1.2.3"} {
		if got := Version(linked); got != want {
			t.Errorf("%q is %q", linked, got)
		}
	}
}
