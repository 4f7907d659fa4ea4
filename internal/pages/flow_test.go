package pages_test

import (
	"bytes"
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden pages")

func TestFlowsRenderAsRecorded(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.name, func(t *testing.T) {
			w := f.render(t)
			if w.Code != http.StatusOK {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			golden := filepath.Join("testdata/golden", f.name+".html")
			if *update {
				if err := os.WriteFile(golden, w.Body.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want, w.Body.Bytes()) {
				t.Errorf("page differs from %s (run with -update and review):\n%s", golden, w.Body)
			}
		})
	}
}

func TestNothingOfAFlowBecomesMarkupOrScript(t *testing.T) {
	w := load(t, "login_hostile").render(t)
	page := w.Body.String()
	for _, bad := range []string{"<script>", "javascript:", "onfocus=alert(1) ", "svg+xml,", "evil.example", "hologram", `data-trigger="alert"`, `data-load="alert"`, "/x.js"} {
		if strings.Contains(page, bad) {
			t.Errorf("page contains %q:\n%s", bad, page)
		}
	}
	if !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("the hostile texts are not shown at all")
	}
	for _, bad := range []string{"evil", "/x.js", "*"} {
		if strings.Contains(w.Header().Get("Content-Security-Policy"), bad) {
			t.Errorf("policy contains %q: %s", bad, w.Header().Get("Content-Security-Policy"))
		}
	}
}

func TestAPageWithoutAFlowStartsOne(t *testing.T) {
	for _, row := range []struct{ page, want string }{
		{"/ui/login", "/self-service/login/browser"},
		{"/ui/registration", "/self-service/registration/browser"},
		{"/ui/settings", "/self-service/settings/browser"},
		{"/ui/recovery", "/self-service/recovery/browser"},
		{"/ui/verification", "/self-service/verification/browser"},
		{"/ui/login?flow=", "/self-service/login/browser"},
		{
			"/ui/login?return_to=https%3A%2F%2Fa.example%2F%3Fb%3Dc&aal=aal2&refresh=true&strange=1",
			"/self-service/login/browser?aal=aal2&refresh=true&return_to=https%3A%2F%2Fa.example%2F%3Fb%3Dc",
		},
		{"/ui/settings?return_to=/a&aal=aal2", "/self-service/settings/browser?return_to=%2Fa"},
	} {
		a := &api{}
		w := ask(t, a, http.MethodGet, row.page)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != public+row.want {
			t.Errorf("%s: %d to %q, want %q", row.page, w.Code, w.Header().Get("Location"), public+row.want)
		}
		if len(a.asked) != 0 {
			t.Errorf("%s: asked the API %d times", row.page, len(a.asked))
		}
	}
}

func TestAFlowThatCannotBeShownIsReplaced(t *testing.T) {
	const cookie = "Cookie: csrf_token_a=b"
	for _, row := range []struct {
		name, page string
		status     int
		body       string
		want       string
	}{
		{"unknown", "/ui/login?flow=f", 404, `{"error":{"code":404}}`, public + "/self-service/login/browser"},
		{"another browser's", "/ui/registration?flow=f", 403, `{"error":{"id":"security_csrf_violation","code":403}}`, public + "/self-service/registration/browser"},
		{
			"expired, with a place to go", "/ui/login?flow=f", 410,
			`{"error":{"id":"self_service_flow_expired","code":410,"details":{"redirect_to":"` + public + `/self-service/login/browser?return_to=https%3A%2F%2Fa.example"}}}`,
			public + "/self-service/login/browser?return_to=https%3A%2F%2Fa.example",
		},
		{
			"expired, with a place elsewhere", "/ui/login?flow=f&return_to=/x", 410,
			`{"error":{"code":410,"details":{"redirect_to":"https://id.example.org.evil.example/"}}}`,
			public + "/self-service/login/browser?return_to=%2Fx",
		},
		{
			"second factor first", "/ui/settings?flow=f", 403,
			`{"error":{"id":"session_aal2_required","code":403},"redirect_browser_to":"` + public + `/self-service/login/browser?aal=aal2"}`,
			public + "/self-service/login/browser?aal=aal2",
		},
		{"no session", "/ui/settings?flow=f", 401, `{"error":{"code":401}}`, public + "/self-service/settings/browser"},
		{"not even JSON", "/ui/verification?flow=f", 404, `<html>`, public + "/self-service/verification/browser"},
	} {
		t.Run(row.name, func(t *testing.T) {
			kind := strings.TrimPrefix(strings.SplitN(row.page, "?", 2)[0], "/ui/")
			a := &api{answers: map[string]reply{"GET /self-service/" + kind + "/flows?id=f": {status: row.status, body: row.body}}}
			w := ask(t, a, http.MethodGet, row.page, cookie)
			if w.Code != http.StatusSeeOther || w.Header().Get("Location") != row.want {
				t.Errorf("%d to %q, want 303 to %q", w.Code, w.Header().Get("Location"), row.want)
			}
		})
	}
}

