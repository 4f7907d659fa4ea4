//go:build browser

package browser

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"styx/internal/method/webauthn/script"
)

//go:embed testdata/elsewhere.html
var elsewhere string

// Options for new keys and for the use of keys; the bytes are chosen so that
// base64 and base64url differ.
const (
	challenge = "-_-_-_-_-_-_-_-_-_-_-w"
	handle    = "_-8A_g"
	create    = `{"challenge":"` + challenge + `","rp":{"id":"localhost","name":"Styx"},"user":{"id":"` + handle + `","name":"n","displayName":"d"},` +
		`"pubKeyCredParams":[{"type":"public-key","alg":-7}],"authenticatorSelection":{"residentKey":"required"}}`
	get = `{"challenge":"` + challenge + `","rpId":"localhost"}`
)

// TestPagesOfOthersUseTheScript from another origin, with attributes that call
// its functions, as the interfaces written for Kratos do.
func TestPagesOfOthersUseTheScript(t *testing.T) {
	base := serve(t)
	var sent url.Values
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = strings.NewReplacer("SCRIPT", base+script.Path, "INTEGRITY", script.Integrity, "CREATE", create, "GET", get).WriteString(w, elsewhere)
	})
	mux.HandleFunc("POST /sent", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // what is missing is missed below
		sent = r.PostForm
		_, _ = w.Write([]byte(`<!doctype html><title>Sent</title><link rel="icon" href="data:,"><h1>Sent</h1>`))
	})
	p := visitor(t, strings.Replace(server.URL, "127.0.0.1", "localhost", 1))
	machine := p.pickUp(webauthn.AuthenticatorTransportInternal)
	for _, row := range []struct{ button, field, kind, name string }{
		{"Make a passkey", "passkey_register", "webauthn.create", "Ann Lee, Ann Lee"},
		{"Use a passkey", "passkey_login", "webauthn.get", "Ann Lee, Ann Lee"},
		{"Make a key", "webauthn_register", "webauthn.create", "n, d"}, // takes the place of the passkey
		{"Use a key", "webauthn_login", "webauthn.get", "n, d"},
	} {
		p.start()
		p.follow("press "+row.button, chromedp.Click(p.button(row.button)))
		var key struct {
			ID, RawID, Type string
			Response        struct {
				ClientDataJSON, AttestationObject, AuthenticatorData, Signature, UserHandle []byte
				Transports                                                                  []string
			}
		}
		var said struct{ Type, Challenge, Origin string }
		if err := json.Unmarshal([]byte(standard(t, sent.Get(row.field))), &key); err != nil {
			t.Fatalf("%s: %v: %s", row.button, err, sent)
		}
		if err := json.Unmarshal(key.Response.ClientDataJSON, &said); err != nil || said.Type != row.kind || said.Challenge != challenge || said.Origin != p.base {
			t.Errorf("%s: the browser signed %s, %v", row.button, key.Response.ClientDataJSON, err)
		}
		if key.ID == "" || key.ID != key.RawID || key.Type != "public-key" {
			t.Errorf("%s: key %q, raw %q, of type %q", row.button, key.ID, key.RawID, key.Type)
		}
		r := key.Response
		if made := row.kind == "webauthn.create"; made != (len(r.AttestationObject) > 0 && len(r.Transports) > 0) || made == (len(r.Signature) > 0 && len(r.AuthenticatorData) > 0) {
			t.Errorf("%s: sent %s", row.button, sent.Get(row.field))
		}
		if row.kind == "webauthn.get" && base64.RawURLEncoding.EncodeToString(r.UserHandle) != handle {
			t.Errorf("%s: the key belongs to %x", row.button, r.UserHandle)
		}
		if held := machine.holds(); len(held) != 1 || held[0].UserName+", "+held[0].UserDisplayName != row.name {
			t.Errorf("%s: the authenticator holds %+v", row.button, held)
		}
	}

	// A page that shows another flow offers passkeys anew, for its challenge.
	const offer = `window.asked = [];
		navigator.credentials.get = ({ publicKey, signal }) => new Promise((_, fail) => {
			asked.push(publicKey.challenge.length);
			signal.onabort = () => { asked.push("over"); fail(signal.reason); };
		});
		oryPasskeyLoginAutocompleteInit();`
	p.start()
	p.do("offer passkeys", chromedp.Evaluate[chromedp.Void](offer))
	p.until("asked.length === 1")
	p.do("show another flow", chromedp.Evaluate[chromedp.Void](`
		document.getElementsByName("passkey_challenge")[0].value = '{"publicKey":{"challenge":"AAAA","rpId":"localhost"}}';
		oryPasskeyLoginAutocompleteInit();`))
	p.until(`asked.join() === "16,over,3"`)

	p.start()
	p.tap("Use it in vain")
	p.until("window.alerted")
	// A form that the server would refuse makes no key.
	sent = nil
	p.do("clear the name", chromedp.Clear(p.field("Last name")))
	p.tap("Make a passkey")
	if p.at("/"); sent != nil || value[string](p, "document.activeElement.id") != "last" {
		t.Errorf("sent %v", sent)
	}
}

// start opens the page anew and waits until its script is there.
func (p *person) start() {
	p.t.Helper()
	p.do("open the page", chromedp.Navigate(p.base+"/"))
	p.until("window.initialized")
}

// standard is JSON with its binary fields as encoding/json reads them.
func standard(t *testing.T, text string) string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	response, _ := all["response"].(map[string]any)
	for name, value := range response {
		if text, ok := value.(string); ok {
			raw, err := base64.RawURLEncoding.DecodeString(text)
			if err != nil {
				t.Errorf("%s is no base64url: %s", name, text)
			}
			response[name] = raw
		}
	}
	out, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
