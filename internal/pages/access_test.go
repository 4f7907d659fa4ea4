package pages_test

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"styx/internal/pages"
)

// everyPage renders every fixture and every page that is not a flow.
func everyPage(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, f := range fixtures(t) {
		out[f.name] = f.render(t).Body.String()
	}
	for _, target := range []string{"/", "/ui/session", "/ui/welcome", "/ui/error?id=e", "/ui/error", "/ui/nowhere"} {
		out[target] = ask(t, signedIn(), http.MethodGet, target).Body.String()
	}
	out["signed out"] = ask(t, &api{answers: map[string]reply{"GET /sessions/whoami": {status: 401, body: "{}"}}}, http.MethodGet, "/ui/welcome").Body.String()
	return out
}

type element struct {
	*html.Node
}

func (e element) get(name string) string {
	for _, a := range e.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func (e element) has(name string) bool {
	return slices.ContainsFunc(e.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func (e element) text() string {
	var b strings.Builder
	for n := range e.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// within says whether an element stands inside one of a tag.
func (e element) within(tag string) bool {
	for n := range e.Ancestors() {
		if n.Data == tag {
			return true
		}
	}
	return false
}

func elements(t *testing.T, page string) []element {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out []element
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			out = append(out, element{n})
		}
	}
	return out
}

func TestPagesAreMadeToBeHeardAndTyped(t *testing.T) {
	for name, page := range everyPage(t) {
		t.Run(name, func(t *testing.T) {
			all := elements(t, page)
			ids, labels, count := map[string]bool{}, map[string]string{}, map[string]int{}
			for _, e := range all {
				count[e.Data]++
				if id := e.get("id"); e.has("id") {
					if id == "" || ids[id] || strings.ContainsAny(id, " \t\n") {
						t.Errorf("id %q is empty, used twice or has spaces", id)
					}
					ids[id] = true
				}
				if e.Data == "label" {
					labels[e.get("for")] = e.text()
				}
			}
			if count["h1"] != 1 || count["main"] != 1 || count["title"] != 1 {
				t.Errorf("h1, main and title: %d, %d, %d times", count["h1"], count["main"], count["title"])
			}
			for _, e := range all {
				checkElement(t, e, ids, labels)
			}
		})
	}
}

func checkElement(t *testing.T, e element, ids map[string]bool, labels map[string]string) {
	t.Helper()
	switch e.Data {
	case "html":
		if e.get("lang") == "" {
			t.Error("no language")
		}
	case "input", "select":
		if e.get("type") != "hidden" && labels[e.get("id")] == "" {
			t.Errorf("%s %q has no label", e.Data, e.get("name"))
		}
		if e.has("aria-invalid") && e.get("aria-describedby") == "" {
			t.Errorf("%q is invalid and nothing says why", e.get("name"))
		}
		if !e.within("form") {
			t.Errorf("%q stands outside a form", e.get("name"))
		}
	case "button":
		if e.text() == "" || e.get("type") == "" {
			t.Errorf("button %q has no text or no type", e.get("name"))
		}
		if e.get("type") == "button" && !e.has("hidden") {
			t.Errorf("button %q shows without JavaScript and does nothing", e.get("name"))
		}
	case "a":
		if e.get("href") == "" || e.text() == "" && len(elementsIn(e, "img")) == 0 {
			t.Errorf("link %q has no target or no text", e.get("href"))
		}
		if to, local := strings.CutPrefix(e.get("href"), "#"); local && !ids[to] {
			t.Errorf("link to #%s, which is not there", to)
		}
	case "img":
		if e.get("alt") == "" {
			t.Error("image without a text")
		}
	case "form":
		if e.get("method") != "post" && e.get("method") != "get" {
			t.Errorf("form by %q", e.get("method"))
		}
	case "style":
		t.Error("inline style sheet")
	case "script":
		if e.get("src") == "" || e.text() != "" {
			t.Error("inline script")
		}
	}
	if e.get("tabindex") > "0" {
		t.Errorf("%s changes the focus order", e.Data)
	}
	for _, a := range e.Attr {
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			t.Errorf("%s has an inline %s", e.Data, a.Key)
		}
	}
	for _, name := range []string{"aria-describedby", "aria-labelledby"} {
		for id := range strings.FieldsSeq(e.get(name)) {
			if !ids[id] {
				t.Errorf("%s %s names %q, which is not there", e.Data, name, id)
			}
		}
	}
}

func elementsIn(e element, tag string) []element {
	var out []element
	for n := range e.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag {
			out = append(out, element{n})
		}
	}
	return out
}

