package admin

import (
	"net/http"
	"strings"
	"testing"

	"styx/internal/identity"
)

func TestPut(t *testing.T) {
	h := open(t)
	const everything = `{"traits":{"email":"ann@example.org","age":30},"external_id":"crm-1","metadata_public":{"a":1},"metadata_admin":{"b":2},
		"organization_id":"6f0c6a0e-0000-4000-8000-000000000000","credentials":{"password":{"config":{"password":"abc"}}}}`
	id := h.expect(t, http.StatusCreated, "POST", "/admin/identities", everything).object(t)["id"].(string)
	path := "/admin/identities/" + id

	got := h.expect(t, http.StatusOK, "PUT", path, `{"schema_id":"","state":"","colour":"red","traits":{"email":"Ann@example.org"},"metadata_admin":null}`).object(t)
	for member, want := range map[string]any{
		"schema_id": "customer", "state": "active", "external_id": nil, "metadata_public": nil, "metadata_admin": nil,
		"organization_id": "6f0c6a0e-0000-4000-8000-000000000000",
	} {
		if got[member] != want {
			t.Errorf("%s is %v, want %v", member, got[member], want)
		}
	}
	if traits := got["traits"].(map[string]any); len(traits) != 1 || traits["email"] != "Ann@example.org" {
		t.Errorf("the traits are %v", traits)
	}
	who, err := h.Store.Identity(t.Context(), id)
	if err != nil || who.PasswordHash() == "" {
		t.Errorf("the password went with it: %v", err)
	}
	if owners, err := h.Store.Owners(t.Context(), identity.ExternalGuard("crm-1")); err != nil || len(owners) != 0 {
		t.Errorf("the external id is held by %v, %v", owners, err)
	}

	h.customer(t, "bea@example.org")
	for body, want := range map[string]struct {
		status  int
		message string
		reason  string
	}{
		`{"traits":{"email":"bea@example.org"}}`:                  {409, taken().Message, ""},
		`{"traits":{"email":"ann@example.org"},"state":"out"}`:    {400, "The request was malformed or contained invalid parameters", "identity state is not valid"},
		`{"traits":{"email":"ann@example.org"},"schema_id":"no"}`: {400, "The request was malformed or contained invalid parameters", "Unable to find JSON Schema ID: no"},
		`{"traits":{"email":"ann@example.org"},"state":5}`:        {400, `json: field "state" can not be of type number`, ""},
		`{`: {400, "The request body ends within its JSON document.", ""},
	} {
		message, reason := h.expect(t, want.status, "PUT", path, body).said(t)
		if message != want.message || reason != want.reason {
			t.Errorf("%s: %q, %q, want %q, %q", body, message, reason, want.message, want.reason)
		}
	}
	for _, nobody := range []string{unknownID, "zzz"} {
		h.expect(t, http.StatusNotFound, "PUT", "/admin/identities/"+nobody, `{"traits":{"email":"cleo@example.org"}}`)
	}
}

func TestPutOfAState(t *testing.T) {
	h := open(t)
	id := h.customer(t, "ann@example.org")
	if got := h.expect(t, http.StatusOK, "PUT", "/admin/identities/"+id, `{"traits":{"email":"ann@example.org"},"state":"inactive"}`); got.object(t)["state"] != "inactive" {
		t.Errorf("it is %s", got.Body)
	}
	if got := h.expect(t, http.StatusOK, "PUT", "/admin/identities/"+id, `{"traits":{"email":"ann@example.org"}}`); got.object(t)["state"] != "inactive" {
		t.Errorf("without a state it is %s", got.Body)
	}
}

// An id that is a piece of a path is nobody's, whatever way it is spelled.
func TestIDsArePlain(t *testing.T) {
	h := open(t)
	id := h.customer(t, "ann@example.org")
	for _, spelled := range []string{"..%2f", "..%2f" + id, id + "%2f..", "%2e%2e%2fidentities%2f" + id, id + "%00", id + ";x", "{" + id + "}", "%20" + id} {
		for _, request := range []string{
			"GET /identities/ID", "PUT /identities/ID", "PATCH /identities/ID", "DELETE /identities/ID",
			"DELETE /identities/ID/credentials/password", "GET /identities/ID/sessions", "DELETE /identities/ID/sessions",
			"GET /sessions/ID", "DELETE /sessions/ID", "PATCH /sessions/ID/extend", "GET /courier/messages/ID",
		} {
			method, target, _ := strings.Cut(request, " ")
			got := h.ask(t.Context(), method, "/admin"+strings.Replace(target, "ID", spelled, 1), `[]`)
			if got.Code != http.StatusNotFound && got.Code != http.StatusBadRequest {
				t.Errorf("%s with %s answers %d: %s", request, spelled, got.Code, got.Body)
			}
		}
	}
	h.expect(t, http.StatusOK, "GET", "/admin/identities/"+id, "")
}
