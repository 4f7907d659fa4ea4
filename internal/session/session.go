package session

import (
	"encoding/json"
	"slices"
	"time"

	"styx/internal/identity"
)

// maxMethods bounds what a session accumulates; the newest stay.
const maxMethods = 32

// AAL is an authenticator assurance level.
type AAL = identity.AAL

// The assurance levels, NIST SP 800-63B-4.
const (
	AAL0 = identity.AAL0
	AAL1 = identity.AAL1
	AAL2 = identity.AAL2
)

// Method is one completed authentication, an entry of the AMR.
type Method struct {
	Method       string    `json:"method"`
	AAL          AAL       `json:"aal"`
	CompletedAt  time.Time `json:"completed_at"`
	Provider     string    `json:"provider,omitempty"`
	Organization string    `json:"organization,omitempty"`
	UpstreamACR  string    `json:"upstream_acr,omitempty"`
	UpstreamAMR  []string  `json:"upstream_amr,omitempty"`
}

// Device is where an authentication came from.
type Device struct {
	ID        string `json:"id"`
	IPAddress string `json:"ip_address"`
	UserAgent string `json:"user_agent"`
	Location  string `json:"location"`
}

// Session is the stored document. Hash is that of the token's secret part; the
// token itself is stored nowhere. Epoch is the identity's when the session
// began: a session whose identity has moved on is dead.
type Session struct {
	ID              string    `json:"id"`
	IdentityID      string    `json:"identity_id"`
	Hash            string    `json:"hash"`
	Epoch           int64     `json:"ep"`
	Revoked         bool      `json:"revoked,omitempty"`
	IssuedAt        time.Time `json:"issued_at"`
	AuthenticatedAt time.Time `json:"authenticated_at"`
	ExpiresAt       time.Time `json:"expires_at"`
	AAL             AAL       `json:"aal"`
	Methods         []Method  `json:"amr"`
	Devices         []Device  `json:"devices"`

	// V is the version of the item this was read from, Stored its document:
	// members that a newer release put there survive a rewrite.
	V      int64           `json:"-"`
	Stored json.RawMessage `json:"-"`
}

// Authenticated records a completed authentication: it appends the method and
// starts the session's life anew.
func (s *Session) Authenticated(by Method, now time.Time, lifespan time.Duration) {
	by.CompletedAt = now
	s.Methods = append(s.Methods, by)
	s.Methods = slices.Clone(s.Methods[max(0, len(s.Methods)-maxMethods):])
	s.AAL = level(s.Methods)
	s.AuthenticatedAt = now
	s.ExpiresAt = now.Add(lifespan)
}

// level adds methods up: two factors are AAL2, a second factor alone proves one.
func level(methods []Method) AAL {
	var first, second bool
	for _, m := range methods {
		if m.AAL != AAL2 {
			first = true
			continue
		}
		if m.Method == "oidc" || m.Method == "saml" {
			return AAL2
		}
		second = true
	}
	switch {
	case first && second:
		return AAL2
	case first || second:
		return AAL1
	default:
		return AAL0
	}
}

// Active tells whether the session counts for who at that time. Sessions that
// began before notBefore are dead; the zero time kills none.
func (s *Session) Active(who *identity.Identity, now, notBefore time.Time) bool {
	return !s.Revoked &&
		s.ExpiresAt.After(now) &&
		s.Epoch == who.Epoch &&
		who.Active() &&
		!s.IssuedAt.Before(notBefore)
}

// Fresh tells whether the last authentication is recent enough for changes that
// need it; a maxAge of zero or less always is.
func (s *Session) Fresh(now time.Time, maxAge time.Duration) bool {
	return maxAge <= 0 || now.Before(s.AuthenticatedAt.Add(maxAge))
}

// View is a session as the public API shows it. Identity is whatever view of
// its owner the answer may hold, nil for none.
type View struct {
	ID              string    `json:"id"`
	Active          bool      `json:"active"`
	ExpiresAt       time.Time `json:"expires_at"`
	AuthenticatedAt time.Time `json:"authenticated_at"`
	AAL             AAL       `json:"authenticator_assurance_level"`
	Methods         []Method  `json:"authentication_methods"`
	IssuedAt        time.Time `json:"issued_at"`
	Identity        any       `json:"identity"`
	Devices         []Device  `json:"devices"`
	Tokenized       string    `json:"tokenized,omitempty"`
}

// Show returns the session's view.
func (s *Session) Show(active bool, who any) View {
	return View{
		ID: s.ID, Active: active, ExpiresAt: s.ExpiresAt, AuthenticatedAt: s.AuthenticatedAt,
		AAL: s.AAL, Methods: s.Methods, IssuedAt: s.IssuedAt, Identity: who, Devices: s.Devices,
	}
}
