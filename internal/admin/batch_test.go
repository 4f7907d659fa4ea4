package admin

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// batch sends entries and returns what became of each, nil for a null.
func (h house) batch(t *testing.T, entries ...string) []map[string]any {
	t.Helper()
	got := h.expect(t, http.StatusOK, "PATCH", "/admin/identities", `{"identities":[`+strings.Join(entries, ",")+`]}`)
	results, ok := got.object(t)["identities"].([]any)
	if !ok || len(results) != len(entries) {
		t.Fatalf("%d entries are answered with %s", len(entries), got.Body)
	}
	list := make([]map[string]any, len(results))
	for at, result := range results {
		list[at], _ = result.(map[string]any)
	}
	return list
}

func entry(email string) string { return fmt.Sprintf(`{"create":{"traits":{"email":%q}}}`, email) }

func TestBatch(t *testing.T) {
	h := open(t)
	h.customer(t, "old@example.org")
	const patch = "11111111-1111-4111-8111-111111111111"
	got := h.batch(t,
		`{"patch_id":"`+patch+`","create":{"traits":{"email":"ann@example.org"},"credentials":{"password":{"config":{"password":"abc"}}}}}`,
		`{"patch_id":"`+patch+`"}`,
		entry("old@example.org"),
		`{"patch_id":"`+patch+`","create":{"traits":{"email":"bad"}}}`,
		`{"create":{"traits":{"email":"bea@example.org"},"credentials":{"password":{"config":{"hashed_password":"$sundial$"}}}}}`,
		entry("ANN@example.org"),
		entry("cleo@example.org"),
	)
	for at, want := range []struct {
		action string
		code   float64
		text   string
	}{
		{action: "create"},
		{},
		{"error", 409, "Unable to insert or update resource because a resource with that value exists already"},
		{"error", 400, `"bad" is not valid "email"`},
		{"error", 400, unknownHash},
		{"error", 409, "Unable to insert or update resource because a resource with that value exists already"},
		{action: "create"},
	} {
		if want.action == "" {
			if got[at] != nil {
				t.Errorf("entry %d is answered with %v", at, got[at])
			}
			continue
		}
		failure, _ := got[at]["error"].(map[string]any)
		if got[at]["action"] != want.action || (want.action == "create") != (got[at]["identity"] != nil) {
			t.Errorf("entry %d is answered with %v", at, got[at])
		}
		if want.action == "error" && (failure["code"] != want.code || !strings.Contains(fmt.Sprint(failure["message"], failure["reason"]), want.text)) {
			t.Errorf("entry %d failed with %v, want %q", at, failure, want.text)
		}
	}
	if got[0]["patch_id"] != patch || got[3]["patch_id"] != patch || got[2]["patch_id"] != nil {
		t.Errorf("the ids of the patches are %v, %v and %v", got[0]["patch_id"], got[3]["patch_id"], got[2]["patch_id"])
	}
	if all := h.expect(t, 200, "GET", "/admin/identities", "").ids(t); len(all) != 3 {
		t.Errorf("there are %d identities, want 3", len(all))
	}
}

// Of those that want one name the first has it, however many are made at once.
func TestBatchKeepsItsOrder(t *testing.T) {
	h := open(t)
	var entries []string
	for range 50 {
		entries = append(entries, entry("ann@example.org"))
	}
	for at, result := range h.batch(t, entries...) {
		if want := map[bool]string{true: "create", false: "error"}[at == 0]; result["action"] != want {
			t.Errorf("entry %d is answered with %v", at, result)
		}
	}
}

func TestBatchBounds(t *testing.T) {
	h := open(t)
	many := func(n int, entry string) string {
		return `{"identities":[` + strings.TrimSuffix(strings.Repeat(entry+",", n), ",") + `]}`
	}
	for body, want := range map[string][2]string{
		many(1001, `{}`): {"", "The maximum number of identities per request that can be created or deleted at once is 1000."},
		many(201, `{"create":{"credentials":{"password":{"config":{"password":"x"}}}}}`): {
			"", "The maximum number of identities per request that can be created with a plaintext password is 200.",
		},
		`{"identities":[{"patch_id":"x"}]}`: {"secret: not a UUID", ""},
		`{"identities":[{"delete":{}}]}`:    {`json: unknown field "delete"`, ""},
		`{"identities":{}}`:                 {`json: field "identities" can not be of type object`, ""},
	} {
		message, reason := h.expect(t, http.StatusBadRequest, "PATCH", "/admin/identities", body).said(t)
		if want[0] != "" && message != want[0] || reason != want[1] {
			t.Errorf("%.60s: %q, %q, want %q", body, message, reason, want)
		}
	}
	if got := h.batch(t); len(got) != 0 {
		t.Errorf("nothing is answered with %v", got)
	}
}

// TestBatchKeepsIDs is how identities move in: under the ids they had, and no
// second time when the batch is sent again.
func TestBatchKeepsIDs(t *testing.T) {
	h := open(t)
	const id, other = "5a7a6bb4-4d5e-4c6b-9d0e-0f1e2d3c4b5a", "0B7A6BB4-4D5E-4C6B-9D0E-0F1E2D3C4B5A"
	kept := func(id, email string) string {
		return fmt.Sprintf(`{"identities":[{"create":{"id":%q,"traits":{"email":%q}}}]}`, id, email)
	}
	result := func(a answer) map[string]any {
		list, _ := a.object(t)["identities"].([]any)
		one, _ := list[0].(map[string]any)
		return one
	}
	send := func(status int, body string) answer {
		return h.expect(t, status, "PATCH", "/admin/identities?keep_ids=true", body)
	}
	if got := result(send(http.StatusOK, kept(id, "ann@example.org"))); got["identity"] != id {
		t.Errorf("made as %v", got)
	}
	if got := result(send(http.StatusOK, kept(strings.ToLower(other), "bea@example.org"))); got["identity"] != strings.ToLower(other) {
		t.Errorf("made as %v", got)
	}
	// The id alone is enough to be known: the trait has changed.
	for _, email := range []string{"ann@example.org", "anna@example.org"} {
		if got := result(send(http.StatusOK, kept(id, email))); got["action"] != "error" || fmt.Sprint(got["error"].(map[string]any)["code"]) != "409" {
			t.Errorf("%s again: %v", email, got)
		}
	}
	if got := h.expect(t, http.StatusOK, "GET", "/admin/identities/"+id, "").object(t); fmt.Sprint(got["traits"]) != "map[email:ann@example.org]" {
		t.Errorf("changed to %v", got)
	}
	for _, bad := range []string{"", "x", "00000000-0000-0000-0000-000000000000"} {
		if got := send(http.StatusBadRequest, kept(bad, "cleo@example.org")).Body.String(); !strings.Contains(got, "identities.0.create.id is not a UUID") {
			t.Errorf("%q: %s", bad, got)
		}
	}
	if got := h.expect(t, http.StatusBadRequest, "PATCH", "/admin/identities", kept(other, "cleo@example.org")).Body.String(); !strings.Contains(got, `json: unknown field \"id\"`) {
		t.Errorf("without the parameter: %s", got)
	}
}
