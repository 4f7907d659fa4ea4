package selfservice_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"styx/internal/ui"
)

// badInput is a submission that no flow can use.
type badInput struct {
	name        string
	contentType string
	body        string
	only        string // the kind of client that sends it, "" for all
	says        []ui.ID
	reason      string // part of the text of message 4000001
}

func badInputs(tb testing.TB, kind string) []badInput {
	tb.Helper()
	none := ui.ID(4010002)
	if kind == "registration" {
		none = 4010003
	}
	const form, document = "application/x-www-form-urlencoded", "application/json"
	multi, multiBody := multipartOf(tb, fields{"method": "password"})
	return []badInput{
		{"broken JSON", document, `{"method":"password"`, spa, said(4000001), "Unable to decode form as JSON"},
		{"JSON that is a list", document, `[]`, api, said(4000001), "to be an object"},
		{"JSON that is null", document, `null`, api, said(4000001), "to be an object"},
		{"JSON nested ten thousand deep", document, `{"a":` + strings.Repeat("[", 1e4) + strings.Repeat("]", 1e4) + `}`, api, said(4000001), "Unable to decode"},
		{"deep transient_payload", document, `{"transient_payload":` + strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100) + `}`, api, said(4000001), "nested too deeply"},
		{"another content type", "text/plain", "method=password", "", said(4000001), "unknown HTTP Header"},
		{"no content type", "", "method=password", "", said(4000001), "unknown HTTP Header"},
		{"a content type that is no such", "a/b/c;=", "method=password", "", said(4000001), "unknown HTTP Header"},
		{"nothing", form, "", "", said(4000001), `"Content-Length" is zero`},
		{"nothing as JSON", document, "", api, said(4000001), `"Content-Length" is zero`},
		{"a broken escape", form, "method=%zz", "", said(4000001), "Unable to decode HTTP POST form body"},
		{"a multipart form without a boundary", "multipart/form-data", multiBody, "", said(4000001), "Unable to decode HTTP POST form body"},
		{"a multipart form that ends early", multi, multiBody[:len(multiBody)-8], "", said(4000001), "Unable to decode HTTP POST form body"},
		{"ten megabytes", form, "a=" + strings.Repeat("x", 10<<20), "", said(4000001), "too large"},
		{"ten megabytes of JSON", document, `{"a":"` + strings.Repeat("x", 10<<20) + `"}`, api, said(4000001), "too large"},
		{"a thousand fields and one", form, strings.Repeat("a=b&", 1000) + "method=password", "", said(4000001), "too many fields"},
		{"a thousand members and one", document, manyMembers(1001), api, said(4000001), "too many fields"},
		{"no method", form, "a=b", "", said(none), ""},
		{"an empty object", document, `{}`, api, said(none), ""},
		{"an empty method", form, "method=&a=b", "", said(none), ""},
		{"an unknown method", form, "method=sorcery", "", said(none), ""},
		{"a method in capitals", form, "method=PASSWORD", "", said(none), ""},
		{"a method with a space", form, "method=password+", "", said(none), ""},
	}
}

