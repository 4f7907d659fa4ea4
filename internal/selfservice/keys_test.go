package selfservice_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/identity"
	"styx/internal/method/webauthn/softkey"
	"styx/internal/ui"
)

// keySchema is of somebody who has an email and signs in by what they like.
const keySchema = `{"type":"object","properties":{"traits":{"type":"object","properties":{
	"email":{"type":"string","format":"email","ory.sh/kratos":{"credentials":{
		"password":{"identifier":true},"webauthn":{"identifier":true},"passkey":{"display_name":true}}}}},
	"required":["email"],"additionalProperties":false}}}`

const keyOrigin = "https://app.example.org"

// keyed is what keys are tested with: security keys are a second factor.
func keyed() string {
	const rp = `rp: {id: example.org, display_name: Example, origins: ["` + keyOrigin + `"]}`
	return `
identity: {schemas: [{id: person, url: "base64://` + encoded(keySchema) + `"}]}
selfservice:
  methods:
    webauthn: {enabled: true, config: {passwordless: false, ` + rp + `}}
    passkey: {enabled: true, config: {` + rp + `}}
  flows:
    registration:
      style: unified
      after: {webauthn: {hooks: [{hook: session}]}, passkey: {hooks: [{hook: session}]}}
session: {lifespan: 720h}
`
}

const (
	passwordless = "selfservice: {methods: {webauthn: {config: {passwordless: true}}}}"
	noClones     = "styx: {webauthn: {refuse_clones: true}}"
)

// options are what a flow has in the node of that name.
func (f flow) options(tb testing.TB, name string) string {
	tb.Helper()
	node := f.node(name)
	if node == nil {
		tb.Fatalf("the form has no %s", name)
	}
	text, _ := node.Attributes.Value.(string)
	return text
}

// begin starts a flow and returns it as it is.
func (c *client) begin(tb testing.TB, kind, query string) flow {
	tb.Helper()
	return c.fetch(tb, kind, c.start(tb, kind, query)).flow(tb)
}

// passkey adds a passkey to the settings of whoever is signed in.
func (c *client) passkey(tb testing.TB) *softkey.Key {
	tb.Helper()
	f, key := c.begin(tb, "settings", ""), softkey.New(tb, rand.Reader)
	made := key.Create(tb, f.options(tb, "passkey_create_data"), keyOrigin)
	if a := c.submit(tb, "settings", f.ID, fields{"method": "passkey", "passkey_settings_register": made}); a.Code >= http.StatusBadRequest {
		tb.Fatalf("no passkey: %d %s", a.Code, a.Body)
	}
	return key
}

// securityKey adds a security key to the settings of whoever is signed in.
func (c *client) securityKey(tb testing.TB) *softkey.Key {
	tb.Helper()
	f, key := c.begin(tb, "settings", ""), softkey.New(tb, rand.Reader)
	made := key.Create(tb, f.options(tb, "webauthn_register_trigger"), keyOrigin)
	if a := c.submit(tb, "settings", f.ID, fields{"webauthn_register": made, "webauthn_register_displayname": "Blue"}); a.Code >= http.StatusBadRequest {
		tb.Fatalf("no security key: %d %s", a.Code, a.Body)
	}
	return key
}

// show signs in by a passkey.
func (c *client) show(tb testing.TB, f flow, signed string) answer {
	tb.Helper()
	return c.submit(tb, "login", f.ID, fields{"method": "passkey", "passkey_login": signed})
}

