package admin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"styx/internal/config"
	"styx/internal/identity"
	"styx/internal/identity/schema"
	"styx/internal/secret"
	"styx/internal/store"
	"styx/internal/table"
	"styx/internal/table/local"
	"styx/internal/web"
)

// The schemas of the tests: a customer has an address that everything follows
// from, an employee a name and perhaps an address that only proves itself.
const (
	customer = `{"type":"object","properties":{"traits":{"type":"object","properties":{
		"email":{"type":"string","format":"email","minLength":5,"ory.sh/kratos":{
			"credentials":{"password":{"identifier":true},"code":{"identifier":true,"via":"email"}},
			"verification":{"via":"email"},"recovery":{"via":"email"}}},
		"more":{"type":"array","items":{"type":"string","ory.sh/kratos":{"credentials":{"password":{"identifier":true}}}}},
		"age":{"type":"integer","minimum":13}},
		"required":["email"],"additionalProperties":false}}}`
	employee = `{"type":"object","properties":{"traits":{"type":"object","properties":{
		"username":{"type":"string","ory.sh/kratos":{"credentials":{"password":{"identifier":true}}}},
		"work_email":{"type":"string","format":"email","ory.sh/kratos":{"verification":{"via":"email"}}}}}}}`
)

func noon() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 123456000, time.UTC) }

// house is the admin API over a table in memory.
type house struct {
	*API
	handler http.Handler
}

func open(tb testing.TB) house {
	tb.Helper()
	memory, err := local.Memory(local.Options{Now: noon, Rand: rand.Reader})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = memory.Close() })
	ring, err := secret.New(secret.Lists{Default: []string{"a secret of the tests"}}, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	hasher, err := secret.NewHasher(secret.HasherConfig{Algorithm: "bcrypt", BcryptCost: 4}, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	schemas := []config.Schema{{ID: "customer", URL: customer}, {ID: "employee", URL: employee}}
	a := &API{
		Config: &config.Config{
			Serve: config.Serve{
				Public: config.Public{Server: config.Server{BaseURL: &url.URL{Scheme: "https", Host: "id.example.org", Path: "/"}}},
				Admin:  config.Server{BaseURL: &url.URL{Scheme: "https", Host: "admin.example.org", Path: "/"}},
			},
			Identity: config.Identity{DefaultSchemaID: "customer", Schemas: schemas},
		},
		Store: &store.Store{Table: memory, Ring: ring, Now: noon, Rand: rand.Reader},
		Schemas: identity.NewCatalog(schemas,
			func(_ context.Context, uri string) ([]byte, error) { return []byte(uri), nil },
			func(_ context.Context, s *identity.Schema) (identity.Rules, error) {
				return schema.Compile(s, schema.Options{})
			}),
		Hash: hasher, Ring: ring, Now: noon, Rand: rand.Reader,
	}
	mux := http.NewServeMux()
	for pattern, handler := range a.Handlers() {
		mux.HandleFunc(pattern, handler)
	}
	return house{a, web.Admin(mux)}
}

// answer is what the API answered.
type answer struct {
	*httptest.ResponseRecorder
}

func (h house) ask(ctx context.Context, method, target, body string) answer {
	recorder := httptest.NewRecorder()
	h.handler.ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, method, target, strings.NewReader(body)))
	return answer{recorder}
}

// expect asks and fails the test unless the status is the one expected.
func (h house) expect(t *testing.T, status int, method, target, body string) answer {
	t.Helper()
	got := h.ask(t.Context(), method, target, body)
	if got.Code != status {
		t.Fatalf("%s %s answered %d: %s, want %d", method, target, got.Code, got.Body, status)
	}
	return got
}

// customer makes an identity and returns its id.
func (h house) customer(t *testing.T, email string) string {
	t.Helper()
	made := h.expect(t, http.StatusCreated, "POST", "/admin/identities", fmt.Sprintf(`{"traits":{"email":%q}}`, email))
	return made.object(t)["id"].(string)
}

func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(a.Body.Bytes(), &object); err != nil {
		t.Fatalf("%v in %s", err, a.Body)
	}
	return object
}

func (a answer) list(t *testing.T) []map[string]any {
	t.Helper()
	list := []map[string]any{}
	if err := json.Unmarshal(a.Body.Bytes(), &list); err != nil || list == nil {
		t.Fatalf("%v in %s", err, a.Body)
	}
	return list
}

// ids returns the ids of a list.
func (a answer) ids(t *testing.T) []string {
	t.Helper()
	ids := []string{}
	for _, one := range a.list(t) {
		ids = append(ids, one["id"].(string))
	}
	return ids
}

