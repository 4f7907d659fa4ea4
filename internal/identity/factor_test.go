package identity

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"styx/internal/secret"
)

const (
	appURL = "otpauth://totp/Shop:ann?secret=JBSWY3DPEHPK3PXP"
	spare  = "a1b2c3d4"
)

// equipped is an identity with every kind of credential that has a config of
// its own.
func equipped(t testing.TB) *Identity {
	t.Helper()
	who := full(t)
	used := noon
	for _, err := range []error{
		who.SetTOTP(ring(t), appURL, noon),
		who.SetLookup(ring(t), []LookupCode{{Code: spare}, {Code: "e5f6a7b8", UsedAt: &used}}, noon),
		who.SetWebAuthnKeys(WebAuthn, []byte{0, 1}, []Key{{ID: []byte("key"), AddedAt: noon}}, noon),
		who.SetWebAuthnKeys(Passkey, []byte("handle"), []Key{{ID: []byte("pass"), AddedAt: noon, Passwordless: true}}, noon),
		who.SetProviders(OIDC, []Provider{{Subject: "Ann", Provider: "acme", AutoLink: true}}, noon),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return who
}

// stored again, as the next request reads it.
func reread(t testing.TB, who *Identity) *Identity {
	t.Helper()
	var back Identity
	if err := json.Unmarshal([]byte(printed(t, who)), &back); err != nil {
		t.Fatal(err)
	}
	return &back
}

func TestSecondFactorsAreSealedAndOpen(t *testing.T) {
	who := equipped(t)
	if raw := printed(t, who); strings.Contains(raw, "JBSWY3DPEHPK3PXP") || strings.Contains(raw, spare) {
		t.Errorf("a secret stands in clear: %s", raw)
	}
	back := reread(t, who)
	if url, err := back.TOTP(ring(t)); err != nil || url != appURL {
		t.Errorf("TOTP is %q, %v", url, err)
	}
	codes, err := back.Lookup(ring(t))
	if err != nil || len(codes) != 2 || codes[0].Code != spare || codes[0].UsedAt != nil || !codes[1].UsedAt.Equal(stored(noon)) {
		t.Errorf("lookup codes are %+v, %v", codes, err)
	}
	for _, kind := range []CredentialType{TOTP, LookupSecret} {
		if got := back.Credentials[kind].Identifiers; !slices.Equal(got, []string{who.ID}) {
			t.Errorf("%s is identified by %q", kind, got)
		}
	}
	if counts := back.Counts(); counts.TOTP != 1 || counts.LookupSecret != 1 || counts.WebAuthn != 1 || counts.Passkey != 1 || counts.OIDC != 1 {
		t.Errorf("counts are %+v", counts)
	}
}

func TestASecretOpensForItsOwnerAlone(t *testing.T) {
	ann, bea := equipped(t), New("6f0c6a0e-0000-4000-8000-000000000000", "person", noon)
	bea.Credentials[TOTP] = ann.Credentials[TOTP]
	if url, err := bea.TOTP(ring(t)); !errors.Is(err, secret.ErrSealed) || url != "" {
		t.Errorf("another's TOTP opened as %q, %v", url, err)
	}
	config := string(ann.Credentials[TOTP].Config)
	code := strings.NewReplacer(`{"totp_url":`, `{"recovery_codes":[{"code":`, `}`, `,"used_at":null}]}`).Replace(config)
	ann.Credentials[LookupSecret] = Credential{Type: LookupSecret, Config: json.RawMessage(code)}
	if codes, err := ann.Lookup(ring(t)); !errors.Is(err, secret.ErrSealed) || codes != nil {
		t.Errorf("a TOTP secret opened as a code: %v, %v", codes, err)
	}
}

func TestSecondFactorsGo(t *testing.T) {
	who := equipped(t)
	if err := errors.Join(who.SetTOTP(ring(t), "", noon), who.SetLookup(ring(t), nil, noon)); err != nil {
		t.Fatal(err)
	}
	url, errURL := who.TOTP(ring(t))
	codes, errCodes := who.Lookup(ring(t))
	if url != "" || codes != nil || errURL != nil || errCodes != nil || who.Counts().TOTP+who.Counts().LookupSecret != 0 {
		t.Errorf("left: %q, %v", url, codes)
	}
}

func TestAdminViewOpensWhatIsSealed(t *testing.T) {
	view := printed(t, administered(t, "", equipped(t), TOTP, LookupSecret, OIDC, WebAuthn, Passkey))
	for _, part := range []string{
		`"config":{"totp_url":"otpauth://totp/Shop:ann?secret=JBSWY3DPEHPK3PXP"}`,
		`"config":{"recovery_codes":[{"code":"a1b2c3d4","used_at":null},{"code":"e5f6a7b8","used_at":"2026-11-05T12:00:00.120000Z"}]}`,
		`"config":{"providers":[{"subject":"Ann","provider":"acme","use_auto_link":true,"initial_id_token":"","initial_access_token":"","initial_refresh_token":""}]}`,
		`"user_handle":"AAE="}`,
		`"added_at":"2026-11-05T12:00:00.12Z","is_passwordless":true`,
	} {
		if !strings.Contains(view, part) {
			t.Errorf("the view lacks %s: %s", part, view)
		}
	}
	if hidden := printed(t, administered(t, "", equipped(t))); strings.Contains(hidden, "config") {
		t.Errorf("a config is shown that was not asked for: %s", hidden)
	}
}

func TestKeys(t *testing.T) {
	who := reread(t, equipped(t))
	keys, err := who.WebAuthnKeys(WebAuthn)
	if err != nil || len(keys) != 1 || string(keys[0].ID) != "key" {
		t.Fatalf("keys are %+v, %v", keys, err)
	}
	if err := who.SetWebAuthnKeys(WebAuthn, []byte{0, 1}, nil, noon); err != nil {
		t.Fatal(err)
	}
	if got := string(who.Credentials[WebAuthn].Config); got != `{"user_handle":"AAE="}` {
		t.Errorf("without keys the config is %s", got)
	}
	if err := who.SetWebAuthnKeys(Passkey, []byte("later"), keys, noon); err != nil {
		t.Fatal(err)
	}
	if got := who.Credentials[Passkey].Identifiers; !slices.Equal(got, []string{"handle", "later"}) {
		t.Errorf("passkeys are identified by %q", got)
	}
	if got := who.Credentials[Passkey].Version; got != 1 {
		t.Errorf("passkeys are of version %d", got)
	}
	if handle, err := who.UserHandle(Passkey); err != nil || string(handle) != "later" {
		t.Errorf("the user handle is %q, %v", handle, err)
	}
}

func TestPasskeyIdentifierIsText(t *testing.T) {
	for handle, want := range map[string]string{"aZ09": "aZ09", "\xff\x00": "_wA", "a\nb": "YQpi"} {
		if got := PasskeyIdentifier([]byte(handle)); got != want {
			t.Errorf("%q is %q, want %q", handle, got, want)
		}
	}
}

func TestUnknownMembersOfAConfigSurvive(t *testing.T) {
	who := equipped(t)
	strange := func(kind CredentialType, element string) {
		credential := who.Credentials[kind]
		text := strings.Replace(string(credential.Config), element, `"later":{"n":1},`+element, 1)
		credential.Config = json.RawMessage(`{"newer":[7],` + text[1:])
		who.Credentials[kind] = credential
	}
	strange(LookupSecret, `"code"`)
	strange(WebAuthn, `"id"`)
	strange(OIDC, `"subject"`)
	codes, errCodes := who.Lookup(ring(t))
	keys, errKeys := who.WebAuthnKeys(WebAuthn)
	providers, errProviders := who.Providers(OIDC)
	if err := errors.Join(errCodes, errKeys, errProviders,
		who.SetLookup(ring(t), codes, noon),
		who.SetWebAuthnKeys(WebAuthn, []byte{0, 1}, keys, noon),
		who.SetProviders(OIDC, providers, noon)); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []CredentialType{LookupSecret, WebAuthn, OIDC} {
		config := string(who.Credentials[kind].Config)
		if !strings.Contains(config, `"newer":[7]`) || !strings.Contains(config, `"later":{"n":1}`) {
			t.Errorf("%s lost a member: %s", kind, config)
		}
	}
}
