package flow

import (
	"encoding/json"
	"time"

	"styx/internal/identity"
	"styx/internal/session"
	"styx/internal/ui"
)

// Kind says what a flow is for.
type Kind string

// The kinds of flow.
const (
	Login        Kind = "login"
	Registration Kind = "registration"
	Settings     Kind = "settings"
	Recovery     Kind = "recovery"
	Verification Kind = "verification"
)

// The types of flow: a browser proves itself by cookies, a native app by a
// session token.
const (
	Browser = "browser"
	API     = "api"
)

// States of a flow. A method may have states of its own.
const (
	ChooseMethod    = "choose_method"
	SentEmail       = "sent_email"
	ChallengePassed = "passed_challenge"
	ShowForm        = "show_form" // settings
	Saved           = "success"   // settings
)

// Flow is the stored record of one self-service flow.
type Flow struct {
	ID         string    `json:"id"`
	Kind       Kind      `json:"kind"`
	Type       string    `json:"type"`
	Active     string    `json:"active,omitempty"` // the method chosen last
	State      string    `json:"state"`
	RequestURL string    `json:"request_url"`
	ReturnTo   string    `json:"return_to,omitempty"`
	IssuedAt   time.Time `json:"issued_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	UpdatedAt  time.Time `json:"updated_at"`
	UI         ui.Form   `json:"ui"`

	// Browser is a MAC of the anti-CSRF cookie of the browser that the flow
	// belongs to; the token itself is not stored. Empty for native flows.
	Browser string `json:"browser,omitempty"`

	Refresh        bool        `json:"refresh,omitempty"`
	RequestedAAL   session.AAL `json:"requested_aal,omitempty"`
	OrganizationID *string     `json:"organization_id,omitempty"`
	Schema         string      `json:"identity_schema,omitempty"`

	// Identity is whose settings a settings flow changes, "" for any other flow.
	Identity string `json:"identity,omitempty"`

	// Unbound tells that an administrator began the flow: it belongs to no client,
	// and whoever has the code from it may submit it.
	Unbound bool `json:"unbound,omitempty"`

	// SkipSettings tells that a recovery ends where it was asked to return to,
	// instead of in a settings flow.
	SkipSettings bool `json:"skip_settings,omitempty"`

	// Proofs is what was sent to somebody and not used yet.
	Proofs []Proof `json:"proofs,omitempty"`

	// Private tells that the form shows a secret: it is stored sealed.
	Private bool `json:"private,omitempty"`

	// Kept is what methods remember from one submission to the next, each under
	// its id. It is stored sealed.
	Kept map[string]json.RawMessage `json:"-"`

	// Sealed is the stored form of Kept, and of the form of a private flow. Only
	// the store touches it.
	Sealed string `json:"sealed,omitempty"`

	// Owner is who Identity names, as answers show them.
	Owner *identity.Identity `json:"-"`

	// Transient is the submission's transient_payload: handed to hooks and
	// shown in the answer, never stored.
	Transient json.RawMessage `json:"-"`

	// V is the version of the item this was read from, Done whether the flow
	// was completed, Stored its document: members that a newer release put
	// there survive a rewrite.
	V      int64           `json:"-"`
	Done   bool            `json:"-"`
	Stored json.RawMessage `json:"-"`
}

// Proof is a one-time code or link token that was sent to an address, kept as a
// MAC of it.
type Proof struct {
	Identity  string       `json:"identity"` // who owned the address then
	Via       identity.Via `json:"via"`
	Address   string       `json:"address"`
	MAC       string       `json:"mac"`
	ExpiresAt time.Time    `json:"expires_at"`
}

// Of tells whether the proof is who's: what was sent to one person lets nobody
// else in, whoever else a submission names.
func (p *Proof) Of(who *identity.Identity) bool { return who != nil && p.Identity == who.ID }

// Expired tells whether the flow's time is over.
func (f *Flow) Expired(now time.Time) bool { return !f.ExpiresAt.After(now) }

// Native tells whether the flow belongs to an app instead of a browser.
func (f *Flow) Native() bool { return f.Type == API }