// said returns message and reason of an error.
func (a answer) said(t *testing.T) (message, reason string) {
	t.Helper()
	inner, ok := a.object(t)["error"].(map[string]any)
	if !ok {
		t.Fatalf("no error in %s", a.Body)
	}
	message, _ = inner["message"].(string)
	reason, _ = inner["reason"].(string)
	return message, reason
}

// plain prints a body without what differs from run to run.
func (a answer) plain(t *testing.T) string {
	t.Helper()
	object := a.object(t)
	delete(object, "id")
	for _, list := range []string{"verifiable_addresses", "recovery_addresses"} {
		rows, _ := object[list].([]any)
		for _, row := range rows {
			delete(row.(map[string]any), "id")
		}
	}
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(raw), noon().Format(time.RFC3339Nano), "NOON")
}

const unknownID = "6f0c6a0e-0000-4000-8000-000000000000"

func TestGet(t *testing.T) {
	h := open(t)
	h.expect(t, 201, "POST", "/admin/identities",
		`{"traits":{"email":"ann@example.org"},"credentials":{"password":{"config":{"password":"abc"}}},"external_id":"crm/1"}`)
	id := h.expect(t, 200, "GET", "/identities", "").ids(t)[0]

	got := h.expect(t, 200, "GET", "/admin/identities/"+id, "")
	if strings.Contains(got.Body.String(), "config") || !strings.Contains(got.Body.String(), `"version":1`) {
		t.Errorf("an identity as it is shown has credentials without config, of version 1: %s", got.Body)
	}
	if admin, there := got.object(t)["metadata_admin"]; !there || admin != nil {
		t.Errorf("metadata_admin is %v, want a null that is there", admin)
	}
	got = h.expect(t, 200, "GET", "/admin/identities/"+id+"?include_credential=oidc&include_credential=password", "")
	if text := got.Body.String(); strings.Count(text, "config") != 1 || !strings.Contains(text, `"config":{"hashed_password":"$2a$04$`) {
		t.Errorf("the config of the password is missing, or another one is there: %s", text)
	}
	if again := h.expect(t, 200, "GET", "/admin/identities/by/external/crm%2F1", ""); again.object(t)["id"] != id {
		t.Errorf("by external id: %s", again.Body)
	}

	for target, want := range map[string]string{
		"?include_credential=nonsense":                             "Invalid value `[]` for parameter `include_credential`.",
		"?include_credential=password&include_credential=nonsense": "Invalid value `[password]` for parameter `include_credential`.",
	} {
		if _, reason := h.expect(t, 400, "GET", "/admin/identities/"+id+target, "").said(t); reason != want {
			t.Errorf("%s is %q, want %q", target, reason, want)
		}
	}
	for _, id := range []string{unknownID, "zzz", "%00", "by/external/nobody"} {
		if message, _ := h.expect(t, 404, "GET", "/admin/identities/"+id, "").said(t); message != "Unable to locate the resource" {
			t.Errorf("%s is %q", id, message)
		}
	}
}

func TestDelete(t *testing.T) {
	h := open(t)
	id := h.customer(t, "ann@example.org")
	if got := h.expect(t, 204, "DELETE", "/admin/identities/"+id, ""); got.Body.Len() != 0 {
		t.Errorf("the answer has a body: %s", got.Body)
	}
	for _, gone := range []string{id, unknownID, "zzz"} {
		h.expect(t, 404, "DELETE", "/admin/identities/"+gone, "")
		h.expect(t, 404, "GET", "/admin/identities/"+gone, "")
	}
	if fresh := h.customer(t, "ann@example.org"); fresh == id {
		t.Error("the address is free again, for another identity")
	}
}

// TestRoundTrips holds the number of times that a request waits for the table.
func TestRoundTrips(t *testing.T) {
	h := open(t)
	id := h.customer(t, "ann@example.org")
	for _, one := range []struct {
		method, target, body string
		status, trips        int
	}{
		{"POST", "/admin/identities", `{"traits":{"email":"bea@example.org"}}`, 201, 1},
		{"POST", "/admin/identities", `{"traits":{"email":"bea@example.org"}}`, 409, 1},
		{"POST", "/admin/identities", `{"traits":{"email":"nowhere"}}`, 400, 0},
		{"GET", "/admin/identities/" + id, "", 200, 1},
		{"GET", "/admin/identities?ids=" + id, "", 200, 1},
		{"GET", "/admin/identities?credentials_identifier=ann@example.org", "", 200, 2},
	} {
		ctx, tally := table.WithTally(t.Context())
		if got := h.ask(ctx, one.method, one.target, one.body); got.Code != one.status || tally.RoundTrips() != one.trips {
			t.Errorf("%s %s answered %d after %d round trips, want %d after %d",
				one.method, one.target, got.Code, tally.RoundTrips(), one.status, one.trips)
		}
	}
}
