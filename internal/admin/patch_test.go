package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestPatch(t *testing.T) {
	h := open(t)
	id := h.expect(t, http.StatusCreated, "POST", "/admin/identities",
		`{"traits":{"email":"ann@example.org"},"metadata_public":{"a":1},"external_id":"crm-1"}`).object(t)["id"].(string)
	path := "/admin/identities/" + id
	for _, row := range []struct{ patch, member, want string }{
		{`[{"op":"add","path":"/traits/age","value":30}]`, "traits", `{"age":30,"email":"ann@example.org"}`},
		{`[{"op":"replace","path":"/traits/email","value":"Anna@example.org"}]`, "traits", `{"age":30,"email":"Anna@example.org"}`},
		{`[{"op":"remove","path":"/traits/age"}]`, "traits", `{"email":"Anna@example.org"}`},
		{`[{"op":"replace","path":"/metadata_public/b/c","value":[1,{"d":null}]}]`, "metadata_public", `{"a":1,"b":{"c":[1,{"d":null}]}}`},
		{`[{"op":"add","path":"/metadata_admin","value":"vip"}]`, "metadata_admin", `"vip"`},
		{`[{"op":"remove","path":"/metadata_public"}]`, "metadata_public", `null`},
		{`[{"op":"replace","path":"/external_id","value":"crm-2"}]`, "external_id", `"crm-2"`},
		{`[{"op":"replace","path":"/organization_id","value":"6F0C6A0E-0000-4000-8000-000000000000"}]`, "organization_id", `"6f0c6a0e-0000-4000-8000-000000000000"`},
		{`[{"op":"replace","path":"/state","value":"inactive"}]`, "state", `"inactive"`},
		{`[{"op":"replace","path":"/State","value":"active"}]`, "state", `"inactive"`}, // another member, which nobody knows
		{`[{"op":"replace","path":"/created_at","value":"2020-01-01T00:00:00Z"}]`, "created_at", `"` + hereAndNo + `"`},
		{`[]`, "state", `"inactive"`},
	} {
		got := h.expect(t, http.StatusOK, "PATCH", path, row.patch).object(t)
		if raw, err := json.Marshal(got[row.member]); err != nil || string(raw) != row.want {
			t.Errorf("%s: %s is %s, want %s", row.patch, row.member, raw, row.want)
		}
	}
}

// An address keeps its row; a patch of it may verify it, and one that is removed
// starts anew, as the trait is still there.
func TestPatchOfAddresses(t *testing.T) {
	h := open(t)
	id := h.customer(t, "ann@example.org")
	patched := func(patch string) map[string]any {
		t.Helper()
		got := h.expect(t, http.StatusOK, "PATCH", "/admin/identities/"+id, patch).object(t)
		return got["verifiable_addresses"].([]any)[0].(map[string]any)
	}
	first := patched(`[{"op":"replace","path":"/verifiable_addresses/0/verified","value":true}]`)
	if first["verified"] != true || first["status"] != "completed" || first["verified_at"] == nil {
		t.Errorf("the address is %v", first)
	}
	second := patched(`[{"op":"replace","path":"/verifiable_addresses/0/id","value":"` + unknownID + `"}]`)
	if !maps.Equal(first, second) {
		t.Errorf("the row was %v and is %v", first, second)
	}
	if third := patched(`[{"op":"remove","path":"/verifiable_addresses"}]`); third["verified"] != false || third["id"] == first["id"] {
		t.Errorf("anew it is %v", third)
	}
}

