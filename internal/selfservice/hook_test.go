package selfservice_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/table"
)

// loginHooks is a login's after-hooks, of the method or of the flow.
func loginHooks(of, names string) string {
	if of == "flow" {
		return `selfservice: {flows: {login: {after: {hooks: [` + names + `]}}}}`
	}
	return `selfservice: {flows: {login: {after: {password: {hooks: [` + names + `]}}}}}`
}

// TestSessionHook decides whether who signed up is signed in.
func TestSessionHook(t *testing.T) {
	without := open(t, `selfservice: {flows: {registration: {after: {password: {hooks: []}}}}}`)
	for i, of := range kinds {
		c := without.client(of)
		id := c.start(t, "registration", "")
		a := c.submit(t, "registration", id, fields{"method": "password", "traits.email": fmt.Sprintf("ann%d@example.org", i), "password": password})
		switch of {
		case html:
			if a.Code != http.StatusSeeOther || a.location(t).String() != "https://app.example.org/" {
				t.Errorf("a browser gets %d %s", a.Code, a.location(t))
			}
		default:
			if body := a.Body.String(); a.Code != http.StatusOK || !strings.Contains(body, `"identity":{`) || strings.Contains(body, "session") {
				t.Errorf("%s gets %d %s", of, a.Code, body)
			}
		}
		if _, given := c.jar["ory_kratos_session"]; given || c.whoami(t).ID != "" {
			t.Errorf("%s is signed in", of)
		}
	}
}

// TestRevokeActiveSessions leaves the one that is signing in, also where it goes
// on with a session it had.
func TestRevokeActiveSessions(t *testing.T) {
	for _, at := range []string{"method", "flow"} {
		for _, of := range kinds {
			h := open(t, loginHooks(at, "{hook: revoke_active_sessions}"))
			older, c := h.client(api), h.client(of)
			older.signUp(t, "ann@example.org")
			stranger := h.client(api)
			stranger.signUp(t, "eve@example.org")
			mine := c.signIn(t, "ann@example.org", "")
			if mine.ID == "" || older.whoami(t).ID != "" || stranger.whoami(t).ID == "" {
				t.Errorf("%s, %s: a login leaves %q and %q", at, of, older.whoami(t).ID, mine.ID)
			}
			other := h.client(api)
			other.signIn(t, "ann@example.org", "")
			if c.whoami(t).ID != "" {
				t.Errorf("%s, %s: the second login left the first", at, of)
			}
			same := other.whoami(t)
			if again := other.signIn(t, "ann@example.org", "refresh=true"); again.ID != same.ID || len(again.Methods) != 2 {
				t.Errorf("%s, %s: a refresh is %+v", at, of, again)
			}
		}
	}
}

// TestRequireVerifiedAddress holds who proved no address back, with a flow to
// prove one.
func TestRequireVerifiedAddress(t *testing.T) {
	for _, of := range kinds {
		h := open(t, loginHooks("method", "{hook: require_verified_address}"), verifying)
		ann := h.client(api).signUp(t, "ann@example.org")
		c := h.client(of)
		a := c.tryIn(t, "ann@example.org", password, "")
		if of == html {
			if a.Code != http.StatusSeeOther || !strings.HasPrefix(a.location(t).String(), "https://app.example.org/verification?flow=") {
				t.Errorf("a browser is sent to %s", a.location(t))
			}
		} else {
			p := c.problem(t, a)
			next := fmt.Sprint(p.Details["continue_with"])
			if a.Code != http.StatusForbidden || p.ID != "session_verified_address_required" || !strings.Contains(next, "show_verification_ui") || !strings.Contains(next, "ann@example.org") {
				t.Errorf("%s gets %d %s", of, a.Code, a.Body)
			}
		}
		if c.whoami(t).ID != "" {
			t.Errorf("%s: signed in", of)
		}
		if f := c.again(t, "login", c.tryIn(t, "ann@example.org", "wrong password", "")); fmt.Sprint(f.messages()) != "[4000006]" {
			t.Errorf("%s: a wrong password says %v", of, f.messages())
		}
		h.change(t, ann.Identity.ID, func(who *identity.Identity) { who.VerifiableAddresses[0].Verify(h.Now()) })
		if c.signIn(t, "ann@example.org", "").ID == "" {
			t.Errorf("%s: a verified address does not pass", of)
		}
	}
}

