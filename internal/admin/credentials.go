package admin

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
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

// Bounds of what is imported.
const (
	maxCodes      = 100
	maxCode       = 128  // bytes
	maxOTPAuth    = 2048 // bytes
	maxKeyID      = 1023 // bytes, WebAuthn Level 3, section 4
	maxUserHandle = 64   // bytes, WebAuthn Level 3, section 5.4.3
)

// credentials are what an administrator brings along for an identity.
type credentials struct {
	Password     *sent[passwordConfig] `json:"password"`
	OIDC         *sent[subjectsConfig] `json:"oidc"`
	SAML         *sent[subjectsConfig] `json:"saml"`
	TOTP         *sent[totpConfig]     `json:"totp"`
	LookupSecret *sent[codesConfig]    `json:"lookup_secret"`
	WebAuthn     *sent[keysConfig]     `json:"webauthn"`
	Passkey      *sent[keysConfig]     `json:"passkey"`
}

// sent is a credential, of which nothing but the config can be brought along.
type sent[T any] struct {
	Config T `json:"config"`
}

type passwordConfig struct {
	Hash      string `json:"hashed_password"`
	Password  string `json:"password"` // in plain text; the policy does not apply
	Migration bool   `json:"use_password_migration_hook"`
}

type subjectsConfig struct {
	Providers []identity.ProviderDocument `json:"providers"`
}

type totpConfig struct {
	URL string `json:"totp_url"`
}

type codesConfig struct {
	Codes []struct {
		Code   string     `json:"code"`
		UsedAt *time.Time `json:"used_at"`
	} `json:"codes"`
}

type keysConfig struct {
	Keys       []identity.KeyDocument `json:"credentials"`
	UserHandle []byte                 `json:"user_handle"`
}

// plain tells whether a password is among them that still has to be hashed.
func (c credentials) plain() bool { return c.Password != nil && c.Password.Config.Password != "" }

