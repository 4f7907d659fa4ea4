package outbound_test

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"styx/internal/outbound"
)

func TestFetch(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"a.json": `{"a":1}`, "with space%20.json": "odd", "big": strings.Repeat("x", 101)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/schema", http.StatusFound)
		case "/schema":
			_, _ = w.Write([]byte("from the net"))
		case "/big":
			_, _ = w.Write(make([]byte, 101))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)

	client := outbound.New(outbound.Policy{AllowPrivate: true})
	for uri, want := range map[string]string{
		"file://a.json":                          `{"a":1}`,
		"file://./a.json":                        `{"a":1}`,
		"file://" + filepath.Join(dir, "a.json"): `{"a":1}`,
		"file://with space%20.json":              "odd",
		"base64://eyJhIjoxfQ==":                  `{"a":1}`,
		"base64://":                              "",
		server.URL + "/schema":                   "from the net",
		server.URL + "/moved":                    "from the net",
	} {
		if got, err := outbound.Fetch(t.Context(), client, dir, uri, 100); err != nil || string(got) != want {
			t.Errorf("Fetch(%s) = %q, %v", uri, got, err)
		}
	}
	for uri, want := range map[string]error{
		"":                                       outbound.ErrScheme,
		"a.json":                                 outbound.ErrScheme,
		"ftp://a.json":                           outbound.ErrScheme,
		"FILE://a.json":                          outbound.ErrScheme,
		"file://none.json":                       fs.ErrNotExist,
		"file://big":                             outbound.ErrTooLarge,
		"file://":                                nil, // a folder
		"base64://%%%":                           nil,
		"base64://" + strings.Repeat("AAAA", 34): outbound.ErrTooLarge,
		server.URL + "/none":                     nil,
		server.URL + "/big":                      outbound.ErrTooLarge,
		"http://%zz":                             nil,
	} {
		got, err := outbound.Fetch(t.Context(), client, dir, uri, 100)
		if err == nil || got != nil || want != nil && !errors.Is(err, want) {
			t.Errorf("Fetch(%s) = %q, %v, want %v", uri, got, err, want)
		}
	}
	strict := outbound.New(outbound.Policy{})
	if got, err := outbound.Fetch(t.Context(), strict, dir, server.URL+"/schema", 100); !errors.Is(err, outbound.ErrRefused) {
		t.Errorf("Fetch under a strict policy = %q, %v", got, err)
	}
}
