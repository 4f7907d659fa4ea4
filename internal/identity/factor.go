package identity

import (
	"encoding/json"
	"fmt"
	"time"

	"styx/internal/secret"
)

// LookupCode is a recovery code, which proves a second factor once.
type LookupCode struct {
	Code   string
	UsedAt *time.Time // nil until it was used

	unknown map[string]json.RawMessage
}

type lookupDocument struct {
	Code   string `json:"code"`
	UsedAt *stamp `json:"used_at"`
}

func lookupMembers() []string { return []string{"code", "used_at"} }

// MarshalJSON prints the stored form, which the admin API shows as well.
func (c LookupCode) MarshalJSON() ([]byte, error) {
	document := lookupDocument{Code: c.Code}
	if c.UsedAt != nil {
		document.UsedAt = &stamp{*c.UsedAt}
	}
	return withUnknown(document, c.unknown)
}

// UnmarshalJSON reads the stored form.
func (c *LookupCode) UnmarshalJSON(raw []byte) error {
	var document lookupDocument
	unknown, err := decode(raw, &document, lookupMembers)
	if err != nil {
		return err
	}
	*c = LookupCode{Code: document.Code, unknown: unknown}
	if document.UsedAt != nil {
		c.UsedAt = &document.UsedAt.Time
	}
	return nil
}

// The members of a config that are sealed at rest, and what they stand for.
const (
	totpURL     = "totp_url"
	lookupCodes = "recovery_codes"
)

// TOTP returns the otpauth:// URL of the authenticator app, "" when none is set
// up. It is sealed at rest: secret.ErrSealed says that its key is gone, or that
// it was moved here from another identity.
func (i *Identity) TOTP(ring *secret.Ring) (string, error) {
	var config struct {
		URL string `json:"totp_url"`
	}
	if err := i.configOf(TOTP, &config); err != nil || config.URL == "" {
		return "", err
	}
	return i.open(ring, totpURL, config.URL)
}

// SetTOTP stores the otpauth:// URL of a new authenticator app, sealed. "" takes
// the credential away.
func (i *Identity) SetTOTP(ring *secret.Ring, url string, now time.Time) error {
	if url == "" {
		delete(i.Credentials, TOTP)
		return nil
	}
	return i.configure(TOTP, []string{i.ID}, map[string]any{totpURL: i.seal(ring, totpURL, url)}, now)
}

// Lookup returns the recovery codes in their order, opened; see TOTP.
func (i *Identity) Lookup(ring *secret.Ring) ([]LookupCode, error) {
	var config struct {
		Codes []LookupCode `json:"recovery_codes"`
	}
	if err := i.configOf(LookupSecret, &config); err != nil {
		return nil, err
	}
	for at, code := range config.Codes {
		opened, err := i.open(ring, lookupCodes, code.Code)
		if err != nil {
			return nil, err
		}
		config.Codes[at].Code = opened
	}
	return config.Codes, nil
}

// SetLookup stores the recovery codes, sealed. No codes take the credential away.
func (i *Identity) SetLookup(ring *secret.Ring, codes []LookupCode, now time.Time) error {
	if len(codes) == 0 {
		delete(i.Credentials, LookupSecret)
		return nil
	}
	sealed := make([]LookupCode, len(codes))
	for at, code := range codes {
		code.Code = i.seal(ring, lookupCodes, code.Code)
		sealed[at] = code
	}
	return i.configure(LookupSecret, []string{i.ID}, map[string]any{lookupCodes: sealed}, now)
}

// belongs says whose secret it is and which: it opens nowhere else.
func (i *Identity) belongs(member string) string { return "identity|" + i.ID + "|" + member }

func (i *Identity) seal(ring *secret.Ring, member, plain string) string {
	return ring.Seal(secret.UseTOTP, []byte(plain), i.belongs(member))
}

func (i *Identity) open(ring *secret.Ring, member, sealed string) (string, error) {
	plain, err := ring.Open(secret.UseTOTP, sealed, i.belongs(member))
	if err != nil {
		return "", fmt.Errorf("open %s of identity %s: %w", member, i.ID, err)
	}
	return string(plain), nil
}
