//go:build dynamodb

package lambda_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/gateway/gatewaytest"
	"styx/test/lambda"
)

// TestPagesAreAFunction: styx.yml names no page, so a flow leads to the built-in
// one, which the function shows without a secret, a table or AWS' credentials.
// It asks the public API over HTTP, and what a browser then submits signs it in.
func TestPagesAreAFunction(t *testing.T) {
	s := deployment{}.deploy(t)
	if err := journey(&http.Client{Transport: s.public, Timeout: time.Minute}, "ann@example.com"); err != nil {
		t.Fatal(err)
	}
	here, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var from []string
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			mu.Lock()
			from = append(from, r.In.Header.Get("X-Forwarded-For"))
			mu.Unlock()
			r.SetURL(here)
		},
		Transport: s.public,
	})
	t.Cleanup(front.Close)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "styx.yml"), []byte(journeyConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	ui, err := lambda.Start(t.Context(), lambda.Options{
		Binary: binary(t, "../../functions/ui"), Dir: folder, Name: "ui", Env: []string{"SERVE_PUBLIC_BASE_URL=" + front.URL},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ui.Stop)

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	api := s.route()
	browser := &http.Client{
		Jar: jar, Timeout: time.Minute,
		Transport: &gatewaytest.Transport{Route: func(r *http.Request) (gatewaytest.Invoker, error) {
			if strings.HasPrefix(r.URL.Path, "/ui/") {
				r.Header.Set("X-Forwarded-For", "198.51.100.7") // as the API does
				return ui, nil
			}
			return api(r)
		}},
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if r.URL.Host != here.Host {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
	response, err := browser.Get(base + "/self-service/login/browser")
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK || response.Request.URL.Path != "/ui/login" {
		t.Fatalf("%s at %s, %v: %s\n%s", response.Status, response.Request.URL, err, page, ui.Log())
	}
	action := regexp.MustCompile(`<form[^>]* action="([^"]+)"`).FindSubmatch(page)
	token := regexp.MustCompile(`name="csrf_token"[^>]* value="([^"]+)"`).FindSubmatch(page)
	if action == nil || token == nil {
		t.Fatalf("no form on %s", page)
	}
	response, err = browser.PostForm(html.UnescapeString(string(action[1])), url.Values{
		"csrf_token": {html.UnescapeString(string(token[1]))}, "method": {"password"}, "identifier": {"ann@example.com"}, "password": {nextPassword},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if got := response.Header.Get("Location"); got != "https://app.example/" {
		t.Fatalf("%s to %q", response.Status, got)
	}
	response, err = browser.Get(base + "/ui/session")
	if err != nil {
		t.Fatal(err)
	}
	page, err = io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(page), "ann@example.com") {
		t.Errorf("%s, %v: %s", response.Status, err, page)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(from) == 0 || slices.ContainsFunc(from, func(address string) bool { return address != "198.51.100.7" }) {
		t.Errorf("the API hears that the browser is at %q", from)
	}
}
