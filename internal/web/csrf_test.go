package web

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"styx/internal/fault"
	"styx/internal/secret"
)

// guarded asks a path through the guard and tells whether the handler behind it
// was reached.
func guarded(t *testing.T, cookies *Cookies, method, path string, header map[string]string) (*httptest.ResponseRecorder, bool) {
	t.Helper()
	reached := false
	handler := cookies.GuardCSRF(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w, reached
}

// TestExemptPaths are those that need no anti-CSRF cookie, because they are not
// a browser's business or check for themselves. Anything that merely looks like
// one of them is guarded.
func TestExemptPaths(t *testing.T) {
	for path, exempt := range map[string]bool{
		"/sessions":        true,
		"/sessions/whoami": true,
		"/sessions/3b1b8a54-aaaa-4000-8000-0123456789": true,
		"/health/alive":                              true,
		"/health/ready":                              true,
		"/version":                                   true,
		"/schemas/customer":                          true,
		"/admin/identities":                          true,
		"/identities":                                true,
		"/identities/1":                              true,
		"/recovery/code":                             true,
		"/self-service/login":                        true,
		"/self-service/registration":                 true,
		"/self-service/settings":                     true,
		"/self-service/recovery":                     true,
		"/self-service/verification":                 true,
		"/self-service/login/api":                    true,
		"/self-service/logout/api":                   true,
		"/self-service/methods/oidc/callback":        true,
		"/self-service/methods/oidc/callback/google": true,

		"/":                                   false,
		"/schemas":                            false,
		"/self-service/login/browser":         false,
		"/self-service/login/flows":           false,
		"/self-service/registration/browser":  false,
		"/self-service/logout":                false,
		"/self-service/logout/browser":        false,
		"/self-service/errors":                false,
		"/self-service":                       false,
		"/.well-known/change-password":        false,
		"/ui/login":                           false,
		"/version/more":                       false,
		"/self-service/login/":                false,
		"/self-service//login":                false,
		"//self-service/login":                false,
		"/self-service/login;x":               false,
		"/self-service/login%3bx":             false,
		"/self-service/LOGIN":                 false,
		"/Self-Service/login":                 false,
		"/SESSIONS":                           false,
		"/sessions/":                          false,
		"/sessionsX":                          false,
		"/self-service/./login":               false,
		"/self-service/login/api/x":           false,
		"/self-service/unknown":               false,
		"/self-service/methods/oidc":          false,
		"/self-service/methods/saml/callback": false,
	} {
		t.Run(strings.ReplaceAll(path, "/", "|"), func(t *testing.T) {
			cookies := cookiesOf(t, production(t))
			w, reached := guarded(t, cookies, http.MethodPost, path, nil)
			if reached != exempt {
				t.Errorf("a POST without a token reaches the handler: %v", reached)
			}
			if given := w.Header().Get("Set-Cookie") != ""; given == exempt {
				t.Errorf("a cookie is given: %v", given)
			}
			if !exempt && w.Code != http.StatusForbidden {
				t.Errorf("the answer is %d", w.Code)
			}
		})
	}
}

// TestSafeMethodsNeedNoToken but get the cookie.
func TestSafeMethodsNeedNoToken(t *testing.T) {
	cookies := cookiesOf(t, production(t))
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE"} {
		if w, reached := guarded(t, cookies, method, "/self-service/errors", nil); !reached || w.Header().Get("Set-Cookie") == "" {
			t.Errorf("%s: reached is %v, header is %v", method, reached, w.Header())
		}
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "get", "BREW"} {
		if _, reached := guarded(t, cookies, method, "/self-service/errors", nil); reached {
			t.Errorf("%s needs no token", method)
		}
	}
}

