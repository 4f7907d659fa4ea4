package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"styx/internal/identity"
	"styx/internal/secret"
)

const (
	appURL    = "otpauth://totp/Shop:ann?secret=JBSWY3DPEHPK3PXP&issuer=Shop"
	otherURL  = "otpauth://totp/Shop:ann?secret=KRSXG5CTMVRXEZLU"
	hereAndNo = "2026-07-01T12:00:00.123456Z"
)

// made creates an employee with these credentials and returns its id.
func (h house) made(t *testing.T, name, credentials string) string {
	t.Helper()
	body := fmt.Sprintf(`{"schema_id":"employee","traits":{"username":%q},"credentials":%s}`, name, credentials)
	return h.expect(t, http.StatusCreated, "POST", "/admin/identities", body).object(t)["id"].(string)
}

// brings puts credentials onto an employee that exists.
func (h house) brings(t *testing.T, id, name, credentials string) {
	t.Helper()
	h.expect(t, http.StatusOK, "PUT", "/admin/identities/"+id, fmt.Sprintf(`{"traits":{"username":%q},"credentials":%s}`, name, credentials))
}

// shown returns identifiers and config of a credential, as the API shows them.
func (h house) shown(t *testing.T, id string, kind identity.CredentialType) (identifiers, config string) {
	t.Helper()
	view := h.expect(t, http.StatusOK, "GET", "/admin/identities/"+id+"?include_credential="+string(kind), "")
	credential, _ := view.object(t)["credentials"].(map[string]any)[string(kind)].(map[string]any)
	member := func(name string) string {
		raw, err := json.Marshal(credential[name])
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(raw), `\u0026`, "&")
	}
	return member("identifiers"), member("config")
}

