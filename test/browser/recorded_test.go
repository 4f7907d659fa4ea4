//go:build browser

package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"styx/internal/method/webauthn/script"
	"styx/internal/pages"
)

// recorded serves the flows that the tests of internal/pages keep, as pages:
// also those that are hard to bring about, such as one with every method.
func recorded(t *testing.T) (base string, paths []string) {
	t.Helper()
	files, err := filepath.Glob("../../internal/pages/testdata/flows/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded flows: %v", err)
	}
	flows := map[string]string{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		kind, _, _ := strings.Cut(name, "_")
		flows[name] = string(body)
		paths = append(paths, "/ui/"+kind+"?flow="+name)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("GET /self-service/{kind}/flows", func(w http.ResponseWriter, r *http.Request) {
		body := strings.NewReplacer("https://id.example.org", server.URL, "sha512-AAAA", script.Integrity).Replace(flows[r.URL.Query().Get("id")])
		_, _ = w.Write([]byte(body))
	})
	mux.HandleFunc("GET /self-service/logout/browser", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"logout_url": server.URL + "/self-service/logout?token=t"})
	})
	mux.HandleFunc("GET "+script.Path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, _ = w.Write([]byte(script.Source))
	})
	mux.Handle("/ui/", pages.New(pages.Options{API: mux, PublicURL: server.URL}))
	return server.URL, paths
}

// TestEveryRecordedFlow looks at each page, and walks through it by the Tab key.
func TestEveryRecordedFlow(t *testing.T) {
	base, paths := recorded(t)
	for _, path := range paths {
		_, name, _ := strings.Cut(path, "=")
		t.Run(name, func(t *testing.T) {
			p := visitor(t, base)
			p.visit(path)
			p.walk()
		})
	}
}

// walk presses Tab until the end of the page: every control is reached, in the
// order in which it is read, and shows that it is.
func (p *person) walk() {
	p.t.Helper()
	const list = `window.walked = Array.from(document.querySelectorAll("a[href], button, input:not([type=hidden]), select, [tabindex='0']"))
		.filter((e) => e.checkVisibility({checkVisibilityCSS: true}) && !e.disabled);
		document.body.tabIndex = -1; document.body.focus(); walked.length`
	// The parts of a date are stops of their own within one control.
	const step = `(() => {
		const e = document.activeElement, s = getComputedStyle(e);
		return {at: walked.indexOf(e), name: e.localName + " " + (e.name || e.textContent.trim()), seen: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2};
	})()`
	type stop struct {
		At   int
		Name string
		Seen bool
	}
	count, at := value[int](p, list), -1
	for range 8 * count {
		p.do("press Tab", chromedp.KeyEvent(kb.Tab))
		s := value[stop](p, step)
		if s.At == at {
			continue
		}
		if s.At != at+1 {
			p.t.Errorf("after control %d of %d Tab leads to %d, %s", at, count, s.At, s.Name)
			return
		}
		if !s.Seen {
			p.t.Errorf("nothing shows that the focus is on %s", s.Name)
		}
		if at = s.At; at == count-1 {
			return
		}
	}
	p.t.Error(fmt.Errorf("Tab leads to the first %d of %d controls", at+1, count))
}

// TestWhatIsShownOnceCanBeKept copies and prints backup codes.
func TestWhatIsShownOnceCanBeKept(t *testing.T) {
	base, _ := recorded(t)
	p := visitor(t, base)
	p.visit("/ui/settings?flow=settings_codes_new")
	p.do("watch the printer", chromedp.Evaluate[chromedp.Void](`window.print = () => { window.printed = true }`))
	p.tap("Print")
	if !value[bool](p, "window.printed") {
		t.Error("nothing was printed")
	}
	p.tap("Copy")
	p.sees("Copied.")
	p.visit("/ui/settings?flow=settings_codes_shown")
	p.do("watch the clipboard", chromedp.Evaluate[chromedp.Void](`navigator.clipboard.writeText = async (text) => { window.copied = text }`))
	p.tap("Copy")
	p.sees("Copied.")
	if copied := value[string](p, "window.copied"); copied != "abcd1234\n" {
		t.Errorf("copied %q, want the one code that is not used", copied)
	}
}

// TestAKeyThatFailsIsTold: the address of these pages is not the one that the
// recorded keys belong to, and the options for a new one lack what they need.
func TestAKeyThatFailsIsTold(t *testing.T) {
	base, _ := recorded(t)
	for _, row := range []struct{ flow, button, told string }{
		{"login_everything", "Sign in with passkey", "Keys do not work at this address."},
		{"login_second_factor", "Sign in with a hardware key", "Keys do not work at this address."},
		{"login_security_key", "Continue", "Keys do not work at this address."},
		{"settings_everything", "Add security key", "That did not work: "},
	} {
		t.Run(row.flow, func(t *testing.T) {
			kind, _, _ := strings.Cut(row.flow, "_")
			p := visitor(t, base)
			p.visit("/ui/" + kind + "?flow=" + row.flow)
			p.tap(row.button)
			p.sees(row.told)
			p.look()
		})
	}
}