// TestTokenInTheHeader is what a script sends on a path that is guarded.
func TestTokenInTheHeader(t *testing.T) {
	cookies := cookiesOf(t, production(t))
	own, other := secret.NewCSRF(rand.Reader), secret.NewCSRF(rand.Reader)
	for name, c := range map[string]struct {
		cookie, token string
		reached       bool
	}{
		"the browser's own":            {own, secret.MaskCSRF(rand.Reader, own), true},
		"another browser's":            {own, secret.MaskCSRF(rand.Reader, other), false},
		"the cookie itself":            {own, own, false},
		"none":                         {own, "", false},
		"one without a cookie":         {"", secret.MaskCSRF(rand.Reader, own), false},
		"two zeros":                    {strings.Repeat("A", 43) + "=", strings.Repeat("A", 86) + "==", true},
		"nothing for a broken cookie":  {"broken", "", false},
		"broken for a broken cookie":   {"broken", "broken", false},
		"a token of half the length":   {own, secret.MaskCSRF(rand.Reader, own)[:44], false},
		"a token with a wrong padding": {own, "=" + secret.MaskCSRF(rand.Reader, own), false},
	} {
		header := map[string]string{"X-CSRF-Token": c.token}
		if c.cookie != "" {
			header["Cookie"] = cookies.csrf + "=" + c.cookie
		}
		if _, reached := guarded(t, cookies, http.MethodPost, "/self-service/errors", header); reached != c.reached {
			t.Errorf("%s: reached is %v, want %v", name, reached, c.reached)
		}
	}
}

// inside runs do with a request of a browser that holds that anti-CSRF cookie.
func inside(t *testing.T, cookies *Cookies, cookie string, do func(http.ResponseWriter, *http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/self-service/login", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookies.csrf+"="+cookie)
	}
	w := httptest.NewRecorder()
	cookies.GuardCSRF(http.HandlerFunc(do)).ServeHTTP(w, r)
	return w
}

// TestFormBelongsToOneBrowser ties a flow to a browser and submits its form
// from there, from another, and with another's token.
func TestFormBelongsToOneBrowser(t *testing.T) {
	cookies := cookiesOf(t, production(t))
	mine, theirs := secret.NewCSRF(rand.Reader), secret.NewCSRF(rand.Reader)
	var browser, form string
	inside(t, cookies, mine, func(_ http.ResponseWriter, r *http.Request) {
		browser, form = cookies.Browser(r), cookies.FormToken(r)
	})
	if strings.Contains(browser, mine) || form == mine {
		t.Fatal("the cookie's value is shown")
	}
	for name, c := range map[string]struct {
		cookie, browser, form string
		reads, submits        bool
	}{
		"from its browser":                {mine, browser, form, true, true},
		"from its browser, another form":  {mine, browser, secret.MaskCSRF(rand.Reader, mine), true, true},
		"from its browser, no token":      {mine, browser, "", true, false},
		"from its browser, their token":   {mine, browser, secret.MaskCSRF(rand.Reader, theirs), true, false},
		"from another browser":            {theirs, browser, secret.MaskCSRF(rand.Reader, theirs), false, false},
		"from another browser, our token": {theirs, browser, form, false, false},
		"without a cookie":                {"", browser, form, false, false},
		"a flow of no browser":            {mine, "", form, false, false},
		"a flow of a broken browser":      {mine, "%%%", form, false, false},
	} {
		inside(t, cookies, c.cookie, func(_ http.ResponseWriter, r *http.Request) {
			if err := cookies.CheckReader(r, c.browser); (err == nil) != c.reads {
				t.Errorf("%s: reading answers %v", name, err)
			}
			err := cookies.CheckForm(r, c.browser, c.form)
			if (err == nil) != c.submits {
				t.Errorf("%s: submitting answers %v", name, err)
			}
			if err != nil && (!fault.HasID(err, "security_csrf_violation") || Status(err) != http.StatusForbidden) {
				t.Errorf("%s: refused with %v", name, err)
			}
		})
	}
}

