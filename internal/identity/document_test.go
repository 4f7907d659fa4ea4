package identity

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"styx/internal/secret"
)

var noon = time.Date(2026, 11, 5, 13, 0, 0, 120_000_789, time.FixedZone("CET", 3600))

// full is an identity that uses every member of its document.
func full(t testing.TB) *Identity {
	t.Helper()
	who := New("5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11", "person", noon)
	who.ExternalID = "crm-1"
	who.Traits = json.RawMessage(`{"email":"Ann@example.org"}`)
	who.MetadataPublic = json.RawMessage(`{"tier":2}`)
	who.MetadataAdmin = json.RawMessage(`{"note":"<vip>"}`)
	organization := "0d2f0b86-6f32-4c5e-a5b7-0a4b0f5c8d11"
	who.OrganizationID = &organization
	who.Epoch = 7
	who.Guards = []string{"C#password#x"}
	addresses := []Address{{ViaEmail, "ann@example.org"}}
	random := rand.NewChaCha8([32]byte{})
	who.SetVerifiable(addresses, noon, random)
	who.SetRecovery(addresses, noon, random)
	who.VerifiableAddresses[0].Verify(noon)
	who.Identify(Password, []string{"ann@example.org"}, noon)
	if err := who.SetPasswordHash("$2a$04$hash", noon); err != nil {
		t.Fatal(err)
	}
	if err := who.SetCodeAddresses([]CodeAddress{{ViaEmail, "ann@example.org"}}, noon); err != nil {
		t.Fatal(err)
	}
	return who
}

