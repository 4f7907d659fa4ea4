//go:build dynamodb

package lambda_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/gateway/gatewaytest"
)

// ask sends a request and returns the status and the decoded answer.
func ask(client *http.Client, method, target, token string, body any) (int, map[string]any, error) {
	response, said, err := exchange(client, method, target, token, body)
	if err != nil || len(said) == 0 {
		return response.StatusCode, nil, err
	}
	var answer map[string]any
	if err := json.Unmarshal(said, &answer); err != nil {
		return response.StatusCode, nil, fmt.Errorf("%s %s: %w", method, target, err)
	}
	return response.StatusCode, answer, nil
}

// exchange sends a request as an app does, and returns the answer and its body.
func exchange(client *http.Client, method, target, token string, body any) (*http.Response, []byte, error) {
	var payload io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return &http.Response{}, nil, err
		}
		payload = bytes.NewReader(encoded)
	}
	r, err := http.NewRequest(method, target, payload)
	if err != nil {
		return &http.Response{}, nil, err
	}
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("X-Session-Token", token)
	}
	response, err := client.Do(r)
	if err != nil {
		return &http.Response{}, nil, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	return response, said, err
}

// base is the public URL of the functions of these tests.
const base = "https://id.example"

// firstPassword and nextPassword are what an app signs up with and changes to.
const (
	firstPassword = "lantern tide orbit maple"
	nextPassword  = "harbour nine violet stone"
)

// start begins a flow of an app, signed in by token unless that is "", and
// returns where to submit it.
func start(public *http.Client, kind, token string) (string, error) {
	status, flow, err := ask(public, http.MethodGet, base+"/self-service/"+kind+"/api", token, nil)
	if err != nil || status != http.StatusOK {
		return "", fmt.Errorf("start %s: %d %v %w", kind, status, flow, err)
	}
	return flow["ui"].(map[string]any)["action"].(string), nil
}

// journey is what a native app does: sign up, sign in again, ask who it is,
// change its settings, sign out. It returns what went wrong.
func journey(public *http.Client, email string) error {
	action, err := start(public, "registration", "")
	if err != nil {
		return err
	}
	status, made, err := ask(public, http.MethodPost, action, "", map[string]any{
		"method": "password", "password": firstPassword, "traits": map[string]string{"email": email},
	})
	if err != nil || status != http.StatusOK || made["session_token"] == nil {
		return fmt.Errorf("register: %d %v %w", status, made, err)
	}
	token, err := signIn(public, email, firstPassword)
	if err != nil {
		return err
	}
	if action, err = start(public, "settings", token); err != nil {
		return err
	}
	for _, change := range []map[string]any{
		{"method": "profile", "traits": map[string]string{"email": email, "name": "Somebody"}},
		{"method": "password", "password": nextPassword},
	} {
		status, saved, err := ask(public, http.MethodPost, action, token, change)
		if err != nil || status != http.StatusOK || saved["state"] != "success" {
			return fmt.Errorf("change settings: %d %v %w", status, saved, err)
		}
	}
	status, who, err := ask(public, http.MethodGet, base+"/sessions/whoami", token, nil)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("who am I: %d %v %w", status, who, err)
	}
	if traits := who["identity"].(map[string]any)["traits"].(map[string]any); traits["email"] != email || traits["name"] != "Somebody" {
		return fmt.Errorf("I am %v", traits)
	}
	status, _, err = ask(public, http.MethodDelete, base+"/self-service/logout/api", "", map[string]string{"session_token": token})
	if err != nil || status != http.StatusNoContent {
		return fmt.Errorf("log out: %d %w", status, err)
	}
	status, _, err = ask(public, http.MethodGet, base+"/sessions/whoami", token, nil)
	if err != nil || status != http.StatusUnauthorized {
		return fmt.Errorf("after logging out: %d %w", status, err)
	}
	if _, err := signIn(public, email, firstPassword); err == nil {
		return errors.New("the password that was changed still signs in")
	}
	_, err = signIn(public, email, nextPassword)
	return err
}

// signIn logs somebody in and returns the session token.
func signIn(public *http.Client, email, password string) (string, error) {
	action, err := start(public, "login", "")
	if err != nil {
		return "", err
	}
	status, in, err := ask(public, http.MethodPost, action, "", map[string]string{
		"method": "password", "identifier": strings.ToUpper(email), "password": password,
	})
	if err != nil || status != http.StatusOK {
		return "", fmt.Errorf("log in: %d %v %w", status, in, err)
	}
	return in["session_token"].(string), nil
}

