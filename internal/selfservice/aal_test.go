package selfservice_test

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/store"
)

// TestLevels is every first factor with every second factor, at everything that
// asks for a level. The table is written by hand from the contract, so that no
// mistake of the code can be in it too (CVE-2024-45042). Code as both is left
// out: the two settings exclude each other.
func TestLevelsOfEveryFactor(t *testing.T) {
	for _, row := range []struct {
		first, second string
		available     identity.AAL

		// A session of the first factor alone: whoami, settings, the question for
		// the second factor and for the first one again.
		whoami, settings, stepUp, refresh int

		// The session once the second factor is proved, and once the first is
		// proved again after that.
		proved, refreshed session.AAL
		after             int // whoami and settings then

		// A session of a recovery: whoami and settings, and its level once the
		// second factor is proved.
		recovered       int
		recoveredProved session.AAL
	}{
		{"password", "", "aal1", 200, 200, 200, 200, "aal1", "aal1", 200, 200, "aal1"},
		{"password", "totp", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"password", "lookup_secret", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"password", "webauthn", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"password", "code", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},

		{"code", "", "aal1", 200, 200, 200, 200, "aal1", "aal1", 200, 200, "aal1"},
		{"code", "totp", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"code", "lookup_secret", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"code", "webauthn", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},

		{"webauthn", "", "aal1", 200, 200, 200, 200, "aal1", "aal1", 200, 200, "aal1"},
		{"webauthn", "totp", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"webauthn", "lookup_secret", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"webauthn", "webauthn", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"webauthn", "code", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},

		{"passkey", "", "aal1", 200, 200, 200, 200, "aal1", "aal1", 200, 200, "aal1"},
		{"passkey", "totp", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"passkey", "lookup_secret", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"passkey", "webauthn", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"passkey", "code", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},

		{"oidc", "", "aal1", 200, 200, 200, 200, "aal1", "aal1", 200, 200, "aal1"},
		{"oidc", "totp", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"oidc", "lookup_secret", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"oidc", "webauthn", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"oidc", "code", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},

		// Nothing is left to sign in with: only the sessions that were there before
		// and recovery. A second factor alone is asked for all the same.
		{"", "", "aal0", 200, 200, 200, 200, "aal1", "aal1", 200, 200, "aal1"},
		{"", "totp", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"", "lookup_secret", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"", "webauthn", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
		{"", "code", "aal2", 403, 403, 200, 200, "aal2", "aal2", 200, 403, "aal2"},
	} {
		t.Run(row.first+"+"+row.second, func(t *testing.T) {
			h := openFactors(t, verifying, recovering, transitions)
			h.Policy = identity.Policy{
				Password: true, OIDC: true, Passkey: true, WebAuthn: true, TOTP: true, LookupSecret: true,
				Passwordless: row.first == "code", CodeMFA: row.second == "code",
			}
			box := h.mailbox(t)
			who := h.client(api).signUp(t, "ann@example.org").Identity.ID
			h.equip(t, who, row.first, row.second)
			if got := h.stored(t, who).AvailableAAL(h.Policy); got != row.available {
				t.Errorf("available is %s", got)
			}
			first := session.Method{Method: cmp.Or(row.first, "password"), AAL: session.AAL1}
			c := h.comeIn(t, who, first)
			c.answers(t, "the first factor alone", row.whoami, row.settings)
			if got := c.opened(t, "login", "aal=aal2").Code; got != row.stepUp {
				t.Errorf("stepping up answers %d", got)
			}
			if got := c.opened(t, "login", "refresh=true").Code; got != row.refresh {
				t.Errorf("refreshing answers %d", got)
			}
			c = c.second(t, who, row.second, first)
			c.reaches(t, "both factors", row.proved, row.after)
			if row.first == "password" {
				c.signIn(t, "ann@example.org", "refresh=true")
				c.reaches(t, "the first factor again", row.refreshed, row.after)
			}
			c = h.recover(t, box)
			c.answers(t, "recovery", row.recovered, row.recovered)
			h.clock.pass(2 * time.Minute) // a code of an app works once
			c = c.second(t, who, row.second, session.Method{Method: "code_recovery", AAL: session.AAL1})
			c.reaches(t, "recovery and the second factor", row.recoveredProved, http.StatusOK)
		})
	}
}

// What the tests' people have as second factors.
const (
	appKey     = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	backupCode = "a1b2c3d4"
	backupNext = "e5f6g7h8"
)

// equip gives an identity that has a password these factors in place of it, and
// an address to recover it by.
func (h *house) equip(tb testing.TB, id, first, second string) {
	tb.Helper()
	now, ring := h.Now(), h.Store.Ring
	h.change(tb, id, func(who *identity.Identity) {
		if first != "password" {
			delete(who.Credentials, identity.Password)
		}
		var keys []identity.Key
		if first == "webauthn" {
			keys = append(keys, identity.Key{ID: []byte("first"), Passwordless: true})
		}
		if second == "webauthn" {
			keys = append(keys, identity.Key{ID: []byte("second")})
		}
		errs := []error{who.SetWebAuthnKeys(identity.WebAuthn, []byte("handle"), keys, now)}
		switch first {
		case "passkey":
			errs = append(errs, who.SetWebAuthnKeys(identity.Passkey, []byte("handle"), []identity.Key{{ID: []byte("pass"), Passwordless: true}}, now))
		case "oidc":
			errs = append(errs, who.SetProviders(identity.OIDC, []identity.Provider{{Provider: "acme", Subject: "ann"}}, now))
		}
		switch second {
		case "totp":
			errs = append(errs, who.SetTOTP(ring, "otpauth://totp/Shop:ann?secret="+appKey, now))
		case "lookup_secret":
			errs = append(errs, who.SetLookup(ring, []identity.LookupCode{{Code: backupCode}, {Code: backupNext}}, now))
		}
		if first == "code" || second == "code" {
			errs = append(errs, who.SetCodeAddresses([]identity.CodeAddress{{Channel: identity.ViaEmail, Address: "ann@example.org"}}, now))
		}
		who.RecoveryAddresses = []identity.RecoveryAddress{
			{ID: uuid(), Value: "ann@example.org", Via: identity.ViaEmail, CreatedAt: now, UpdatedAt: now},
		}
		if err := errors.Join(errs...); err != nil {
			tb.Fatal(err)
		}
	})
}

// comeIn is an app whose session has these authentications.
func (h *house) comeIn(tb testing.TB, id string, by ...session.Method) *client {
	tb.Helper()
	owner, err := secret.ParseUUID(id)
	if err != nil {
		tb.Fatal(err)
	}
	token := secret.NewToken(rand.Reader, owner, secret.NewV7(h.Now(), rand.Reader))
	live := &session.Session{
		ID: token.Session.String(), IdentityID: id, Hash: token.Hash(), Epoch: h.stored(tb, id).Epoch, IssuedAt: h.Now(),
	}
	for _, method := range by {
		live.Authenticated(method, h.Now(), 24*time.Hour)
	}
	if err := h.Store.Commit(tb.Context(), store.Change{Session: live}); err != nil {
		tb.Fatal(err)
	}
	c := h.client(api)
	c.token = token.String()
	return c
}

// second is the client once it proved that second factor after the first. Those
// that take more than a text are put into a session as they would be.
func (c *client) second(tb testing.TB, id, factor string, first session.Method) *client {
	tb.Helper()
	proof := ""
	switch factor {
	case "":
		return c
	case "totp":
		proof = appCode(tb, appKey, c.Now())
	case "lookup_secret":
		proof = backupCode
		if codes, err := c.stored(tb, id).Lookup(c.Store.Ring); err == nil && codes[0].UsedAt != nil {
			proof = backupNext
		}
	default:
		return c.comeIn(tb, id, first, session.Method{Method: factor, AAL: session.AAL2})
	}
	if a := c.prove(tb, factor, proof); a.Code != http.StatusOK {
		tb.Errorf("%s answers %d %s", factor, a.Code, a.Body)
	}
	return c
}

// recover is an app that recovered ann's account.
func (h *house) recover(tb testing.TB, box *mailbox) *client {
	tb.Helper()
	c := h.client(api)
	id := c.start(tb, "recovery", "")
	c.submit(tb, "recovery", id, fields{"method": "code", "email": "ann@example.org"})
	a := c.submit(tb, "recovery", id, fields{"method": "code", "code": box.last(tb).RecoveryCode})
	var body struct {
		Next []struct {
			Token string `json:"ory_session_token"`
		} `json:"continue_with"`
	}
	if a.decode(tb, &body); len(body.Next) == 0 || body.Next[0].Token == "" {
		tb.Fatalf("recovery answers %d %s", a.Code, a.Body)
	}
	c.token = body.Next[0].Token
	return c
}

// answers checks what whoami and the settings answer.
func (c *client) answers(tb testing.TB, by string, whoami, settings int) {
	tb.Helper()
	if got := c.ask(tb, http.MethodGet, "/sessions/whoami").Code; got != whoami {
		tb.Errorf("%s: whoami answers %d, want %d", by, got, whoami)
	}
	if got := c.opened(tb, "settings", "").Code; got != settings {
		tb.Errorf("%s: settings answer %d, want %d", by, got, settings)
	}
}

// reaches checks the level of the client's session, and what it is good for.
func (c *client) reaches(tb testing.TB, by string, level session.AAL, status int) {
	tb.Helper()
	if got := c.whoami(tb).AAL; got != string(level) {
		tb.Errorf("%s reaches %s, want %s", by, got, level)
	}
	c.answers(tb, by, status, status)
}

// TestConfiguredLevels: what asks for less gets less, and a factor that is
// switched off counts for nothing.
func TestConfiguredLevels(t *testing.T) {
	const (
		whoamiLow   = `session: {whoami: {required_aal: aal1}}`
		settingsLow = `selfservice: {flows: {settings: {required_aal: aal1}}}`
	)
	none := identity.Policy{Password: true}
	all := identity.Policy{Password: true, WebAuthn: true, TOTP: true, LookupSecret: true, CodeMFA: true}
	for _, row := range []struct {
		name, config, second string
		policy               identity.Policy
		whoami, settings     int
	}{
		{"the highest for both", "", "totp", all, 403, 403},
		{"aal1 for whoami", whoamiLow, "totp", all, 200, 403},
		{"aal1 for settings", settingsLow, "totp", all, 403, 200},
		{"TOTP switched off", "", "totp", none, 200, 200},
		{"backup codes switched off", "", "lookup_secret", none, 200, 200},
		{"security keys switched off", "", "webauthn", none, 200, 200},
		{"codes not a second factor", "", "code", none, 200, 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			more := []string{}
			if row.config != "" {
				more = append(more, row.config)
			}
			h := openFactors(t, more...)
			h.Policy = row.policy
			c := h.client(api)
			h.equip(t, c.signUp(t, "ann@example.org").Identity.ID, "password", row.second)
			c.answers(t, "a password", row.whoami, row.settings)
		})
	}
}

