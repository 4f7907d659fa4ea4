package pages_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"styx/internal/pages"
)

const whoami = `{"id":"01934f2e-8d6b-7c1a-b1de-0a1b2c3d4e5f","active":true,"expires_at":"2026-11-23T19:00:00Z","authenticated_at":"2026-11-22T19:00:00.123Z",
"authenticator_assurance_level":"aal2","authentication_methods":[{"method":"password","aal":"aal1"},{"method":"totp","aal":"aal2"}],
"identity":{"id":"7b1f2c3d-1111-4222-8333-444455556666","traits":{"email":"ann@example.org","name":{"first":"Ann <b>","middle":null},"age":33}},
"devices":[{"ip_address":"192.0.2.7","user_agent":"Firefox <140>","location":""}]}`

// signedIn is an API that knows the browser, one error and no flow.
func signedIn() *api {
	return &api{answers: map[string]reply{
		"GET /sessions/whoami":             {status: 200, body: whoami},
		"GET /sessions":                    {status: 200, body: `[` + strings.Replace(whoami, "01934f2e", "02934f2e", 1) + `,{"id":"x","identity":null,"devices":null}]`},
		"GET /self-service/logout/browser": {status: 200, body: `{"logout_url":"` + public + `/self-service/logout?token=ory_lo_x","logout_token":"ory_lo_x"}`},
		"GET /self-service/errors?id=e":    {status: 200, body: `{"id":"e","error":{"id":"security_csrf_violation","code":403,"reason":"Please <retry>.","message":"rejected"}}`},
		"DELETE /sessions":                 {status: 200, body: `{"count":2}`},
		"DELETE /sessions/02934f2e":        {status: 204},
		"DELETE /sessions/a%2Fb":           {status: 400, body: `{"error":{"code":400,"message":"uuid: incorrect"}}`},
	}}
}

func TestEveryAnswerIsKeptFromFramesCachesAndScripts(t *testing.T) {
	for _, target := range []string{"/", "/ui/login", "/ui/session", "/ui/error?id=e", "/ui/nowhere", "/elsewhere"} {
		h := ask(t, signedIn(), http.MethodGet, target).Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src https://id.example.org/ui/styx.css; img-src data: https://id.example.org/ui/styx.svg; form-action https://id.example.org",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s %q, want %q", target, name, h.Get(name), want)
			}
		}
	}
}

func TestThePolicyAllowsWhatThePageHolds(t *testing.T) {
	for fixture, want := range map[string]string{
		"login_password":   "form-action https://id.example.org https://shop.example.org https://*.example.net; script-src https://id.example.org/ui/styx.js",
		"recovery_start":   "form-action https://id.example.org https://shop.example.org https://*.example.net",
		"login_everything": "form-action https://id.example.org https://shop.example.org https://*.example.net https:; script-src https://id.example.org/.well-known/ory/webauthn.js https://id.example.org/ui/styx.js",
	} {
		f := load(t, fixture)
		a := &api{answers: map[string]reply{"GET /self-service/" + f.kind + "/flows?id=f": {status: 200, body: f.body}}}
		w := serve(t, pages.Options{API: a, PublicURL: public, ReturnURLs: []string{
			"https://shop.example.org/basket", "https://shop.example.org/other", "https://*.example.net", "/relative", "app://open", "https://bad.example;script-src", "javascript:alert(1)", "",
		}}, http.MethodGet, "/ui/"+f.kind+"?flow=f", "")
		if got := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %q does not end in %q", fixture, got, want)
		}
	}
}

func TestAProviderOnHTTPIsReachedFromHTTPOnly(t *testing.T) {
	f := load(t, "login_everything")
	a := &api{answers: map[string]reply{"GET /self-service/login/flows?id=f": {status: 200, body: f.body}}}
	w := serve(t, pages.Options{API: a, PublicURL: "http://localhost:4433"}, http.MethodGet, "/ui/login?flow=f", "")
	if got := w.Header().Get("Content-Security-Policy"); !strings.Contains(got, "form-action http://localhost:4433 https: http:") {
		t.Error(got)
	}
}