// TestJourney runs the whole of it through warm processes of the real binaries,
// whatever the shape of the events.
func TestJourney(t *testing.T) {
	for name, api := range map[string]gatewaytest.API{
		"as AWS sends events":    {},
		"stage and base path":    {Stage: "live", BasePath: "/auth"},
		"cookies in the header":  {CookiesIn: gatewaytest.InHeader},
		"cookies in both places": {CookiesIn: gatewaytest.InBoth, PlainBodies: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := deployment{api: api}.deploy(t)
			if err := journey(&http.Client{Transport: s.public, Timeout: time.Minute}, "ann@example.com"); err != nil {
				t.Error(err)
			}
			browse(t, s, "bea@example.com")
		})
	}
}

// browse is what a browser does: forms, redirects and cookies. It returns the
// browser, which is then signed in.
func browse(t *testing.T, s *stack, email string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{
		Transport: s.public, Jar: jar, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := browser.Get("https://id.example/self-service/registration/browser")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	page, err := response.Location()
	if err != nil {
		t.Fatal(err)
	}
	id := page.Query().Get("flow")
	_, flow, err := ask(browser, http.MethodGet, "https://id.example/self-service/registration/flows?id="+id, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"method": {"password"}, "password": {"lantern tide orbit maple"}, "traits.email": {email}}
	for _, node := range flow["ui"].(map[string]any)["nodes"].([]any) {
		if attributes := node.(map[string]any)["attributes"].(map[string]any); attributes["name"] == "csrf_token" {
			form.Set("csrf_token", attributes["value"].(string))
		}
	}
	response, err = browser.PostForm("https://id.example/self-service/registration?flow="+id, form)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if got := response.Header.Get("Location"); response.StatusCode != http.StatusSeeOther || got != "https://app.example/" {
		t.Fatalf("the form was answered with %s to %q", response.Status, got)
	}
	if status, _, err := ask(browser, http.MethodGet, "https://id.example/sessions/whoami", "", nil); err != nil || status != http.StatusOK {
		t.Errorf("whoami by cookie: %d %v", status, err)
	}
	return browser
}

// TestUnmatchedRoutes: what nobody owns is answered by the function that knows
// the whole table of routes.
func TestUnmatchedRoutes(t *testing.T) {
	s := deployment{}.deploy(t)
	client := &http.Client{Transport: s.public, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	for _, row := range []struct {
		method, path string
		status       int
		header, want string
	}{
		{"GET", "/nowhere", http.StatusNotFound, "Content-Type", "text/plain; charset=utf-8"},
		{"GET", "/self-service/login/api/", http.StatusNotFound, "Content-Type", "text/plain; charset=utf-8"},
		{"POST", "/sessions", http.StatusMethodNotAllowed, "Allow", "DELETE, GET, HEAD"},
		{"PUT", "/self-service/login", http.StatusMethodNotAllowed, "Allow", "GET, HEAD, POST"},
		{"PATCH", "/schemas", http.StatusForbidden, "Ory-Error-Id", "security_csrf_violation"},
		{"GET", "/admin/identities", http.StatusTemporaryRedirect, "Location", "https://admin.example/admin/identities"},
		{"GET", "//self-service/login/api", http.StatusTemporaryRedirect, "Location", "/self-service/login/api"},
		{"HEAD", "/health/alive", http.StatusOK, "Content-Type", "application/json; charset=utf-8"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), row.method, "https://id.example"+row.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := response.Header.Get(row.header); response.StatusCode != row.status || got != row.want {
			t.Errorf("%s %s: %s, %s %q; want %d and %q", row.method, row.path, response.Status, row.header, got, row.status, row.want)
		}
	}
}

// TestFiftyJourneysInParallel runs fifty people at once through one process of
// each function.
func TestFiftyJourneysInParallel(t *testing.T) {
	s := deployment{concurrency: 50}.deploy(t)
	client := &http.Client{Transport: s.public, Timeout: 2 * time.Minute}
	var people sync.WaitGroup
	for i := range 50 {
		people.Go(func() {
			if err := journey(client, fmt.Sprintf("person-%d@example.com", i)); err != nil {
				t.Error(err)
			}
		})
	}
	people.Wait()
	admin := &http.Client{Transport: s.admin, Timeout: time.Minute}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://admin.example/admin/identities?page_size=100", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := admin.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var all []json.RawMessage
	if err := json.NewDecoder(response.Body).Decode(&all); err != nil || len(all) != 50 {
		t.Errorf("there are %d identities, want 50 (%s, %v)", len(all), response.Status, err)
	}
}
