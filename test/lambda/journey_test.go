//go:build dynamodb

package lambda_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/app/routes"
	"styx/internal/gateway/gatewaytest"
	"styx/internal/table/dynamo"
	"styx/test/lambda"
)

// The configuration that travels in the zip of every function of these tests.
const journeyConfig = `
courier: {smtp: {from_address: "` + sender + `"}}
serve:
  public: {base_url: "https://id.example/"}
  admin: {base_url: "https://admin.example/"}
selfservice:
  default_browser_return_url: https://app.example/
  flows:
    registration:
      after: {password: {hooks: [{hook: session}]}}
    recovery: {enabled: true}
    verification: {enabled: true}
  methods:
    password: {config: {haveibeenpwned_enabled: false}}
    code: {enabled: true}
feature_flags: {use_continue_with_transitions: true}
identity:
  default_schema_id: person
  schemas: [{id: person, url: "file://./identity.schema.json"}]
hashers:
  algorithm: argon2
  argon2: {memory: 64KB, iterations: 1, parallelism: 1}
`

// stack is every function over one table, with an HTTP API in front.
type stack struct {
	functions map[string]*lambda.Function
	public    *gatewaytest.Transport
	admin     *gatewaytest.Transport
}

// deploy starts the functions, each with room for that many events at a time.
func deploy(t *testing.T, api gatewaytest.API, concurrency int) *stack {
	t.Helper()
	endpoint := os.Getenv("STYX_TEST_DYNAMODB")
	if endpoint == "" {
		t.Fatal("STYX_TEST_DYNAMODB is not set: run this by test/dynamodb/with.sh")
	}
	env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
	name := "styx-" + rand.Text()
	table, err := dynamo.New(dynamo.Options{
		Table: name, Endpoint: endpoint, Getenv: func(name string) string { return env[name] }, Rand: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := table.Drop(context.Background()); err != nil { // the test's own is over
			t.Error(err)
		}
	})
	folder := t.TempDir()
	schema, err := os.ReadFile("../../examples/quickstart/identity.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{"styx.yml": []byte(journeyConfig), "identity.schema.json": schema} {
		if err := os.WriteFile(filepath.Join(folder, file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &stack{functions: map[string]*lambda.Function{}}
	for _, function := range []string{"login", "registration", "settings", "recovery", "verification", "session", "meta", "admin", "courier"} {
		options := lambda.Options{
			Binary: binary(t, "../../functions/"+function), Dir: folder, Name: function,
			Timeout: 20 * time.Second, Concurrency: concurrency,
			Env: []string{
				"STYX_TABLE=" + name, "AWS_ENDPOINT_URL=" + endpoint, "STYX_BASE_PATH=" + api.BasePath,
				"SECRETS_DEFAULT=a-secret-of-the-tests", "SECRETS_CIPHER=a-secret-of-the-tests-32-letters",
			},
		}
		for name, value := range env {
			options.Env = append(options.Env, name+"="+value)
		}
		f, err := lambda.Start(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			f.Stop()
			if strings.Contains(f.Log(), "DATA RACE") {
				t.Errorf("%s: %s", function, f.Log())
			}
		})
		s.functions[function] = f
	}
	s.public = &gatewaytest.Transport{API: api, Route: s.route()}
	signed := api
	signed.IAM = gatewaytest.Signed()
	s.admin = &gatewaytest.Transport{API: signed, Route: gatewaytest.To(s.functions["admin"])}
	return s
}

// route sends a request to the function that owns it, as the deployed routes do.
func (s *stack) route() func(*http.Request) (gatewaytest.Invoker, error) {
	mux := http.NewServeMux()
	owner := map[string]string{}
	for _, route := range routes.All {
		mux.Handle(route.Pattern(), http.NotFoundHandler())
		owner[route.Pattern()] = route.Function
	}
	return func(r *http.Request) (gatewaytest.Invoker, error) {
		_, pattern := mux.Handler(r)
		function, owned := owner[pattern]
		if !owned {
			function = "meta"
		}
		return s.functions[function], nil
	}
}

// ask sends a request and returns the status and the decoded answer.
func ask(client *http.Client, method, target, token string, body any) (int, map[string]any, error) {
	var payload io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		payload = bytes.NewReader(encoded)
	}
	r, err := http.NewRequest(method, target, payload)
	if err != nil {
		return 0, nil, err
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
		return 0, nil, err
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil && err != io.EOF {
		return response.StatusCode, nil, fmt.Errorf("%s %s: %w", method, target, err)
	}
	return response.StatusCode, answer, nil
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
			s := deploy(t, api, 0)
			if err := journey(&http.Client{Transport: s.public, Timeout: time.Minute}, "ann@example.com"); err != nil {
				t.Error(err)
			}
			browse(t, s, "bea@example.com")
		})
	}
}

// browse is what a browser does: forms, redirects and cookies.
func browse(t *testing.T, s *stack, email string) {
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
}

// TestUnmatchedRoutes: what nobody owns is answered by the function that knows
// the whole table of routes.
func TestUnmatchedRoutes(t *testing.T) {
	s := deploy(t, gatewaytest.API{}, 0)
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
	s := deploy(t, gatewaytest.API{}, 50)
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