func manyMembers(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(`"a%d":1`, i)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// TestBadInput sends what no flow can use. Each client gets its form back with
// a text that says what is wrong, and the flow goes on.
func TestBadInput(t *testing.T) {
	h := open(t)
	for _, kind := range []string{"login", "registration"} {
		for _, bad := range badInputs(t, kind) {
			for _, of := range kinds {
				if bad.only != "" && of != bad.only {
					continue
				}
				t.Run(kind+"/"+of+"/"+bad.name, func(t *testing.T) {
					c := h.client(of)
					id := c.start(t, kind, "")
					a := c.post(t, kind, id, bad.contentType, bad.body)
					f := c.again(t, kind, a)
					if got := f.messages(); fmt.Sprint(got) != fmt.Sprint(bad.says) {
						t.Fatalf("says %v, want %v: %v", got, bad.says, f.UI.Messages)
					}
					if !strings.Contains(f.UI.Messages[0].Text, bad.reason) {
						t.Errorf("says %q, want %q", f.UI.Messages[0].Text, bad.reason)
					}
					if of == html && a.Code != map[string]int{"login": http.StatusSeeOther, "registration": http.StatusFound}[kind] {
						t.Errorf("redirected by %d", a.Code)
					}
					if got := c.fetch(t, kind, id); got.Code != http.StatusOK {
						t.Errorf("the flow is gone: %d", got.Code)
					}
				})
			}
		}
	}
}

// TestMethodSwitchedOff is not the form's fault, so no form shows it.
func TestMethodSwitchedOff(t *testing.T) {
	h := open(t)
	for _, kind := range []string{"login", "registration"} {
		for _, of := range kinds {
			c := h.client(of)
			a := c.submit(t, kind, c.start(t, kind, ""), fields{"method": "code"})
			if p := c.problem(t, a); p.Code != http.StatusNotFound || !strings.Contains(p.Reason, "disabled by system administrator") {
				t.Errorf("%s, %s: %d %+v", kind, of, a.Code, p)
			}
		}
	}
}

// TestFlowThatIsNotThere covers every way of naming no flow.
func TestFlowThatIsNotThere(t *testing.T) {
	h := open(t)
	for _, kind := range []string{"login", "registration"} {
		for _, of := range kinds {
			c := h.client(of)
			other := h.client(api).start(t, pick(kind, "registration", "login"), "")
			for name, w := range map[string]struct {
				id, says string
				code     int
			}{
				"none":         {"", "The flow query parameter is missing or malformed.", 400},
				"malformed":    {"7", "The flow query parameter is missing or malformed.", 400},
				"braces":       {"{" + uuid() + "}", "The flow query parameter is missing or malformed.", 400},
				"path":         {"..%2f..%2fidentities", "The flow query parameter is missing or malformed.", 400},
				"unknown":      {uuid(), "Unable to locate the resource", 404},
				"another kind": {other, "Unable to locate the resource", 404},
			} {
				for _, verb := range []string{http.MethodPost, http.MethodGet} {
					r := c.request(t, verb, "/self-service/"+kind+"?flow="+w.id, "application/x-www-form-urlencoded", "method=password&identifier=a&password=b")
					p := c.problem(t, c.send(r))
					if p.Code != w.code || p.Reason != w.says && p.Message != w.says {
						t.Errorf("%s %s, %s, %s: %+v", verb, kind, of, name, p)
					}
				}
				if a := c.fetch(t, kind, w.id); a.Code != http.StatusNotFound {
					t.Errorf("%s, %s: reading %s answers %d", kind, of, name, a.Code)
				}
			}
		}
	}
}

// TestForeignForms are submissions that another site, or another browser, made.
func TestForeignForms(t *testing.T) {
	h := open(t)
	h.client(api).signUp(t, "ann@example.org")
	sent := func(kind, token string) fields {
		if kind == "login" {
			return fields{"method": "password", "identifier": "ann@example.org", "password": password, "csrf_token": token}
		}
		return fields{"method": "password", "traits.email": "eve@example.org", "password": password, "csrf_token": token}
	}
	for _, kind := range []string{"login", "registration"} {
		for _, of := range []string{spa, html} {
			mine, theirs := h.client(of), h.client(of)
			id, other := mine.start(t, kind, ""), theirs.start(t, kind, "")
			bare := h.client(of)
			broken := h.client(of)
			for name := range mine.jar {
				broken.jar[name] = "broken"
			}
			for name, w := range map[string]struct {
				from      *client
				id, token string
			}{
				"another browser's token":          {mine, id, theirs.csrf(t, kind, other)},
				"no token":                         {mine, id, ""},
				"a made-up token":                  {mine, id, strings.Repeat("A", 88)},
				"another browser's flow":           {theirs, id, theirs.csrf(t, kind, other)},
				"another browser's flow and token": {theirs, id, mine.csrf(t, kind, id)},
				"no cookie":                        {bare, id, mine.csrf(t, kind, id)},
				"a broken cookie":                  {broken, id, mine.csrf(t, kind, id)},
			} {
				a := w.from.submit(t, kind, w.id, sent(kind, w.token))
				if p := w.from.problem(t, a); p.Code != http.StatusForbidden || p.ID != "security_csrf_violation" {
					t.Errorf("%s, %s, %s: %+v", kind, of, name, p)
				}
				if of == spa && a.Code != http.StatusForbidden {
					t.Errorf("%s, %s: answered %d", kind, name, a.Code)
				}
			}
			if a := theirs.fetch(t, kind, id); a.Code != http.StatusForbidden {
				t.Errorf("%s, %s: another browser reads the flow: %d", kind, of, a.Code)
			}
			// The token is the browser's, so that of its other tab will do.
			tab := mine.start(t, kind, "")
			mine.done(t, mine.submit(t, kind, id, sent(kind, mine.csrf(t, kind, tab))))
			if kind == "registration" {
				if err := h.Store.Delete(t.Context(), mine.whoami(t).Identity.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestBrowserAtAnAppsFlow refuses whoever a browser can be made to be.
func TestBrowserAtAnAppsFlow(t *testing.T) {
	h := open(t)
	for _, kind := range []string{"login", "registration"} {
		for name, value := range map[string]string{"Origin": "https://evil.example", "Cookie": "a=b"} {
			c := h.client(api)
			id := c.start(t, kind, "")
			r := c.request(t, http.MethodPost, "/self-service/"+kind+"?flow="+id, "application/json", `{"method":"password","identifier":"a","password":"b"}`)
			r.Header.Set(name, value)
			f := c.again(t, kind, c.send(r))
			if fmt.Sprint(f.messages()) != "[4000001]" || !strings.Contains(f.UI.Messages[0].Text, name) {
				t.Errorf("%s: %s says %v", kind, name, f.UI.Messages)
			}
			r = c.request(t, http.MethodGet, "/self-service/"+kind+"/api", "", "")
			r.Header.Set(name, value)
			if p := c.problem(t, c.send(r)); p.Code != http.StatusBadRequest || !strings.Contains(p.Reason, name) {
				t.Errorf("%s: starting with %s answers %+v", kind, name, p)
			}
		}
	}
}

// TestSubmitByGet has no form to judge. HEAD is GET without the body.
func TestSubmitByGet(t *testing.T) {
	h := open(t)
	for _, kind := range []string{"login", "registration"} {
		for _, of := range kinds {
			for _, verb := range []string{http.MethodGet, http.MethodHead} {
				c := h.client(of)
				id := c.start(t, kind, "")
				a := c.ask(t, verb, "/self-service/"+kind+"?flow="+id+"&method=password&identifier=a&password=b")
				want := http.StatusBadRequest
				if of == html {
					want = map[string]int{"login": http.StatusSeeOther, "registration": http.StatusFound}[kind]
				}
				if a.Code != want {
					t.Errorf("%s %s, %s: answered %d, want %d", verb, kind, of, a.Code, want)
				}
				f := c.fetch(t, kind, id).flow(t)
				if got := fmt.Sprint(f.messages()); got != pick(kind, "[4010002]", "[4010003]") {
					t.Errorf("%s %s, %s: says %s", verb, kind, of, got)
				}
			}
		}
	}
}

// TestMultipartForm is a form like any other.
func TestMultipartForm(t *testing.T) {
	h := open(t)
	c := h.client(html)
	id := c.start(t, "registration", "")
	contentType, body := multipartOf(t, fields{
		"method": "password", "traits.email": "ann@example.org", "password": password, "csrf_token": c.csrf(t, "registration", id),
	})
	ann := c.done(t, c.post(t, "registration", id, contentType, body))
	c = h.client(html)
	id = c.start(t, "login", "")
	contentType, body = multipartOf(t, fields{
		"method": "password", "identifier": "ann@example.org", "password": password, "csrf_token": c.csrf(t, "login", id),
	})
	if got := c.done(t, c.post(t, "login", id, contentType, body)); got.Identity.ID != ann.Identity.ID {
		t.Errorf("signed in as %s", got.Identity.ID)
	}
}

// TestOddTexts go in as identifiers, passwords and traits, and nothing breaks.
func TestOddTexts(t *testing.T) {
	h := open(t)
	odd := []string{
		"\x00", "a\x00b@example.org", "\xff\xfe", "a\xc3@example.org", "\u202eann@example.org", "😀", strings.Repeat("x", 5<<10),
		"a\r\nb", "<script>", `"'\`, "${jndi:ldap://x}", "C#password#x", "null", "[]", "{}", "-1", "\u2028",
	}
	for i, text := range odd {
		for _, of := range kinds {
			c := h.client(of)
			f := c.again(t, "login", c.tryIn(t, text, "not the password", ""))
			if len(f.messages()) != 1 {
				t.Errorf("%d, %s: login says %v", i, of, f.messages())
			}
			f = c.again(t, "login", c.tryIn(t, "ann@example.org", text, ""))
			if fmt.Sprint(f.messages()) != "[4000006]" {
				t.Errorf("%d, %s: login says %v", i, of, f.messages())
			}
			for _, sent := range []fields{
				{"method": "password", "traits.email": text, "password": password},
				{"method": "profile", "traits.email": text},
				{"method": "password", "traits": text, "password": password},
				{"method": "password", "traits.email": "ann@example.org", "password": password, "transient_payload": text},
				{"method": "password", "traits.email": "ann@example.org", "password": password, "traits.name": text + strings.Repeat("x", 21)},
			} {
				c := h.client(of)
				a := c.submit(t, "registration", c.start(t, "registration", ""), sent)
				if a.Code >= http.StatusInternalServerError || a.location(t) != nil && a.location(t).Path == "/error" {
					t.Errorf("%d, %s: %v answers %d %s", i, of, sent["method"], a.Code, a.Body)
				}
			}
		}
	}
}

// TestEndlessTexts are neither stored nor shown again.
func TestEndlessTexts(t *testing.T) {
	h := open(t)
	long := strings.Repeat("x", 512<<10)
	for _, of := range kinds {
		c := h.client(of)
		a := c.tryIn(t, long, password, "")
		if f := c.again(t, "login", a); fmt.Sprint(f.messages()) != "[4000006]" || f.node("identifier").Attributes.Value == long {
			t.Errorf("%s: login says %v", of, f.messages())
		}
		c = h.client(of)
		a = c.submit(t, "registration", c.start(t, "registration", "identity_schema=member"), fields{"method": "password", "traits.nick": long, "password": password})
		f := c.again(t, "registration", a)
		if fmt.Sprint(f.messages()) != "[4000001]" || !strings.Contains(f.UI.Messages[0].Text, "too large") || f.node("traits.nick").Attributes.Value == long {
			t.Errorf("%s: registration says %v", of, f.UI.Messages)
		}
	}
}

// TestOddQueries start no flow and break nothing.
func TestOddQueries(t *testing.T) {
	h := open(t, verifying, recovering)
	for _, w := range []struct {
		kind, query, id, says string
		code                  int
	}{
		{"login", "identity_schema=nope", "", `Requested identity schema "nope" does not exist.`, 400},
		{"registration", "identity_schema=nope", "", `Requested identity schema "nope" does not exist.`, 400},
		{"registration", "identity_schema=staff", "", `Requested identity schema "staff" is not enabled for self-service flows.`, 400},
		{"login", "identity_schema=staff", "", `Requested identity schema "staff" is not enabled for self-service flows.`, 400},
		{"login", "aal=aal9", "", "Unable to parse AuthenticationMethod Assurance Level (AAL): expected one of [aal1, aal2] but got aal9", 400},
		{"login", "aal=aal0", "", "Unable to parse AuthenticationMethod Assurance Level (AAL): expected one of [aal1, aal2] but got aal0", 400},
		{"login", "aal=aal2", "session_aal1_required", "You can not requested a higher AAL (AAL2/AAL3) without an active session.", 401},
		{"login", "return_to=https://evil.example/", "self_service_flow_return_to_forbidden", `Requested return_to URL "https://evil.example/" is not allowed.`, 400},
		{"registration", "return_to=//evil.example/", "self_service_flow_return_to_forbidden", `Requested return_to URL "https://evil.example/" is not allowed.`, 400},
		{"recovery", "return_to=//evil.example/", "self_service_flow_return_to_forbidden", `Requested return_to URL "https://evil.example/" is not allowed.`, 400},
		{"verification", "return_to=//evil.example/", "self_service_flow_return_to_forbidden", `Requested return_to URL "https://evil.example/" is not allowed.`, 400},
	} {
		for _, of := range kinds {
			c := h.client(of)
			p := c.problem(t, c.opened(t, w.kind, w.query))
			if p.Code != w.code || p.ID != w.id || p.Reason != w.says {
				t.Errorf("%s?%s, %s: %+v", w.kind, w.query, of, p)
			}
		}
	}
	for _, query := range []string{"identity_schema=member", "organization=none", "refresh=maybe", "return_to=", "return_to=/inside", "via=%00"} {
		for _, kind := range []string{"login", "registration"} {
			if a := h.client(spa).opened(t, kind, query); a.Code != http.StatusOK {
				t.Errorf("%s?%s answers %d %s", kind, query, a.Code, a.Body)
			}
		}
	}
}

// TestHeadOfEverything answers no request with a server's error.
func TestHeadOfEverything(t *testing.T) {
	h := open(t)
	h.client(spa).signUp(t, "ann@example.org")
	for _, path := range []string{
		"/self-service/login/browser", "/self-service/login/api", "/self-service/login/flows", "/self-service/login",
		"/self-service/registration/browser", "/self-service/registration/api", "/self-service/registration/flows", "/self-service/registration",
		"/sessions/whoami", "/sessions", "/sessions/" + uuid(), "/sessions/token-exchange", "/self-service/logout/browser", "/self-service/logout",
		"/self-service/logout/api", "/self-service/errors", "/schemas", "/schemas/person", "/schemas/nope", "/health/alive", "/health/ready",
		"/.well-known/change-password", "/nothing", "/self-service/errors?id=stub:500", "/self-service/errors?id=%00",
	} {
		for _, verb := range []string{"HEAD", "OPTIONS", "GET", "PUT", "PATCH", "DELETE", "TRACE"} {
			for _, of := range kinds {
				if a := h.client(of).ask(t, verb, path); a.Code >= http.StatusInternalServerError {
					t.Errorf("%s %s, %s: answered %d", verb, path, of, a.Code)
				}
			}
		}
	}
}

// TestEmptySubmissions at every step of every flow pass nobody and change
// nothing (CVE-2026-49448).
func TestEmptySubmissions(t *testing.T) {
	const form, document = "application/x-www-form-urlencoded", "application/json"
	for _, of := range kinds {
		h := open(t, verifying, recovering, transitions, `
session: {lifespan: 8760h}
selfservice: {flows: {settings: {privileged_session_max_age: 8760h}}}`)
		h.mailbox(t)
		ann := h.client(of)
		who := ann.signUp(t, "ann@example.org").Identity.ID
		before := h.stored(t, who)
		for name, begin := range map[string]func(*client) (kind, id string){
			"a login":                     func(c *client) (string, string) { return "login", c.start(t, "login", "") },
			"a registration":              func(c *client) (string, string) { return "registration", c.start(t, "registration", "") },
			"a recovery":                  func(c *client) (string, string) { return "recovery", c.start(t, "recovery", "") },
			"a recovery that sent a code": func(c *client) (string, string) { return "recovery", c.asked(t, "recovery", "code", "ann@example.org") },
			"a recovery for nobody":       func(c *client) (string, string) { return "recovery", c.asked(t, "recovery", "code", "x@example.org") },
			"a verification":              func(c *client) (string, string) { return "verification", c.start(t, "verification", "") },
			"a verification that sent a code": func(c *client) (string, string) {
				return "verification", c.asked(t, "verification", "code", "ann@example.org")
			},
			"a verification of nobody": func(c *client) (string, string) {
				return "verification", c.asked(t, "verification", "code", "x@example.org")
			},
			"settings": func(*client) (string, string) { return "settings", ann.start(t, "settings", "") },
		} {
			for _, body := range []struct{ contentType, text string }{
				{"", ""},
				{form, ""},
				{document, ""},
				{document, "{}"},
				{document, "null"},
				{document, `{"method":null}`},
				{form, "method="},
				{form, "code="},
				{form, "method=code"},
				{form, "method=code&code="},
				{form, "method=code&email="},
				{form, "method=link"},
				{form, "method=link&token="},
				{form, "method=password"},
				{form, "method=password&password="},
				{form, "method=profile"},
				{form, "csrf_token="},
				{form, "method=code&code=+"},
				{form, "method=code&code=%00"},
			} {
				h.clock.pass(time.Hour) // only so many codes are sent in one
				c := h.client(of)
				kind, id := begin(c)
				if kind == "settings" {
					c = ann
				}
				text := body.text
				if of != api && body.contentType == form && text != "csrf_token=" {
					text += "&csrf_token=" + url.QueryEscape(c.csrf(t, kind, id))
				}
				a := c.post(t, kind, id, body.contentType, text)
				what := fmt.Sprintf("%s, %s: %s %q", of, name, body.contentType, body.text)
				if a.Code >= http.StatusInternalServerError {
					t.Errorf("%s: answered %d %s", what, a.Code, a.Body)
				}
				if kind != "settings" {
					if got := c.gained(t, a); got != "" {
						t.Errorf("%s: signed in", what)
					}
				}
				after := h.stored(t, who)
				if string(after.Traits) != string(before.Traits) || after.PasswordHash() != before.PasswordHash() || after.VerifiableAddresses[0].Verified {
					t.Fatalf("%s: changed somebody", what)
				}
			}
		}
		if all, _, err := h.Store.Identities(t.Context(), "", 10); err != nil || len(all) != 1 {
			t.Errorf("%s: there are %d identities, %v", of, len(all), err)
		}
	}
}