func TestPatchRefused(t *testing.T) {
	h := open(t)
	id := h.customer(t, "ann@example.org")
	h.customer(t, "bea@example.org")
	const failed = "failed to apply JSON patch"
	for patch, want := range map[string][2]string{
		`[{"op":"replace","path":"/id","value":"x"}]`:                                               {failed, "patch includes denied path: /id"},
		`[{"op":"replace","path":"/ID","value":"x"}]`:                                               {failed, "patch includes denied path: /ID"},
		`[{"op":"remove","path":"/id/"}]`:                                                           {failed, "patch includes denied path: /id/"},
		`[{"op":"add","path":"","value":{}}]`:                                                       {failed, "patch includes denied path: "},
		`[{"op":"add","path":"/","value":{}}]`:                                                      {failed, "patch includes denied path: /"},
		`[{"op":"add","path":"//credentials","value":{}}]`:                                          {failed, "patch includes denied path: //credentials"},
		`[{"op":"add","path":"/stateChangedAt","value":"x"}]`:                                       {failed, "patch includes denied path: /stateChangedAt"},
		`[{"op":"add","path":"/state_changed_at","value":"x"}]`:                                     {failed, "patch includes denied path: /state_changed_at"},
		`[{"op":"add","path":"/credentials","value":{}}]`:                                           {failed, "patch includes denied path: /credentials"},
		`[{"op":"add","path":"/credentials/oidc/config/x","value":1}]`:                              {failed, "patch includes denied path: /credentials/oidc/config/x"},
		`[{"op":"add","path":"/Credentials/password/config","value":1}]`:                            {failed, "patch includes denied path: /Credentials/password/config"},
		`[{"op":"test","path":"/state","value":"active"}]`:                                          {failed, "unsupported operation: test"},
		`[{"op":"move","from":"/id","path":"/metadata_public"}]`:                                    {failed, "unsupported operation: move"},
		`[{"op":"copy","from":"/id","path":"/metadata_public"}]`:                                    {failed, "unsupported operation: copy"},
		`[{"op":"dance","path":"/traits"}]`:                                                         {failed, `invalid operation {"op":"dance","path":"/traits"}: unsupported operation`},
		`[{"op":"add","path":"/metadata_public/100001/x","value":1}]`:                               {failed, "the indexes of a patch exceed 100000"},
		`[{"op":"add","path":"/metadata_public/99999999999999999999/x","value":1}]`:                 {failed, "the indexes of a patch exceed 100000"},
		`[` + strings.Repeat(`{"op":"remove","path":"/x"},`, 1000) + `{"op":"remove","path":"/x"}]`: {failed, "a patch has at most 1000 operations"},
		`[{"op":"replace","path":"/state","value":5}]`:                                              {failed, "json: state must be of its type, not number"},
		`[{"op":"replace","path":"/state","value":"zz"}]`:                                           {"The supplied state ('zz') was not valid. Valid states are ('active', 'inactive').", ""},
		`[{"op":"remove","path":"/state"}]`:                                                         {"The supplied state ('') was not valid. Valid states are ('active', 'inactive').", ""},
		`[{"op":"replace","path":"/schema_id","value":"no"}]`:                                       {"Unable to find JSON Schema ID: no", ""},
		`{"op":"add"}`: {"failed to unmarshal JSON patch", "json: a patch must be an array, not object"},
		``:             {"failed to unmarshal JSON patch", "unexpected end of JSON input"},
	} {
		message, reason := h.expect(t, http.StatusBadRequest, "PATCH", "/admin/identities/"+id, patch).said(t)
		if want[1] == "" {
			want[1] = "The request was malformed or contained invalid parameters"
		}
		if reason != want[0] || message != want[1] {
			t.Errorf("%.90s: %q, %q, want %q, %q", patch, reason, message, want[0], want[1])
		}
	}
	if message, _ := h.expect(t, http.StatusConflict, "PATCH", "/admin/identities/"+id,
		`[{"op":"replace","path":"/traits/email","value":"bea@example.org"}]`).said(t); message != taken().Message {
		t.Errorf("an address that is taken: %q", message)
	}
	h.expect(t, http.StatusNotFound, "PATCH", "/admin/identities/"+unknownID, `[]`)
}

// Whatever a patch holds, it is never our mistake, and what must not change does
// not.
func FuzzPatch(f *testing.F) {
	h := open(f)
	body := `{"traits":{"email":"ann@example.org"},"credentials":{"password":{"config":{"hashed_password":"` + bcryptHash + `"}}},"metadata_public":{"a":[1]}}`
	made := h.ask(f.Context(), "POST", "/admin/identities", body)
	var was map[string]any
	if err := json.Unmarshal(made.Body.Bytes(), &was); err != nil {
		f.Fatal(err)
	}
	target := fmt.Sprintf("/admin/identities/%s?include_credential=password", was["id"])
	frozen := func(t *testing.T) (id, created, hash any) {
		t.Helper()
		got := h.expect(t, http.StatusOK, "GET", target, "").object(t)
		return got["id"], got["created_at"], got["credentials"].(map[string]any)["password"].(map[string]any)["config"]
	}
	for _, seed := range []string{
		`[]`, `[null]`, `[{}]`, `{"op":"add"}`, `[{"op":"add","path":"/id","value":1}]`, `[{"op":"add","path":"/credentials/password/config","value":{}}]`,
		`[{"op":"replace","path":"/traits/email","value":"x@example.org"}]`, `[{"op":"remove","path":"/metadata_public/a/0"}]`,
		`[{"op":"add","path":"/metadata_public/a/-","value":{}}]`, `[{"op":"add","path":"/metadata_public/a/3/b","value":null}]`,
		`[{"op":"add","path":"/~0~1/x","value":[]}]`, `[{"op":"add","path":"/traits"}]`, `[{"op":"add","path":"/metadata_admin/-1","value":0}]`,
		`[{"op":"replace","path":"/verifiable_addresses/0","value":{"via":"email","value":"x"}}]`, `[{"op":"add","path":5}]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, patch string) {
		idWas, createdWas, hashWas := frozen(t)
		if got := h.ask(t.Context(), "PATCH", target, patch); got.Code >= http.StatusInternalServerError {
			t.Fatalf("%q answers %d: %s", patch, got.Code, got.Body)
		}
		id, created, hash := frozen(t)
		if id != idWas || created != createdWas || !reflect.DeepEqual(hash, hashWas) {
			t.Fatalf("%q changed what it must not", patch)
		}
	})
}
