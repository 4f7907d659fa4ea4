package identity

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// CredentialType names a kind of credential.
type CredentialType string

// The types of credential that an identity can hold.
const (
	Password     CredentialType = "password"
	OIDC         CredentialType = "oidc"
	SAML         CredentialType = "saml"
	TOTP         CredentialType = "totp"
	LookupSecret CredentialType = "lookup_secret"
	WebAuthn     CredentialType = "webauthn"
	Passkey      CredentialType = "passkey"
	Code         CredentialType = "code"
)

// Known tells whether the type is one that identities hold.
func (t CredentialType) Known() bool {
	switch t {
	case Password, OIDC, SAML, TOTP, LookupSecret, WebAuthn, Passkey, Code:
		return true
	default:
		return false
	}
}

// Credential is one way to prove who one is. Config is a JSON object whose shape
// depends on the type; for a password it is
// {"hashed_password", "use_password_migration_hook"?}, or {} when none is set.
type Credential struct {
	Type        CredentialType
	Identifiers []string
	Config      json.RawMessage
	Version     int
	CreatedAt   time.Time
	UpdatedAt   time.Time

	unknown map[string]json.RawMessage
}

type passwordConfig struct {
	Hash      string `json:"hashed_password,omitempty"`
	Migration bool   `json:"use_password_migration_hook,omitempty"`
}

func (c Credential) password() passwordConfig {
	var config passwordConfig
	if json.Unmarshal(c.Config, &config) != nil {
		return passwordConfig{}
	}
	return config
}

// PasswordHash returns the hash of the password, "" when none is set.
func (i *Identity) PasswordHash() string { return i.Credentials[Password].password().Hash }

// MigratesPassword tells whether the first sign-in has to ask the migration hook.
func (i *Identity) MigratesPassword() bool { return i.Credentials[Password].password().Migration }

// SetPasswordHash stores the hash of a new password and ends a migration.
func (i *Identity) SetPasswordHash(hash string, now time.Time) error {
	return i.setPassword(passwordConfig{Hash: hash}, now)
}

// MigratePassword stores that the first sign-in has to ask the migration hook.
func (i *Identity) MigratePassword(now time.Time) error {
	return i.setPassword(movingConfig{Migration: true}, now)
}

// movingConfig is passwordConfig as clients know it while there is no hash yet.
type movingConfig struct {
	Hash      string `json:"hashed_password"`
	Migration bool   `json:"use_password_migration_hook"`
}

// RemovePassword takes the password away; its identifiers stay.
func (i *Identity) RemovePassword(now time.Time) error { return i.setPassword(passwordConfig{}, now) }

func (i *Identity) setPassword(config any, now time.Time) error {
	raw, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("write the password's config: %w", err)
	}
	credential := i.credential(Password, now)
	credential.Config, credential.UpdatedAt = raw, stored(now)
	i.put(credential)
	return nil
}

// Identify sets the identifiers of a credential that is identified by traits,
// in normal form and without repetitions. A credential that has neither
// identifiers nor a secret is dropped.
func (i *Identity) Identify(kind CredentialType, identifiers []string, now time.Time) {
	old, exists := i.Credentials[kind]
	if len(identifiers) == 0 && (!exists || old.empty()) {
		delete(i.Credentials, kind)
		return
	}
	credential := i.credential(kind, now)
	if !slices.Equal(credential.Identifiers, identifiers) {
		credential.Identifiers, credential.UpdatedAt = identifiers, stored(now)
	}
	i.put(credential)
}

// SetVersion sets the version of a credential that exists.
func (i *Identity) SetVersion(kind CredentialType, version int) {
	credential := i.Credentials[kind]
	credential.Version = version
	i.put(credential)
}

// configOf reads a credential's config; without one, into stays as it is.
func (i *Identity) configOf(kind CredentialType, into any) error {
	config := i.Credentials[kind].Config
	if len(config) == 0 {
		return nil
	}
	if err := json.Unmarshal(config, into); err != nil {
		return fmt.Errorf("read the config of %s: %w", kind, err)
	}
	return nil
}

// configure sets members of a credential's config, nil taking one away, and its
// identifiers. Members of a newer release stay.
func (i *Identity) configure(kind CredentialType, identifiers []string, members map[string]any, now time.Time) error {
	credential := i.credential(kind, now)
	config := map[string]json.RawMessage{}
	if err := i.configOf(kind, &config); err != nil {
		return err
	}
	for name, value := range members {
		if value == nil {
			delete(config, name)
			continue
		}
		raw, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("write %s of %s: %w", name, kind, err)
		}
		config[name] = raw
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("write the config of %s: %w", kind, err)
	}
	credential.Identifiers, credential.Config, credential.UpdatedAt = identifiers, raw, stored(now)
	i.put(credential)
	return nil
}

// credential returns the one that exists or a fresh one. Codes and passkeys start
// as version 1; password and webauthn start as 0 and are 1 once they were read
// back.
func (i *Identity) credential(kind CredentialType, now time.Time) Credential {
	if old, exists := i.Credentials[kind]; exists {
		return old
	}
	fresh := Credential{Type: kind, Config: json.RawMessage("{}"), CreatedAt: stored(now), UpdatedAt: stored(now)}
	if kind == Code || kind == Passkey {
		fresh.Version = 1
	}
	return fresh
}

func (i *Identity) put(credential Credential) {
	if i.Credentials == nil {
		i.Credentials = map[CredentialType]Credential{}
	}
	i.Credentials[credential.Type] = credential
}

// empty tells whether the credential holds no secret.
func (c Credential) empty() bool {
	var config map[string]json.RawMessage
	return len(c.Config) == 0 || json.Unmarshal(c.Config, &config) == nil && len(config) == 0
}

type codeConfig struct {
	Addresses []CodeAddress `json:"addresses"`
}

// CodeAddress is where a one-time code for signing in is sent.
type CodeAddress struct {
	Channel Via    `json:"channel"`
	Address string `json:"address"`
}

// CodeAddresses returns where one-time codes for signing in are sent.
func (i *Identity) CodeAddresses() []CodeAddress { return i.Credentials[Code].code().Addresses }

func (c Credential) code() codeConfig {
	var config codeConfig
	if json.Unmarshal(c.Config, &config) != nil {
		return codeConfig{}
	}
	return config
}

// SetCodeAddresses sets where one-time codes for signing in are sent; the
// addresses are the identifiers as well.
func (i *Identity) SetCodeAddresses(addresses []CodeAddress, now time.Time) error {
	if len(addresses) == 0 {
		delete(i.Credentials, Code)
		return nil
	}
	raw, err := json.Marshal(codeConfig{addresses})
	if err != nil {
		return fmt.Errorf("write the code addresses: %w", err)
	}
	identifiers := make([]string, len(addresses))
	for at, address := range addresses {
		identifiers[at] = address.Address
	}
	i.Identify(Code, unique(identifiers), now)
	credential := i.Credentials[Code]
	credential.Config = raw
	i.put(credential)
	return nil
}

// unique returns the list without repetitions, in its order.
func unique(list []string) []string {
	seen := make(map[string]bool, len(list))
	kept := make([]string, 0, len(list))
	for _, entry := range list {
		if !seen[entry] {
			seen[entry] = true
			kept = append(kept, entry)
		}
	}
	return kept
}