func printed(t testing.TB, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func ring(t testing.TB) *secret.Ring {
	t.Helper()
	made, err := secret.New(secret.Lists{Default: []string{"a secret of enough bytes"}}, rand.NewChaCha8([32]byte{}))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func administered(t testing.TB, baseURL string, who *Identity, include ...CredentialType) AdminIdentity {
	t.Helper()
	view, err := who.Admin(baseURL, ring(t), include...)
	if err != nil {
		t.Fatal(err)
	}
	return view
}

func TestDocument(t *testing.T) {
	who := full(t)
	raw := printed(t, who)
	for _, part := range []string{
		`"created_at":"2026-11-05T12:00:00.120000Z"`, `"verified_at":"2026-11-05T12:00:00.120000Z"`, `"ep":7`,
		`"config":{"hashed_password":"$2a$04$hash"}`, `"guards":["C#password#x"]`,
	} {
		if !strings.Contains(raw, part) {
			t.Errorf("the document lacks %s: %s", part, raw)
		}
	}
	var back Identity
	if err := json.Unmarshal([]byte(raw), &back); err != nil {
		t.Fatal(err)
	}
	if got := printed(t, back); got != strings.Replace(raw, `"version":0`, `"version":1`, 1) {
		t.Errorf("read back as %s, was %s", got, raw)
	}
	if back.Credentials[Password].Version != 1 || back.Credentials[Code].Version != 1 || who.Credentials[Password].Version != 0 {
		t.Error("a password is version 0 when made and 1 when read, a code 1 always")
	}
	if !back.CreatedAt.Equal(who.CreatedAt) || back.PasswordHash() != who.PasswordHash() || back.Epoch != 7 || !back.Active() {
		t.Errorf("read back as %+v", back)
	}
}

func TestEmptyMetadataIsNullOnceItWasRead(t *testing.T) {
	who := New("5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11", "person", noon)
	var back Identity
	if err := json.Unmarshal([]byte(printed(t, who)), &back); err != nil {
		t.Fatal(err)
	}
	if who.MetadataAdmin != nil || string(back.MetadataAdmin) != "null" || string(back.MetadataPublic) != "null" {
		t.Errorf("metadata_admin is %q when made and %q when read", who.MetadataAdmin, back.MetadataAdmin)
	}
}

// The lists of members decide what counts as unknown, so they have to name what
// the documents print.
func TestMembersAreThoseOfTheDocuments(t *testing.T) {
	who := full(t)
	for name, row := range map[string]struct {
		value   any
		members []string
	}{
		"identity":   {who, documentMembers()},
		"credential": {who.Credentials[Password], credentialMembers()},
		"verifiable": {who.VerifiableAddresses[0], verifiableMembers()},
		"recovery":   {who.RecoveryAddresses[0], recoveryMembers()},
		"lookup":     {LookupCode{}, lookupMembers()},
		"key":        {Key{Flags: &KeyFlags{}, Transport: []string{"usb"}, Attestation: &Attestation{}}, keyMembers()},
		"provider":   {Provider{Organization: "o", AutoLink: true}, providerMembers()},
	} {
		var all map[string]json.RawMessage
		if err := json.Unmarshal([]byte(printed(t, row.value)), &all); err != nil {
			t.Fatal(err)
		}
		if got, want := slices.Sorted(maps.Keys(all)), slices.Sorted(slices.Values(row.members)); !slices.Equal(got, want) {
			t.Errorf("%s prints %q, its list says %q", name, got, want)
		}
	}
}

// with adds a member to each object that a path names.
func with(t *testing.T, document map[string]any, name string, value any) {
	t.Helper()
	document[name] = value
	for _, credential := range document["credentials"].(map[string]any) {
		credential.(map[string]any)[name] = value
	}
	for _, list := range []string{"verifiable_addresses", "recovery_addresses"} {
		for _, address := range document[list].([]any) {
			address.(map[string]any)[name] = value
		}
	}
}

func FuzzUnknownMembersSurvive(f *testing.F) {
	for _, seed := range [][2]string{{"risk", `{"score":1}`}, {"", "null"}, {"a\"b", `[1e2]`}, {"zz", `"<x>"`}} {
		f.Add(seed[0], seed[1])
	}
	known := slices.Concat(documentMembers(), credentialMembers(), verifiableMembers(), recoveryMembers())
	f.Fuzz(func(t *testing.T, name, value string) {
		var member any
		if json.Unmarshal([]byte(value), &member) != nil || name != strings.ToValidUTF8(name, "") {
			return
		}
		if slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) }) {
			return // encoding/json reads names in any case as the ones it knows
		}
		var document map[string]any
		if err := json.Unmarshal([]byte(printed(t, full(t))), &document); err != nil {
			t.Fatal(err)
		}
		with(t, document, name, member)

		var who Identity
		if err := json.Unmarshal([]byte(printed(t, document)), &who); err != nil {
			t.Fatal(err)
		}
		// A change by this release, of each part of the document.
		who.Epoch++
		who.VerifiableAddresses[0].Verify(noon.Add(time.Hour))
		who.SetRecovery([]Address{{ViaEmail, "ann@example.org"}}, noon, rand.NewChaCha8([32]byte{}))
		if err := who.SetPasswordHash("$2a$04$new", noon); err != nil {
			t.Fatal(err)
		}
		var after map[string]any
		if err := json.Unmarshal([]byte(printed(t, who)), &after); err != nil {
			t.Fatal(err)
		}
		document["ep"] = 8.0
		want, got := document, after
		for _, d := range []map[string]any{want, got} {
			delete(d["verifiable_addresses"].([]any)[0].(map[string]any), "verified_at")
			delete(d["verifiable_addresses"].([]any)[0].(map[string]any), "updated_at")
			password := d["credentials"].(map[string]any)["password"].(map[string]any)
			delete(password, "config")
			delete(password, "version")
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %s\nwant %s", printed(t, got), printed(t, want))
		}
		// Nobody here knows whether strangers may see what a newer release stores.
		public := printed(t, who.Public("https://id.example.org"))
		admin := printed(t, administered(t, "https://id.example.org", &who, Password))
		bare := full(t)
		if len(public) != len(printed(t, bare.Public("https://id.example.org"))) ||
			len(admin) != len(printed(t, administered(t, "https://id.example.org", bare, Password)))-len("hash")+len("new") {
			t.Fatalf("an unknown member is shown: %s", admin)
		}
	})
}

func TestDocumentsThatAreNone(t *testing.T) {
	for _, raw := range []string{`[]`, `{"id":5}`, `{"created_at":"soon"}`, `{"credentials":{"password":{"version":"x"}}}`, `{"verifiable_addresses":[{"verified":1}]}`} {
		var who Identity
		if err := json.Unmarshal([]byte(raw), &who); err == nil || who.ID != "" {
			t.Errorf("%s was read as %+v", raw, who)
		}
	}
}