func TestTheSessionPageShowsWhoAndWhere(t *testing.T) {
	w := ask(t, signedIn(), http.MethodGet, "/ui/session", "Cookie: ory_kratos_session=s")
	page := w.Body.String()
	for _, want := range []string{
		"ann@example.org", "name first", "Ann &lt;b&gt;", "password, totp", "aal2", "22 November 2026, 19:00 UTC",
		"Firefox &lt;140&gt;", "Unknown device", `href="https://id.example.org/self-service/logout?token=ory_lo_x"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	if strings.Contains(page, "middle") {
		t.Error("a trait without a value is shown")
	}
}

func TestNobodyAndHalfSignedIn(t *testing.T) {
	for _, target := range []string{"/ui/session", "/ui/welcome"} {
		nobody := &api{answers: map[string]reply{"GET /sessions/whoami": {status: 401, body: `{"error":{"code":401}}`}}}
		if w := ask(t, nobody, http.MethodGet, target); w.Code != 200 || !strings.Contains(w.Body.String(), public+"/self-service/login/browser") {
			t.Errorf("%s, nobody: %d\n%s", target, w.Code, w.Body)
		}
		half := &api{answers: map[string]reply{"GET /sessions/whoami": {status: 403, body: `{"error":{"id":"session_aal2_required","code":403},"redirect_browser_to":"` + public + `/self-service/login/browser?aal=aal2"}`}}}
		if w := ask(t, half, http.MethodGet, target); w.Code != 200 || !strings.Contains(w.Body.String(), public+"/self-service/login/browser?aal=aal2") {
			t.Errorf("%s, half: %d\n%s", target, w.Code, w.Body)
		}
		away := &api{answers: map[string]reply{"GET /sessions/whoami": {status: 403, body: `{"error":{"code":403,"reason":"No."},"redirect_browser_to":"https://evil.example/"}`}}}
		if w := ask(t, away, http.MethodGet, target); w.Code != 403 || strings.Contains(w.Body.String(), "evil.example") {
			t.Errorf("%s, sent away: %d\n%s", target, w.Code, w.Body)
		}
	}
}

func TestEndingSessions(t *testing.T) {
	const form = "Content-Type: application/x-www-form-urlencoded"
	for _, row := range []struct {
		name, body string
		header     []string
		status     int
		asks       string
	}{
		{"one", "session=02934f2e", []string{"Sec-Fetch-Site: same-origin", "Origin: null"}, 303, "DELETE /sessions/02934f2e"},
		{"all others", "others=all", []string{"Sec-Fetch-Site: same-origin"}, 303, "DELETE /sessions"},
		{"behind a proxy", "others=all", []string{"Origin: " + public}, 303, "DELETE /sessions"},
		{"from another site", "others=all", []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"}, 403, ""},
		{"from a neighbour", "others=all", []string{"Sec-Fetch-Site: same-site", "Origin: https://app.example.org"}, 403, ""},
		{"from another site, old browser", "others=all", []string{"Origin: https://evil.example"}, 403, ""},
		{"nothing named", "", []string{"Sec-Fetch-Site: same-origin"}, 400, ""},
		{"a path instead of an id", "session=a%2Fb", []string{"Sec-Fetch-Site: same-origin"}, 400, "DELETE /sessions/a%2Fb"},
		{"too much", "session=" + strings.Repeat("a", 5000), []string{"Sec-Fetch-Site: same-origin"}, 400, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := signedIn()
			w := serve(t, pages.Options{API: a, PublicURL: public}, http.MethodPost, "/ui/session", row.body, append(row.header, form, "Cookie: ory_kratos_session=s")...)
			if w.Code != row.status {
				t.Errorf("status %d, want %d", w.Code, row.status)
			}
			asked := ""
			for _, r := range a.asked {
				asked += r.Method + " " + r.URL.RequestURI()
				if r.Header.Get("Cookie") != "ory_kratos_session=s" {
					t.Error("asked without the browser's cookie")
				}
			}
			if asked != row.asks {
				t.Errorf("asked %q, want %q", asked, row.asks)
			}
		})
	}
}

func TestErrorPages(t *testing.T) {
	w := ask(t, signedIn(), http.MethodGet, "/ui/error?id=e")
	if w.Code != 200 || !strings.Contains(w.Body.String(), "Please &lt;retry&gt;.") || !strings.Contains(w.Body.String(), "403 Forbidden") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
	for _, target := range []string{"/ui/error", "/ui/error?id=unknown"} {
		if w := ask(t, signedIn(), http.MethodGet, target); w.Code != 404 {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

func TestTheRootSaysWhatRunsHere(t *testing.T) {
	w := serve(t, pages.Options{
		API: &api{}, PublicURL: public + "/", Version: "1.2.3", Flows: []string{"login"},
		Links: []pages.Link{{Text: "Mail inbox", URL: "http://127.0.0.1:4436/"}, {Text: "bad", URL: "javascript:alert(1)"}},
	}, http.MethodGet, "/", "")
	page := w.Body.String()
	for _, want := range []string{"1.2.3", "https://id.example.org/ui/login", "Mail inbox", "curl -s https://id.example.org/self-service/registration/api"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	for _, bad := range []string{"/ui/recovery", "javascript:"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q in\n%s", bad, page)
		}
	}
}

func TestPagesBelowABasePath(t *testing.T) {
	f := load(t, "login_password")
	a := &api{answers: map[string]reply{"GET /self-service/login/flows?id=f": {status: 200, body: strings.ReplaceAll(f.body, public, public+"/auth")}}}
	o := pages.Options{API: a, PublicURL: public + "/auth/"}
	page := serve(t, o, http.MethodGet, "/ui/login?flow=f", "").Body.String()
	for _, want := range []string{`href="https://id.example.org/auth/ui/styx.css"`, `action="https://id.example.org/auth/self-service/login?flow=`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	w := serve(t, o, http.MethodGet, "/ui/login?flow=gone", "", "Cookie: a=b")
	if got := w.Result().Cookies(); len(got) != 1 || got[0].Path != "/auth/ui/" || !got[0].Secure || !got[0].HttpOnly {
		t.Errorf("cookies %v", got)
	}
}

func TestOverHTTPTheAnswersAreTheSame(t *testing.T) {
	f := load(t, "login_password")
	a := &api{answers: map[string]reply{"GET /base/self-service/login/flows?id=f": {status: 200, body: f.body, cookies: []string{"a=b; Path=/"}}}}
	server := httptest.NewServer(a)
	defer server.Close()
	w := serve(t, pages.Options{BaseURL: server.URL + "/base/", Client: server.Client(), PublicURL: public}, http.MethodGet, "/ui/login?flow=f", "", "Cookie: csrf_token_a=b", "X-Forwarded-For: 192.0.2.1, 198.51.100.7", "Authorization: Bearer a")
	inside := f.render(t)
	if w.Body.String() != inside.Body.String() || w.Header().Get("Set-Cookie") != "a=b; Path=/" {
		t.Errorf("%d %v\n%s", w.Code, w.Header(), w.Body)
	}
	got := a.asked[0].Header
	if got.Get("Cookie") != "csrf_token_a=b" || got.Get("X-Forwarded-For") != "192.0.2.1, 198.51.100.7" || got.Get("Authorization") != "" {
		t.Errorf("what reached the API: %v", got)
	}
}

// TestTheBareFolderLeadsToTheRoot, below a base path too.
func TestTheBareFolderLeadsToTheRoot(t *testing.T) {
	for _, path := range []string{"/ui", "/ui/"} {
		w := serve(t, pages.Options{API: &api{}, PublicURL: public + "/auth"}, http.MethodGet, path, "")
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != public+"/auth/" {
			t.Errorf("%s: %d to %s", path, w.Code, got)
		}
	}
}

func TestARedirectOfTheAPIIsNotFollowed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/inside" {
			t.Error("followed")
		}
		http.Redirect(w, r, "/inside", http.StatusFound)
	}))
	defer server.Close()
	w := serve(t, pages.Options{BaseURL: server.URL, PublicURL: public}, http.MethodGet, "/ui/login?flow=f", "")
	if w.Code >= 300 && w.Code < 400 {
		t.Errorf("status %d", w.Code)
	}
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no route")
}