// TestRequireVerifiedAddressOfOld says it in the form, as does one that no
// message can follow.
func TestRequireVerifiedAddressOfOld(t *testing.T) {
	hook := loginHooks("method", "{hook: require_verified_address}")
	for name, more := range map[string][]string{
		"of old":             {hook, verifying, `feature_flags: {legacy_require_verified_login_error: true}`},
		"nothing can verify": {hook},
	} {
		h := open(t, more...)
		h.client(api).signUp(t, "ann@example.org")
		for _, of := range kinds {
			c := h.client(of)
			f := c.again(t, "login", c.tryIn(t, "ann@example.org", password, ""))
			if fmt.Sprint(f.messages()) != "[4000010]" || c.whoami(t).ID != "" {
				t.Errorf("%s, %s: says %v", name, of, f.messages())
			}
		}
	}
}

// outdated gives an identity a hash of other parameters than the configured.
func outdated(t *testing.T, h *house, id, password string) string {
	t.Helper()
	hasher, err := secret.NewHasher(secret.HasherConfig{
		Algorithm: "argon2", Argon2: secret.Argon2{MemoryKiB: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
	}, zero{})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := hasher.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	h.change(t, id, func(who *identity.Identity) {
		if err := who.SetPasswordHash(hash, h.Now()); err != nil {
			t.Fatal(err)
		}
	})
	return hash
}

// TestLoginUpgradesTheHash, whether or not a hook writes the identity first.
func TestLoginUpgradesTheHash(t *testing.T) {
	for _, hook := range []string{"", "{hook: revoke_active_sessions}"} {
		h := open(t, loginHooks("method", hook))
		c := h.client(api)
		id := c.signUp(t, "ann@example.org").Identity.ID
		old := outdated(t, h, id, password)
		if f := c.again(t, "login", h.client(api).tryIn(t, "ann@example.org", "wrong password", "")); fmt.Sprint(f.messages()) != "[4000006]" || h.stored(t, id).PasswordHash() != old {
			t.Errorf("%q: a wrong password says %v", hook, f.messages())
		}
		h.client(api).signIn(t, "ann@example.org", "")
		fresh := h.stored(t, id).PasswordHash()
		if !strings.HasPrefix(fresh, "$2a$04$") {
			t.Fatalf("%q: the hash is %.7s", hook, fresh)
		}
		h.client(api).signIn(t, "ann@example.org", "")
		if h.stored(t, id).PasswordHash() != fresh {
			t.Errorf("%q: a hash that is good was made anew", hook)
		}
	}
}

// TestUpgradeLosesToAChange: a password that was changed while somebody signed
// in with the old one stays changed.
func TestUpgradeLosesToAChange(t *testing.T) {
	h := open(t)
	id := h.client(api).signUp(t, "ann@example.org").Identity.ID
	outdated(t, h, id, password)
	raced := false
	h.Store.Table = onWrite{h.table, func(ops []table.Op) {
		// The session is being written, so the identity was read already.
		if ops[0].Key.PK == "0.I#"+id && strings.HasPrefix(ops[0].Key.SK, "S#") && !raced {
			raced = true
			h.change(t, id, func(who *identity.Identity) {
				if err := who.SetPasswordHash("changed", h.Now()); err != nil {
					t.Error(err)
				}
			})
		}
	}}
	if h.client(api).signIn(t, "ann@example.org", ""); !raced {
		t.Fatal("nothing raced")
	}
	if got := h.stored(t, id).PasswordHash(); got != "changed" {
		t.Errorf("the hash is %s", got)
	}
}

// TestBcryptReadsAWholePassword or none of it: a longer one is refused at
// registration, and is another password at login (ASVS 6.2.8).
func TestBcryptReadsAWholePassword(t *testing.T) {
	h := open(t)
	longest := strings.Repeat("a1B!cdefg", 8)
	for i, of := range kinds {
		c := h.client(of)
		email := fmt.Sprintf("ann%d@example.org", i)
		id := c.start(t, "registration", "")
		sent := fields{"method": "password", "traits.email": email, "password": longest + "x"}
		if f := c.again(t, "registration", c.submit(t, "registration", id, sent)); fmt.Sprint(f.messages()) != "[4000033]" || f.node("password").Messages[0].Text != "The password must be at most 72 characters long, but got 73." {
			t.Errorf("%s: 73 bytes say %v", of, f.messages())
		}
		sent["password"] = longest
		c.done(t, c.submit(t, "registration", id, sent))
		c = h.client(of)
		for _, wrong := range []string{longest + "x", longest + "\x00", longest[:71]} {
			if f := c.again(t, "login", c.tryIn(t, email, wrong, "")); fmt.Sprint(f.messages()) != "[4000006]" {
				t.Errorf("%s: %d bytes say %v", of, len(wrong), f.messages())
			}
		}
		c.done(t, c.tryIn(t, email, longest, ""))
	}
}

// onWrite runs do before each write of a table.
type onWrite struct {
	table.Table

	do func([]table.Op)
}

// Write implements table.Table.
func (o onWrite) Write(ctx context.Context, ops ...table.Op) error {
	o.do(ops)
	return o.Table.Write(ctx, ops...)
}

// TestRefreshRacesARevocation and loses: what was revoked stays so. The right
// password begins another session, as it does without any.
func TestRefreshRacesARevocation(t *testing.T) {
	h := open(t)
	c := h.client(api)
	mine := c.signUp(t, "ann@example.org")
	id := c.start(t, "login", "refresh=true")
	raced := false
	h.Store.Table = onWrite{h.table, func(ops []table.Op) {
		if ops[0].Kind != table.OpPut || !strings.HasPrefix(ops[0].Key.SK, "S#") || raced {
			return
		}
		raced = true
		if err := h.Store.Revoke(t.Context(), mine.Identity.ID, mine.ID); err != nil {
			t.Error(err)
		}
	}}
	a := c.submit(t, "login", id, fields{"method": "password", "identifier": "ann@example.org", "password": password})
	old := c.token
	if another := c.done(t, a); !raced || another.ID == mine.ID || len(another.Methods) != 1 {
		t.Errorf("raced %v: the session is %+v", raced, another)
	}
	if c.token = old; c.whoami(t).ID != "" {
		t.Error("the revoked session lives")
	}
}

// TestRefreshRacesAnExtension and both count.
func TestRefreshRacesAnExtension(t *testing.T) {
	h := open(t)
	c := h.client(api)
	mine := c.signUp(t, "ann@example.org")
	id := c.start(t, "login", "refresh=true")
	token, err := secret.ParseToken(c.token)
	if err != nil {
		t.Fatal(err)
	}
	raced := false
	h.Store.Table = onWrite{h.table, func(ops []table.Op) {
		if ops[0].Kind != table.OpPut || !strings.HasPrefix(ops[0].Key.SK, "S#") || raced {
			return
		}
		raced = true
		bearer, err := h.Store.Bearer(t.Context(), token)
		if err == nil {
			err = h.Store.Resume(t.Context(), bearer.Owner, bearer.Session, func(s *session.Session) {
				s.Authenticated(session.Method{Method: "totp", AAL: session.AAL2}, h.Now(), h.Config.Session.Lifespan)
			})
		}
		if err != nil {
			t.Error(err)
		}
	}}
	after := c.done(t, c.submit(t, "login", id, fields{"method": "password", "identifier": "ann@example.org", "password": password}))
	if !raced || after.ID != mine.ID || len(after.Methods) != 3 || after.AAL != "aal2" {
		t.Errorf("raced %v: the session is %+v", raced, after)
	}
}
