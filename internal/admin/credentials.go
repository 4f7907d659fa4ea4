package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/secret"
)

// Why a password is not imported.
const (
	unknownHash   = "The imported password does not match any known hash format."
	malformedHash = "The imported password hash could not be parsed."
	costlyHash    = "The imported password hash declares cost parameters that exceed the bounds enforced by Ory. " +
		"Re-hash the password with a more conservative configuration before importing."
	longPassword = "The password is longer than 72 bytes, which is as much as bcrypt reads."
)

// credentials are what an administrator brings along for an identity. Only
// passwords can be imported; the others are known here to be refused by name.
type credentials struct {
	Password     *passwordCredential `json:"password"`
	OIDC         json.RawMessage     `json:"oidc"`
	SAML         json.RawMessage     `json:"saml"`
	TOTP         json.RawMessage     `json:"totp"`
	LookupSecret json.RawMessage     `json:"lookup_secret"`
	WebAuthn     json.RawMessage     `json:"webauthn"`
	Passkey      json.RawMessage     `json:"passkey"`
}

type passwordCredential struct {
	Config struct {
		Hash      string `json:"hashed_password"`
		Password  string `json:"password"` // in plain text; the policy does not apply
		Migration bool   `json:"use_password_migration_hook"`
	} `json:"config"`
}

func (a *API) importCredentials(ctx context.Context, who *identity.Identity, sent credentials, now time.Time) error {
	for _, other := range []struct {
		kind identity.CredentialType
		raw  json.RawMessage
	}{
		{identity.OIDC, sent.OIDC},
		{identity.SAML, sent.SAML},
		{identity.TOTP, sent.TOTP},
		{identity.LookupSecret, sent.LookupSecret},
		{identity.WebAuthn, sent.WebAuthn},
		{identity.Passkey, sent.Passkey},
	} {
		if len(other.raw) > 0 && string(other.raw) != "null" {
			return fault.Bad(fmt.Sprintf("credentials.%s: credentials of this type can not be imported.", other.kind))
		}
	}
	if sent.Password == nil {
		return nil
	}
	return a.importPassword(ctx, who, *sent.Password, now)
}

// importPassword takes, as Kratos does, the first there is: the wish to ask the
// migration hook, a password, a hash.
func (a *API) importPassword(ctx context.Context, who *identity.Identity, sent passwordCredential, now time.Time) error {
	hash := sent.Config.Hash
	switch {
	case sent.Config.Migration:
		return who.MigratePassword(now)
	case sent.Config.Password != "":
		var err error
		hash, err = a.Hash.Hash(ctx, sent.Config.Password)
		if errors.Is(err, secret.ErrTooLong) {
			return fault.Bad(longPassword)
		}
		if err != nil {
			return err
		}
	default:
		if err := checkHash(hash); err != nil {
			return err
		}
	}
	return who.SetPasswordHash(hash, now)
}

// checkHash refuses a hash that no later sign-in could be checked against.
func checkHash(hash string) error {
	err := secret.CheckHash(hash)
	switch {
	case errors.Is(err, secret.ErrUnknownHash):
		return fault.Bad(unknownHash)
	case errors.Is(err, secret.ErrMalformedHash):
		return fault.Bad(malformedHash)
	case errors.Is(err, secret.ErrTooCostly):
		return fault.Bad(costlyHash)
	default:
		return err
	}
}
