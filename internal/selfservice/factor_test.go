package selfservice_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/identity"
	"styx/internal/table"
	"styx/internal/ui"
)

// factors switches on the second factors that need nobody else.
const factors = `selfservice: {methods: {totp: {enabled: true, config: {issuer: Harbour Shop}}, lookup_secret: {enabled: true}}}`

// openFactors is open for houses where second factors count.
func openFactors(tb testing.TB, more ...string) *house {
	tb.Helper()
	h := open(tb, slices.Insert(more, 0, factors)...)
	h.Policy.LookupSecret = true
	return h
}

// appCode is what an authenticator app shows at a time (RFC 6238).
func appCode(tb testing.TB, key string, at time.Time) string {
	tb.Helper()
	raw, err := base32.StdEncoding.DecodeString(key)
	if err != nil {
		tb.Fatal(err)
	}
	mac := hmac.New(sha1.New, raw)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/30)))
	sum := mac.Sum(nil)
	number := binary.BigEndian.Uint32(sum[sum[19]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", number%1000000)
}

// saved is the form of settings that were changed.
func (c *client) saved(tb testing.TB, a answer, id string) flow {
	tb.Helper()
	f := c.fetch(tb, "settings", id).flow(tb)
	if a.Code != http.StatusOK && a.location(tb) == nil || f.State != "success" || !slices.Equal(f.messages(), said(ui.ChangesSaved)) {
		tb.Fatalf("%s: not saved: %d %s, then %s %v", c.kind, a.Code, a.Body, f.State, f.messages())
	}
	return f
}

// enrolApp sets up an authenticator app and returns its key.
func (c *client) enrolApp(tb testing.TB) string {
	tb.Helper()
	id := c.start(tb, "settings", "")
	key := c.fetch(tb, "settings", id).flow(tb).node("totp_secret_key").Attributes.Text.Text
	c.saved(tb, c.submit(tb, "settings", id, fields{"method": "totp", "totp_code": appCode(tb, key, c.Now())}), id)
	return key
}

// enrolCodes sets up backup recovery codes and returns them.
func (c *client) enrolCodes(tb testing.TB) []string {
	tb.Helper()
	id := c.start(tb, "settings", "")
	c.press(tb, id, "lookup_secret_regenerate")
	shown := c.fetch(tb, "settings", id).flow(tb).node("lookup_secret_codes").Attributes.Text.Text
	c.saved(tb, c.press(tb, id, "lookup_secret_confirm"), id)
	return strings.Split(shown, ", ")
}

// press sends one button of the settings.
func (c *client) press(tb testing.TB, id, button string) answer {
	tb.Helper()
	return c.submit(tb, "settings", id, fields{button: "true"})
}

// prove sends a proof of a second factor in a flow of its own.
func (c *client) prove(tb testing.TB, method, proof string) answer {
	tb.Helper()
	return c.submit(tb, "login", c.start(tb, "login", "aal=aal2"), proofOf(method, proof))
}

func proofOf(method, proof string) fields {
	return fields{"method": method, map[string]string{"totp": "totp_code", "lookup_secret": "lookup_secret"}[method]: proof}
}

// low is a client that signed in with a password alone.
func (h *house) low(tb testing.TB, kind, email string) *client {
	tb.Helper()
	c := h.client(kind)
	if a := c.tryIn(tb, email, password, ""); kind == api {
		var body struct {
			Token string `json:"session_token"`
		}
		a.decode(tb, &body)
		c.token = body.Token
	}
	return c
}

// TestCodeOfAnAppWorksOnce: in no other flow, in no other session, not when many
// try at once, and not while it would still count. Whoever saw it being typed has
// nothing (ASVS 5.0, 6.5.1).
func TestCodeOfAnAppWorksOnce(t *testing.T) {
	h := openFactors(t)
	c := h.client(api)
	c.signUp(t, "ann@example.org")
	key := c.enrolApp(t)
	refused := func(c *client, code string) {
		t.Helper()
		if f := c.again(t, "login", c.prove(t, "totp", code)); !slices.Equal(f.messages(), said(ui.TOTPInvalid)) || f.node("totp_code").Attributes.Value != nil {
			t.Errorf("says %v", f.messages())
		}
		if got := c.whoami(t); got.ID != "" {
			t.Errorf("is let in at %s", got.AAL)
		}
	}
	for _, of := range kinds {
		h.clock.pass(2 * time.Minute)
		code := appCode(t, key, h.Now())
		first, second := h.low(t, of, "ann@example.org"), h.low(t, of, "ann@example.org")
		if got := first.done(t, first.prove(t, "totp", code)); got.AAL != "aal2" || len(got.Methods) != 2 || got.Methods[1].Method != "totp" {
			t.Errorf("%s: signed in by %+v", of, got)
		}
		refused(second, code)
		h.clock.pass(30 * time.Second)
		refused(second, code)
		// The next one of the app works, and then none before it.
		if got := second.done(t, second.prove(t, "totp", appCode(t, key, h.Now()))); got.AAL != "aal2" {
			t.Errorf("%s: then signed in at %s", of, got.AAL)
		}
		refused(h.low(t, of, "ann@example.org"), code)
	}
	h.clock.pass(2 * time.Minute)
	code := appCode(t, key, h.Now())
	if passed := h.atOnce(t, 20, "totp", code, ui.TOTPInvalid); passed != 1 {
		t.Errorf("of 20 at once %d passed", passed)
	}
}

// atOnce lets as many sessions of ann's use one proof at once, and counts those
// that passed. The others are told why not.
func (h *house) atOnce(t *testing.T, times int, method, proof string, why ui.ID) int {
	t.Helper()
	flows := map[string]*client{}
	for range times {
		c := h.low(t, api, "ann@example.org")
		flows[c.start(t, "login", "aal=aal2")] = c
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for id, c := range flows {
		all.Go(func() {
			a := c.submit(t, "login", id, proofOf(method, proof))
			mu.Lock()
			defer mu.Unlock()
			if a.Code == http.StatusOK {
				passed++
			} else if a.Code != http.StatusBadRequest || !slices.Equal(a.flow(t).messages(), said(why)) {
				t.Errorf("answers %d %s", a.Code, a.Body)
			}
		})
	}
	all.Wait()
	return passed
}

// TestBackupCodeWorksOnce, also when many sessions try it at once.
func TestBackupCodeWorksOnce(t *testing.T) {
	h := openFactors(t)
	c := h.client(api)
	ann := c.signUp(t, "ann@example.org")
	codes := c.enrolCodes(t)
	if len(codes) != 12 {
		t.Fatalf("the codes are %v", codes)
	}
	for at, of := range kinds {
		first, second := h.low(t, of, "ann@example.org"), h.low(t, of, "ann@example.org")
		if got := first.done(t, first.prove(t, "lookup_secret", codes[at])); got.AAL != "aal2" || got.Methods[1].Method != "lookup_secret" {
			t.Errorf("%s: signed in by %+v", of, got)
		}
		if f := second.again(t, "login", second.prove(t, "lookup_secret", codes[at])); !slices.Equal(f.messages(), said(ui.BackupCodeUsed)) {
			t.Errorf("%s: again says %v", of, f.messages())
		}
	}
	if passed := h.atOnce(t, 20, "lookup_secret", codes[11], ui.BackupCodeUsed); passed != 1 {
		t.Errorf("of 20 at once %d passed", passed)
	}
	left, err := h.stored(t, ann.Identity.ID).Lookup(h.Store.Ring)
	if err != nil {
		t.Fatal(err)
	}
	used := 0
	for at, code := range left {
		if code.Code != codes[at] {
			t.Errorf("code %d became %s", at, code.Code)
		}
		if code.UsedAt != nil {
			used++
		}
	}
	if used != len(kinds)+1 {
		t.Errorf("%d codes are used", used)
	}
}

// TestBackupCodesOfManyAtOnce: sessions that use different codes of one person
// lose none of the marks.
func TestBackupCodesOfManyAtOnce(t *testing.T) {
	h := openFactors(t)
	c := h.client(api)
	ann := c.signUp(t, "ann@example.org")
	codes := c.enrolCodes(t)
	var all sync.WaitGroup
	for _, code := range codes {
		one := h.low(t, api, "ann@example.org")
		id := one.start(t, "login", "aal=aal2")
		all.Go(func() {
			for range 10 { // a server that is busy says so
				if a := one.submit(t, "login", id, proofOf("lookup_secret", code)); a.Code == http.StatusOK {
					return
				} else if a.Code < http.StatusInternalServerError && a.Code != http.StatusConflict {
					t.Errorf("%s answers %d %s", code, a.Code, a.Body)
					return
				}
			}
			t.Errorf("%s never passed", code)
		})
	}
	all.Wait()
	left, err := h.stored(t, ann.Identity.ID).Lookup(h.Store.Ring)
	if err != nil || slices.ContainsFunc(left, func(code identity.LookupCode) bool { return code.UsedAt == nil }) {
		t.Errorf("left are %+v, %v", left, err)
	}
}

// TestSecondFactorsAreGuessedAtTogether: over all flows, sessions and factors of
// one person, past the cap the right proof is refused (CVE-2025-64102).
func TestSecondFactorsAreGuessedAtTogether(t *testing.T) {
	h := openFactors(t)
	c, eve := h.client(api), h.client(api)
	c.signUp(t, "ann@example.org")
	key, codes := c.enrolApp(t), c.enrolCodes(t)
	eve.signUp(t, "eve@example.org")
	theirs := eve.enrolApp(t)
	h.clock.pass(10 * time.Minute)
	guesser, id := h.low(t, api, "ann@example.org"), ""
	for i := range 100 {
		if i%25 == 0 {
			guesser = h.low(t, api, "ann@example.org")
			id = guesser.start(t, "login", "aal=aal2")
		}
		proof := proofOf("totp", other(appCode(t, key, h.Now())))
		if i%2 == 0 {
			proof = proofOf("lookup_secret", "nonsense")
		}
		if a := guesser.submit(t, "login", id, proof); a.Code != http.StatusBadRequest {
			t.Fatalf("guess %d answers %d %s", i, a.Code, a.Body)
		}
	}
	guesser = h.low(t, api, "ann@example.org")
	for method, proof := range map[string]string{"totp": appCode(t, key, h.Now()), "lookup_secret": codes[0]} {
		if a := guesser.prove(t, method, proof); a.Code != http.StatusTooManyRequests || guesser.whoami(t).ID != "" {
			t.Errorf("after a hundred guesses %s answers %d", method, a.Code)
		}
	}
	if a := h.low(t, api, "eve@example.org").prove(t, "totp", appCode(t, theirs, h.Now())); a.Code != http.StatusOK {
		t.Errorf("somebody else is answered %d", a.Code)
	}
	h.clock.pass(10 * time.Minute)
	if a := guesser.prove(t, "lookup_secret", codes[0]); a.Code != http.StatusOK {
		t.Errorf("ten minutes later the right code answers %d", a.Code)
	}
}

// TestProofsOfSomebodyElse are worth nothing, nor is a submission without any:
// whatever is sent, the session stays as it is (CVE-2026-49448).
func TestProofsOfSomebodyElse(t *testing.T) {
	h := openFactors(t)
	ann, eve := h.client(api), h.client(api)
	ann.signUp(t, "ann@example.org")
	ann.enrolApp(t)
	ann.enrolCodes(t)
	eve.signUp(t, "eve@example.org")
	theirKey, theirCodes := eve.enrolApp(t), eve.enrolCodes(t)
	h.clock.pass(2 * time.Minute)
	for _, of := range kinds {
		c := h.low(t, of, "ann@example.org")
		for _, try := range []struct {
			sent fields
			want []ui.ID
		}{
			{proofOf("totp", appCode(t, theirKey, h.Now())), said(ui.TOTPInvalid)},
			{proofOf("lookup_secret", theirCodes[0]), said(ui.BackupCodeInvalid)},
			{proofOf("totp", "12345"), said(ui.TooShort)},
			{proofOf("totp", strings.Repeat("1", 4000)), said(ui.TOTPInvalid)},
			{proofOf("totp", ""), said(ui.PropertyMissing)},
			{proofOf("lookup_secret", ""), said(ui.PropertyMissing)},
			{fields{"method": "totp"}, said(ui.PropertyMissing)},
			{fields{"method": "password", "identifier": "ann@example.org", "password": password}, said(ui.NoLoginMethod)},
			{fields{"totp_code": appCode(t, theirKey, h.Now())}, said(ui.NoLoginMethod)},
			{fields{}, said(ui.NoLoginMethod)},
		} {
			f := c.again(t, "login", c.submit(t, "login", c.start(t, "login", "aal=aal2"), try.sent))
			if !slices.Equal(f.messages(), try.want) {
				t.Errorf("%s: %v says %v, want %v", of, try.sent, f.messages(), try.want)
			}
		}
		a := c.post(t, "login", c.start(t, "login", "aal=aal2"), "application/json", "")
		if f := c.again(t, "login", a); !slices.Equal(f.messages(), said(ui.ReasonGiven)) {
			t.Errorf("%s: nothing at all says %v", of, f.messages())
		}
		if got := c.whoami(t); got.ID != "" {
			t.Errorf("%s: is let in at %s", of, got.AAL)
		}
	}
}

// TestSecondFactorNeedsTheFirst: a flow that one session began is of no use to
// nobody and to no other person.
func TestSecondFactorNeedsTheFirst(t *testing.T) {
	h := openFactors(t)
	c, eve := h.client(api), h.client(api)
	c.signUp(t, "ann@example.org")
	key := c.enrolApp(t)
	eve.signUp(t, "eve@example.org")
	h.clock.pass(2 * time.Minute)
	low := h.low(t, api, "ann@example.org")
	id, proof := low.start(t, "login", "aal=aal2"), proofOf("totp", appCode(t, key, h.Now()))
	if p := low.problem(t, h.client(api).submit(t, "login", id, proof)); p.Code != http.StatusUnauthorized || p.ID != "session_aal1_required" {
		t.Errorf("nobody is told %+v", p)
	}
	if f := eve.again(t, "login", eve.submit(t, "login", id, proof)); !slices.Equal(f.messages(), said(ui.NoTOTP)) {
		t.Errorf("somebody else is told %v", f.messages())
	}
	if got := eve.whoami(t); got.AAL != "aal1" || len(got.Methods) != 1 {
		t.Errorf("somebody else is %+v", got)
	}
	if a := low.submit(t, "login", id, proof); a.Code != http.StatusOK {
		t.Errorf("its owner is answered %d %s", a.Code, a.Body)
	}
}

// TestFactorsChangeOnlyAfterARecentSignIn, whichever button is pressed.
func TestFactorsChangeOnlyAfterARecentSignIn(t *testing.T) {
	h := openFactors(t)
	c := h.client(api)
	c.signUp(t, "ann@example.org")
	h.clock.pass(2 * time.Hour)
	id := c.start(t, "settings", "")
	key := c.fetch(t, "settings", id).flow(t).node("totp_secret_key").Attributes.Text.Text
	for _, sent := range []fields{
		{"method": "totp", "totp_code": appCode(t, key, h.Now())},
		{"totp_unlink": "true"},
		{"lookup_secret_regenerate": "true"},
		{"lookup_secret_reveal": "true"},
		{"lookup_secret_confirm": "true"},
		{"lookup_secret_disable": "true"},
	} {
		if p := c.problem(t, c.submit(t, "settings", id, sent)); p.Code != http.StatusForbidden || p.ID != "session_refresh_required" {
			t.Errorf("%v: %+v", sent, p)
		}
	}
	if got := c.whoami(t); got.AAL != "aal1" {
		t.Errorf("is now at %s", got.AAL)
	}
}

// TestSecretOfAFlow is of that flow: a code for one proves nothing in another,
// and it stays the same until it was proved.
func TestSecretOfAFlow(t *testing.T) {
	h := openFactors(t)
	for i, of := range kinds {
		c := h.client(of)
		c.signUp(t, fmt.Sprintf("ann%d@example.org", i))
		shown := func(id string) string {
			return c.fetch(t, "settings", id).flow(t).node("totp_secret_key").Attributes.Text.Text
		}
		one, two := c.start(t, "settings", ""), c.start(t, "settings", "")
		key := shown(one)
		if shown(two) == key {
			t.Fatal("two flows show one secret")
		}
		sent := fields{"method": "totp", "totp_code": appCode(t, key, h.Now())}
		if f := c.again(t, "settings", c.submit(t, "settings", two, sent)); !slices.Equal(f.messages(), said(ui.TOTPInvalid)) || len(f.node("totp_code").Messages) != 1 {
			t.Errorf("%s: the other flow says %v", of, f.messages())
		}
		c.submit(t, "settings", one, fields{"method": "totp", "totp_code": other(sent["totp_code"])})
		c.press(t, one, "lookup_secret_regenerate")
		if shown(one) != key {
			t.Errorf("%s: the secret changed", of)
		}
		if f := c.saved(t, c.submit(t, "settings", one, sent), one); f.node("totp_secret_key") != nil || f.node("totp_unlink") == nil {
			t.Errorf("%s: still asks for an app", of)
		}
		if got := c.whoami(t); got.AAL != "aal2" || len(got.Methods) != 2 {
			t.Errorf("%s: the session is %+v", of, got)
		}
	}
}

// watched is a table that remembers every document written to it.
type watched struct {
	table.Table

	mu   sync.Mutex
	seen strings.Builder
}

func (w *watched) Write(ctx context.Context, ops ...table.Op) error {
	w.mu.Lock()
	for _, op := range ops {
		if item := table.Apply(op, nil); item != nil {
			fmt.Fprintf(&w.seen, "%s %s\n%+v\n", item.Key, item.Doc, op.Changes)
		}
	}
	w.mu.Unlock()
	return w.Table.Write(ctx, ops...)
}

// TestSecondFactorsAreNowhereInClear, in no item of any kind, from the first form
// to the last code.
func TestSecondFactorsAreNowhereInClear(t *testing.T) {
	h := openFactors(t)
	w := &watched{Table: h.table}
	h.table = w
	policy := h.Policy
	h.furnish(t, h.Config)
	h.Policy = policy
	for i, of := range kinds {
		c, email := h.client(of), fmt.Sprintf("ann%d@example.org", i)
		c.signUp(t, email)
		key, codes := c.enrolApp(t), c.enrolCodes(t)
		c.press(t, c.start(t, "settings", ""), "lookup_secret_reveal")
		h.clock.pass(2 * time.Minute)
		first, second := h.low(t, of, email), h.low(t, of, email)
		code := appCode(t, key, h.Now())
		first.done(t, first.prove(t, "totp", code))
		second.done(t, second.prove(t, "lookup_secret", codes[0]))
		first.again(t, "login", h.low(t, of, email).prove(t, "lookup_secret", codes[0]))
		written := w.seen.String()
		for _, plain := range append(codes, key, "data:image/png", `"`+code+`"`, "otpauth:") {
			if strings.Contains(written, plain) {
				t.Errorf("%s: %s stands in the table", of, plain)
			}
		}
		if !strings.Contains(written, "recovery_codes") {
			t.Fatal("nothing was seen")
		}
	}
}

// TestFormAsksForWhatThereIs: for each factor of the caller's and no other; of
// whoever has none it asks for nothing, and an app gets not even a token.
func TestFormAsksForWhatThereIs(t *testing.T) {
	h := openFactors(t)
	for i, of := range kinds {
		c, email := h.client(of), fmt.Sprintf("ann%d@example.org", i)
		c.signUp(t, email)
		asked := func(c *client) string {
			names := []string{}
			for _, node := range c.fetch(t, "login", c.start(t, "login", "aal=aal2")).flow(t).UI.Nodes {
				names = append(names, node.Name())
			}
			return strings.Join(names, " ")
		}
		nothing := map[bool]string{true: "", false: "csrf_token"}[of == api]
		if got := asked(c); got != nothing {
			t.Errorf("%s: without any factor it asks for %s", of, got)
		}
		c.enrolApp(t)
		if got := asked(h.low(t, of, email)); got != "csrf_token totp_code method" {
			t.Errorf("%s: with an app it asks for %s", of, got)
		}
		c.enrolCodes(t)
		if got := asked(h.low(t, of, email)); got != "csrf_token totp_code method lookup_secret method" {
			t.Errorf("%s: with both it asks for %s", of, got)
		}
	}
}

// TestSettingsShownAgain show what was sent along for hooks, as Kratos does, and
// are no change: nothing is stored of it.
func TestSettingsShownAgain(t *testing.T) {
	h := openFactors(t)
	c := h.client(api)
	c.signUp(t, "ann@example.org")
	id := c.start(t, "settings", "")
	for sent, want := range map[string]string{
		`{"lookup_secret_regenerate":true}`:                                   `"transient_payload":{},`,
		`{"lookup_secret_regenerate":true,"transient_payload":{"why":"new"}}`: `"transient_payload":{"why":"new"},`,
	} {
		a := c.post(t, "settings", id, "application/json", sent)
		if f := a.flow(t); a.Code != http.StatusOK || f.State != "show_form" || f.Active != "" || len(f.messages()) != 0 || !strings.Contains(a.Body.String(), want) {
			t.Errorf("%s answers %d %s", sent, a.Code, a.Body)
		}
	}
	if a := c.fetch(t, "settings", id); strings.Contains(a.Body.String(), "transient_payload") || a.flow(t).State != "show_form" {
		t.Errorf("then it is %s", a.Body)
	}
}
