package identity

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"styx/internal/secret"
)

// PublicIdentity is an identity as its owner and the hooks see it.
type PublicIdentity struct {
	ID                  string              `json:"id"`
	ExternalID          string              `json:"external_id,omitempty"`
	SchemaID            string              `json:"schema_id"`
	SchemaURL           string              `json:"schema_url"`
	State               State               `json:"state"`
	StateChangedAt      time.Time           `json:"state_changed_at"`
	Traits              json.RawMessage     `json:"traits"`
	VerifiableAddresses []VerifiableAddress `json:"verifiable_addresses,omitempty"`
	RecoveryAddresses   []RecoveryAddress   `json:"recovery_addresses,omitempty"`
	MetadataPublic      json.RawMessage     `json:"metadata_public"`
	CreatedAt           time.Time           `json:"created_at"`
	UpdatedAt           time.Time           `json:"updated_at"`
	OrganizationID      *string             `json:"organization_id"`
}

// AdminIdentity is an identity as the admin API shows it. A listing sets
// Credentials to nil, which leaves them out.
type AdminIdentity struct {
	ID                  string                             `json:"id"`
	ExternalID          string                             `json:"external_id,omitempty"`
	Credentials         map[CredentialType]AdminCredential `json:"credentials,omitempty"`
	SchemaID            string                             `json:"schema_id"`
	SchemaURL           string                             `json:"schema_url"`
	State               State                              `json:"state"`
	StateChangedAt      time.Time                          `json:"state_changed_at"`
	Traits              json.RawMessage                    `json:"traits"`
	VerifiableAddresses []VerifiableAddress                `json:"verifiable_addresses,omitempty"`
	RecoveryAddresses   []RecoveryAddress                  `json:"recovery_addresses,omitempty"`
	MetadataPublic      json.RawMessage                    `json:"metadata_public"`
	MetadataAdmin       json.RawMessage                    `json:"metadata_admin,omitempty"`
	CreatedAt           time.Time                          `json:"created_at"`
	UpdatedAt           time.Time                          `json:"updated_at"`
	OrganizationID      *string                            `json:"organization_id"`
}

// AdminCredential is a credential as the admin API shows it; Config only when
// it was asked for.
type AdminCredential struct {
	Type        CredentialType  `json:"type"`
	Identifiers []string        `json:"identifiers"`
	Config      json.RawMessage `json:"config,omitempty"`
	Version     int             `json:"version"`
	CreatedAt   time.Time       `json:"created_at"`
	UpdatedAt   time.Time       `json:"updated_at"`
}

// SchemaURL is where the public API serves a schema.
func SchemaURL(baseURL, schemaID string) string {
	for len(baseURL) > 0 && baseURL[len(baseURL)-1] == '/' {
		baseURL = baseURL[:len(baseURL)-1]
	}
	return baseURL + "/schemas/" + base64.RawURLEncoding.EncodeToString([]byte(schemaID))
}

// Public returns the view without credentials and without metadata_admin;
// baseURL is that of the public API.
func (i *Identity) Public(baseURL string) PublicIdentity {
	return PublicIdentity{
		ID: i.ID, ExternalID: i.ExternalID,
		SchemaID: i.SchemaID, SchemaURL: SchemaURL(baseURL, i.SchemaID),
		State: i.State, StateChangedAt: i.StateChangedAt,
		Traits:              orElse(i.Traits, "{}"),
		VerifiableAddresses: i.verifiableView(), RecoveryAddresses: i.recoveryView(),
		MetadataPublic: orElse(i.MetadataPublic, "null"),
		CreatedAt:      i.CreatedAt, UpdatedAt: i.UpdatedAt, OrganizationID: i.OrganizationID,
	}
}

// Admin returns the view with credentials, whose config is shown for the types
// named in include alone, with what is sealed in it opened by the ring. Its error
// is that of TOTP.
func (i *Identity) Admin(baseURL string, ring *secret.Ring, include ...CredentialType) (AdminIdentity, error) {
	public := i.Public(baseURL)
	credentials := make(map[CredentialType]AdminCredential, len(i.Credentials))
	for kind, credential := range i.Credentials {
		view := AdminCredential{
			Type: kind, Identifiers: credential.Identifiers, Version: credential.Version,
			CreatedAt: credential.CreatedAt, UpdatedAt: credential.UpdatedAt,
		}
		if view.Identifiers == nil {
			view.Identifiers = []string{}
		}
		if slices.Contains(include, kind) {
			config, err := i.shown(kind, ring)
			if err != nil {
				return AdminIdentity{}, err
			}
			view.Config = config
		}
		credentials[kind] = view
	}
	return AdminIdentity{
		ID: public.ID, ExternalID: public.ExternalID, Credentials: credentials,
		SchemaID: public.SchemaID, SchemaURL: public.SchemaURL,
		State: public.State, StateChangedAt: public.StateChangedAt, Traits: public.Traits,
		VerifiableAddresses: public.VerifiableAddresses, RecoveryAddresses: public.RecoveryAddresses,
		MetadataPublic: public.MetadataPublic, MetadataAdmin: i.MetadataAdmin,
		CreatedAt: public.CreatedAt, UpdatedAt: public.UpdatedAt, OrganizationID: public.OrganizationID,
	}, nil
}

// shown is a credential's config as the admin API shows it: opened, and a
// provider with room for its tokens.
func (i *Identity) shown(kind CredentialType, ring *secret.Ring) (json.RawMessage, error) {
	var member string
	var opened any
	var err error
	switch kind {
	case TOTP:
		member = totpURL
		opened, err = i.TOTP(ring)
	case LookupSecret:
		member = lookupCodes
		opened, err = i.Lookup(ring)
	case OIDC, SAML:
		member = "providers"
		opened, err = i.providersView(kind)
	default:
		return orElse(i.Credentials[kind].Config, "{}"), nil
	}
	config := map[string]any{}
	if err == nil {
		err = i.configOf(kind, &config)
	}
	if err != nil {
		return nil, err
	}
	if len(config) > 0 {
		config[member] = opened
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("show the config of %s: %w", kind, err)
	}
	return raw, nil
}

// providerView is a provider as the admin API shows it.
type providerView struct {
	ProviderDocument

	IDToken      string `json:"initial_id_token"`
	AccessToken  string `json:"initial_access_token"`
	RefreshToken string `json:"initial_refresh_token"`
}

func (i *Identity) providersView(kind CredentialType) ([]providerView, error) {
	providers, err := i.Providers(kind)
	views := make([]providerView, len(providers))
	for at, provider := range providers {
		views[at].ProviderDocument = ProviderDocument(provider)
	}
	return views, err
}

// verifiableView copies the addresses without what a newer release stored in
// them: no one here knows whether strangers may see it.
func (i *Identity) verifiableView() []VerifiableAddress {
	view := slices.Clone(i.VerifiableAddresses)
	for at := range view {
		view[at].unknown = nil
	}
	return view
}

func (i *Identity) recoveryView() []RecoveryAddress {
	view := slices.Clone(i.RecoveryAddresses)
	for at := range view {
		view[at].unknown = nil
	}
	return view
}

func orElse(raw json.RawMessage, fallback string) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage(fallback)
	}
	return raw
}