// Enter in a field presses the first submit button of the field's form.
func TestEnterNeverRemovesResendsOrLeaves(t *testing.T) {
	typed := 0
	for _, f := range fixtures(t) {
		for _, form := range elements(t, f.render(t).Body.String()) {
			if form.Data != "form" || !slices.ContainsFunc(elementsIn(form, "input"), func(e element) bool { return e.get("type") != "hidden" }) {
				continue
			}
			for _, b := range elementsIn(form, "button") {
				if b.get("type") != "submit" {
					continue
				}
				typed++
				lone := f.name == "registration_provider_asks" && b.get("name") == "provider"
				if b.get("name") != "method" && !lone {
					t.Errorf("%s: Enter presses %s=%s", f.name, b.get("name"), b.get("value"))
				}
				if b.has("formnovalidate") && !lone {
					t.Errorf("%s: the first button %s=%s skips the browser's validation", f.name, b.get("name"), b.get("value"))
				}
				break
			}
		}
	}
	if typed < 15 {
		t.Errorf("only %d forms to type in", typed)
	}
}

// Each form carries what its method needs, wherever the API listed it.
func TestFormsCarryWhatTheirMethodNeeds(t *testing.T) {
	for _, row := range []struct{ fixture, button, needs string }{
		{"login_everything", "method=password", "csrf_token identifier password"},
		{"login_everything", "method=code", "csrf_token identifier"},
		{"login_everything", "passkey_login_trigger=", "csrf_token passkey_login passkey_challenge"},
		{"login_everything", "provider=harbour", "csrf_token"},
		{"login_second_factor", "method=totp", "csrf_token totp_code"},
		{"login_second_factor", "method=lookup_secret", "csrf_token lookup_secret"},
		{"login_second_factor", "webauthn_login_trigger=*", "csrf_token identifier webauthn_login"},
		{"login_second_factor", "address=ann@example.org", "csrf_token identifier"},
		{"login_code_sent", "resend=code", "csrf_token identifier method"},
		{"login_identifier_first", "method=identifier_first", "csrf_token identifier"},
		{"registration_credentials", "method=password", "csrf_token traits.email traits.newsletter password"},
		{"registration_credentials", "method=code", "csrf_token traits.email traits.newsletter"},
		{"registration_credentials", "screen=previous", "csrf_token traits.email traits.newsletter"},
		{"registration_credentials", "webauthn_register_trigger=*", "csrf_token traits.email webauthn_register webauthn_register_displayname"},
		{"registration_credentials", "passkey_register_trigger=", "csrf_token traits.email passkey_register passkey_create_data"},
		{"registration_one_step", "method=code", "csrf_token traits.email"},
		{"registration_provider_asks", "provider=harbour", "csrf_token traits.email traits.name.first"},
		{"settings_everything", "method=profile", "csrf_token traits.email traits.newsletter"},
		{"settings_everything", "webauthn_remove=0a0b", "csrf_token"},
		{"settings_everything", "method=totp", "csrf_token totp_code"},
		{"settings_codes_shown", "lookup_secret_confirm=true", "csrf_token"},
		{"recovery_code_sent", "email=ann@example.org", "csrf_token method"},
		{"recovery_address", "method=code", "csrf_token recovery_address"},
		{"recovery_confirm_address", "method=code", "csrf_token recovery_address recovery_confirm_address"},
		{"recovery_confirm_address", "screen=previous", "csrf_token recovery_address"},
		{"recovery_code_awaited", "method=code", "csrf_token code recovery_address"},
		{"recovery_code_awaited", "recovery_confirm_address=ann@example.org", "csrf_token method recovery_address"},
		{"recovery_choose_address", "recovery_select_address=aGFzaDI=", "csrf_token method recovery_address"},
		{"login_identifier_passkey", "method=identifier_first", "csrf_token identifier passkey_login passkey_challenge"},
		{"login_identified", "method=password", "csrf_token identifier password"},
		{"login_identified", "method=code", "csrf_token identifier"},
		{"login_identified", "passkey_login_trigger=", "csrf_token passkey_login passkey_challenge"},
		{"login_identified_code", "method=code", "csrf_token identifier code"},
		{"login_identified_code", "resend=code", "csrf_token identifier method"},
		{"login_security_key", "webauthn_login_trigger=*", "csrf_token identifier webauthn_login"},
		{"registration_code_sent", "resend=code", "csrf_token traits.email method"},
		{"verification_code_sent", "method=code", "csrf_token code"},
	} {
		t.Run(row.fixture+" "+row.button, func(t *testing.T) {
			name, value, _ := strings.Cut(row.button, "=")
			for _, form := range elements(t, load(t, row.fixture).render(t).Body.String()) {
				if form.Data != "form" || !slices.ContainsFunc(elementsIn(form, "button"), func(b element) bool {
					return b.get("name") == name && (value == "*" || b.get("value") == value)
				}) {
					continue
				}
				var has []string
				for _, i := range append(elementsIn(form, "input"), elementsIn(form, "select")...) {
					has = append(has, i.get("name"))
				}
				for want := range strings.FieldsSeq(row.needs) {
					if !slices.Contains(has, want) {
						t.Errorf("the form has no %s, only %v", want, has)
					}
				}
				return
			}
			t.Error("no form has this button")
		})
	}
}

