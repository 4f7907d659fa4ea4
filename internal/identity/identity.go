package identity

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// State says whether an identity may sign in.
type State string

// The states of an identity.
const (
	Active   State = "active"
	Inactive State = "inactive"
)

// Identity is the stored document of one identity.
//
// MetadataAdmin is shown when it is null and left out when it is empty: the
// answer to a creation lacks it, a later read shows null.
type Identity struct {
	ID                  string
	ExternalID          string
	SchemaID            string
	State               State
	StateChangedAt      time.Time
	Traits              json.RawMessage // as sent; phone numbers in E.164
	VerifiableAddresses []VerifiableAddress
	RecoveryAddresses   []RecoveryAddress
	MetadataPublic      json.RawMessage
	MetadataAdmin       json.RawMessage
	Credentials         map[CredentialType]Credential
	OrganizationID      *string
	CreatedAt           time.Time
	UpdatedAt           time.Time

	// Epoch is copied into every session; raising it kills those that exist.
	Epoch int64

	// Guards are the names that the document stored when it was last written,
	// which a change of rules leaves alone: the set difference to what the
	// function Guards says now is what a write has to put and delete.
	Guards []string

	// V is the version of the item this was read from.
	V int64

	// unknown holds the members of a newer release's document.
	unknown map[string]json.RawMessage
}

// New returns an active identity without traits.
func New(id, schemaID string, now time.Time) *Identity {
	now = stored(now)
	return &Identity{
		ID: id, SchemaID: schemaID,
		State: Active, StateChangedAt: now,
		Traits:      json.RawMessage("{}"),
		Credentials: map[CredentialType]Credential{},
		CreatedAt:   now, UpdatedAt: now,
	}
}

// Clone returns a copy that may be changed without changing the original.
func (i *Identity) Clone() *Identity {
	copied := *i
	copied.VerifiableAddresses = slices.Clone(i.VerifiableAddresses)
	copied.RecoveryAddresses = slices.Clone(i.RecoveryAddresses)
	copied.Credentials = maps.Clone(i.Credentials)
	copied.Guards = slices.Clone(i.Guards)
	return &copied
}

// Adopt takes over the traits of another state of the identity, and what follows
// from them: identifiers and addresses. Secrets stay as they are.
func (i *Identity) Adopt(other *Identity, now time.Time) {
	i.SchemaID, i.Traits = other.SchemaID, other.Traits
	i.VerifiableAddresses, i.RecoveryAddresses = other.VerifiableAddresses, other.RecoveryAddresses
	for _, kind := range []CredentialType{Password, WebAuthn} {
		i.Identify(kind, other.Credentials[kind].Identifiers, now)
	}
	if code, has := other.Credentials[Code]; has {
		i.put(code)
	} else {
		delete(i.Credentials, Code)
	}
	i.Touch(now)
}

// SameAccess tells whether two states of an identity have the same credentials
// and the same addresses: whoever could sign in or be reached still can, and
// nobody else.
func SameAccess(a, b *Identity) bool {
	return maps.EqualFunc(a.Credentials, b.Credentials, func(x, y Credential) bool {
		return slices.Equal(x.Identifiers, y.Identifiers) && bytes.Equal(x.Config, y.Config)
	}) && slices.EqualFunc(a.VerifiableAddresses, b.VerifiableAddresses, func(x, y VerifiableAddress) bool {
		return x.Via == y.Via && x.Value == y.Value
	}) && slices.EqualFunc(a.RecoveryAddresses, b.RecoveryAddresses, func(x, y RecoveryAddress) bool {
		return x.Via == y.Via && x.Value == y.Value
	})
}

// Valid tells whether the state is one of the two.
func (s State) Valid() bool { return s == Active || s == Inactive }

// Touch records that the identity was changed.
func (i *Identity) Touch(now time.Time) { i.UpdatedAt = stored(now) }

// SetState changes the state and when it changed; the same state changes nothing.
func (i *Identity) SetState(state State, now time.Time) {
	if i.State != state {
		i.State, i.StateChangedAt = state, stored(now)
	}
}

// Active tells whether the identity may sign in and use its sessions.
func (i *Identity) Active() bool { return i.State == Active }

// stored returns the time as documents hold it: UTC, microseconds.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