// importCredentials adds to the credentials that an identity has: a password and
// an authenticator app replace the one there is, all others join those there
// are.
func (a *API) importCredentials(ctx context.Context, who *identity.Identity, brought credentials, now time.Time) error {
	for _, add := range []func() error{
		func() error { return importSubjects(who, identity.OIDC, brought.OIDC, now) },
		func() error { return importSubjects(who, identity.SAML, brought.SAML, now) },
		func() error { return a.importTOTP(who, brought.TOTP, now) },
		func() error { return a.importCodes(who, brought.LookupSecret, now) },
		func() error { return importKeys(who, identity.WebAuthn, brought.WebAuthn, now) },
		func() error { return importKeys(who, identity.Passkey, brought.Passkey, now) },
		func() error { return a.importPassword(ctx, who, brought.Password, now) },
	} {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}

// importPassword takes, as Kratos does, the first there is: the wish to ask the
// migration hook, a password, a hash.
func (a *API) importPassword(ctx context.Context, who *identity.Identity, brought *sent[passwordConfig], now time.Time) error {
	switch {
	case brought == nil:
		return nil
	case brought.Config.Migration:
		return who.MigratePassword(now)
	case brought.Config.Password != "":
		hash, err := a.Hash.Hash(ctx, brought.Config.Password)
		if errors.Is(err, secret.ErrTooLong) {
			return fault.Bad(longPassword)
		}
		if err != nil {
			return err
		}
		brought.Config = passwordConfig{Hash: hash}
	default:
		if err := checkHash(brought.Config.Hash); err != nil {
			return err
		}
	}
	return who.SetPasswordHash(brought.Config.Hash, now)
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

// amiss names the member of an imported credential that is not right.
func amiss(kind identity.CredentialType, member, what string) error {
	return fault.Bad(fmt.Sprintf("credentials.%s.config.%s %s.", kind, member, what))
}

// importSubjects links the subjects that are not linked yet.
func importSubjects(who *identity.Identity, kind identity.CredentialType, brought *sent[subjectsConfig], now time.Time) error {
	if brought == nil || len(brought.Config.Providers) == 0 {
		return nil
	}
	linked, err := who.Providers(kind)
	if err != nil {
		return err
	}
	for at, one := range brought.Config.Providers {
		member := fmt.Sprintf("providers.%d", at)
		if one.Provider == "" || one.Subject == "" {
			return amiss(kind, member, "lacks its provider or its subject")
		}
		if one.Organization != "" {
			organization, err := secret.ParseUUID(one.Organization)
			if err != nil {
				return amiss(kind, member+".organization", "is not a UUID")
			}
			one.Organization = organization.String()
		}
		subject := identity.Provider(one)
		known := func(other identity.Provider) bool { return other.Identifier() == subject.Identifier() }
		if !slices.ContainsFunc(linked, known) {
			linked = append(linked, subject)
		}
	}
	return who.SetProviders(kind, linked, now)
}

func (a *API) importTOTP(who *identity.Identity, brought *sent[totpConfig], now time.Time) error {
	if brought == nil {
		return nil
	}
	if !otpauth(brought.Config.URL) {
		return amiss(identity.TOTP, "totp_url", "is not an otpauth://totp/ URL with a secret")
	}
	return who.SetTOTP(a.Ring, brought.Config.URL, now)
}

// otpauth tells whether a URL is what an authenticator app scans: its secret is
// base32, padded or not.
func otpauth(text string) bool {
	parsed, err := url.Parse(text)
	if err != nil || len(text) > maxOTPAuth || parsed.Scheme != "otpauth" || parsed.Host != "totp" {
		return false
	}
	key := strings.ToUpper(strings.TrimRight(parsed.Query().Get("secret"), "="))
	decoded, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key)
	return err == nil && len(decoded) > 0
}

// importCodes adds recovery codes; one that is there already is replaced.
func (a *API) importCodes(who *identity.Identity, brought *sent[codesConfig], now time.Time) error {
	if brought == nil || len(brought.Config.Codes) == 0 {
		return nil
	}
	codes, err := who.Lookup(a.Ring)
	if err != nil {
		return err
	}
	for at, one := range brought.Config.Codes {
		if one.Code == "" || len(one.Code) > maxCode {
			return amiss(identity.LookupSecret, fmt.Sprintf("codes.%d.code", at), fmt.Sprintf("must have 1 to %d bytes", maxCode))
		}
		same := slices.IndexFunc(codes, func(other identity.LookupCode) bool { return other.Code == one.Code })
		if same < 0 {
			same = len(codes)
			codes = append(codes, identity.LookupCode{Code: one.Code})
		}
		codes[same].UsedAt = one.UsedAt
	}
	if len(codes) > maxCodes {
		return amiss(identity.LookupSecret, "codes", fmt.Sprintf("would make more than %d codes", maxCodes))
	}
	return who.SetLookup(a.Ring, codes, now)
}

// importKeys adds WebAuthn keys; one whose id is there already is replaced. The
// user handle stays unless another one is sent. A passkey is a first factor.
func importKeys(who *identity.Identity, kind identity.CredentialType, brought *sent[keysConfig], now time.Time) error {
	if brought == nil || len(brought.Config.Keys) == 0 {
		return nil
	}
	keys, err := who.WebAuthnKeys(kind)
	if err != nil {
		return err
	}
	handle, err := who.UserHandle(kind)
	if err != nil {
		return err
	}
	if len(brought.Config.UserHandle) > 0 {
		handle = brought.Config.UserHandle
	}
	if len(handle) > maxUserHandle || kind == identity.Passkey && len(handle) == 0 {
		return amiss(kind, "user_handle", fmt.Sprintf("must have 1 to %d bytes", maxUserHandle))
	}
	for at, one := range brought.Config.Keys {
		key := identity.Key(one)
		if len(key.ID) == 0 || len(key.ID) > maxKeyID || len(key.PublicKey) == 0 {
			return amiss(kind, fmt.Sprintf("credentials.%d", at), "lacks its id or its public key")
		}
		if key.AddedAt.IsZero() {
			key.AddedAt = now
		}
		key.Passwordless = key.Passwordless || kind == identity.Passkey
		same := slices.IndexFunc(keys, func(other identity.Key) bool { return bytes.Equal(other.ID, key.ID) })
		if same < 0 {
			keys = append(keys, key)
			continue
		}
		keys[same] = key
	}
	version := who.Credentials[kind].Version
	if err := who.SetWebAuthnKeys(kind, handle, keys, now); err != nil {
		return err
	}
	who.SetVersion(kind, version) // which an import leaves alone, as in Kratos
	return nil
}