// What the API's script writes its result into is the first input of its name,
// and stands in the form of the button that started it.
func TestScriptsFindTheirInputsInTheRightForm(t *testing.T) {
	for fixture, pairs := range map[string]map[string]string{
		"registration_credentials": {"webauthn_register": "webauthn_register_trigger", "passkey_register": "passkey_register_trigger"},
		"settings_everything":      {"webauthn_register": "webauthn_register_trigger", "passkey_settings_register": "passkey_register_trigger"},
		"login_everything":         {"passkey_login": "passkey_login_trigger"},
		"login_second_factor":      {"webauthn_login": "webauthn_login_trigger"},
	} {
		all := elements(t, load(t, fixture).render(t).Body.String())
		for input, trigger := range pairs {
			at := slices.IndexFunc(all, func(e element) bool { return e.get("name") == input })
			by := slices.IndexFunc(all, func(e element) bool { return e.get("name") == trigger })
			if at < 0 || by < 0 || formOf(all[at]) != formOf(all[by]) || formOf(all[at]) == nil {
				t.Errorf("%s: %s and %s do not stand in one form", fixture, input, trigger)
			}
		}
	}
}

func formOf(e element) *html.Node {
	for n := range e.Ancestors() {
		if n.Data == "form" {
			return n
		}
	}
	return nil
}

func TestErrorsAreInTitleSummaryAndField(t *testing.T) {
	page := load(t, "registration_profile_errors").render(t).Body.String()
	for _, want := range []string{
		"<title>Error: Create an account",
		`role="alert"`,
		`<a href="#traits.email">E-mail: &#34;ann@&#34; is not valid &#34;email&#34;</a>`,
		`aria-invalid="true" aria-describedby="traits.email-note1"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
}

// WCAG 2.2 asks for 4.5:1 for text and 3:1 for the edges of controls.
func TestColoursHaveContrast(t *testing.T) {
	w := ask(t, &api{}, http.MethodGet, "/ui/styx.css")
	light, dark, _ := strings.Cut(w.Body.String(), "@media (prefers-color-scheme: dark)")
	for theme, css := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, row := range []struct {
			front, back string
			least       float64
		}{
			{"text", "page", 4.5},
			{"text", "card", 4.5},
			{"soft", "page", 4.5},
			{"soft", "card", 4.5},
			{"accent", "page", 4.5},
			{"accent", "card", 4.5},
			{"accent", "note-soft", 4.5},
			{"accent-over", "card", 4.5},
			{"on-accent", "accent", 4.5},
			{"on-accent", "accent-over", 4.5},
			{"bad", "card", 4.5},
			{"bad", "bad-soft", 4.5},
			{"text", "bad-soft", 4.5},
			{"text", "good-soft", 4.5},
			{"text", "note-soft", 4.5},
			{"edge", "card", 3},
			{"good", "good-soft", 3},
		} {
			front, ok := colours[row.front]
			back, ok2 := colours[row.back]
			if !ok || !ok2 {
				t.Fatalf("%s theme: no colour %s or %s", theme, row.front, row.back)
			}
			if got := (max(front, back) + 0.05) / (min(front, back) + 0.05); got < row.least {
				t.Errorf("%s theme: %s on %s has %.2f:1, wants %.1f:1", theme, row.front, row.back, got, row.least)
			}
		}
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func TestEveryClassOfTheTemplatesIsInTheSheet(t *testing.T) {
	sheet, err := os.ReadFile("assets/styx.css")
	if err != nil {
		t.Fatal(err)
	}
	plain := map[string]bool{"text": true} // an element's class may also be a word of a value
	for name, page := range everyPage(t) {
		for _, e := range elements(t, page) {
			for class := range strings.FieldsSeq(e.get("class")) {
				if !plain[class] && !regexp.MustCompile(fmt.Sprintf(`\.%s\b`, regexp.QuoteMeta(class))).Match(sheet) {
					t.Errorf("%s: class %q is not in the style sheet", name, class)
				}
			}
		}
	}
}

func TestURLsAndPatterns(t *testing.T) {
	urls := pages.UIURLs(public + "/")
	for _, page := range []string{"login", "registration", "settings", "recovery", "verification", "error", "session", "welcome"} {
		if urls[page] != public+"/ui/"+page {
			t.Errorf("%s at %q", page, urls[page])
		}
	}
	if len(urls) != 8 {
		t.Errorf("%d URLs", len(urls))
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.NotFoundHandler())
	mux.Handle("GET /sessions/whoami", http.NotFoundHandler())
	for _, pattern := range pages.Patterns() {
		mux.Handle(pattern, pages.New(pages.Options{API: &api{}, PublicURL: public}))
	}
}