func TestAFailureIsLoggedWithoutIds(t *testing.T) {
	var out bytes.Buffer
	o := pages.Options{PublicURL: public, Client: &http.Client{Transport: failing{}}, Log: slog.New(slog.NewTextHandler(&out, nil))}
	w := serve(t, o, http.MethodGet, "/ui/login?flow=0f1e2d3c&code=123456", "", "Cookie: a=secret")
	if w.Code != http.StatusBadGateway {
		t.Errorf("status %d", w.Code)
	}
	if !strings.Contains(out.String(), "no route") {
		t.Errorf("log %q", out.String())
	}
	for _, bad := range []string{"0f1e2d3c", "123456", "secret"} {
		if strings.Contains(out.String(), bad) || strings.Contains(w.Body.String(), bad) {
			t.Errorf("%q in log or page", bad)
		}
	}
}

func TestAnAnswerThatIsNoFlowIsAGatewayError(t *testing.T) {
	a := &api{answers: map[string]reply{"GET /self-service/login/flows?id=f": {status: 200, body: "<html>"}}}
	if w := ask(t, a, http.MethodGet, "/ui/login?flow=f"); w.Code != http.StatusBadGateway {
		t.Errorf("status %d", w.Code)
	}
}

func TestMethodsAndAssets(t *testing.T) {
	for _, row := range []struct {
		method, target string
		status         int
		contentType    string
	}{
		{http.MethodGet, "/ui/styx.css", 200, "text/css; charset=utf-8"},
		{http.MethodGet, "/ui/styx.svg", 200, "image/svg+xml"},
		{http.MethodGet, "/ui/styx.js", 200, "text/javascript; charset=utf-8"},
		{http.MethodHead, "/ui/session", 200, "text/html; charset=utf-8"},
		{http.MethodPost, "/ui/login", 405, ""},
		{http.MethodDelete, "/ui/anything", 405, ""},
		{http.MethodGet, "/ui/", 303, ""},
	} {
		w := ask(t, signedIn(), row.method, row.target)
		if w.Code != row.status || row.contentType != "" && w.Header().Get("Content-Type") != row.contentType {
			t.Errorf("%s %s: %d %s", row.method, row.target, w.Code, w.Header().Get("Content-Type"))
		}
		if row.status == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", row.method, row.target)
		}
	}
}

func TestTheRequestsContextReachesTheAPI(t *testing.T) {
	type key struct{}
	var got any
	h := pages.New(pages.Options{PublicURL: public, API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Context().Value(key{})
		w.WriteHeader(http.StatusUnauthorized)
	})})
	r := httptest.NewRequestWithContext(context.WithValue(t.Context(), key{}, "here"), http.MethodGet, "/ui/welcome", nil)
	h.ServeHTTP(httptest.NewRecorder(), r)
	if got != "here" {
		t.Errorf("context value %v", got)
	}
}
