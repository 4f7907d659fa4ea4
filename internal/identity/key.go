package identity

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"
)

// Key is a WebAuthn credential: a security key or a passkey. Bytes are printed
// in standard base64.
type Key struct {
	ID              []byte        `json:"id"`
	PublicKey       []byte        `json:"public_key"`
	AttestationType string        `json:"attestation_type"`
	Authenticator   Authenticator `json:"authenticator"`
	DisplayName     string        `json:"display_name"`
	AddedAt         time.Time     `json:"added_at"`
	Passwordless    bool          `json:"is_passwordless"`
	Flags           *KeyFlags     `json:"flags,omitempty"` // nil for a key that predates them
	Transport       []string      `json:"transport,omitempty"`
	Attestation     *Attestation  `json:"attestation,omitempty"`

	unknown map[string]json.RawMessage
}

// Authenticator is the device that holds a key, as it said when it last signed.
type Authenticator struct {
	AAGUID       []byte `json:"aaguid"`
	SignCount    uint32 `json:"sign_count"`
	CloneWarning bool   `json:"clone_warning"`
}

// KeyFlags are the flags of a key's registration (WebAuthn Level 3, section 6.1).
type KeyFlags struct {
	UserPresent    bool `json:"user_present"`
	UserVerified   bool `json:"user_verified"`
	BackupEligible bool `json:"backup_eligible"`
	BackupState    bool `json:"backup_state"`
}

// Attestation is what an authenticator said about itself at registration.
type Attestation struct {
	ClientDataJSON     []byte `json:"client_dataJSON"`
	ClientDataHash     []byte `json:"client_data_hash"`
	AuthenticatorData  []byte `json:"authenticator_data"`
	PublicKeyAlgorithm int64  `json:"public_key_algorithm"`
	Object             []byte `json:"object"`
}

// KeyDocument is a key whose members are the known ones and no others, for who
// has to refuse the rest.
type KeyDocument Key

func keyMembers() []string {
	return []string{
		"id", "public_key", "attestation_type", "authenticator", "display_name", "added_at", "is_passwordless",
		"flags", "transport", "attestation",
	}
}

// MarshalJSON prints the stored form, which the admin API shows as well.
func (k Key) MarshalJSON() ([]byte, error) { return withUnknown(KeyDocument(k), k.unknown) }

// UnmarshalJSON reads the stored form.
func (k *Key) UnmarshalJSON(raw []byte) error {
	var document KeyDocument
	unknown, err := decode(raw, &document, keyMembers)
	if err != nil {
		return err
	}
	*k = Key(document)
	k.unknown = unknown
	return nil
}

// keysVersion is the version of a credential that holds a user handle beside its
// keys, as all do that are made here.
const keysVersion = 1

type keysConfig struct {
	Keys       []Key  `json:"credentials"`
	UserHandle []byte `json:"user_handle"`
}

// WebAuthnKeys returns the keys of a credential of type WebAuthn or Passkey, in
// the order they were added.
func (i *Identity) WebAuthnKeys(kind CredentialType) ([]Key, error) {
	var config keysConfig
	err := i.configOf(kind, &config)
	return config.Keys, err
}

// UserHandle returns what authenticators know the identity by, nil when it has
// no credential of that type, WebAuthn or Passkey.
func (i *Identity) UserHandle(kind CredentialType) ([]byte, error) {
	var config keysConfig
	err := i.configOf(kind, &config)
	return config.UserHandle, err
}

// SetWebAuthnKeys stores the keys of a credential of type WebAuthn or Passkey
// and what authenticators know the identity by. A security key is identified by
// traits, a passkey by its user handle; an earlier handle stays an identifier,
// for the keys that were made with it.
func (i *Identity) SetWebAuthnKeys(kind CredentialType, userHandle []byte, keys []Key, now time.Time) error {
	identifiers := i.Credentials[kind].Identifiers
	if kind == Passkey {
		identifiers = unique(append(slices.Clone(identifiers), PasskeyIdentifier(userHandle)))
	}
	members := map[string]any{"user_handle": userHandle, "credentials": nil}
	if len(keys) > 0 {
		cut := slices.Clone(keys)
		for at := range cut {
			cut[at].AddedAt = stored(cut[at].AddedAt)
		}
		members["credentials"] = cut
	}
	if err := i.configure(kind, identifiers, members, now); err != nil {
		return err
	}
	i.SetVersion(kind, keysVersion)
	return nil
}

// RemoveSecondKeys takes away the security keys that are a second factor. When
// none is left, so does what authenticators know the identity by.
func (i *Identity) RemoveSecondKeys(now time.Time) error {
	keys, err := i.WebAuthnKeys(WebAuthn)
	if err != nil {
		return err
	}
	handle, err := i.UserHandle(WebAuthn)
	if err != nil {
		return err
	}
	first := slices.DeleteFunc(keys, func(key Key) bool { return !key.Passwordless })
	if len(first) > 0 {
		return i.SetWebAuthnKeys(WebAuthn, handle, first, now)
	}
	return i.configure(WebAuthn, i.Credentials[WebAuthn].Identifiers, map[string]any{"credentials": nil, "user_handle": nil}, now)
}

// PasskeyIdentifier is the identifier of a passkey: the user handle itself where
// it is text, as Kratos makes them, else its unpadded base64url, as identifiers
// are text.
func PasskeyIdentifier(userHandle []byte) string {
	text := string(userHandle)
	for _, r := range text {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return base64.RawURLEncoding.EncodeToString(userHandle)
		}
	}
	return text
}