func TestViews(t *testing.T) {
	who := full(t)
	const address = `"value":"ann@example.org"`
	public := `{"id":"5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11","external_id":"crm-1","schema_id":"person",` +
		`"schema_url":"https://id.example.org/schemas/cGVyc29u","state":"active","state_changed_at":"2026-11-05T12:00:00.12Z",` +
		`"traits":{"email":"Ann@example.org"},` +
		`"verifiable_addresses":[{"id":"ID1",` + address + `,"verified":true,"via":"email","status":"completed",` +
		`"verified_at":"2026-11-05T12:00:00.120000Z","created_at":"2026-11-05T12:00:00.120000Z","updated_at":"2026-11-05T12:00:00.120000Z"}],` +
		`"recovery_addresses":[{"id":"ID2",` + address + `,"via":"email","created_at":"2026-11-05T12:00:00.120000Z","updated_at":"2026-11-05T12:00:00.120000Z"}],` +
		`"metadata_public":{"tier":2},METADATA"created_at":"2026-11-05T12:00:00.12Z","updated_at":"2026-11-05T12:00:00.12Z",` +
		`"organization_id":"0d2f0b86-6f32-4c5e-a5b7-0a4b0f5c8d11"}`
	public = strings.Replace(public, "ID1", who.VerifiableAddresses[0].ID, 1)
	public = strings.Replace(public, "ID2", who.RecoveryAddresses[0].ID, 1)
	if got, want := printed(t, who.Public("https://id.example.org/")), strings.Replace(public, "METADATA", "", 1); got != want {
		t.Errorf("public view:\ngot  %s\nwant %s", got, want)
	}
	credentials := func(config string) string {
		return `"credentials":{"code":{"type":"code","identifiers":["ann@example.org"],"version":1,"created_at":"2026-11-05T12:00:00.12Z","updated_at":"2026-11-05T12:00:00.12Z"},` +
			`"password":{"type":"password","identifiers":["ann@example.org"],` + config + `"version":0,"created_at":"2026-11-05T12:00:00.12Z","updated_at":"2026-11-05T12:00:00.12Z"}},`
	}
	admin := func(config string) string {
		view := strings.Replace(public, "METADATA", `"metadata_admin":{"note":"\u003cvip\u003e"},`, 1)
		return strings.Replace(view, `"schema_id"`, credentials(config)+`"schema_id"`, 1)
	}
	if got, want := printed(t, administered(t, "https://id.example.org", who)), admin(""); got != want {
		t.Errorf("admin view:\ngot  %s\nwant %s", got, want)
	}
	if got, want := printed(t, administered(t, "https://id.example.org", who, Password, OIDC)), admin(`"config":{"hashed_password":"$2a$04$hash"},`); got != want {
		t.Errorf("admin view with the password:\ngot  %s\nwant %s", got, want)
	}
}

func TestViewsOfLittle(t *testing.T) {
	who := New("5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11", "person", noon)
	const want = `{"id":"5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11","schema_id":"person","schema_url":"/schemas/cGVyc29u","state":"active",` +
		`"state_changed_at":"2026-11-05T12:00:00.12Z","traits":{},"metadata_public":null,` +
		`"created_at":"2026-11-05T12:00:00.12Z","updated_at":"2026-11-05T12:00:00.12Z","organization_id":null}`
	if got := printed(t, who.Public("")); got != want {
		t.Errorf("public: got %s", got)
	}
	if got := printed(t, administered(t, "", who)); got != want {
		t.Errorf("admin, just made: got %s", got)
	}
	who.MetadataAdmin = json.RawMessage("null")
	if got := printed(t, administered(t, "", who)); !strings.Contains(got, `"metadata_admin":null`) {
		t.Errorf("admin, once stored: got %s", got)
	}
}

func TestState(t *testing.T) {
	who := New("5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11", "person", noon)
	later := noon.Add(time.Hour)
	who.SetState(Active, later)
	if !who.StateChangedAt.Equal(stored(noon)) {
		t.Error("the same state changed")
	}
	who.SetState(Inactive, later)
	if who.Active() || !who.StateChangedAt.Equal(stored(later)) {
		t.Errorf("state is %s since %s", who.State, who.StateChangedAt)
	}
	if State("asleep").Valid() || State("").Valid() || !Active.Valid() || !Inactive.Valid() {
		t.Error("valid are active and inactive")
	}
}

func BenchmarkReadDocument(b *testing.B) {
	raw := []byte(printed(b, full(b)))
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		var who Identity
		if err := json.Unmarshal(raw, &who); err != nil {
			b.Fatal(err)
		}
	}
}