// A browser is followed through pages and flow starts; the API here never
// accepts a flow, as for a browser whose CSRF cookie it does not get back.
func TestNoBrowserGoesInCircles(t *testing.T) {
	for _, row := range []struct {
		name    string
		cookies bool // whether the browser keeps cookies
		held    string
		atMost  int
	}{
		{"keeps no cookies", false, "", 2},
		{"keeps only the pages' cookies", true, "", 4},
		{"sends other cookies, keeps none", false, "a=b", 2},
		{"sends other cookies", true, "a=b", 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := &api{}
			target, jar := "/ui/login?flow=f&return_to=%2Fx", map[string]string{}
			for hop := 1; ; hop++ {
				var lines []string
				if row.held != "" {
					lines = append(lines, "Cookie: "+row.held)
				}
				for name, value := range jar {
					lines = append(lines, "Cookie: "+name+"="+value)
				}
				w := ask(t, a, http.MethodGet, target, lines...)
				if row.cookies {
					for _, c := range w.Result().Cookies() {
						jar[c.Name] = c.Value
					}
				}
				if w.Code == http.StatusForbidden {
					if !strings.Contains(w.Body.String(), "/self-service/login/browser?return_to=%2Fx") {
						t.Errorf("no way to try again:\n%s", w.Body)
					}
					return
				}
				if w.Code != http.StatusSeeOther {
					t.Fatalf("status %d", w.Code)
				}
				if hop > row.atMost && row.atMost > 0 {
					t.Fatalf("still redirected after %d pages", hop)
				}
				next, err := url.Parse(w.Header().Get("Location"))
				if err != nil {
					t.Fatal(err)
				}
				target = "/ui/login?flow=f&return_to=%2Fx" // what the API answers to a start
				if strings.HasPrefix(next.Path, "/ui/") {
					target = next.RequestURI()
				}
			}
		})
	}
}

func TestASeenFlowEndsTheCountOfRestarts(t *testing.T) {
	f := load(t, "login_password")
	a := &api{answers: map[string]reply{"GET /self-service/login/flows?id=f": {status: 200, body: f.body}}}
	w := ask(t, a, http.MethodGet, "/ui/login?flow=f", "Cookie: styx_ui_restarts=1")
	got := w.Result().Cookies()
	if len(got) != 1 || got[0].Name != "styx_ui_restarts" || got[0].MaxAge >= 0 || got[0].Path != "/ui/" {
		t.Errorf("cookies %v", got)
	}
}

func TestCookiesPassBothWays(t *testing.T) {
	f := load(t, "login_password")
	a := &api{answers: map[string]reply{"GET /self-service/login/flows?id=f": {
		status: 200, body: f.body,
		cookies: []string{"csrf_token_a=new; Path=/; HttpOnly; SameSite=Lax", "other=1; Path=/"},
	}}}
	w := ask(t, a, http.MethodGet, "/ui/login?flow=f", "Cookie: csrf_token_a=b; ory_kratos_session=s", "Authorization: Bearer x", "X-Session-Token: y", "Origin: https://a.example")
	if got := w.Header().Values("Set-Cookie"); len(got) != 2 || got[0] != "csrf_token_a=new; Path=/; HttpOnly; SameSite=Lax" {
		t.Errorf("Set-Cookie %q", got)
	}
	asked := a.asked[0]
	if got := asked.Header.Get("Cookie"); got != "csrf_token_a=b; ory_kratos_session=s" {
		t.Errorf("the API got Cookie %q", got)
	}
	if got := asked.Header.Get("Accept"); got != "application/json" {
		t.Errorf("the API got Accept %q", got)
	}
	for _, name := range []string{"Authorization", "X-Session-Token", "Origin"} {
		if asked.Header.Get(name) != "" {
			t.Errorf("the API got %s", name)
		}
	}
}

func TestWhatTheAPIRefusesIsSaid(t *testing.T) {
	a := &api{answers: map[string]reply{"GET /self-service/login/flows?id=f": {status: 503, body: `{"error":{"code":503,"reason":"Busy <now>."}}`}}}
	w := ask(t, a, http.MethodGet, "/ui/login?flow=f")
	if w.Code != 503 || !strings.Contains(w.Body.String(), "Busy &lt;now&gt;.") {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
}

func TestOtherWaysKeepWhereTheBrowserWasGoing(t *testing.T) {
	page := load(t, "login_password").render(t).Body.String()
	for _, want := range []string{
		`href="https://id.example.org/self-service/registration/browser?return_to=https%3A%2F%2Fshop.example.org%2Fbasket"`,
		`href="https://id.example.org/self-service/recovery/browser?return_to=https%3A%2F%2Fshop.example.org%2Fbasket"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
}
