package admin

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/table"
)

// Hashes as other systems made them.
const (
	bcryptHash = "$2a$05$/MQBpcvvgnIZTZS52q1cYub2sgblKvroOiFlNRNLtbpcNlkayKOvq"
	argon2Hash = "$argon2id$v=19$m=4096,t=1,p=1$aGFyYm91ci1zYWx0LTAxNg$/691l0y6RVUlQ+U3B4le4c8/893e+cYEjutXEBJI/7I"
)

func TestCreateMinimal(t *testing.T) {
	h := open(t)
	made := h.expect(t, http.StatusCreated, "POST", "/identities", `{"schema_id":"customer","traits":{"email":"Ann@example.org"}}`)
	id := made.object(t)["id"].(string)
	if got, want := made.Header().Get("Location"), "https://admin.example.org/identities/"+id; got != want {
		t.Errorf("Location is %q, want %q", got, want)
	}
	if _, err := secret.ParseUUID(id); err != nil {
		t.Errorf("the id is %q", id)
	}
	const row = `"created_at":"NOON","updated_at":"NOON","value":"ann@example.org","via":"email"`
	want := `{"created_at":"NOON",` +
		`"credentials":{` +
		`"code":{"created_at":"NOON","identifiers":["ann@example.org"],"type":"code","updated_at":"NOON","version":1},` +
		`"password":{"created_at":"NOON","identifiers":["ann@example.org"],"type":"password","updated_at":"NOON","version":0}},` +
		`"metadata_public":null,"organization_id":null,` +
		`"recovery_addresses":[{` + row + `}],` +
		`"schema_id":"customer","schema_url":"https://id.example.org/schemas/Y3VzdG9tZXI",` +
		`"state":"active","state_changed_at":"NOON","traits":{"email":"Ann@example.org"},"updated_at":"NOON",` +
		`"verifiable_addresses":[{"created_at":"NOON","status":"pending","updated_at":"NOON","value":"ann@example.org","verified":false,"via":"email"}]}`
	if got := made.plain(t); got != want {
		t.Errorf("made\n%s, want\n%s", got, want)
	}
	shown := strings.Replace(want, `"version":0`, `"version":1`, 1)
	shown = strings.Replace(shown, `"metadata_public"`, `"metadata_admin":null,"metadata_public"`, 1)
	if got := h.expect(t, 200, "GET", "/identities/"+id, "").plain(t); got != shown {
		t.Errorf("it is shown as\n%s, want\n%s", got, shown)
	}
}

func TestCreateEverything(t *testing.T) {
	h := open(t)
	made := h.expect(t, http.StatusCreated, "POST", "/admin/identities", `{"schema_id":"employee",
		"traits":{"username":"Ann","work_email":"ann@example.org"},"state":"inactive","external_id":"crm-1",
		"organization_id":"6F0C6A0E-0000-4000-8000-000000000000",
		"metadata_public":{"tier":2,"tags":["a",null]},"metadata_admin":{"note":"vip"},
		"verifiable_addresses":[{"via":"email","value":"ANN@example.org","verified":true,"verified_at":"2020-02-02T02:02:02Z"},
			{"via":"email","value":"bea@example.org","verified":true}],
		"recovery_addresses":[{"via":"email","value":"ann@example.org"}],
		"credentials":{"password":{"config":{"password":"Harbour-Gate-71"}},"oidc":null}}`)
	const want = `{"created_at":"NOON",` +
		`"credentials":{"password":{"created_at":"NOON","identifiers":["ann"],"type":"password","updated_at":"NOON","version":0}},` +
		`"external_id":"crm-1","metadata_admin":{"note":"vip"},"metadata_public":{"tags":["a",null],"tier":2},` +
		`"organization_id":"6f0c6a0e-0000-4000-8000-000000000000",` +
		`"schema_id":"employee","schema_url":"https://id.example.org/schemas/ZW1wbG95ZWU",` +
		`"state":"inactive","state_changed_at":"NOON","traits":{"username":"Ann","work_email":"ann@example.org"},"updated_at":"NOON",` +
		`"verifiable_addresses":[{"created_at":"NOON","status":"completed","updated_at":"NOON","value":"ann@example.org","verified":true,` +
		`"verified_at":"2020-02-02T02:02:02Z","via":"email"}]}`
	if got := strings.ReplaceAll(made.plain(t), ".000000Z", "Z"); got != want {
		t.Errorf("made\n%s, want\n%s", got, want)
	}
}

