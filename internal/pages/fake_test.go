package pages_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"styx/internal/pages"
)

const public = "https://id.example.org"

// api is a public API with the answers a test gives it, by method and path with
// query. It records what it was asked.
type api struct {
	answers map[string]reply
	asked   []*http.Request
}

type reply struct {
	status  int
	body    string
	cookies []string
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.asked = append(a.asked, r.Clone(context.WithoutCancel(r.Context())))
	answer, ok := a.answers[r.Method+" "+r.URL.RequestURI()]
	if !ok {
		answer = reply{status: http.StatusNotFound, body: `{"error":{"code":404,"status":"Not Found","message":"Unable to locate the resource"}}`}
	}
	for _, c := range answer.cookies {
		w.Header().Add("Set-Cookie", c)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(answer.status)
	_, _ = w.Write([]byte(answer.body))
}

// ask sends one request to pages over the given API. Header lines are "Name: value".
func ask(t *testing.T, a *api, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return serve(t, pages.Options{API: a, PublicURL: public}, method, target, "", header...)
}

func serve(t *testing.T, o pages.Options, method, target, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	pages.New(o).ServeHTTP(w, r)
	return w
}

// fixture is one flow of testdata/flows, whose names begin with the flow's kind.
type fixture struct{ name, kind, body string }

func fixtures(t *testing.T) []fixture {
	t.Helper()
	files, err := filepath.Glob("testdata/flows/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no flows in testdata: %v", err)
	}
	var out []fixture
	for _, file := range files {
		out = append(out, load(t, strings.TrimSuffix(filepath.Base(file), ".json")))
	}
	return out
}

func load(t *testing.T, name string) fixture {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata/flows", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(body) {
		t.Fatalf("%s is not JSON", name)
	}
	kind, _, _ := strings.Cut(name, "_")
	return fixture{name, kind, string(body)}
}

// render shows a fixture as its page.
func (f fixture) render(t *testing.T) *httptest.ResponseRecorder {
	t.Helper()
	a := &api{answers: map[string]reply{
		"GET /self-service/" + f.kind + "/flows?id=f": {status: http.StatusOK, body: f.body},
		"GET /self-service/logout/browser":            {status: http.StatusOK, body: `{"logout_url":"` + public + `/self-service/logout?token=ory_lo_x"}`},
	}}
	return ask(t, a, http.MethodGet, "/ui/"+f.kind+"?flow=f", "Cookie: csrf_token_a=b")
}
