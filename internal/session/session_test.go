package session

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"styx/internal/identity"
)

func noon() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

// TestLevels is every pair and triple of authentications that add up to
// something, as the contract has it.
func TestLevels(t *testing.T) {
	one := func(method string) Method { return Method{Method: method, AAL: AAL1} }
	two := func(method string) Method { return Method{Method: method, AAL: AAL2} }
	for _, c := range []struct {
		name    string
		methods []Method
		want    AAL
	}{
		{"none", nil, AAL0},
		{"a password", []Method{one("password")}, AAL1},
		{"two passwords", []Method{one("password"), one("password")}, AAL1},
		{"a password and a code", []Method{one("password"), one("code")}, AAL1},
		{"a recovery", []Method{one("code_recovery")}, AAL1},
		{"a password and TOTP", []Method{one("password"), two("totp")}, AAL2},
		{"TOTP and a password", []Method{two("totp"), one("password")}, AAL2},
		{"a recovery and TOTP", []Method{one("link_recovery"), two("totp")}, AAL2},
		{"TOTP alone", []Method{two("totp")}, AAL1},
		{"two second factors", []Method{two("totp"), two("lookup_secret")}, AAL1},
		{"a key alone", []Method{two("webauthn")}, AAL1},
		{"a provider", []Method{one("oidc")}, AAL1},
		{"a provider that saw two factors", []Method{two("oidc")}, AAL2},
		{"SAML that saw two factors", []Method{two("saml")}, AAL2},
		{"a provider and TOTP", []Method{one("oidc"), two("totp")}, AAL2},
		{"TOTP, then a provider that saw two factors", []Method{two("totp"), two("oidc")}, AAL2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Session{AAL: AAL0}
			for _, m := range c.methods {
				s.Authenticated(m, noon(), time.Hour)
			}
			if len(c.methods) > 0 && s.AAL != c.want {
				t.Errorf("the level is %s, want %s", s.AAL, c.want)
			}
			if got := level(c.methods); got != c.want {
				t.Errorf("the level is %s, want %s", got, c.want)
			}
		})
	}
}

// TestAuthenticationsAreBounded: the newest stay, and a slice that somebody else
// holds is not written to.
func TestAuthenticationsAreBounded(t *testing.T) {
	s := new(Session)
	for i := range maxMethods + 5 {
		before := s.Methods
		kept := fmt.Sprint(before)
		s.Authenticated(Method{Method: fmt.Sprint(i), AAL: AAL1}, noon().Add(time.Duration(i)*time.Second), time.Hour)
		if fmt.Sprint(before) != kept {
			t.Fatal("an earlier slice was written to")
		}
	}
	last := s.Methods[len(s.Methods)-1]
	if len(s.Methods) != maxMethods || s.Methods[0].Method != "5" || last.Method != fmt.Sprint(maxMethods+4) {
		t.Errorf("kept are %d, from %s to %s", len(s.Methods), s.Methods[0].Method, last.Method)
	}
	if !s.AuthenticatedAt.Equal(last.CompletedAt) || !s.ExpiresAt.Equal(last.CompletedAt.Add(time.Hour)) {
		t.Errorf("lives from %s to %s", s.AuthenticatedAt, s.ExpiresAt)
	}
}

// TestActive takes each reason to be dead on its own, to the microsecond.
func TestActive(t *testing.T) {
	alive := Session{ExpiresAt: noon().Add(time.Hour), IssuedAt: noon().Add(-time.Hour), Epoch: 3}
	for _, c := range []struct {
		name      string
		change    func(*Session, *identity.Identity)
		notBefore time.Time
		want      bool
	}{
		{"alive", func(*Session, *identity.Identity) {}, time.Time{}, true},
		{"its last microsecond", func(s *Session, _ *identity.Identity) { s.ExpiresAt = noon().Add(time.Microsecond) }, time.Time{}, true},
		{"expired this moment", func(s *Session, _ *identity.Identity) { s.ExpiresAt = noon() }, time.Time{}, false},
		{"revoked", func(s *Session, _ *identity.Identity) { s.Revoked = true }, time.Time{}, false},
		{"of an earlier epoch", func(s *Session, _ *identity.Identity) { s.Epoch-- }, time.Time{}, false},
		{"of a later epoch", func(s *Session, _ *identity.Identity) { s.Epoch++ }, time.Time{}, false},
		{"inactive", func(_ *Session, who *identity.Identity) { who.State = identity.Inactive }, time.Time{}, false},
		{"of no known state", func(_ *Session, who *identity.Identity) { who.State = "" }, time.Time{}, false},
		{"from before the line", func(*Session, *identity.Identity) {}, noon().Add(-time.Hour + time.Microsecond), false},
		{"from the line", func(*Session, *identity.Identity) {}, noon().Add(-time.Hour), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, who := alive, &identity.Identity{State: identity.Active, Epoch: 3}
			c.change(&s, who)
			if got := s.Active(who, noon(), c.notBefore); got != c.want {
				t.Errorf("active is %v", got)
			}
		})
	}
}

func TestFresh(t *testing.T) {
	s := Session{AuthenticatedAt: noon()}
	for _, c := range []struct {
		after, maxAge time.Duration
		want          bool
	}{
		{0, time.Hour, true},
		{time.Hour - 1, time.Hour, true},
		{time.Hour, time.Hour, false},
		{2 * time.Hour, time.Hour, false},
		{1000 * time.Hour, 0, true},
		{1000 * time.Hour, -1, true},
	} {
		if got := s.Fresh(noon().Add(c.after), c.maxAge); got != c.want {
			t.Errorf("%s after, of at most %s: %v", c.after, c.maxAge, got)
		}
	}
}

// TestStoredAndShown hold each other apart: neither the token's hash nor the
// epoch is shown, and what the store keeps beside the document is not in it.
func TestStoredAndShown(t *testing.T) {
	s := &Session{ID: "s", IdentityID: "i", Hash: "the hash", Epoch: 77, V: 5, Stored: json.RawMessage(`"kept"`), Devices: []Device{{ID: "d", IPAddress: "192.0.2.1"}}}
	s.Authenticated(Method{Method: "password", AAL: AAL1}, noon(), time.Hour)
	stored, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"s","identity_id":"i","hash":"the hash","ep":77,"issued_at":"0001-01-01T00:00:00Z","authenticated_at":"2026-07-01T12:00:00Z",` +
		`"expires_at":"2026-07-01T13:00:00Z","aal":"aal1","amr":[{"method":"password","aal":"aal1","completed_at":"2026-07-01T12:00:00Z"}],` +
		`"devices":[{"id":"d","ip_address":"192.0.2.1","user_agent":"","location":""}]}`
	if string(stored) != want {
		t.Errorf("stored is\n%s, want\n%s", stored, want)
	}
	shown, err := json.Marshal(s.Show(true, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{"the hash", "77", "kept", "tokenized", "identity_id"} {
		if strings.Contains(string(shown), hidden) {
			t.Errorf("%q is shown: %s", hidden, shown)
		}
	}
	if !strings.Contains(string(shown), `"identity":null`) || !strings.Contains(string(shown), `"active":true`) {
		t.Errorf("shown is %s", shown)
	}
}