func TestCreateRefused(t *testing.T) {
	h := open(t)
	deep := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	for name, row := range map[string]struct{ body, message, reason string }{
		"no body":              {"", "The request body is empty.", ""},
		"broken JSON":          {"{", "The request body ends within its JSON document.", ""},
		"no JSON":              {"schema_id=customer", "invalid character 's' looking for beginning of value", ""},
		"an array":             {"[]", "json: the request body must be an object, not array", ""},
		"two documents":        {`{"traits":{"email":"ann@example.org"}} {}`, "The request body goes on after its JSON document.", ""},
		"not UTF-8":            {"{\"traits\":{\"email\":\"ann@example.org\"},\"metadata_public\":\"\xff\"}", "The request body is not UTF-8.", ""},
		"too large":            {`{"schema_id":"` + strings.Repeat("x", maxBody) + `"}`, "The request body is too large: at most 5 MB.", ""},
		"unknown field":        {`{"traits":{"email":"ann@example.org"},"colour":"red"}`, `json: unknown field "colour"`, ""},
		"unknown field within": {`{"credentials":{"password":{"config":{"pin":"1"}}}}`, `json: unknown field "pin"`, ""},
		"unknown credential":   {`{"credentials":{"moonlight":{}}}`, `json: unknown field "moonlight"`, ""},
		"a number for a text":  {`{"credentials":{"password":{"config":{"password":12345678}}}}`, `json: field "credentials.password.config.password" can not be of type number`, ""},
		"no address":           {`{"traits":{}}`, "", `I[#/traits] S[#/properties/traits/required] missing properties: "email"`},
		"no traits":            {`{"schema_id":"customer"}`, "", `I[#/traits] S[#/properties/traits/required] missing properties: "email"`},
		"nothing":              {"null", "", `I[#/traits] S[#/properties/traits/required] missing properties: "email"`},
		"unknown trait":        {`{"traits":{"email":"ann@example.org","hat":1}}`, "", `I[#/traits] S[#/properties/traits/additionalProperties] additionalProperties "hat" not allowed`},
		"several mistakes": {`{"traits":{"email":"x","age":1}}`, "", "I[#/traits] S[#/properties/traits] validation failed\n" +
			`  I[#/traits/email] S[#/properties/traits/properties/email/format] "x" is not valid "email"` + "\n" +
			`  I[#/traits/email] S[#/properties/traits/properties/email/minLength] length must be >= 5, but got 1` + "\n" +
			`  I[#/traits/age] S[#/properties/traits/properties/age/minimum] must be >= 13 but found 1`},
		"unknown schema":   {`{"schema_id":"nothing","traits":{}}`, "", "Unable to find JSON Schema ID: nothing"},
		"unknown state":    {`{"traits":{"email":"ann@example.org"},"state":"asleep"}`, "", "identity state is not valid"},
		"bad organization": {`{"traits":{"email":"ann@example.org"},"organization_id":"acme"}`, "", "Invalid value `acme` for parameter `organization_id`."},
		"many addresses":   {`{"recovery_addresses":[{}` + strings.Repeat(",{}", maxAddresses) + `]}`, "", "An identity can not have more than 100 addresses."},
		"deep metadata":    {`{"traits":{"email":"ann@example.org"},"metadata_admin":` + deep + `}`, "", "metadata_admin is out of bounds: at most 10000 values, 64 levels, and numbers that fit 64 bits."},
		"large metadata":   {`{"traits":{"email":"ann@example.org"},"metadata_public":"` + strings.Repeat("x", 500<<10) + `"}`, "", fmt.Sprintf("The identity is too large: at most %d KB with its credentials.", table.MaxItem>>10)},
		"many identifiers": {`{"traits":{"email":"ann@example.org","more":["` + strings.Join(numbered(50), `","`) + `"]}}`, "", "An identity can have at most 40 identifiers and addresses; traits.more.39 is one too many."},
	} {
		t.Run(name, func(t *testing.T) {
			message, reason := h.expect(t, http.StatusBadRequest, "POST", "/admin/identities", row.body).said(t)
			if row.message == "" {
				row.message = "The request was malformed or contained invalid parameters"
			}
			if message != row.message || reason != row.reason {
				t.Errorf("said %q, %q, want %q, %q", message, reason, row.message, row.reason)
			}
		})
	}
	if left := h.expect(t, 200, "GET", "/admin/identities", "").ids(t); len(left) != 0 {
		t.Errorf("refused creations left %v", left)
	}
}

