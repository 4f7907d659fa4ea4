package identity

import (
	"encoding/json"
	"time"
)

// Provider is a subject at an upstream sign-in provider. The tokens that the
// provider gave out are no part of the identity's document: whoever reads it
// must not pay for them.
type Provider struct {
	Subject      string `json:"subject"`
	Provider     string `json:"provider"`
	Organization string `json:"organization,omitempty"`
	// AutoLink lets the first sign-in at the provider whose identifier matches
	// link itself, whatever its subject.
	AutoLink bool `json:"use_auto_link,omitempty"`

	unknown map[string]json.RawMessage
}

// ProviderDocument is to a provider what KeyDocument is to a key.
type ProviderDocument Provider

func providerMembers() []string {
	return []string{"subject", "provider", "organization", "use_auto_link"}
}

// MarshalJSON prints the stored form.
func (p Provider) MarshalJSON() ([]byte, error) { return withUnknown(ProviderDocument(p), p.unknown) }

// UnmarshalJSON reads the stored form.
func (p *Provider) UnmarshalJSON(raw []byte) error {
	var document ProviderDocument
	unknown, err := decode(raw, &document, providerMembers)
	if err != nil {
		return err
	}
	*p = Provider(document)
	p.unknown = unknown
	return nil
}

// Identifier is the identifier that the provider's subject makes.
func (p Provider) Identifier() string { return p.Provider + ":" + p.Subject }

// Providers returns the subjects of a credential of type OIDC or SAML, in the
// order they were linked.
func (i *Identity) Providers(kind CredentialType) ([]Provider, error) {
	var config struct {
		Providers []Provider `json:"providers"`
	}
	err := i.configOf(kind, &config)
	return config.Providers, err
}

// SetProviders stores the subjects of a credential of type OIDC or SAML, which
// are its identifiers as well.
func (i *Identity) SetProviders(kind CredentialType, providers []Provider, now time.Time) error {
	identifiers := make([]string, len(providers))
	for at, provider := range providers {
		identifiers[at] = provider.Identifier()
	}
	if providers == nil {
		providers = []Provider{}
	}
	return i.configure(kind, unique(identifiers), map[string]any{"providers": providers}, now)
}
