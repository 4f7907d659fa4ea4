package identity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// stamp prints a time as documents hold it: RFC 3339, UTC, six fraction digits.
type stamp struct{ time.Time }

func (s stamp) MarshalJSON() ([]byte, error) {
	return s.UTC().AppendFormat(make([]byte, 0, 32), `"2006-01-02T15:04:05.000000Z"`), nil
}

func (s *stamp) UnmarshalJSON(raw []byte) error {
	if err := s.Time.UnmarshalJSON(raw); err != nil {
		return err
	}
	s.Time = stored(s.Time)
	return nil
}

// document is the stored form of an identity. Its parts are either types that
// keep the members of a newer release, or their bare forms: those are read in
// one pass, which is what nearly every document needs and what whoami pays for.
type document[V, R, C any] struct {
	ID                  string               `json:"id"`
	ExternalID          string               `json:"external_id,omitempty"`
	SchemaID            string               `json:"schema_id"`
	State               State                `json:"state"`
	StateChangedAt      stamp                `json:"state_changed_at"`
	Traits              json.RawMessage      `json:"traits"`
	VerifiableAddresses []V                  `json:"verifiable_addresses,omitempty"`
	RecoveryAddresses   []R                  `json:"recovery_addresses,omitempty"`
	MetadataPublic      json.RawMessage      `json:"metadata_public"`
	MetadataAdmin       json.RawMessage      `json:"metadata_admin"`
	Credentials         map[CredentialType]C `json:"credentials"`
	OrganizationID      *string              `json:"organization_id"`
	CreatedAt           stamp                `json:"created_at"`
	UpdatedAt           stamp                `json:"updated_at"`
	Epoch               int64                `json:"ep"`
	Guards              []string             `json:"guards"`
}

type (
	keeping = document[VerifiableAddress, RecoveryAddress, Credential]
	bare    = document[verifiableDocument, recoveryDocument, credentialDocument]
)

// The names of each document's members; a test holds them against the structs.
func documentMembers() []string {
	return []string{
		"id", "external_id", "schema_id", "state", "state_changed_at", "traits", "verifiable_addresses",
		"recovery_addresses", "metadata_public", "metadata_admin", "credentials", "organization_id",
		"created_at", "updated_at", "ep", "guards",
	}
}

// MarshalJSON prints the stored document, with the members of a newer release
// that it was read with.
func (i Identity) MarshalJSON() ([]byte, error) {
	return withUnknown(keeping{
		ID: i.ID, ExternalID: i.ExternalID, SchemaID: i.SchemaID,
		State: i.State, StateChangedAt: stamp{i.StateChangedAt},
		Traits:              orElse(i.Traits, "{}"),
		VerifiableAddresses: i.VerifiableAddresses, RecoveryAddresses: i.RecoveryAddresses,
		MetadataPublic: orElse(i.MetadataPublic, "null"), MetadataAdmin: orElse(i.MetadataAdmin, "null"),
		Credentials: i.Credentials, OrganizationID: i.OrganizationID,
		CreatedAt: stamp{i.CreatedAt}, UpdatedAt: stamp{i.UpdatedAt},
		Epoch: i.Epoch, Guards: i.Guards,
	}, i.unknown)
}

// UnmarshalJSON reads a stored document. A password or webauthn credential that
// was never read before becomes version 1.
func (i *Identity) UnmarshalJSON(raw []byte) error {
	version := i.V // of the item, which the document does not hold
	var known bare
	if strict(raw, &known) == nil {
		*i = identityOf(known, verifiableDocument.address, recoveryDocument.address, credentialDocument.credential)
		i.V = version
		return nil
	}
	var doc keeping
	unknown, err := decode(raw, &doc, documentMembers)
	if err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	*i = identityOf(doc, itself[VerifiableAddress], itself[RecoveryAddress], itself[Credential])
	i.unknown, i.V = unknown, version
	return nil
}

func itself[T any](value T) T { return value }

func identityOf[V, R, C any](
	doc document[V, R, C],
	verifiable func(V) VerifiableAddress, recovery func(R) RecoveryAddress, credential func(C) Credential,
) Identity {
	who := Identity{
		ID: doc.ID, ExternalID: doc.ExternalID, SchemaID: doc.SchemaID,
		State: doc.State, StateChangedAt: doc.StateChangedAt.Time,
		Traits:         doc.Traits,
		MetadataPublic: doc.MetadataPublic, MetadataAdmin: doc.MetadataAdmin,
		Credentials:    make(map[CredentialType]Credential, len(doc.Credentials)),
		OrganizationID: doc.OrganizationID,
		CreatedAt:      doc.CreatedAt.Time, UpdatedAt: doc.UpdatedAt.Time,
		Epoch: doc.Epoch, Guards: doc.Guards,
	}
	for _, address := range doc.VerifiableAddresses {
		who.VerifiableAddresses = append(who.VerifiableAddresses, verifiable(address))
	}
	for _, address := range doc.RecoveryAddresses {
		who.RecoveryAddresses = append(who.RecoveryAddresses, recovery(address))
	}
	for kind, stored := range doc.Credentials {
		read := credential(stored)
		if read.Version == 0 && (kind == Password || kind == WebAuthn) {
			read.Version = 1
		}
		who.Credentials[kind] = read
	}
	return who
}

