package admin

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/store"
)

// signIn stores a session of an identity that began some minutes after noon, and
// returns its id.
func (h house) signIn(t *testing.T, owner string, minutes int) string {
	t.Helper()
	who, err := h.Store.Identity(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	began := noon().Add(time.Duration(minutes) * time.Minute)
	live := &session.Session{
		ID: secret.NewV7(began, rand.Reader).String(), IdentityID: owner, Hash: "x", Epoch: who.Epoch, IssuedAt: began,
		Devices: []session.Device{{ID: unknownID, IPAddress: "192.0.2.1"}},
	}
	live.Authenticated(session.Method{Method: "password", AAL: session.AAL1}, began, time.Hour)
	if err := h.Store.Commit(t.Context(), store.Change{Session: live}); err != nil {
		t.Fatal(err)
	}
	return live.ID
}

// active tells for each session of a list whether it is.
func (a answer) active(t *testing.T) string {
	t.Helper()
	var list []string
	for _, one := range a.list(t) {
		list = append(list, fmt.Sprint(one["active"]))
	}
	return strings.Join(list, " ")
}

func TestSession(t *testing.T) {
	h := open(t)
	owner := h.expect(t, 201, "POST", "/admin/identities", `{"traits":{"email":"ann@example.org"},"metadata_admin":{"note":"vip"}}`).object(t)["id"].(string)
	id := h.signIn(t, owner, 0)
	path := "/admin/sessions/" + id

	plain := h.expect(t, 200, "GET", path, "").object(t)
	if devices, is := plain["devices"].([]any); plain["identity"] != nil || !is || len(devices) != 0 || plain["active"] != true {
		t.Errorf("a session is shown as %v", plain)
	}
	whole := h.expect(t, 200, "GET", path+"?expand=Identity&expand=DEVICES", "").object(t)
	who, _ := whole["identity"].(map[string]any)
	if len(whole["devices"].([]any)) != 1 || who["id"] != owner || fmt.Sprint(who["metadata_admin"]) != "map[note:vip]" ||
		who["credentials"] != nil || who["verifiable_addresses"] == nil {
		t.Errorf("with everything it is shown as %v", whole)
	}
	if _, reason := h.expect(t, 400, "GET", path+"?expand=all", "").said(t); reason != "Could not parse expand option: all" {
		t.Errorf("a bad expansion is %q", reason)
	}

	h.expect(t, 204, "DELETE", path, "")
	if got := h.expect(t, 200, "GET", path, "").object(t); got["active"] != false {
		t.Errorf("a disabled session is shown as %v", got)
	}
	h.expect(t, 204, "DELETE", path, "")

	for target, status := range map[string]int{unknownID: 404, "zz": 400} {
		h.expect(t, status, "GET", "/admin/sessions/"+target, "")
		h.expect(t, status, "DELETE", "/admin/sessions/"+target, "")
		h.expect(t, status, "PATCH", "/admin/sessions/"+target+"/extend", "")
	}
}

func TestExtend(t *testing.T) {
	h := open(t)
	h.Config.Session.Lifespan = 24 * time.Hour
	owner := h.customer(t, "ann@example.org")
	id := h.signIn(t, owner, 0) // ends after an hour
	path := "/admin/sessions/" + id
	expires := func(status int) string {
		t.Helper()
		h.expect(t, status, "PATCH", path+"/extend", "")
		return fmt.Sprint(h.expect(t, 200, "GET", path, "").object(t)["expires_at"])
	}
	const early, late = "2026-07-01T13:00:00.123456Z", "2026-07-02T12:00:00.123456Z"
	h.Config.Session.EarliestExtend = time.Minute
	if got := expires(200); got != early {
		t.Errorf("too early, it ends at %s", got)
	}
	h.Config.Session.EarliestExtend = 2 * time.Hour
	h.Config.FeatureFlags.FasterSessionExtend = true
	if got := expires(204); got != late {
		t.Errorf("extended, it ends at %s", got)
	}
	h.Config.FeatureFlags.FasterSessionExtend = false
	h.Config.Session.EarliestExtend = 48 * time.Hour
	h.Config.Session.Lifespan = 72 * time.Hour
	h.expect(t, 204, "DELETE", path, "")
	if got := expires(200); got != late {
		t.Errorf("one that was ended now ends at %s", got)
	}
	shown := h.expect(t, 200, "PATCH", path+"/extend", "").object(t)
	if who, _ := shown["identity"].(map[string]any); who["id"] != owner || who["metadata_admin"] != nil || len(shown["devices"].([]any)) != 0 {
		t.Errorf("the answer is %v", shown)
	}
}

func TestSessionsOfAnIdentity(t *testing.T) {
	h := open(t)
	owner := h.customer(t, "ann@example.org")
	var ids []string
	for minute := range 3 {
		ids = append([]string{h.signIn(t, owner, minute)}, ids...)
	}
	path := "/admin/identities/" + owner + "/sessions"
	h.expect(t, 204, "DELETE", "/admin/sessions/"+ids[1], "")
	if got := h.expect(t, 200, "GET", path, ""); !slices.Equal(got.ids(t), ids) || got.active(t) != "true false true" {
		t.Errorf("the sessions are %s", got.Body)
	}
	if got := h.expect(t, 200, "GET", path+"?active=false", ""); !slices.Equal(got.ids(t), ids[1:2]) || got.Header().Get("X-Total-Count") != "1" {
		t.Errorf("the dead ones are %s", got.Body)
	}
	if got := h.expect(t, 200, "GET", path+"?active=true&per_page=1&page=1", ""); !slices.Equal(got.ids(t), ids[2:]) || got.Header().Get("X-Total-Count") != "2" {
		t.Errorf("the second live one is %s", got.Body)
	}
	if message, _ := h.expect(t, 400, "GET", path+"?active=perhaps", "").said(t); message != "could not parse parameter active" {
		t.Errorf("a bad filter is %q", message)
	}

	h.expect(t, 204, "DELETE", path, "")
	h.expect(t, 404, "DELETE", path, "")
	for _, id := range ids {
		h.expect(t, 404, "GET", "/admin/sessions/"+id, "")
	}
	for target, status := range map[string]int{unknownID: 404, "zz": 400} {
		h.expect(t, status, "DELETE", "/admin/identities/"+target+"/sessions", "")
	}
	h.expect(t, 400, "GET", "/admin/identities/zz/sessions", "")
	if got := h.expect(t, 200, "GET", "/admin/identities/"+unknownID+"/sessions", ""); len(got.list(t)) != 0 {
		t.Errorf("nobody has %s", got.Body)
	}
}

func TestAllSessions(t *testing.T) {
	h := open(t)
	ann, bea := h.customer(t, "ann@example.org"), h.customer(t, "bea@example.org")
	var ids []string // newest first
	for minute := range 40 {
		ids = append([]string{h.signIn(t, []string{ann, bea}[minute%2], minute)}, ids...)
	}
	if got := h.expect(t, 200, "GET", "/admin/sessions", ""); !slices.Equal(got.ids(t), ids) || strings.Contains(got.Header().Get("Link"), "next") {
		t.Errorf("all of them are %v, want %v", got.ids(t), ids)
	}
	if one := h.expect(t, 200, "GET", "/admin/sessions?page_size=1", "").list(t)[0]; one["identity"] != nil || one["devices"] != nil {
		t.Errorf("in a list a session is %v", one)
	}
	if one := h.expect(t, 200, "GET", "/admin/sessions?page_size=1&expand=identity&expand=devices", "").list(t)[0]; one["identity"].(map[string]any)["id"] != bea || one["devices"] == nil {
		t.Errorf("expanded, it is %v", one)
	}
	var walked []string
	next := "/admin/sessions?page_size=7"
	for pages := 0; next != "" && pages < 10; pages++ {
		got := h.expect(t, 200, "GET", next, "")
		walked = append(walked, got.ids(t)...)
		next = ""
		if found := regexp.MustCompile(`<([^>]*)>; rel="next"`).FindStringSubmatch(got.Header().Get("Link")); found != nil {
			next = found[1]
		}
	}
	if !slices.Equal(walked, ids) {
		t.Errorf("page by page they are %v, want %v", walked, ids)
	}
	if got := h.expect(t, 200, "GET", "/admin/sessions?page_token="+ids[37], "").ids(t); !slices.Equal(got, ids[38:]) {
		t.Errorf("after an id follow %v", got)
	}

	// Dead by its own end, by its owner's state and by its owner's epoch.
	h.expect(t, 204, "DELETE", "/admin/sessions/"+ids[0], "")
	h.expect(t, 200, "PATCH", "/admin/identities/"+ann, `[{"op":"replace","path":"/state","value":"inactive"}]`)
	if got := h.expect(t, 200, "GET", "/admin/sessions?active=true", "").ids(t); len(got) != 19 || slices.Contains(got, ids[0]) {
		t.Errorf("%d are alive: %v", len(got), got)
	}
	if got := h.expect(t, 200, "GET", "/admin/sessions?active=false", "").ids(t); len(got) != 21 {
		t.Errorf("%d are dead", len(got))
	}
	for query, want := range map[string]string{
		"active=perhaps": "could not parse parameter active", "page_size=x": "could not parse parameter page_size",
		"page_token=rubbish": "could not parse parameter page_size",
	} {
		if message, _ := h.expect(t, 400, "GET", "/admin/sessions?"+query, "").said(t); message != want {
			t.Errorf("%s is %q", query, message)
		}
	}
	// A token is of its endpoint and filter.
	first := h.expect(t, 200, "GET", "/admin/sessions?page_size=1", "").Header().Get("Link")
	token := regexp.MustCompile(`page_token=([^&>]+)[^>]*>; rel="next"`).FindStringSubmatch(first)[1]
	for _, other := range []string{"/admin/sessions?active=true&page_token=", "/admin/courier/messages?page_token=", "/admin/identities?page_token="} {
		h.expect(t, 400, "GET", other+url.QueryEscape(token), "")
	}
}

// A page that would not fit an answer ends early, and the next one goes on there.
func TestAllSessionsEndEarly(t *testing.T) {
	h := open(t)
	owner := h.expect(t, 201, "POST", "/admin/identities",
		`{"traits":{"email":"ann@example.org"},"metadata_admin":"`+strings.Repeat("x", 300<<10)+`"}`).object(t)["id"].(string)
	var ids []string // newest first
	for minute := range 20 {
		ids = append([]string{h.signIn(t, owner, minute)}, ids...)
	}
	first := h.expect(t, 200, "GET", "/admin/sessions?expand=identity", "")
	next := regexp.MustCompile(`<([^>]*)>; rel="next"`).FindStringSubmatch(first.Header().Get("Link"))
	if first.Body.Len() > maxAnswer || next == nil {
		t.Fatalf("the first page has %d bytes, %s", first.Body.Len(), first.Header().Get("Link"))
	}
	if walked := append(first.ids(t), h.expect(t, 200, "GET", next[1], "").ids(t)...); !slices.Equal(walked, ids) {
		t.Errorf("they are %v, want %v", walked, ids)
	}
}

func TestManageSessions(t *testing.T) {
	h := open(t)
	ann, bea := h.customer(t, "ann@example.org"), h.customer(t, "bea@example.org")
	a1, a2, b1, b2 := h.signIn(t, ann, 0), h.signIn(t, ann, 1), h.signIn(t, bea, 2), h.signIn(t, bea, 3)
	alive := func(ids ...string) {
		t.Helper()
		got := h.expect(t, 200, "GET", "/admin/sessions?active=true", "").ids(t)
		slices.Sort(got)
		slices.Sort(ids)
		if !slices.Equal(got, ids) {
			t.Errorf("alive are %v, want %v", got, ids)
		}
	}
	manage := func(body string, processed int, more bool) {
		t.Helper()
		got := h.expect(t, 200, "POST", "/admin/sessions", body).object(t)
		if got["processed"] != float64(processed) || got["more"] != more {
			t.Errorf("%s came to %v, want %d", body, got, processed)
		}
	}
	manage(`{"action":"disable","sessions":["`+a1+`","`+unknownID+`","`+strings.ToUpper(a1)+`"]}`, 1, false)
	manage(`{"action":"disable","sessions":["`+a1+`"]}`, 0, false)
	alive(a2, b1, b2)
	manage(`{"action":"delete","sessions":["`+a1+`","`+b1+`"]}`, 2, false)
	h.expect(t, 404, "GET", "/admin/sessions/"+a1, "")
	alive(a2, b2)
	manage(`{"action":"disable","identities":["`+ann+`","`+unknownID+`"]}`, 1, false)
	manage(`{"action":"disable","identities":["`+ann+`"]}`, 0, false)
	alive(b2)
	a3 := h.signIn(t, ann, 4)
	manage(`{"action":"delete","identities":["`+bea+`"]}`, 1, false)
	alive(a3)
	b3 := h.signIn(t, bea, 5)
	alive(a3, b3)
	manage(`{"action":"disable","identities":["*"]}`, 3, false) // a2 is dead by its owner's epoch alone
	alive()
	manage(`{"action":"delete","identities":["*"]}`, 3, false)
	if left := h.expect(t, 200, "GET", "/admin/sessions", "").ids(t); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
	for body, want := range map[string]string{
		`{`:                                  "Invalid JSON body.",
		`{"action":"bury","sessions":["x"]}`: "The 'action' field must be one of 'disable' or 'delete'.",
		`{"action":"delete"}`:                "Exactly one of 'identities' or 'sessions' must be a non-empty array.",
		`{"action":"delete","sessions":["x"],"identities":["x"]}`:                 "Exactly one of 'identities' or 'sessions' must be a non-empty array.",
		`{"action":"delete","sessions":["*"]}`:                                    "Could not parse 'sessions' field: the wildcard '*' is not accepted here",
		`{"action":"delete","identities":["*","*"]}`:                              "Could not parse 'identities' field: the wildcard '*' is not accepted here",
		`{"action":"delete","identities":["zz"]}`:                                 `Could not parse 'identities' field: could not parse "zz" as UUID`,
		`{"action":"delete","sessions":["x"` + strings.Repeat(`,"x"`, 500) + `]}`: "Could not parse 'sessions' field: at most 500 IDs may be provided per call",
	} {
		if _, reason := h.expect(t, http.StatusBadRequest, "POST", "/admin/sessions", body).said(t); reason != want {
			t.Errorf("%.60s: %q, want %q", body, reason, want)
		}
	}
}

// A session ends with its owner.
func TestDeletingAnIdentityDeletesItsSessions(t *testing.T) {
	h := open(t)
	owner := h.made(t, "ann", `{"totp":{"config":{"totp_url":"`+appURL+`"}}}`)
	id := h.signIn(t, owner, 0)
	h.expect(t, 204, "DELETE", "/admin/identities/"+owner, "")
	h.expect(t, 404, "GET", "/admin/sessions/"+id, "")
	if left := h.expect(t, 200, "GET", "/admin/sessions", "").ids(t); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
	if owners, err := h.Store.Owners(t.Context(), identity.CredentialGuard(identity.Password, "ann")); err != nil || len(owners) != 0 {
		t.Errorf("the name is held by %v, %v", owners, err)
	}
}
