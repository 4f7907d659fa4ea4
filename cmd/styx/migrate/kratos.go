package migrate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"styx/internal/identity"
)

// Exported are the types of credential that can be brought along, as the admin
// API's include_credential names them.
func Exported() []identity.CredentialType {
	return []identity.CredentialType{
		identity.Password, identity.OIDC, identity.SAML, identity.TOTP, identity.LookupSecret, identity.WebAuthn, identity.Passkey,
	}
}

// exported is an identity as a Kratos' admin API shows it. A body that creates
// one reads the same.
type exported struct {
	ID                  string                              `json:"id"`
	ExternalID          string                              `json:"external_id"`
	SchemaID            string                              `json:"schema_id"`
	State               string                              `json:"state"`
	Traits              json.RawMessage                     `json:"traits"`
	Credentials         map[identity.CredentialType]exposed `json:"credentials"`
	VerifiableAddresses []Address                           `json:"verifiable_addresses"`
	RecoveryAddresses   []Address                           `json:"recovery_addresses"`
	MetadataPublic      json.RawMessage                     `json:"metadata_public"`
	MetadataAdmin       json.RawMessage                     `json:"metadata_admin"`
	OrganizationID      *string                             `json:"organization_id"`
}

// exposed is a credential with the config that was asked for.
type exposed struct {
	Config json.RawMessage `json:"config"`
}

// FromKratos reads an identity of a Kratos' export.
func FromKratos(raw json.RawMessage) (Record, error) {
	var from exported
	if err := json.Unmarshal(raw, &from); err != nil {
		return Record{}, fmt.Errorf("read the identity: %w", err)
	}
	to := Create{
		ID: canonical(from.ID), ExternalID: from.ExternalID, SchemaID: from.SchemaID, State: from.State, Traits: from.Traits,
		VerifiableAddresses: from.VerifiableAddresses, MetadataPublic: from.MetadataPublic, MetadataAdmin: from.MetadataAdmin,
		OrganizationID: from.OrganizationID,
	}
	if from.ID == "" {
		to.ID = derived(raw)
	} else if to.ID == "" {
		return Record{}, fmt.Errorf("the id %.40q is no UUID", from.ID)
	}
	for _, address := range from.RecoveryAddresses {
		to.RecoveryAddresses = append(to.RecoveryAddresses, Address{Value: address.Value, Via: address.Via})
	}
	record := Record{Create: to}
	for _, kind := range slices.Sorted(maps.Keys(from.Credentials)) {
		if err := record.take(kind, from.Credentials[kind].Config); err != nil {
			return record, fmt.Errorf("read the %s credential of %s: %w", kind, to.ID, err)
		}
	}
	return record, nil
}

// take adds a credential that has something in it.
func (r *Record) take(kind identity.CredentialType, raw json.RawMessage) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var config any
	var err error
	switch kind {
	case identity.Password:
		config, err = password(raw)
	case identity.OIDC, identity.SAML:
		config, err = r.subjects(raw)
	case identity.TOTP:
		config, err = totp(raw)
	case identity.LookupSecret:
		config, err = codes(raw)
	case identity.WebAuthn, identity.Passkey:
		config, err = keys(raw)
	case identity.Code:
		// Made anew from the traits.
	default:
		r.Lost = append(r.Lost, string(kind))
	}
	if err == nil && config != nil {
		r.add(kind, config)
	}
	return err
}

type passwordConfig struct {
	Hash      string `json:"hashed_password,omitempty"`
	Password  string `json:"password,omitempty"`
	Migration bool   `json:"use_password_migration_hook,omitempty"`
}

func password(raw json.RawMessage) (any, error) {
	var config passwordConfig
	if err := json.Unmarshal(raw, &config); err != nil || config == (passwordConfig{}) {
		return nil, err
	}
	return config, nil
}

// subjects leaves out the tokens that the provider gave out: they are stale, and
// the admin API takes none.
func (r *Record) subjects(raw json.RawMessage) (any, error) {
	var config struct {
		Providers []struct {
			identity.ProviderDocument

			IDToken      string `json:"initial_id_token"`
			AccessToken  string `json:"initial_access_token"`
			RefreshToken string `json:"initial_refresh_token"`
		} `json:"providers"`
	}
	if err := json.Unmarshal(raw, &config); err != nil || len(config.Providers) == 0 {
		return nil, err
	}
	var providers []identity.ProviderDocument
	tokens := false
	for _, one := range config.Providers {
		providers = append(providers, one.ProviderDocument)
		tokens = tokens || one.IDToken != "" || one.AccessToken != "" || one.RefreshToken != ""
	}
	if tokens {
		r.Lost = append(r.Lost, "tokens of sign-in providers")
	}
	return map[string]any{"providers": providers}, nil
}

func totp(raw json.RawMessage) (any, error) {
	var config struct {
		URL string `json:"totp_url"`
	}
	if err := json.Unmarshal(raw, &config); err != nil || config.URL == "" {
		return nil, err
	}
	return config, nil
}

type code struct {
	Code   string     `json:"code"`
	UsedAt *time.Time `json:"used_at"`
}

// codes reads the two names that recovery codes have: the one they are shown
// under, the one they are sent under.
func codes(raw json.RawMessage) (any, error) {
	var config struct {
		Shown []code `json:"recovery_codes"`
		Sent  []code `json:"codes"`
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		return nil, err
	}
	all := append(config.Shown, config.Sent...)
	if len(all) == 0 {
		return nil, nil
	}
	for at := range all {
		if all[at].UsedAt != nil && all[at].UsedAt.IsZero() {
			all[at].UsedAt = nil
		}
	}
	return map[string]any{"codes": all}, nil
}

// keys reads WebAuthn keys, with the members that the admin API takes.
func keys(raw json.RawMessage) (any, error) {
	var config struct {
		Keys       []identity.KeyDocument `json:"credentials"`
		UserHandle []byte                 `json:"user_handle,omitempty"`
	}
	if err := json.Unmarshal(raw, &config); err != nil || len(config.Keys) == 0 {
		return nil, err
	}
	return config, nil
}