type credentialDocument struct {
	Type        CredentialType  `json:"type"`
	Identifiers []string        `json:"identifiers"`
	Config      json.RawMessage `json:"config"`
	Version     int             `json:"version"`
	CreatedAt   stamp           `json:"created_at"`
	UpdatedAt   stamp           `json:"updated_at"`
}

func credentialMembers() []string {
	return []string{"type", "identifiers", "config", "version", "created_at", "updated_at"}
}

// MarshalJSON prints the stored form, config included: it is no answer to anybody.
func (c Credential) MarshalJSON() ([]byte, error) {
	return withUnknown(credentialDocument{
		c.Type, c.Identifiers, orElse(c.Config, "{}"), c.Version, stamp{c.CreatedAt}, stamp{c.UpdatedAt},
	}, c.unknown)
}

// UnmarshalJSON reads the stored form.
func (c *Credential) UnmarshalJSON(raw []byte) error {
	var doc credentialDocument
	unknown, err := decode(raw, &doc, credentialMembers)
	if err != nil {
		return err
	}
	*c = doc.credential()
	c.unknown = unknown
	return nil
}

func (d credentialDocument) credential() Credential {
	return Credential{d.Type, d.Identifiers, d.Config, d.Version, d.CreatedAt.Time, d.UpdatedAt.Time, nil}
}

type verifiableDocument struct {
	ID         string `json:"id"`
	Value      string `json:"value"`
	Verified   bool   `json:"verified"`
	Via        Via    `json:"via"`
	Status     Status `json:"status"`
	VerifiedAt stamp  `json:"verified_at,omitzero"`
	CreatedAt  stamp  `json:"created_at"`
	UpdatedAt  stamp  `json:"updated_at"`
}

func verifiableMembers() []string {
	return []string{"id", "value", "verified", "via", "status", "verified_at", "created_at", "updated_at"}
}

// MarshalJSON prints the stored form, which the API shows as well.
func (a VerifiableAddress) MarshalJSON() ([]byte, error) {
	return withUnknown(verifiableDocument{
		a.ID, a.Value, a.Verified, a.Via, a.Status, stamp{a.VerifiedAt}, stamp{a.CreatedAt}, stamp{a.UpdatedAt},
	}, a.unknown)
}

// UnmarshalJSON reads the stored form.
func (a *VerifiableAddress) UnmarshalJSON(raw []byte) error {
	var doc verifiableDocument
	unknown, err := decode(raw, &doc, verifiableMembers)
	if err != nil {
		return err
	}
	*a = doc.address()
	a.unknown = unknown
	return nil
}

func (d verifiableDocument) address() VerifiableAddress {
	return VerifiableAddress{
		d.ID, d.Value, d.Verified, d.Via, d.Status, d.VerifiedAt.Time, d.CreatedAt.Time, d.UpdatedAt.Time, nil,
	}
}

type recoveryDocument struct {
	ID        string `json:"id"`
	Value     string `json:"value"`
	Via       Via    `json:"via"`
	CreatedAt stamp  `json:"created_at"`
	UpdatedAt stamp  `json:"updated_at"`
}

func recoveryMembers() []string { return []string{"id", "value", "via", "created_at", "updated_at"} }

// MarshalJSON prints the stored form, which the API shows as well.
func (a RecoveryAddress) MarshalJSON() ([]byte, error) {
	return withUnknown(recoveryDocument{a.ID, a.Value, a.Via, stamp{a.CreatedAt}, stamp{a.UpdatedAt}}, a.unknown)
}

// UnmarshalJSON reads the stored form.
func (a *RecoveryAddress) UnmarshalJSON(raw []byte) error {
	var doc recoveryDocument
	unknown, err := decode(raw, &doc, recoveryMembers)
	if err != nil {
		return err
	}
	*a = doc.address()
	a.unknown = unknown
	return nil
}

func (d recoveryDocument) address() RecoveryAddress {
	return RecoveryAddress{d.ID, d.Value, d.Via, d.CreatedAt.Time, d.UpdatedAt.Time, nil}
}

// decode reads a document and returns the members that it does not know. Only a
// document that has such members is read twice.
func decode(raw []byte, into any, members func() []string) (map[string]json.RawMessage, error) {
	if strict(raw, into) == nil {
		return nil, nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	for _, name := range members() {
		delete(all, name)
	}
	return all, nil
}

// strict reads a document that has no unknown members.
func strict(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// withUnknown prints a document and appends the unknown members, in the order
// of their names so that equal documents print equally.
func withUnknown(doc any, unknown map[string]json.RawMessage) ([]byte, error) {
	raw, err := json.Marshal(doc)
	if err != nil || len(unknown) == 0 {
		return raw, err
	}
	names := make([]string, 0, len(unknown))
	for name := range unknown {
		names = append(names, name)
	}
	slices.Sort(names)
	raw = raw[:len(raw)-1]
	for _, name := range names {
		member, err := json.Marshal(map[string]json.RawMessage{name: unknown[name]})
		if err != nil {
			return nil, err
		}
		raw = append(append(raw, ','), member[1:len(member)-1]...)
	}
	return append(raw, '}'), nil
}
