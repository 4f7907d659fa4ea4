//go:build dynamodb

package lambda_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"styx/internal/gateway/gatewaytest"
)

// TestAuthorizerLetsSessionsIn, by cookie and by token, until they are over: the
// real binary stands before an API that is somebody else's.
func TestAuthorizerLetsSessionsIn(t *testing.T) {
	s := deployment{functions: []string{"registration", "login", "session", "authorizer"}}.deploy(t)
	const email = "ann@example.com"
	browser := browse(t, s, email)
	app := &http.Client{Transport: s.public, Timeout: time.Minute}
	token, err := signIn(app, email, firstPassword)
	if err != nil {
		t.Fatal(err)
	}
	guard := s.functions["authorizer"]
	allows := func(api gatewaytest.API, header http.Header, source ...string) (bool, map[string]any) {
		t.Helper()
		r := request(t, http.MethodPost, "https://api.example/things/7?x=1", "{}")
		r.Header = header
		allowed, known, err := api.Allows(t.Context(), guard, r, source...)
		if err != nil && !errors.Is(err, gatewaytest.ErrNoSource) {
			t.Fatalf("%v\n%s", err, guard.Log())
		}
		return allowed, known
	}

	bearer := http.Header{"Authorization": {"Bearer " + token}}
	allowed, known := allows(gatewaytest.API{}, bearer, "Authorization")
	if !allowed || known["aal"] != "aal1" || known["methods"] != "password" {
		t.Errorf("a token: %v %v", allowed, known)
	}
	cookie := http.Header{"Cookie": {"other=1"}}
	for _, one := range browser.Jar.Cookies(&url.URL{Scheme: "https", Host: "id.example", Path: "/"}) {
		cookie["Cookie"][0] += "; " + one.String()
	}
	for _, place := range []gatewaytest.Cookies{gatewaytest.InArray, gatewaytest.InHeader, gatewaytest.InBoth} {
		allowed, byCookie := allows(gatewaytest.API{CookiesIn: place}, cookie)
		if !allowed || byCookie["identity_id"] != known["identity_id"] || byCookie["session_id"] == known["session_id"] {
			t.Errorf("a cookie: %v %v", allowed, byCookie)
		}
		if allowed, _ := allows(gatewaytest.API{CookiesIn: place}, http.Header{"Cookie": cookie["Cookie"], "Authorization": {"Bearer x"}}, "Authorization"); allowed {
			t.Error("a cookie lets in where the authorizer is asked about a token")
		}
	}
	if allowed, _ := allows(gatewaytest.API{}, http.Header{"Cookie": {strings.ReplaceAll(cookie["Cookie"][0], "v1.", "v2.")}}); allowed {
		t.Error("a tampered cookie lets in")
	}

	status, _, err := ask(app, http.MethodDelete, base+"/self-service/logout/api", "", map[string]string{"session_token": token})
	if err != nil || status != http.StatusNoContent {
		t.Fatalf("log out: %d %v", status, err)
	}
	if allowed, _ := allows(gatewaytest.API{}, bearer, "Authorization"); allowed {
		t.Error("a session that is over lets in")
	}
	log := guard.Log()
	if strings.Contains(log, token) || strings.Contains(log, `"table_calls":2`) || strings.Count(log, `"table_calls":1`) != 5 {
		t.Errorf("it says too much, or asked the table too often:\n%s", log)
	}
}