func numbered(n int) []string {
	names := make([]string, n)
	for at := range names {
		names[at] = fmt.Sprintf("name-%d", at)
	}
	return names
}

func TestCreateConflict(t *testing.T) {
	h := open(t)
	h.expect(t, 201, "POST", "/admin/identities", `{"traits":{"email":"ann@example.org"},"external_id":"crm-1"}`)
	for name, body := range map[string]string{
		"the address":          `{"traits":{"email":"ann@example.org"}}`,
		"in another spelling":  `{"traits":{"email":"ANN@example.org"}}`,
		"as an identifier":     `{"schema_id":"employee","traits":{"username":"ann@example.org"}}`,
		"as an address to ask": `{"schema_id":"employee","traits":{"work_email":"ann@example.org"}}`,
		"the external id":      `{"traits":{"email":"bea@example.org"},"external_id":"crm-1"}`,
	} {
		message, reason := h.expect(t, http.StatusConflict, "POST", "/admin/identities", body).said(t)
		if message != "The resource could not be created due to a conflict" ||
			reason != "This identity conflicts with another identity that already exists." {
			t.Errorf("%s: said %q, %q", name, message, reason)
		}
	}
}

// imported is the password credential that a config leads to.
func imported(t *testing.T, h house, config string) *identity.Identity {
	t.Helper()
	made := h.expect(t, 201, "POST", "/admin/identities", fmt.Sprintf(
		`{"traits":{"email":"ann@example.org"},"credentials":{"password":{"config":%s}}}`, config))
	if strings.Contains(made.Body.String(), "config") {
		t.Errorf("the answer to a creation shows a config: %s", made.Body)
	}
	who, err := h.Store.Identity(t.Context(), made.object(t)["id"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func TestImportPassword(t *testing.T) {
	for name, row := range map[string]struct{ config, password string }{
		"short":    {`{"password":"abc"}`, "abc"},
		"72 bytes": {`{"password":"` + strings.Repeat("x", 72) + `"}`, strings.Repeat("x", 72)},
		"bcrypt":   {`{"hashed_password":"` + bcryptHash + `"}`, ""},
		"argon2id": {`{"hashed_password":"` + argon2Hash + `"}`, ""},
		"both":     {`{"password":"abc","hashed_password":"` + bcryptHash + `"}`, "abc"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			who := imported(t, h, row.config)
			if row.password == "" {
				if !strings.Contains(row.config, who.PasswordHash()) || who.PasswordHash() == "" {
					t.Errorf("the hash is %q, want it as it was sent", who.PasswordHash())
				}
				return
			}
			if match, err := h.Hash.Matches(t.Context(), who.PasswordHash(), row.password); err != nil || !match {
				t.Errorf("the password does not match: %v", err)
			}
		})
	}
	t.Run("migration", func(t *testing.T) {
		who := imported(t, open(t), `{"use_password_migration_hook":true}`)
		if !who.MigratesPassword() || who.PasswordHash() != "" {
			t.Errorf("the credential is %s", who.Credentials[identity.Password].Config)
		}
	})
}

func TestImportPasswordRefused(t *testing.T) {
	h := open(t)
	for name, row := range map[string]struct{ config, reason string }{
		"nothing":            {`{}`, unknownHash},
		"unknown format":     {`{"hashed_password":"$sundial$x"}`, unknownHash},
		"plain text":         {`{"hashed_password":"Harbour-Gate-71"}`, unknownHash},
		"torn bcrypt":        {`{"hashed_password":"$2a$05$/MQBpcvvgnI"}`, malformedHash},
		"torn argon2":        {`{"hashed_password":"$argon2id$v=19$m=4096,t=1,p=1$aGFy"}`, malformedHash},
		"costly bcrypt":      {`{"hashed_password":"` + strings.Replace(bcryptHash, "$05$", "$16$", 1) + `"}`, costlyHash},
		"costly argon2":      {`{"hashed_password":"` + strings.Replace(argon2Hash, "m=4096", "m=4194304", 1) + `"}`, costlyHash},
		"too long to bcrypt": {`{"password":"` + strings.Repeat("x", 73) + `"}`, longPassword},
	} {
		body := fmt.Sprintf(`{"traits":{"email":"ann@example.org"},"credentials":{"password":{"config":%s}}}`, row.config)
		if _, reason := h.expect(t, 400, "POST", "/admin/identities", body).said(t); reason != row.reason {
			t.Errorf("%s: said %q, want %q", name, reason, row.reason)
		}
	}
}

// TestImportsWhatCanBeChecked holds the import against the formats that the
// hasher knows: none is taken that a sign-in could not be checked against.
func TestImportsWhatCanBeChecked(t *testing.T) {
	for _, hash := range []string{
		bcryptHash, argon2Hash, "$2$", "$argon2i$",
		"$pbkdf2-sha256$i=1000,l=32$aGFyYm91ci1zYWx0LTAxNg$0ltEdITY0XcHiQXE03rBcJ5CndnIJuoubLJAcinAZoo",
		"$scrypt$ln=1024,r=8,p=1$aGFyYm91ci1zYWx0LTAxNg==$9EpmU18OzHhZnKA/j6VysWA5W9yDf78OMPkWNrwau1w=",
		"$md5$xjoxEeEylBBUIZeZL5bfsg==",
	} {
		h := open(t)
		body := fmt.Sprintf(`{"traits":{"email":"ann@example.org"},"credentials":{"password":{"config":{"hashed_password":%q}}}}`, hash)
		taken := h.ask(t.Context(), "POST", "/admin/identities", body).Code == http.StatusCreated
		if can := secret.CheckHash(hash) == nil; taken != can {
			t.Errorf("%s: taken %v, can be checked %v", hash, taken, can)
		}
	}
}

// FuzzCreate holds that no body whatever is an internal error, and that who was
// created can be shown and listed.
func FuzzCreate(f *testing.F) {
	for _, body := range []string{
		"", "{", "[]", "null", `{"traits":{"email":"ann@example.org"}}`,
		`{"schema_id":"employee","traits":{"username":"\ud800","x":1e400},"metadata_public":[[[]]],"metadata_admin":1e999}`,
		`{"traits":{"email":"a@b.cd"},"verifiable_addresses":[{"via":"sms","value":"\u0000","verified":true,"verified_at":"0000-01-01T00:00:00Z"}]}`,
		`{"traits":{"email":"a@b.cd"},"credentials":{"password":{"config":{"hashed_password":"$2a$05$"}},"oidc":null}}`,
		`{"traits":{"email":"a@b.cd"},"external_id":"\u0000","organization_id":"00000000-0000-0000-0000-000000000000"}`,
	} {
		f.Add([]byte(body))
	}
	h := open(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		got := h.ask(t.Context(), "POST", "/admin/identities", string(body))
		if got.Code >= 500 {
			t.Fatalf("%q answered %d: %s", body, got.Code, got.Body)
		}
		if got.Code != http.StatusCreated {
			if message, reason := got.said(t); message+reason == "" {
				t.Errorf("%q was refused without a word", body)
			}
			return
		}
		id := got.object(t)["id"].(string)
		h.expect(t, 200, "GET", "/admin/identities/"+id, "")
		if listed := h.expect(t, 200, "GET", "/admin/identities?ids="+id, "").ids(t); len(listed) != 1 || listed[0] != id {
			t.Errorf("%s is listed as %v", id, listed)
		}
		h.expect(t, 204, "DELETE", "/admin/identities/"+id, "")
	})
}