func TestImport(t *testing.T) {
	const key = `"attestation_type":"none","authenticator":{"aaguid":"AAAAAAAAAAAAAAAAAAAAAA==","sign_count":3,"clone_warning":false}`
	const shownKey = `"attestation_type":"none","authenticator":{"aaguid":"AAAAAAAAAAAAAAAAAAAAAA==","clone_warning":false,"sign_count":3}`
	const provider = `"initial_access_token":"","initial_id_token":"","initial_refresh_token":""`
	for name, row := range map[string]struct {
		kind                          identity.CredentialType
		first, identifiers, config    string
		second, identifiers2, config2 string
	}{
		"social sign-in": {
			identity.OIDC,
			`{"providers":[{"provider":"acme","subject":"Ann","use_auto_link":true,"organization":null}]}`,
			`["acme:Ann"]`, `{"providers":[{` + provider + `,"provider":"acme","subject":"Ann","use_auto_link":true}]}`,
			`{"providers":[{"provider":"acme","subject":"Ann"},{"provider":"acme","subject":"7","organization":"6F0C6A0E-0000-4000-8000-000000000000"}]}`,
			`["acme:Ann","acme:7"]`,
			`{"providers":[{` + provider + `,"provider":"acme","subject":"Ann","use_auto_link":true},` +
				`{` + provider + `,"organization":"6f0c6a0e-0000-4000-8000-000000000000","provider":"acme","subject":"7"}]}`,
		},
		"enterprise sign-in": {
			identity.SAML,
			`{"providers":[{"provider":"acme","subject":"Ann"}]}`,
			`["acme:Ann"]`, `{"providers":[{` + provider + `,"provider":"acme","subject":"Ann"}]}`,
			`{"providers":[]}`, `["acme:Ann"]`, `{"providers":[{` + provider + `,"provider":"acme","subject":"Ann"}]}`,
		},
		"authenticator app": {
			identity.TOTP,
			`{"totp_url":"` + appURL + `"}`, `["ID"]`, `{"totp_url":"` + appURL + `"}`,
			`{"totp_url":"` + otherURL + `"}`, `["ID"]`, `{"totp_url":"` + otherURL + `"}`,
		},
		"recovery codes": {
			identity.LookupSecret,
			`{"codes":[{"code":"a1"},{"code":"b2","used_at":"2026-01-02T03:04:05Z"}]}`, `["ID"]`,
			`{"recovery_codes":[{"code":"a1","used_at":null},{"code":"b2","used_at":"2026-01-02T03:04:05.000000Z"}]}`,
			`{"codes":[{"code":"c3"},{"code":"b2","used_at":null}]}`, `["ID"]`,
			`{"recovery_codes":[{"code":"a1","used_at":null},{"code":"b2","used_at":null},{"code":"c3","used_at":null}]}`,
		},
		"security keys": {
			identity.WebAuthn,
			`{"user_handle":"AAE=","credentials":[{"id":"a2V5","public_key":"cHVi","display_name":"Blue",` + key + `}]}`, `[]`,
			`{"credentials":[{"added_at":"NOW",` + shownKey + `,"display_name":"Blue","id":"a2V5","is_passwordless":false,"public_key":"cHVi"}],"user_handle":"AAE="}`,
			`{"credentials":[{"id":"a2V5","public_key":"cHVi","display_name":"Red","added_at":"2020-02-02T02:02:02Z",` + key + `},{"id":"dHdv","public_key":"cHVi",` + key + `}]}`,
			`[]`,
			`{"credentials":[{"added_at":"2020-02-02T02:02:02Z",` + shownKey + `,"display_name":"Red","id":"a2V5","is_passwordless":false,"public_key":"cHVi"},` +
				`{"added_at":"NOW",` + shownKey + `,"display_name":"","id":"dHdv","is_passwordless":false,"public_key":"cHVi"}],"user_handle":"AAE="}`,
		},
		"passkeys": {
			identity.Passkey,
			`{"user_handle":"YW5u","credentials":[{"id":"a2V5","public_key":"cHVi",` + key + `}]}`, `["ann"]`,
			`{"credentials":[{"added_at":"NOW",` + shownKey + `,"display_name":"","id":"a2V5","is_passwordless":true,"public_key":"cHVi"}],"user_handle":"YW5u"}`,
			`{"user_handle":"/wA=","credentials":[{"id":"a2V5","public_key":"cHVi",` + key + `}]}`, `["ann","_wA"]`,
			`{"credentials":[{"added_at":"NOW",` + shownKey + `,"display_name":"","id":"a2V5","is_passwordless":true,"public_key":"cHVi"}],"user_handle":"/wA="}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			check := func(id, wantIdentifiers, wantConfig string) {
				t.Helper()
				identifiers, config := h.shown(t, id, row.kind)
				wantIdentifiers = strings.ReplaceAll(wantIdentifiers, "ID", id)
				wantConfig = strings.ReplaceAll(wantConfig, "NOW", hereAndNo)
				if identifiers != wantIdentifiers || config != wantConfig {
					t.Errorf("it has\n%s %s, want\n%s %s", identifiers, config, wantIdentifiers, wantConfig)
				}
			}
			id := h.made(t, "ann", fmt.Sprintf(`{%q:{"config":%s}}`, row.kind, row.first))
			check(id, row.identifiers, row.config)
			h.brings(t, id, "ann", fmt.Sprintf(`{%q:{"config":%s}}`, row.kind, row.second))
			check(id, row.identifiers2, row.config2)
			h.brings(t, id, "ann", `null`)
			check(id, row.identifiers2, row.config2)
		})
	}
}

// What a second factor is made of never stands in the table as it is.
func TestImportedSecretsAreSealed(t *testing.T) {
	h := open(t)
	id := h.made(t, "ann", `{"totp":{"config":{"totp_url":"`+appURL+`"}},"lookup_secret":{"config":{"codes":[{"code":"a1b2c3d4"}]}}}`)
	who, err := h.Store.Identity(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(who)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), "JBSWY3DPEHPK3PXP") || strings.Contains(string(raw), "a1b2c3d4") {
		t.Errorf("stored is %s", raw)
	}
	listed := h.expect(t, http.StatusOK, "GET", "/admin/identities?include_credential=totp&include_credential=lookup_secret", "").Body.String()
	if !strings.Contains(listed, "JBSWY3DPEHPK3PXP") || !strings.Contains(listed, "a1b2c3d4") {
		t.Errorf("a list that was asked for them shows %s", listed)
	}
}

func TestImportRefused(t *testing.T) {
	h := open(t)
	const good = `"public_key":"cHVi"`
	for credentials, want := range map[string]string{
		`{"oidc":{"config":{"providers":[{"provider":"acme","subject":""}]}}}`:                  "credentials.oidc.config.providers.0 lacks its provider or its subject.",
		`{"saml":{"config":{"providers":[{"subject":"Ann"}]}}}`:                                 "credentials.saml.config.providers.0 lacks its provider or its subject.",
		`{"oidc":{"config":{"providers":[{"provider":"a","subject":"b","organization":"c"}]}}}`: "credentials.oidc.config.providers.0.organization is not a UUID.",
		`{"totp":{}}`: "credentials.totp.config.totp_url is not an otpauth://totp/ URL with a secret.",
		`{"totp":{"config":{"totp_url":"https://totp/x?secret=JBSWY3DPEHPK3PXP"}}}`:   "credentials.totp.config.totp_url is not an otpauth://totp/ URL with a secret.",
		`{"totp":{"config":{"totp_url":"otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP"}}}`: "credentials.totp.config.totp_url is not an otpauth://totp/ URL with a secret.",
		`{"totp":{"config":{"totp_url":"otpauth://totp/x?secret=1"}}}`:                "credentials.totp.config.totp_url is not an otpauth://totp/ URL with a secret.",
		`{"lookup_secret":{"config":{"codes":[{"code":"a"},{"code":""}]}}}`:           "credentials.lookup_secret.config.codes.1.code must have 1 to 128 bytes.",
		`{"lookup_secret":{"config":{"codes":[` + codes(101) + `]}}}`:                 "credentials.lookup_secret.config.codes would make more than 100 codes.",
		`{"passkey":{"config":{"credentials":[{"id":"a2V5",` + good + `}]}}}`:         "credentials.passkey.config.user_handle must have 1 to 64 bytes.",
		`{"webauthn":{"config":{"credentials":[{"id":"a2V5"}]}}}`:                     "credentials.webauthn.config.credentials.0 lacks its id or its public key.",
		`{"webauthn":{"config":{"credentials":[{` + good + `}]}}}`:                    "credentials.webauthn.config.credentials.0 lacks its id or its public key.",
	} {
		body := `{"schema_id":"employee","traits":{"username":"ann"},"credentials":` + credentials + `}`
		if _, reason := h.expect(t, http.StatusBadRequest, "POST", "/admin/identities", body).said(t); reason != want {
			t.Errorf("%s: %q, want %q", credentials, reason, want)
		}
	}
	if left := h.expect(t, 200, "GET", "/admin/identities", "").ids(t); len(left) != 0 {
		t.Errorf("refused imports left %v", left)
	}
}

func codes(n int) string {
	list := make([]string, n)
	for at := range list {
		list[at] = fmt.Sprintf(`{"code":"%d"}`, at)
	}
	return strings.Join(list, ",")
}

// A key that two people hold would let one sign in as the other.
func TestKeyBelongsToOne(t *testing.T) {
	h := open(t)
	const key = `{"id":"a2V5","public_key":"cHVi"}`
	h.made(t, "ann", `{"webauthn":{"config":{"credentials":[`+key+`]}}}`)
	body := `{"schema_id":"employee","traits":{"username":"bea"},"credentials":{"passkey":{"config":{"user_handle":"YmVh","credentials":[` + key + `]}}}}`
	h.expect(t, http.StatusConflict, "POST", "/admin/identities", body)
}

func TestImportOfPasswordHashes(t *testing.T) {
	h := open(t)
	for hash, want := range map[string]string{
		"":                           unknownHash,
		"$sundial$x":                 unknownHash,
		"$md5$x":                     malformedHash,
		"$pbkdf2-sha256$i=1,l=8$AA$": malformedHash,
		"$scrypt$ln=1048576,r=8,p=1$AA==$AAAAAAAAAAA=":                 costlyHash,
		"$2a$16$/MQBpcvvgnIZTZS52q1cYub2sgblKvroOiFlNRNLtbpcNlkayKOvq": costlyHash,
		"$argon2id$v=19$m=1048576,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAA":     costlyHash,
	} {
		body := fmt.Sprintf(`{"traits":{"email":"ann@example.org"},"credentials":{"password":{"config":{"hashed_password":%q}}}}`, hash)
		if _, reason := h.expect(t, http.StatusBadRequest, "POST", "/admin/identities", body).said(t); reason != want {
			t.Errorf("%s: %q, want %q", hash, reason, want)
		}
	}
	id := h.made(t, "ann", `{"password":{"config":{"hashed_password":"{SSHA}p4Hbra7ROGg/nnNLrL1nzoJu4AxoYXJib3VyLXNhbHQtMDE2"}}}`)
	who, err := h.Store.Identity(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if match, err := h.Hash.Matches(t.Context(), who.PasswordHash(), "Copper-Lantern-58-Orchard"); err != nil || !match {
		t.Errorf("the imported hash matches: %t, %v", match, err)
	}
	if err := secret.CheckHash(who.PasswordHash()); err != nil {
		t.Error(err)
	}
}
