//go:build emulated

package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestAnAdministratorKeepsIdentities signs, as everybody has to.
func TestAnAdministratorKeepsIdentities(t *testing.T) {
	d := deployed(t)
	admin := d.administrator(t)
	email := somebody("kept")
	made := admin.wants(http.StatusCreated, http.MethodPost, "/admin/identities", map[string]any{
		"schema_id": "person", "traits": map[string]string{"email": email},
		"credentials": map[string]any{"password": map[string]any{"config": map[string]string{"password": password}}},
	})
	at := "/admin/identities/" + made.ID
	admin.wants(http.StatusOK, http.MethodGet, at, nil)
	if list := admin.wants(http.StatusOK, http.MethodGet, "/admin/identities?credentials_identifier="+email, nil); !strings.Contains(string(list.body), made.ID) {
		t.Errorf("the list lacks it: %s", list)
	}
	a := d.app(t)
	flow := a.starts("login", "")
	session := a.wants(http.StatusOK, http.MethodPost, flow.UI.Action, map[string]string{
		"method": "password", "identifier": email, "password": password,
	})
	if list := admin.wants(http.StatusOK, http.MethodGet, at+"/sessions", nil); !strings.Contains(string(list.body), session.Session.ID) {
		t.Errorf("the sessions lack it: %s", list)
	}
	patched := admin.wants(http.StatusOK, http.MethodPatch, at, []map[string]any{{"op": "replace", "path": "/state", "value": "inactive"}})
	if patched.State != "inactive" {
		t.Errorf("the patch made it %s", patched)
	}
	a.with("X-Session-Token", session.Token).wants(http.StatusUnauthorized, http.MethodGet, "/sessions/whoami", nil)
	admin.wants(http.StatusNoContent, http.MethodDelete, at+"/sessions", nil)
	admin.wants(http.StatusNoContent, http.MethodDelete, at, nil)
	admin.wants(http.StatusNotFound, http.MethodGet, at, nil)
}

// TestTheAdminAPIAnswersWhoMayInvokeIt: who signs nothing, who is somebody else
// and whose policy does not allow it are refused by the gateway.
func TestTheAdminAPIAnswersWhoMayInvokeIt(t *testing.T) {
	d := deployed(t)
	newClient(t, "http://"+d.Admin, d.dialer()).wants(http.StatusForbidden, http.MethodGet, "/admin/identities", nil)
	d.operator(t, "nobody", "").wants(http.StatusForbidden, http.MethodGet, "/admin/identities", nil)
	id, _, _ := strings.Cut(d.Admin, ".")
	reader := d.operator(t, "reader", allows("execute-api:Invoke", "arn:aws:execute-api:"+region+":000000000000:"+id+"/$default/GET/*"))
	reader.wants(http.StatusOK, http.MethodGet, "/admin/identities", nil)
	reader.wants(http.StatusForbidden, http.MethodPost, "/admin/identities", map[string]string{})
	d.signing(t, "AKIAIOSFODNN7EXAMPLE", "of nobody").wants(http.StatusForbidden, http.MethodGet, "/admin/identities", nil)
}
