package migrate

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"styx/internal/secret"
)

// TestObjects reads what holds objects, however they are strung together.
func TestObjects(t *testing.T) {
	for text, want := range map[string]string{
		``:                           "",
		` {"a":1}`:                   `{"a":1}`,
		"{\"a\":1}\n{\"a\":2}\n":     `{"a":1} {"a":2}`,
		`[{"a":1},{"a":2}]`:          `{"a":1} {"a":2}`,
		`[][{"a":1}]{"a":2}`:         `{"a":1} {"a":2}`,
		"\xef\xbb\xbf{\"a\":1}":      `{"a":1}`,
		`{"Users":[{"a":1}]}`:        `{"a":1}`,
		`{"x":[1],"Users":[],"y":2}`: "",
		`{"x":1,"Users":[{"a":1}],"y":2}{"Users":[{"a":2}]}`: `{"a":1} {"a":2}`,
		`{"a":1} 7`:                     `{"a":1} !neither an object`,
		`[{"a":1},7]`:                   `{"a":1} !no object`,
		`{"Users":7}`:                   `!Users is no list`,
		`{"a":1`:                        `!not JSON`,
		`[{"a":1}`:                      `{"a":1} !not JSON`,
		`{"a":1} {"a":`:                 `{"a":1} !not JSON`,
		`{"a":12345678901234567890.10}`: `{"a":12345678901234567890.10}`,
	} {
		var got []string
		err := Objects(strings.NewReader(text), func(one json.RawMessage) error {
			got = append(got, string(one))
			return nil
		}, "Users")
		said, wrong, _ := strings.Cut(want, "!")
		if strings.TrimSpace(said) != strings.Join(got, " ") || (err != nil) != (wrong != "") || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	enough := errors.New("enough")
	if err := Objects(strings.NewReader(`[{},{}]`), func(json.RawMessage) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("who reads has enough: %v", err)
	}
}

// checked is what holds of every record, whatever it was made from: it encodes,
// under an id that the admin API takes.
func checked(t *testing.T, record Record) {
	t.Helper()
	if _, err := json.Marshal(record.Create); err != nil {
		t.Errorf("%+v: %v", record, err)
	}
	if id, err := secret.ParseUUID(record.Create.ID); err != nil || id.String() != record.Create.ID {
		t.Errorf("%q is no id: %v", record.Create.ID, err)
	}
}

// FuzzKratos reads any export.
func FuzzKratos(f *testing.F) {
	for _, seed := range []string{
		`{"id":"1a7a6bb4-4d5e-4c6b-9d0e-000000000001","traits":{"email":"a@example.org"},"credentials":{"password":{"config":{"hashed_password":"x"}}}}`,
		`{"traits":[],"credentials":{"oidc":{"config":{"providers":[{"subject":"1","provider":"google","initial_id_token":"t"}]}},"totp":{"config":{"totp_url":"otpauth://totp/x"}}}}`,
		`[{"credentials":{"lookup_secret":{"config":{"recovery_codes":[{"code":"a","used_at":"0001-01-01T00:00:00Z"}]}},"passkey":{"config":{"credentials":[{"id":"YQ=="}],"user_handle":"YQ=="}}}}]`,
		`{"credentials":{"webauthn":{"config":null},"code":{"config":{}},"saml":{"config":{"providers":null}},"new":{"config":{}}}}`,
		`{"id":"x"}`, `{"id":7}`, `{"identities":[{}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_ = Objects(strings.NewReader(string(text)), func(raw json.RawMessage) error {
			record, err := FromKratos(raw)
			if err == nil {
				checked(t, record)
			}
			return nil
		}, "identities")
	})
}

// FuzzCognito reads any list of users.
func FuzzCognito(f *testing.F) {
	for _, seed := range []string{
		`{"Users":[{"Username":"a","Attributes":[{"Name":"sub","Value":"1a7a6bb4-4d5e-4c6b-9d0e-000000000001"},{"Name":"email","Value":"a@example.org"}],"Enabled":false}]}`,
		`[{"Attributes":[{"Name":"sub","Value":"x"},{"Name":"identities","Value":"[{\"userId\":\"1\",\"providerName\":\"Google\"}]"}]}]`,
		`{"Username":"a","Attributes":[{"Name":"identities","Value":"{"}]}`,
		"cognito:username,email,email_verified\na,a@example.org,true\n\"b\nb\",,\n",
		"a,a\n1,2\n", "\"", "",
	} {
		f.Add([]byte(seed))
	}
	users := Cognito{Traits: map[string]string{"email": "email", "name.first": "given_name", "email.x": "sub"}, AskHook: true, Providers: map[string]string{"Google": "google"}}
	f.Fuzz(func(t *testing.T, text []byte) {
		_ = users.Read(strings.NewReader(string(text)), func(record Record, err error) error {
			if err == nil {
				checked(t, record)
			}
			return nil
		})
	})
}
