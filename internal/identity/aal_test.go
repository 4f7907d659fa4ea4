package identity

import (
	"encoding/json"
	"testing"
)

func TestAvailableAAL(t *testing.T) {
	all := Policy{Password: true, OIDC: true, SAML: true, Passkey: true, WebAuthn: true, TOTP: true, LookupSecret: true}
	mfa := all
	mfa.CodeMFA = true
	passwordless := all
	passwordless.Passwordless = true

	const (
		hash     = `{"hashed_password":"x"}`
		keyFirst = `{"credentials":[{"is_passwordless":true}]}`
		keyThen  = `{"credentials":[{"is_passwordless":false}]}`
	)
	type credentials map[CredentialType]string
	for name, row := range map[string]struct {
		policy Policy
		has    credentials
		want   AAL
		first  int
	}{
		"nothing":                     {all, nil, AAL0, 0},
		"identifier without password": {all, credentials{Password: `{}`}, AAL0, 0},
		"password":                    {all, credentials{Password: hash}, AAL1, 1},
		"password to be migrated":     {all, credentials{Password: `{"use_password_migration_hook":true}`}, AAL1, 1},
		"password switched off":       {Policy{TOTP: true}, credentials{Password: hash}, AAL0, 0},
		"password and totp":           {all, credentials{Password: hash, TOTP: `{"totp_url":"x"}`}, AAL2, 1},
		"totp alone":                  {all, credentials{TOTP: `{"totp_url":"x"}`}, AAL2, 0},
		"totp removed":                {all, credentials{Password: hash, TOTP: `{}`}, AAL1, 1},
		"totp switched off":           {Policy{Password: true}, credentials{Password: hash, TOTP: `{"totp_url":"x"}`}, AAL1, 1},
		"lookup secrets":              {all, credentials{Password: hash, LookupSecret: `{"recovery_codes":[{"code":"a"}]}`}, AAL2, 1},
		"no lookup secrets":           {all, credentials{Password: hash, LookupSecret: `{"recovery_codes":[]}`}, AAL1, 1},
		"providers":                   {all, credentials{OIDC: `{"providers":[{},{}]}`, SAML: `{"providers":[{}]}`}, AAL1, 3},
		"passkeys":                    {all, credentials{Passkey: `{"credentials":[{},{}]}`}, AAL1, 2},
		"passwordless key":            {all, credentials{WebAuthn: keyFirst}, AAL1, 1},
		"second factor key":           {all, credentials{Password: hash, WebAuthn: keyThen}, AAL2, 1},
		"keys of both kinds":          {all, credentials{WebAuthn: `{"credentials":[{"is_passwordless":true},{}]}`}, AAL2, 1},
		"no keys":                     {all, credentials{WebAuthn: `{}`}, AAL0, 0},
		"code means nothing":          {all, credentials{Code: `{"addresses":[{"channel":"email","address":"a"}]}`}, AAL0, 0},
		"code as a second factor":     {mfa, credentials{Password: hash, Code: `{"addresses":[{"channel":"email","address":"a"}]}`}, AAL2, 1},
		"code without an address":     {mfa, credentials{Password: hash, Code: `{"addresses":[]}`}, AAL1, 1},
		"code signs everybody in":     {passwordless, nil, AAL1, 1},
		"broken configs":              {all, credentials{Password: `[]`, OIDC: `{"providers":5}`, WebAuthn: `x`, Code: `1`}, AAL0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			who := New("5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11", "person", noon)
			for kind, config := range row.has {
				who.Credentials[kind] = Credential{Type: kind, Identifiers: []string{"a"}, Config: json.RawMessage(config)}
			}
			if got := who.AvailableAAL(row.policy); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
			if got := who.Counts().FirstFactors(row.policy); got != row.first {
				t.Errorf("%d first factors, want %d", got, row.first)
			}
		})
	}
}

func TestPasswordWithoutIdentifierIsNoFactor(t *testing.T) {
	who := New("5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11", "person", noon)
	if err := who.SetPasswordHash("x", noon); err != nil {
		t.Fatal(err)
	}
	if got := who.AvailableAAL(Policy{Password: true}); got != AAL0 {
		t.Errorf("got %s", got)
	}
}

// Every change of a credential shows at once: nothing is remembered.
func TestAALFollowsEveryChange(t *testing.T) {
	policy := Policy{Password: true, TOTP: true}
	who := full(t)
	if who.AvailableAAL(policy) != AAL1 {
		t.Fatal("a password is aal1")
	}
	who.Credentials[TOTP] = Credential{Type: TOTP, Identifiers: []string{who.ID}, Config: json.RawMessage(`{"totp_url":"x"}`)}
	var read Identity
	if err := json.Unmarshal([]byte(printed(t, who)), &read); err != nil {
		t.Fatal(err)
	}
	if who.AvailableAAL(policy) != AAL2 || read.AvailableAAL(policy) != AAL2 {
		t.Error("with totp it is aal2")
	}
	delete(read.Credentials, TOTP)
	if read.AvailableAAL(policy) != AAL1 {
		t.Error("without totp it is aal1 again")
	}
}

func TestCredentialsWithoutIdentifiersAndSecretAreDropped(t *testing.T) {
	who := full(t)
	who.Identify(WebAuthn, []string{"ann@example.org"}, noon)
	who.Identify(WebAuthn, nil, noon)
	who.Identify(Password, nil, noon)
	if err := who.SetCodeAddresses(nil, noon); err != nil {
		t.Fatal(err)
	}
	if _, ok := who.Credentials[WebAuthn]; ok {
		t.Error("a bare webauthn credential stayed")
	}
	if _, ok := who.Credentials[Code]; ok {
		t.Error("a code credential without addresses stayed")
	}
	if got, ok := who.Credentials[Password]; !ok || len(got.Identifiers) != 0 || who.PasswordHash() == "" {
		t.Errorf("the password became %+v, want its hash without identifiers", got)
	}
}

func TestMigrationEndsWithAHash(t *testing.T) {
	who := full(t)
	if err := who.MigratePassword(noon); err != nil {
		t.Fatal(err)
	}
	if !who.MigratesPassword() || who.PasswordHash() != "" {
		t.Errorf("config is %s", who.Credentials[Password].Config)
	}
	if err := who.SetPasswordHash("y", noon); err != nil {
		t.Fatal(err)
	}
	if who.MigratesPassword() || who.PasswordHash() != "y" {
		t.Errorf("config is %s", who.Credentials[Password].Config)
	}
}