// TestSecondFactorHoldsAtOnce for every session of its owner's, the moment it is
// there, and is forgotten the moment it is gone: no level is kept anywhere
// (CVE-2024-45042).
func TestSecondFactorHoldsAtOnce(t *testing.T) {
	h := openFactors(t)
	for i, of := range kinds {
		email := fmt.Sprintf("ann%d@example.org", i)
		c := h.client(of)
		c.signUp(t, email)
		elsewhere := h.low(t, api, email)
		elsewhere.answers(t, "nothing yet", 200, 200)
		for _, factor := range []struct {
			enrol   func()
			disable string
		}{
			{func() { c.enrolApp(t) }, "totp_unlink"},
			{func() { c.enrolCodes(t) }, "lookup_secret_disable"},
		} {
			factor.enrol()
			elsewhere.answers(t, of+", enrolled elsewhere", 403, 403)
			h.low(t, api, email).answers(t, of+", signed in after", 403, 403)
			// Setting a factor up proves it: whoever did is not asked for it.
			if got := c.whoami(t); got.AAL != "aal2" {
				t.Errorf("%s: who enrolled is at %q", of, got.AAL)
			}
			id := c.start(t, "settings", "")
			c.saved(t, c.press(t, id, factor.disable), id)
			elsewhere.answers(t, of+", taken away", 200, 200)
			if got := c.whoami(t); got.AAL != "aal2" {
				t.Errorf("%s: what was proved is forgotten: %q", of, got.AAL)
			}
		}
		methods := []string{}
		for _, method := range c.whoami(t).Methods {
			methods = append(methods, method.Method)
		}
		if want := []string{"password", "totp", "lookup_secret"}; !slices.Equal(methods, want) {
			t.Errorf("%s: the session has %v", of, methods)
		}
	}
}

// TestSettingsOfALowSession are closed, to read as well as to change, also where
// their flow began before the second factor was there.
func TestSettingsOfALowSession(t *testing.T) {
	h := openFactors(t)
	c := h.client(api)
	c.signUp(t, "ann@example.org")
	low := h.low(t, api, "ann@example.org")
	id := low.start(t, "settings", "")
	low.press(t, id, "lookup_secret_regenerate")
	c.enrolApp(t)
	for what, a := range map[string]answer{
		"reading":              low.fetch(t, "settings", id),
		"confirming codes":     low.press(t, id, "lookup_secret_confirm"),
		"taking the app away":  low.press(t, id, "totp_unlink"),
		"another password":     low.submit(t, "settings", id, fields{"method": "password", "password": "another " + password}),
		"what nobody asks for": low.submit(t, "settings", id, fields{}),
	} {
		if p := low.problem(t, a); p.Code != http.StatusForbidden || p.ID != "session_aal2_required" {
			t.Errorf("%s: %+v", what, p)
		}
	}
	if got := c.whoami(t); got.AAL != "aal2" || h.stored(t, got.Identity.ID).Counts().LookupSecret != 0 {
		t.Error("something was changed")
	}
}