// TestRotationVoidsEarlierForms is what keeps a form that was filled before a
// session changed hands from being sent after.
func TestRotationVoidsEarlierForms(t *testing.T) {
	cookies := cookiesOf(t, production(t))
	mine := secret.NewCSRF(rand.Reader)
	var browser, form string
	w := inside(t, cookies, mine, func(w http.ResponseWriter, r *http.Request) {
		browser, form = cookies.Browser(r), cookies.FormToken(r)
		cookies.RotateCSRF(w, r)
		if cookies.FormToken(r) == "" || cookies.Browser(r) == browser {
			t.Error("the request goes on with the old token")
		}
	})
	given := w.Result().Cookies()
	if len(given) != 1 || given[0].Value == mine || !secret.ValidCSRF(given[0].Value) {
		t.Fatalf("the browser gets %v", given)
	}
	inside(t, cookies, given[0].Value, func(_ http.ResponseWriter, r *http.Request) {
		if cookies.CheckForm(r, browser, form) == nil || cookies.CheckReader(r, browser) == nil {
			t.Error("the earlier form is still good")
		}
	})
}

func TestEnsureCookieOnlyWhereItIsMissing(t *testing.T) {
	cookies := cookiesOf(t, production(t))
	ensure := func(w http.ResponseWriter, r *http.Request) { cookies.EnsureCookie(w, r) }
	if w := inside(t, cookies, "", ensure); len(w.Result().Cookies()) != 1 {
		t.Error("a browser without the cookie got none")
	}
	if w := inside(t, cookies, secret.NewCSRF(rand.Reader), ensure); len(w.Result().Cookies()) != 0 {
		t.Error("a browser with the cookie got another")
	}
}

// TestCSRFReasons say what was missing, in the words of the contract.
func TestCSRFReasons(t *testing.T) {
	cookies := cookiesOf(t, production(t))
	own := secret.NewCSRF(rand.Reader)
	for _, c := range []struct {
		name, cookies, mode, accept, token string
		reason, hint                       string
	}{
		{name: "no cookies at all", reason: "The HTTP Cookie Header is empty or not set.", hint: csrfHint},
		{name: "other cookies", cookies: "a=b", reason: "The HTTP Cookie Header was set but did not include the anti-CSRF cookie.", hint: csrfHint},
		{name: "a page without the token", cookies: cookies.csrf + "=" + own, hint: csrfNotSent},
		{name: "a script without the token", cookies: cookies.csrf + "=" + own, accept: "application/json", mode: "cors", reason: "do not match", hint: csrfHintAJAX},
		{name: "a wrong token", cookies: cookies.csrf + "=" + own, token: "wrong", mode: "same-origin", reason: "do not match", hint: csrfHintAJAX},
		{name: "a navigation", cookies: "a=b", mode: "navigate", reason: "did not include", hint: csrfHint},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/self-service/login", nil)
			for name, value := range map[string]string{"Cookie": c.cookies, "Sec-Fetch-Mode": c.mode, "Accept": c.accept} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			cookies.GuardCSRF(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				known := fault.As(cookies.CheckForm(r, "", c.token))
				reason, _ := known.Details["reject_reason"].(string)
				if (c.reason == "") != (reason == "") || !strings.Contains(reason, c.reason) {
					t.Errorf("the reason is %q, want %q", reason, c.reason)
				}
				if known.Details["hint"] != c.hint {
					t.Errorf("the hint is %q, want %q", known.Details["hint"], c.hint)
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
		})
	}
}

// TestNativeGuard refuses what only browsers send.
func TestNativeGuard(t *testing.T) {
	for _, c := range []struct {
		name, header, value string
		refused             string // part of the reason
	}{
		{"an app", "User-Agent", "app/1.0", ""},
		{"an app behind Cloudflare", "Cookie", "__cf_bm=1; _cfuvid=2; cf_clearance=3", ""},
		{"an app with an empty cookie header", "Cookie", "", ""},
		{"a browser's script", "Origin", "https://app.example.org", `"Origin"`},
		{"a script of no origin", "Origin", "null", `"Origin"`},
		{"a browser", "Cookie", "a=b", `"Cookie"`},
		{"a browser behind Cloudflare", "Cookie", "__cf_bm=1; a=b", `"Cookie"`},
		{"a cookie that merely begins alike", "Cookie", "c__cf=1", `"Cookie"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
			r.Header.Set(c.header, c.value)
			err := CheckNative(r)
			if (err == nil) != (c.refused == "") {
				t.Fatalf("answers %v", err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.refused) || Status(err) != http.StatusBadRequest) {
				t.Errorf("refused with %v", err)
			}
		})
	}
}
