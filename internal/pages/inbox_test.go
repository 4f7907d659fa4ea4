package pages_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"styx/internal/courier"
	"styx/internal/courier/inbox"
	"styx/internal/pages"
)

// filled is an inbox with one mail of each kind.
func filled(t *testing.T) *inbox.Inbox {
	t.Helper()
	box := inbox.New(func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) })
	for _, l := range []courier.Letter{
		{
			ID: "coded", To: "ann@example.org",
			Content: courier.Content{Subject: "Your <code>", Text: "It is 123456.", HTML: "<script>alert(1)</script><b>123456</b>"},
			Data:    json.RawMessage(`{"verification_code":"123456","verification_url":"https://id.example.org/self-service/verification?code=123456"}`),
		},
		{
			ID: "hostile", To: "<b>", Content: courier.Content{Text: "\n <i>first</i> line\nsecond"},
			Data: json.RawMessage(`{"recovery_url":"javascript:alert(1)","to":7}`),
		},
		{ID: "torn", To: "eve@example.org", Content: courier.Content{Subject: "Torn"}, Data: json.RawMessage(`[`)},
	} {
		if err := box.Send(t.Context(), &l); err != nil {
			t.Fatal(err)
		}
	}
	return box
}

// look asks for a page as a browser on this machine does.
func look(t *testing.T, target string, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "127.0.0.1:4433"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	pages.New(pages.Options{API: &api{}, PublicURL: public, Inbox: filled(t)}).ServeHTTP(w, r)
	return w
}

func TestTheInboxShowsCodesAndLinks(t *testing.T) {
	for target, want := range map[string][]string{
		"/ui/inbox":         {"Your &lt;code&gt;", "code <code>123456</code>", `href="https://id.example.org/self-service/verification?code=123456"`, "&lt;i&gt;first&lt;/i&gt; line", "to &lt;b&gt;", "Torn"},
		"/ui/inbox/coded":   {"It is 123456.", "<code>123456</code>", "/ui/inbox/coded/html", "Open its link"},
		"/ui/inbox/hostile": {"&lt;i&gt;first&lt;/i&gt; line\nsecond"},
	} {
		w := look(t, target, nil)
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", target, w.Code)
		}
		for _, part := range want {
			if !strings.Contains(w.Body.String(), part) {
				t.Errorf("%s: no %q in\n%s", target, part, w.Body)
			}
		}
		if strings.Contains(w.Body.String(), "javascript:") || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s: a mail's script is in\n%s", target, w.Body)
		}
	}
}

// TestMailInHTMLCanDoNothing: it has an origin of its own, without scripts,
// forms and pictures from elsewhere.
func TestMailInHTMLCanDoNothing(t *testing.T) {
	w := look(t, "/ui/inbox/coded/html", nil)
	policy := w.Header().Get("Content-Security-Policy")
	if w.Code != http.StatusOK || !strings.HasPrefix(policy, "sandbox allow-popups; default-src 'none';") || strings.Contains(policy, "allow-scripts") {
		t.Errorf("%d under %q", w.Code, policy)
	}
	for _, target := range []string{"/ui/inbox/torn/html", "/ui/inbox/none/html", "/ui/inbox/none", "/ui/inbox/"} {
		if w := look(t, target, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

// TestTheInboxIsForThisMachine alone, and for none of its proxies.
func TestTheInboxIsForThisMachine(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"here":          {nil, 200},
		"by name":       {func(r *http.Request) { r.Host = "LocalHost" }, 200},
		"by IPv6":       {func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:50000", "[::1]:4433" }, 200},
		"mapped":        {func(r *http.Request) { r.RemoteAddr = "[::ffff:127.0.0.1]:50000" }, 200},
		"another host":  {func(r *http.Request) { r.RemoteAddr = "192.0.2.1:50000" }, 404},
		"unknown":       {func(r *http.Request) { r.RemoteAddr = "" }, 404},
		"rebound DNS":   {func(r *http.Request) { r.Host = "evil.example:4433" }, 404},
		"looks like it": {func(r *http.Request) { r.Host = "127.0.0.1.evil.example" }, 404},
		"proxied":       {func(r *http.Request) { r.Header.Set("X-Forwarded-For", "127.0.0.1") }, 404},
		"forwarded":     {func(r *http.Request) { r.Header.Set("Forwarded", "for=127.0.0.1") }, 404},
	} {
		for _, target := range []string{"/ui/inbox", "/ui/inbox/coded", "/ui/inbox/coded/html"} {
			if w := look(t, target, c.change); w.Code != c.want {
				t.Errorf("%s: %s answers %d, want %d", name, target, w.Code, c.want)
			}
		}
	}
}

// TestNoInbox is not there at all.
func TestNoInbox(t *testing.T) {
	w := serve(t, pages.Options{API: &api{}, PublicURL: public}, http.MethodGet, "/ui/inbox", "")
	if w.Code != http.StatusNotFound {
		t.Errorf("answers %d", w.Code)
	}
}
