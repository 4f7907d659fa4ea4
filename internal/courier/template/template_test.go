package template

import (
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"styx/internal/config"
	"styx/internal/courier"
)

// data is what every template can show something of.
func data() *courier.Fields {
	return &courier.Fields{
		To: "ann@example.org", RecoveryCode: "111111", VerificationCode: "222222", RegistrationCode: "333333", LoginCode: "444444",
		RecoveryURL:      "https://id.example.org/self-service/recovery?flow=f&token=t",
		VerificationURL:  "https://id.example.org/self-service/verification?code=222222&flow=f",
		RequestURLDomain: "id.example.org", ExpiresInMinutes: 15,
		Identity:  map[string]any{"traits": map[string]any{"email": "ann@example.org", "name": "<b>Ann</b>"}},
		ChangedAt: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC),
	}
}

func render(t *testing.T, o Options, name courier.Template, kind courier.Type) courier.Content {
	t.Helper()
	content, err := New(o).Render(t.Context(), name, kind, data())
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// The subjects are the contract's.
var subjects = map[courier.Template]string{
	courier.RecoveryCodeValid:       "Use code 111111 to recover access to your account",
	courier.RecoveryCodeInvalid:     "Account access attempted",
	courier.RecoveryValid:           "Recover access to your account",
	courier.RecoveryInvalid:         "Account access attempted",
	courier.VerificationCodeValid:   "Use code 222222 to verify your account",
	courier.VerificationCodeInvalid: "Someone tried to verify this email address",
	courier.VerificationValid:       "Please verify your email address",
	courier.VerificationInvalid:     "Someone tried to verify this email address",
	courier.RegistrationCodeValid:   "Use code 333333 to complete your account registration",
	courier.LoginCodeValid:          "Use code 444444 to log in",
	courier.AddressChanged:          "A verifiable address on your account was changed",
	courier.AuthenticatorAdded:      "A new sign-in method was added to your account",
	courier.Stub:                    "stub",
}

func TestDefaultMails(t *testing.T) {
	tag := regexp.MustCompile(`<(/?)([a-z0-9]+)[^>]*>`)
	for name, want := range subjects {
		mail := render(t, Options{}, name, courier.Email)
		if mail.Subject != want {
			t.Errorf("%s has the subject %q, want %q", name, mail.Subject, want)
		}
		for _, text := range []string{mail.Subject, mail.Text, mail.HTML} {
			if strings.Contains(text, "<no value>") || strings.Contains(text, "{{") || strings.TrimSpace(text) == "" {
				t.Errorf("%s says %q", name, text)
			}
		}
		if strings.Contains(mail.HTML, "ZgotmplZ") {
			t.Errorf("%s: a value was refused in %s", name, mail.HTML)
		}
		// Every tag that opens is closed: mail clients are no browsers.
		var open []string
		for _, found := range tag.FindAllStringSubmatch(mail.HTML, -1) {
			switch {
			case found[2] == "meta":
			case found[1] == "":
				open = append(open, found[2])
			case len(open) == 0 || open[len(open)-1] != found[2]:
				t.Fatalf("%s: </%s> closes none of %v", name, found[2], open)
			default:
				open = open[:len(open)-1]
			}
		}
		if len(open) > 0 {
			t.Errorf("%s: %v stay open", name, open)
		}
	}
}

// A mail holds its code and its link in both parts, and no other six digits for
// a reader to take for the code.
func TestMailsHoldTheirSecret(t *testing.T) {
	for name, want := range map[courier.Template]struct{ code, link string }{
		courier.RecoveryCodeValid:     {"111111", ""},
		courier.RecoveryValid:         {"", data().RecoveryURL},
		courier.VerificationCodeValid: {"222222", data().VerificationURL},
		courier.VerificationValid:     {"", data().VerificationURL},
		courier.RegistrationCodeValid: {"333333", ""},
		courier.LoginCodeValid:        {"444444", ""},
	} {
		mail := render(t, Options{}, name, courier.Email)
		code := regexp.MustCompile(`\b\d{6}\b`).FindString(mail.Text)
		link := regexp.MustCompile(`https?://[^\s"<>]+`).FindString(mail.Text)
		if want.code != "" && code != want.code || link != want.link {
			t.Errorf("%s: code %q, link %q", name, code, link)
		}
		escaped := strings.ReplaceAll(want.link, "&", "&amp;")
		if want.link != "" && !strings.Contains(mail.HTML, `href="`+escaped+`"`) || !strings.Contains(mail.HTML, want.code) {
			t.Errorf("%s: not in %s", name, mail.HTML)
		}
	}
}

func TestDefaultTextMessages(t *testing.T) {
	for name, want := range map[courier.Template]string{
		courier.RecoveryCodeValid:     "Your recovery code is: 111111\n\n@id.example.org #111111",
		courier.VerificationCodeValid: "Your verification code is: 222222\n\nIt expires in 15 minutes.\n\n@id.example.org #222222",
		courier.RegistrationCodeValid: "Your registration code is: 333333\n\nIt expires in 15 minutes.\n\n@id.example.org #333333\n",
		courier.LoginCodeValid:        "Your login code is: 444444\n\nIt expires in 15 minutes.\n\n@id.example.org #444444",
	} {
		if got := render(t, Options{}, name, courier.SMS); got != (courier.Content{Text: want}) {
			t.Errorf("%s says %q, want %q", name, got, want)
		}
	}
	for _, name := range []courier.Template{courier.AddressChanged, courier.AuthenticatorAdded} {
		if got := render(t, Options{}, name, courier.SMS); got.Text == "" || got.Subject != "" {
			t.Errorf("%s says %q", name, got)
		}
	}
}

// Parts are overridden one by one, by URI before by file.
func TestOverrides(t *testing.T) {
	b64 := func(text string) string { return "base64://" + base64.StdEncoding.EncodeToString([]byte(text)) }
	fetched := map[string]int{}
	o := Options{
		Templates: map[string]config.Template{"recovery_code_valid": {
			Subject: b64("Back into the\n {{ \"harbour\" | title }}"),
			Plain:   b64(`{{ if eq .ExpiresInMinutes 15 }}{{ .RecoveryCode }}{{ end }} for {{ index .Identity.traits "email" }}{{ with .TransientPayload }}, {{ .greeting }}{{ end }}`),
		}},
		Fetch: func(_ context.Context, uri string) ([]byte, error) {
			fetched[uri]++
			return base64.StdEncoding.DecodeString(strings.TrimPrefix(uri, "base64://"))
		},
		Folder: fstest.MapFS{
			"recovery_code/valid/email.subject.gotmpl": {Data: []byte("not this one")},
			"recovery_code/valid/email.body.gotmpl":    {Data: []byte(`<p>{{ .Identity.traits.name }}</p>`)},
			"recovery_code/valid/sms.body.gotmpl":      {Data: []byte(`{{ .RecoveryCode }} in {{ env "HOME" | len | lt 0 }}`)},
		},
	}
	r := New(o)
	for range 2 {
		mail, err := r.Render(t.Context(), courier.RecoveryCodeValid, courier.Email, data())
		want := courier.Content{Subject: "Back into the Harbour", Text: "111111 for ann@example.org", HTML: "<p>&lt;b&gt;Ann&lt;/b&gt;</p>"}
		if err != nil || mail != want {
			t.Errorf("%v\n%+v, want\n%+v", err, mail, want)
		}
	}
	for uri, count := range fetched {
		if count != 1 {
			t.Errorf("%s was read %d times", uri, count)
		}
	}
	if text := render(t, o, courier.RecoveryCodeValid, courier.SMS); text.Text != "111111 in true" {
		t.Errorf("the text message says %q", text.Text)
	}
	if mail := render(t, o, courier.LoginCodeValid, courier.Email); !strings.Contains(mail.Text, "444444") {
		t.Errorf("a template that is not overridden says %q", mail.Text)
	}
}

// What comes over the network learns nothing of this process.
func TestRemoteTemplatesAreHermetic(t *testing.T) {
	for _, function := range []string{`env "HOME"`, `expandenv "$HOME"`, `now`, `getHostByName "localhost"`, `uuidv4`} {
		for uri, allowed := range map[string]bool{"https://templates.example.org/a": false, "http://templates.example.org/a": false, "file:///a": true} {
			o := Options{
				Templates: map[string]config.Template{"stub": {Subject: uri}},
				Fetch:     func(context.Context, string) ([]byte, error) { return []byte("{{ " + function + " }}"), nil },
			}
			if _, err := New(o).Render(t.Context(), courier.Stub, courier.Email, data()); (err == nil) != allowed {
				t.Errorf("%s from %s: %v", function, uri, err)
			}
		}
	}
}

func TestTemplatesThatFail(t *testing.T) {
	broken := errors.New("the network is down")
	text := ""
	o := Options{
		Templates: map[string]config.Template{"stub": {Plain: "file://x"}},
		Fetch: func(context.Context, string) ([]byte, error) {
			if text == "" {
				return nil, broken
			}
			return []byte(text), nil
		},
	}
	r := New(o)
	if _, err := r.Render(t.Context(), courier.Stub, courier.Email, data()); !errors.Is(err, broken) {
		t.Errorf("unreachable: %v", err)
	}
	for _, text = range []string{"{{ .Colour }}", "{{ broken", `{{ range until 100000 }}xxxxxxxxxxxxxxxx{{ end }}`, `{{ fail "on purpose" }}`} {
		if got, err := New(o).Render(t.Context(), courier.Stub, courier.Email, data()); err == nil {
			t.Errorf("%s rendered %q", text, got.Text)
		}
	}
	text = "well again"
	if got, err := r.Render(t.Context(), courier.Stub, courier.Email, data()); err != nil || got.Text != text {
		t.Errorf("after the network came back: %q, %v", got.Text, err)
	}
	if _, err := r.Render(t.Context(), "birthday", courier.Email, data()); err == nil {
		t.Error("a template that does not exist rendered")
	}
	dead := Options{Folder: unreadable{}}
	if _, err := New(dead).Render(t.Context(), courier.Stub, courier.Email, data()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a file that can not be read: %v", err)
	}
}

type unreadable struct{}

func (unreadable) Open(string) (fs.File, error) { return nil, fs.ErrPermission }
