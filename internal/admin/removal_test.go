package admin

import (
	"net/http"
	"strings"
	"testing"

	"styx/internal/identity"
	"styx/internal/selfservice"
)

func TestDeleteCredential(t *testing.T) {
	const keys = `{"user_handle":"YW5u","credentials":[{"id":"YQ==","public_key":"cHVi"},{"id":"Yg==","public_key":"cHVi","is_passwordless":true}]}`
	const providers = `{"providers":[{"provider":"acme","subject":"1"},{"provider":"acme","subject":"2"}]}`
	for name, row := range map[string]struct {
		credentials, target string
		kind                identity.CredentialType
		config              string // what is left, null for no credential
	}{
		"authenticator app": {`{"totp":{"config":{"totp_url":"` + appURL + `"}}}`, "totp", identity.TOTP, `null`},
		"recovery codes":    {`{"lookup_secret":{"config":{"codes":[{"code":"a"}]}}}`, "lookup_secret", identity.LookupSecret, `null`},
		"second keys":       {`{"webauthn":{"config":` + keys + `}}`, "webauthn", identity.WebAuthn, "Yg=="},
		"the only second key": {
			`{"webauthn":{"config":{"user_handle":"YW5u","credentials":[{"id":"YQ==","public_key":"cHVi"}]}}}`, "webauthn", identity.WebAuthn, `{}`,
		},
		"a password beside others": {`{"password":{"config":{"password":"abc"}},"oidc":{"config":` + providers + `}}`, "password", identity.Password, `{}`},
		"one subject of two":       {`{"oidc":{"config":` + providers + `}}`, "oidc?identifier=acme:1", identity.OIDC, `"subject":"2"`},
		"the last subject beside a password": {
			`{"password":{"config":{"password":"abc"}},"saml":{"config":{"providers":[{"provider":"acme","subject":"1"}]}}}`,
			"saml?identifier=acme:1", identity.SAML, `{"providers":[]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.Engine = &selfservice.Engine{Policy: identity.Policy{Password: true, OIDC: true, SAML: true, WebAuthn: true, TOTP: true, LookupSecret: true}}
			id := h.made(t, "ann", row.credentials)
			if got := h.expect(t, http.StatusNoContent, "DELETE", "/admin/identities/"+id+"/credentials/"+row.target, ""); got.Body.Len() != 0 {
				t.Errorf("the answer has a body: %s", got.Body)
			}
			if _, config := h.shown(t, id, row.kind); !strings.Contains(config, row.config) || strings.Contains(config, "YQ==") || strings.Contains(config, `"subject":"1"`) {
				t.Errorf("left is %s, want %s", config, row.config)
			}
		})
	}
}

func TestDeleteCredentialRefused(t *testing.T) {
	h := open(t)
	h.Engine = &selfservice.Engine{Policy: identity.Policy{Password: true, OIDC: true}}
	one := h.made(t, "ann", `{"password":{"config":{"password":"abc"}}}`)
	two := h.made(t, "bea", `{"password":{"config":{"password":"abc"}},"oidc":{"config":{"providers":[{"provider":"acme","subject":"1"}]}},
		"passkey":{"config":{"user_handle":"YW5u","credentials":[{"id":"YQ==","public_key":"cHVi"}]}}}`)
	coded := h.customer(t, "cleo@example.org")
	const general = "The request was malformed or contained invalid parameters"
	for target, want := range map[string]struct {
		status          int
		message, reason string
	}{
		one + "/credentials/password":             {400, general, "You cannot remove the last first factor credential."},
		one + "/credentials/totp":                 {404, "The requested resource could not be found", "You tried to remove a totp but this user have no totp set up."},
		one + "/credentials/moonlight":            {404, "The requested resource could not be found", "You tried to remove a moonlight but this user have no moonlight set up."},
		two + "/credentials/oidc":                 {400, general, "You must provide an identifier to delete this credential."},
		two + "/credentials/oidc?identifier=acme": {404, "The requested resource could not be found", "The identifier `acme` was not found among OIDC credentials."},
		two + "/credentials/passkey":              {400, general, "Credentials type passkey cannot be deleted."},
		coded + "/credentials/code":               {400, general, "Credentials type code cannot be deleted."},
		unknownID + "/credentials/totp":           {404, "Unable to locate the resource", ""},
		"zzz/credentials/totp":                    {404, "Unable to locate the resource", ""},
	} {
		message, reason := h.expect(t, want.status, "DELETE", "/admin/identities/"+target, "").said(t)
		if message != want.message || reason != want.reason {
			t.Errorf("%s: %q, %q, want %q, %q", target, message, reason, want.message, want.reason)
		}
	}
	who, err := h.Store.Identity(t.Context(), two)
	if err != nil || who.Counts().OIDC != 1 || who.PasswordHash() == "" {
		t.Errorf("a removal that was refused took something: %+v, %v", who, err)
	}
}