// keys are the stored keys of an identity.
func (h *house) keys(tb testing.TB, id string, kind identity.CredentialType) []identity.Key {
	tb.Helper()
	keys, err := h.stored(tb, id).WebAuthnKeys(kind)
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

// TestPasskeySignsIn every kind of client, by nothing that was typed, and its
// signature signs in once.
func TestPasskeySignsIn(t *testing.T) {
	for _, of := range kinds {
		h := open(t, keyed())
		owner := h.client(spa)
		ann := owner.signUp(t, "ann@example.org")
		key := owner.passkey(t)
		c := h.client(of)
		f := c.begin(t, "login", "")
		signed := key.Get(t, f.options(t, "passkey_challenge"), keyOrigin)
		if in := c.done(t, c.show(t, f, signed)); in.Identity.ID != ann.Identity.ID || in.AAL != "aal1" || in.Methods[0].Method != "passkey" {
			t.Errorf("%s: signed in %+v", of, in)
		}
		kept := h.keys(t, ann.Identity.ID, identity.Passkey)[0]
		if kept.Authenticator.SignCount != key.Counter || kept.Authenticator.CloneWarning {
			t.Errorf("%s: stored is %+v", of, kept.Authenticator)
		}
		// The signature is of no use again, in this flow nor in another.
		thief := h.client(of)
		maps.DeleteFunc(c.jar, func(name, _ string) bool { return name == "ory_kratos_session" })
		thief.jar = c.jar
		other := thief.begin(t, "login", "")
		for what, target := range map[string]flow{"this": f, "another": other} {
			if what == "this" && of != api {
				continue // the anti-CSRF token went with the sign-in
			}
			again := thief.again(t, "login", thief.show(t, target, signed))
			if !slices.Equal(again.messages(), said(ui.KeyInvalid)) || thief.whoami(t).Active {
				t.Errorf("%s: in %s flow it answers %v", of, what, again.messages())
			}
		}
	}
}

// TestOneSignatureSignsInOnce: of many that come together one wins, and a form
// that was read before and is stored after does not bring the challenge back.
func TestOneSignatureSignsInOnce(t *testing.T) {
	h := open(t, keyed())
	owner := h.client(spa)
	ann := owner.signUp(t, "ann@example.org")
	key := owner.passkey(t)
	f := h.client(api).begin(t, "login", "")
	signed := key.Get(t, f.options(t, "passkey_challenge"), keyOrigin)
	broken := key.Get(t, f.options(t, "passkey_challenge"), keyOrigin, func(a *softkey.Answer) { a.Unsigned = true })
	var mu sync.Mutex
	codes := map[int]int{}
	var all sync.WaitGroup
	for at := range 24 {
		answer := signed
		if at%3 == 0 {
			answer = broken
		}
		all.Go(func() {
			a := h.client(api).show(t, f, answer)
			mu.Lock()
			defer mu.Unlock()
			codes[a.Code]++
			if a.Code == http.StatusBadRequest && !strings.Contains(a.Body.String(), "4000043") {
				t.Errorf("a loser is answered %s", a.Body)
			}
		})
	}
	all.Wait()
	if codes[http.StatusOK] != 1 || codes[http.StatusBadRequest] != 23 {
		t.Errorf("answered %v", codes)
	}
	if a := h.client(api).show(t, f, signed); a.Code != http.StatusBadRequest {
		t.Errorf("later answered %d", a.Code)
	}
	if sessions, err := h.Store.Sessions(t.Context(), ann.Identity.ID); err != nil || len(sessions) != 2 {
		t.Errorf("%d sessions, %v", len(sessions), err)
	}
}

// TestCopiedKey is marked and let in, or refused where that is configured.
func TestCopiedKey(t *testing.T) {
	log := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	defer slog.SetDefault(log)
	for _, refused := range []bool{false, true} {
		more := []string{keyed()}
		if refused {
			more = append(more, noClones)
		}
		h := open(t, more...)
		owner := h.client(spa)
		ann := owner.signUp(t, "ann@example.org")
		key := owner.passkey(t)
		for at, count := range []uint32{7, 7, 3, 8} {
			c := h.client(api)
			f := c.begin(t, "login", "")
			a := c.show(t, f, key.Get(t, f.options(t, "passkey_challenge"), keyOrigin, func(a *softkey.Answer) { a.Counter = count }))
			back := at == 1 || at == 2
			if (a.Code == http.StatusOK) == (refused && back) {
				t.Errorf("refused %v: a counter of %d is answered %d %s", refused, count, a.Code, a.Body)
			}
			if a.Code != http.StatusOK && !slices.Equal(a.flow(t).messages(), said(ui.KeyInvalid)) {
				t.Errorf("says %v", a.flow(t).messages())
			}
			kept := h.keys(t, ann.Identity.ID, identity.Passkey)[0].Authenticator
			if kept.CloneWarning != (at > 0 && !refused) || kept.SignCount != max(7, count) {
				t.Errorf("refused %v: after %d stored is %+v", refused, count, kept)
			}
		}
	}
}

// TestOneKeyOneOwner: a key that somebody has is refused to them by its name, and
// to anybody else without a word about whose it is; nothing of it is stored.
func TestOneKeyOneOwner(t *testing.T) {
	h := open(t, keyed(), passwordless)
	c := h.client(spa)
	ann := c.signUp(t, "ann@example.org")
	key, blue := c.passkey(t), c.securityKey(t)
	eve := h.client(spa)
	evil := eve.signUp(t, "eve@example.org")
	for _, stolen := range []*softkey.Key{key, blue} {
		for _, of := range []struct{ method, field, options string }{
			{"passkey", "passkey_settings_register", "passkey_create_data"},
			{"webauthn", "webauthn_register", "webauthn_register_trigger"},
		} {
			for who, want := range map[*client]ui.ID{c: ui.ReasonGiven, eve: ui.AccountExists} {
				f := who.begin(t, "settings", "")
				again := who.again(t, "settings", who.submit(t, "settings", f.ID, fields{
					"method": of.method, of.field: stolen.Create(t, f.options(t, of.options), keyOrigin), "webauthn_register_displayname": "x",
				}))
				node := again.node(of.field)
				if !slices.Equal(again.messages(), said(want)) || (len(node.Messages) == 1) != (want == ui.ReasonGiven) {
					t.Errorf("%s again as %s says %v", of.method, of.field, again.messages())
				}
			}
			fresh := h.client(spa)
			f := fresh.begin(t, "registration", "")
			again := fresh.again(t, "registration", fresh.submit(t, "registration", f.ID, fields{
				"method": of.method, "traits.email": "new@example.org", "webauthn_register_displayname": "x",
				strings.Replace(of.field, "settings_", "", 1): stolen.Create(t, f.options(t, of.options), keyOrigin),
			}))
			if !slices.Equal(again.messages(), said(ui.AccountExists)) || fresh.whoami(t).Active {
				t.Errorf("%s signs up again: %v", of.method, again.messages())
			}
		}
	}
	if n := len(h.keys(t, ann.Identity.ID, identity.Passkey)) + len(h.keys(t, ann.Identity.ID, identity.WebAuthn)); n != 2 {
		t.Errorf("ann has %d keys", n)
	}
	if n := len(h.keys(t, evil.Identity.ID, identity.Passkey)) + len(h.keys(t, evil.Identity.ID, identity.WebAuthn)); n != 0 {
		t.Errorf("eve has %d keys", n)
	}
	// A key that its owner removed may be anybody's.
	f := c.begin(t, "settings", "")
	if a := c.submit(t, "settings", f.ID, fields{"method": "webauthn", "webauthn_remove": hex.EncodeToString(blue.ID)}); a.Code != http.StatusOK {
		t.Fatalf("not removed: %d %s", a.Code, a.Body)
	}
	f = eve.begin(t, "settings", "")
	if a := eve.submit(t, "settings", f.ID, fields{
		"webauthn_register": blue.Create(t, f.options(t, "webauthn_register_trigger"), keyOrigin), "webauthn_register_displayname": "x",
	}); a.Code != http.StatusOK {
		t.Errorf("a key that was given up answers %d %s", a.Code, a.Body)
	}
}

// TestNewKeyIsMadeOnce: an answer that comes twice is told that the key is there.
func TestNewKeyIsMadeOnce(t *testing.T) {
	h := open(t, keyed())
	c := h.client(spa)
	ann := c.signUp(t, "ann@example.org")
	f, key := c.begin(t, "settings", ""), softkey.New(t, rand.Reader)
	made := fields{
		"webauthn_register":             key.Create(t, f.options(t, "webauthn_register_trigger"), keyOrigin),
		"webauthn_register_displayname": "Blue", "csrf_token": c.csrf(t, "settings", f.ID),
	}
	var mu sync.Mutex
	codes := map[int]int{}
	var all sync.WaitGroup
	for range 8 {
		tab := h.client(spa)
		tab.jar = maps.Clone(c.jar)
		all.Go(func() {
			a := tab.submit(t, "settings", f.ID, made)
			mu.Lock()
			defer mu.Unlock()
			codes[a.Code]++
		})
	}
	all.Wait()
	if codes[http.StatusOK] != 1 || codes[http.StatusBadRequest]+codes[http.StatusServiceUnavailable] != 7 || codes[http.StatusBadRequest] == 0 {
		t.Errorf("answered %v", codes)
	}
	if keys := h.keys(t, ann.Identity.ID, identity.WebAuthn); len(keys) != 1 || keys[0].DisplayName != "Blue" || keys[0].Passwordless {
		t.Errorf("stored are %+v", keys)
	}
}

// TestKeyNames are told apart by their length and by their absence.
func TestKeyNames(t *testing.T) {
	h := open(t, keyed())
	c := h.client(spa)
	c.signUp(t, "ann@example.org")
	for name, want := range map[string]ui.ID{"": ui.PropertyMissing, strings.Repeat("é", 257): ui.TooLong, strings.Repeat("é", 256): 0} {
		f := c.begin(t, "settings", "")
		made := softkey.New(t, rand.Reader).Create(t, f.options(t, "webauthn_register_trigger"), keyOrigin)
		a := c.submit(t, "settings", f.ID, fields{"webauthn_register": made, "webauthn_register_displayname": name})
		if want == 0 && a.Code != http.StatusOK || want != 0 && (a.Code != http.StatusBadRequest || a.flow(t).node("webauthn_register_displayname").Messages[0].ID != want) {
			t.Errorf("a name of %d bytes answers %d %s", len(name), a.Code, a.Body)
		}
	}
}

// named tells a flow of a first factor whose key is to sign, and returns the flow
// that asks for it.
func (c *client) named(tb testing.TB, identifier string) flow {
	tb.Helper()
	id := c.start(tb, "login", "")
	a := c.submit(tb, "login", id, fields{"method": "webauthn", "identifier": identifier})
	if c.kind == spa && a.Code != http.StatusUnprocessableEntity || c.kind == html && a.Code != http.StatusSeeOther {
		tb.Fatalf("answered %d %s", a.Code, a.Body)
	}
	return c.fetch(tb, "login", id).flow(tb)
}

// TestSecurityKeyAlone signs up and in, for browsers. Keys are known by the
// handle of the sign-up and by the identity's id, and sign in as passkeys too.
func TestSecurityKeyAlone(t *testing.T) {
	for _, of := range []string{spa, html} {
		h := open(t, keyed(), passwordless)
		c, first := h.client(of), softkey.New(t, rand.Reader)
		f := c.begin(t, "registration", "")
		ann := c.done(t, c.submit(t, "registration", f.ID, fields{
			"method": "webauthn", "traits.email": "Ann@example.org", "webauthn_register_displayname": "Blue",
			"webauthn_register": first.Create(t, f.options(t, "webauthn_register_trigger"), keyOrigin),
		}))
		second := c.securityKey(t)
		if bytes.Equal(first.Handle, second.Handle) || len(h.keys(t, ann.Identity.ID, identity.WebAuthn)) != 2 {
			t.Fatal("there are not two keys of two handles")
		}
		for _, key := range []*softkey.Key{first, second} {
			by := h.client(of)
			asked := by.named(t, " ANN@example.org")
			in := by.done(t, by.submit(t, "login", asked.ID, fields{
				"method": "webauthn", "identifier": "ann@example.org",
				"webauthn_login": key.Get(t, asked.options(t, "webauthn_login_trigger"), keyOrigin),
			}))
			if in.Identity.ID != ann.Identity.ID || in.AAL != "aal1" || in.Methods[0].Method != "webauthn" {
				t.Errorf("%s: signed in %+v", of, in)
			}
			by = h.client(of)
			asked = by.begin(t, "login", "")
			in = by.done(t, by.show(t, asked, key.Get(t, asked.options(t, "passkey_challenge"), keyOrigin)))
			if in.Identity.ID != ann.Identity.ID {
				t.Errorf("%s: as a passkey it signs in %+v", of, in)
			}
		}
		for at, key := range h.keys(t, ann.Identity.ID, identity.WebAuthn) {
			if key.Authenticator.SignCount != 2 {
				t.Errorf("%s: key %d has signed %d times", of, at, key.Authenticator.SignCount)
			}
		}
	}
}

// TestKeyOfAnotherLevel: a second factor is no first one, and the reverse.
func TestKeyOfAnotherLevel(t *testing.T) {
	h := open(t, keyed())
	c := h.client(spa)
	c.signUp(t, "ann@example.org")
	second := c.securityKey(t)
	f := h.client(spa).begin(t, "login", "")
	if f.node("webauthn_login_trigger") != nil {
		t.Error("a second factor is offered as the first")
	}
	thief := h.client(api)
	f = thief.begin(t, "login", "")
	again := thief.again(t, "login", thief.show(t, f, second.Get(t, f.options(t, "passkey_challenge"), keyOrigin)))
	if !slices.Equal(again.messages(), said(ui.KeyInvalid)) || thief.whoami(t).Active {
		t.Errorf("as a passkey a second factor answers %v", again.messages())
	}
	// The same people under a configuration in which keys are a first factor.
	first := open(t, keyed(), passwordless)
	first.table = h.table
	first.furnish(t, first.Config)
	by := first.client(spa)
	id := by.start(t, "login", "")
	again = by.again(t, "login", by.submit(t, "login", id, fields{"method": "webauthn", "identifier": "ann@example.org"}))
	if !slices.Equal(again.messages(), said(ui.NoSuchKeyAccount)) {
		t.Errorf("says %v", again.messages())
	}
}

// TestNobodyAndKeyless are answered alike where a key is asked for.
func TestNobodyAndKeyless(t *testing.T) {
	h := open(t, keyed(), passwordless)
	h.client(spa).signUp(t, "bea@example.org")
	bodies := map[string]bool{}
	for _, identifier := range []string{"bea@example.org", "ghost@example.org"} {
		c := h.client(spa)
		id := c.start(t, "login", "")
		a := c.submit(t, "login", id, fields{"method": "webauthn", "identifier": identifier})
		f := a.flow(t)
		if a.Code != http.StatusBadRequest || f.State != "choose_method" || f.Active != "" {
			t.Errorf("%s answers %d, %s, %s", identifier, a.Code, f.State, f.Active)
		}
		bodies[strings.Join([]string{f.UI.Messages[0].Text, f.options(t, "identifier")}, "|")] = true
	}
	if len(bodies) != 1 {
		t.Errorf("answered %v", bodies)
	}
}

// TestSecurityKeysAreForBrowsers: apps are neither offered nor granted them.
func TestSecurityKeysAreForBrowsers(t *testing.T) {
	h := open(t, keyed(), passwordless)
	for kind, nobody := range map[string]ui.ID{"registration": ui.NoSignUpMethod, "login": ui.NoLoginMethod, "settings": ui.NoSettingsMethod} {
		c := h.client(api)
		if kind == "settings" {
			c.signUp(t, "ann@example.org")
		}
		f := c.begin(t, kind, "")
		for _, node := range f.UI.Nodes {
			if node.Group == ui.WebAuthn || node.Attributes.OnClick != "" || node.Attributes.OnLoad != "" {
				t.Errorf("%s offers %+v", kind, node)
			}
		}
		a := c.submit(t, kind, f.ID, fields{
			"method": "webauthn", "identifier": "ann@example.org", "traits.email": "new@example.org",
			"webauthn_register": "{}", "webauthn_login": "{}", "webauthn_register_displayname": "x",
		})
		if a.Code != http.StatusBadRequest || !slices.Contains(a.flow(t).messages(), nobody) {
			t.Errorf("%s answers %d %s", kind, a.Code, a.Body)
		}
	}
}

// TestKeysNeedAFreshSession to be added and removed.
func TestKeysNeedAFreshSession(t *testing.T) {
	h := open(t, keyed())
	c := h.client(spa)
	c.signUp(t, "ann@example.org")
	key := c.passkey(t)
	h.clock.pass(2 * time.Hour)
	f := c.begin(t, "settings", "")
	for name, sent := range map[string]fields{
		"a passkey":         {"passkey_settings_register": softkey.New(t, rand.Reader).Create(t, f.options(t, "passkey_create_data"), keyOrigin)},
		"a removed passkey": {"passkey_remove": hex.EncodeToString(key.ID)},
		"a security key": {
			"webauthn_register":             softkey.New(t, rand.Reader).Create(t, f.options(t, "webauthn_register_trigger"), keyOrigin),
			"webauthn_register_displayname": "x",
		},
		"a removed security key": {"webauthn_remove": "00"},
	} {
		a := c.submit(t, "settings", f.ID, sent)
		if a.Code != http.StatusForbidden || c.problem(t, a).ID != "session_refresh_required" {
			t.Errorf("%s answers %d %s", name, a.Code, a.Body)
		}
	}
}

// TestLastKeyStays whatever a client sends; somebody else's cannot be removed.
func TestLastKeyStays(t *testing.T) {
	h := open(t, keyed())
	c, key := h.client(spa), softkey.New(t, rand.Reader)
	f := c.begin(t, "registration", "")
	ann := c.done(t, c.submit(t, "registration", f.ID, fields{
		"traits.email": "ann@example.org", "passkey_register": key.Create(t, f.options(t, "passkey_create_data"), keyOrigin),
	}))
	second := c.securityKey(t)
	eve := h.client(spa)
	eve.signUp(t, "eve@example.org")
	eve.passkey(t)
	f = eve.begin(t, "settings", "")
	if a := eve.submit(t, "settings", f.ID, fields{"passkey_remove": hex.EncodeToString(key.ID)}); a.Code != http.StatusBadRequest {
		t.Errorf("somebody else's passkey: %d", a.Code)
	}
	remove := func(kind string, key *softkey.Key) answer {
		return c.submit(t, "settings", c.start(t, "settings", ""), fields{kind + "_remove": hex.EncodeToString(key.ID)})
	}
	if a := remove("passkey", key); a.Code != http.StatusBadRequest || len(h.keys(t, ann.Identity.ID, identity.Passkey)) != 1 {
		t.Errorf("the only way in was removed: %d", a.Code)
	}
	if a := remove("webauthn", second); a.Code != http.StatusOK {
		t.Errorf("a second factor stays: %d %s", a.Code, a.Body)
	}
	spare := c.passkey(t)
	if a := remove("passkey", key); a.Code != http.StatusOK {
		t.Errorf("one of two ways in stays: %d %s", a.Code, a.Body)
	}
	by := h.client(api)
	f = by.begin(t, "login", "")
	if a := by.show(t, f, key.Get(t, f.options(t, "passkey_challenge"), keyOrigin)); a.Code != http.StatusBadRequest {
		t.Errorf("a passkey that was removed: %d", a.Code)
	}
	if a := by.show(t, f, spare.Get(t, f.options(t, "passkey_challenge"), keyOrigin)); a.Code != http.StatusOK {
		t.Errorf("the passkey that was kept: %d %s", a.Code, a.Body)
	}
}

// TestPasskeyOfSomebodyWithoutName: who has nothing to type can sign up and in.
func TestPasskeyOfSomebodyWithoutName(t *testing.T) {
	const nameless = `{"type":"object","properties":{"traits":{"type":"object","properties":{"city":{"type":"string"}}}}}`
	h := open(t, keyed(), `identity: {schemas: [{id: person, url: "base64://`+encoded(nameless)+`"}]}`)
	for _, of := range kinds {
		c, key := h.client(of), softkey.New(t, rand.Reader)
		f := c.begin(t, "registration", "")
		data := f.options(t, "passkey_create_data")
		if !strings.Contains(data, `"displayNameFieldName":"traits.city","displayNameFieldNames":["traits.city"]`) {
			t.Errorf("%s: %s", of, data)
		}
		ann := c.done(t, c.submit(t, "registration", f.ID, fields{
			"method": "passkey", "traits.city": "Rome", "passkey_register": key.Create(t, data, keyOrigin),
		}))
		by := h.client(of)
		f = by.begin(t, "login", "")
		if in := by.done(t, by.show(t, f, key.Get(t, f.options(t, "passkey_challenge"), keyOrigin))); in.Identity.ID != ann.Identity.ID {
			t.Errorf("%s: signed in %+v", of, in)
		}
		if f := by.begin(t, "settings", ""); f.node("passkey_create_data") != nil || !slices.Equal(f.messages(), said(ui.NoIdentifiers)) {
			t.Errorf("%s: another passkey, called nothing, is offered: %v", of, f.messages())
		}
	}
}

// TestKeyOptionsStay the same while somebody goes back and forth between the
// screens of a registration.
func TestKeyOptionsStay(t *testing.T) {
	h := open(t, keyed(), passwordless, "selfservice: {flows: {registration: {style: profile_first}}}")
	c := h.client(spa)
	f := c.begin(t, "registration", "")
	on, back := fields{"method": "profile", "traits.email": "ann@example.org"}, fields{"screen": "previous", "traits.email": "ann@example.org"}
	first := c.again(t, "registration", c.submit(t, "registration", f.ID, on))
	if before := c.again(t, "registration", c.submit(t, "registration", f.ID, back)); before.node("webauthn_script") != nil || before.node("passkey_create_data") != nil {
		t.Error("keys are asked for before the traits")
	}
	second := c.again(t, "registration", c.submit(t, "registration", f.ID, on))
	for _, name := range []string{"passkey_create_data", "webauthn_register_trigger"} {
		if first.options(t, name) != second.options(t, name) {
			t.Errorf("%s is made anew", name)
		}
	}
}

// TestExpiredKeyStepWithoutItsSession: nobody is left to use a key.
func TestExpiredKeyStepWithoutItsSession(t *testing.T) {
	h := open(t, keyed())
	c := h.client(spa)
	c.signUp(t, ann)
	c.securityKey(t)
	id := c.begin(t, "login", "aal=aal2&refresh=true").ID
	token := c.csrf(t, "login", id)
	h.clock.pass(48 * time.Hour)
	for name := range c.jar {
		if name == "ory_kratos_session" {
			delete(c.jar, name)
		}
	}
	a := c.submit(t, "login", id, fields{"method": "webauthn", "identifier": ann, "csrf_token": token})
	if a.Code != http.StatusGone {
		t.Errorf("answered %d %s", a.Code, a.Body)
	}
}
