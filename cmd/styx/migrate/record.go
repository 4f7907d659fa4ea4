package migrate

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"styx/internal/identity"
	"styx/internal/secret"
)

// Record is an identity on its way.
type Record struct {
	Create Create
	// Lost are what it had and can not bring along.
	Lost []string
}

// Create is the body by which the admin API makes an identity, with the id that
// it is to have.
type Create struct {
	ID                  string                                 `json:"id"`
	ExternalID          string                                 `json:"external_id,omitempty"`
	SchemaID            string                                 `json:"schema_id,omitempty"`
	State               string                                 `json:"state,omitempty"`
	Traits              json.RawMessage                        `json:"traits"`
	Credentials         map[identity.CredentialType]Credential `json:"credentials,omitempty"`
	VerifiableAddresses []Address                              `json:"verifiable_addresses,omitempty"`
	RecoveryAddresses   []Address                              `json:"recovery_addresses,omitempty"`
	MetadataPublic      json.RawMessage                        `json:"metadata_public,omitempty"`
	MetadataAdmin       json.RawMessage                        `json:"metadata_admin,omitempty"`
	OrganizationID      *string                                `json:"organization_id,omitempty"`
}

// Credential is a credential of the body.
type Credential struct {
	Config any `json:"config"`
}

// Address is a verifiable address or, of value and via alone, one for recovery.
type Address struct {
	Value      string     `json:"value"`
	Via        string     `json:"via"`
	Verified   bool       `json:"verified,omitempty"`
	Status     string     `json:"status,omitempty"`
	VerifiedAt *time.Time `json:"verified_at,omitempty"`
}

func (r *Record) add(kind identity.CredentialType, config any) {
	if r.Create.Credentials == nil {
		r.Create.Credentials = map[identity.CredentialType]Credential{}
	}
	r.Create.Credentials[kind] = Credential{config}
}

// derived makes the id of an identity that had none, the same whenever it is
// read: who moves in twice is known again (RFC 9562, version 8).
func derived(from []byte) string {
	sum := sha256.Sum256(from)
	id := secret.UUID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// canonical is an id in its one form, "" for what is no id.
func canonical(text string) string {
	id, err := secret.ParseUUID(text)
	if err != nil {
		return ""
	}
	return id.String()
}
