package proofs

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"styx/internal/app/mail"
	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/courier/inbox"
	"styx/test/authenticator"
)

// operation is something that Styx does for somebody.
type operation struct {
	name   string
	most   int // waits for the table
	status int
	do     func() answer
	in     *latest // where it is recorded
}

// authenticatorKey is what an authenticator app and the table share.
const authenticatorKey = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// withAuthenticator are the settings under which an app may prove a second factor.
const withAuthenticator = `selfservice: {methods: {totp: {enabled: true}}}`

// byCode are the settings under which people sign in by a code that is sent to them.
func byCode() string {
	schema := strings.Replace(personSchema, `"credentials":{`, `"credentials":{"code":{"identifier":true,"via":"email"},`, 1)
	return `
identity: {schemas: [{id: person, url: "base64://` + base64.StdEncoding.EncodeToString([]byte(schema)) + `"}]}
selfservice: {methods: {password: {enabled: false}, code: {passwordless_enabled: true}}}`
}

// operations are what people, administrators and the courier do, in an order in
// which each finds what it needs. They need a table of their own.
func operations(t *testing.T, over kept) []operation {
	t.Helper()
	h := build(t, over.behind)
	owner := h.join("owner@example.com")
	get := func(c *client, path string) func() answer {
		return func() answer { return c.do(http.MethodGet, c.public+path, nil) }
	}
	manage := func(method, path string, body any) func() answer {
		return func() answer { return h.do(method, h.admin+"/admin/"+path, body) }
	}
	native, script := h.bearing(owner.Token), h.browser("application/json")
	signUp, signIn, wrong := h.flow("registration"), h.flow("login"), h.flow("login")
	refresh := native.do(http.MethodGet, h.public+"/self-service/login/api?refresh=true", nil).UI.Action
	h.create(withPassword("somebody.known@example.com"))
	codes := map[string]func() answer{}
	for kind := range codeMail {
		id, code := h.awaiting(kind, "somebody.known@example.com")
		codes[kind] = func() answer { return h.guess(kind, id, code) }
		codes["wrong "+kind] = func() answer { return h.guess(kind, id, "x"+code) }
	}
	send := func(c *client, kind string, fields map[string]string) func() answer {
		form := c.open(kind, "")
		return func() answer { return form.submit(fields) }
	}
	signedIn := h.browser("application/json")
	if a := signedIn.open("login", "").login("somebody.known@example.com", password); a.status != http.StatusOK {
		t.Fatalf("login of a browser: %v", a)
	}
	known, nobody := map[string]string{"method": "code", "email": "somebody.known@example.com"}, map[string]string{"method": "code", "email": "nobody.at.all@example.com"}
	factors := build(t, over.behind, withAuthenticator)
	secondFactor, guarded := factors.secondFactor()
	leaving := h.browser("application/json")
	if a := leaving.open("login", "").login("owner@example.com", password); a.status != http.StatusOK {
		t.Fatalf("login of a browser: %v", a)
	}
	logout := leaving.do(http.MethodGet, h.public+"/self-service/logout/browser", nil).LogoutURL

	return append([]operation{
		{"start a native login", 1, 200, get(h.client, "/self-service/login/api"), h.last},
		{"start a browser's login", 1, 200, get(script, "/self-service/login/browser"), h.last},
		{"start a page's login", 1, 303, get(h.browser("text/html"), "/self-service/login/browser"), h.last},
		{"get a flow", 1, 200, get(h.client, "/self-service/login/flows?id="+flowOf(t, signIn)), h.last},
		{"start a login with a session", 2, 200, get(native, "/self-service/login/api?refresh=true"), h.last},
		{"start a native registration", 1, 200, get(h.client, "/self-service/registration/api"), h.last},
		{"start a browser's registration", 1, 200, get(h.browser("application/json"), "/self-service/registration/browser"), h.last},
		{"submit a registration", 2, 200, func() answer { return h.signUp(signUp, "second@example.com", password) }, h.last},
		{"submit a login", 3, 200, func() answer { return h.signIn(signIn, "owner@example.com", password) }, h.last},
		{"submit a login with a wrong password", 3, 400, func() answer { return h.signIn(wrong, "owner@example.com", "harbour nine violet stone") }, h.last},
		{"submit a login with a session", 3, 200, func() answer { return native.signIn(refresh, "owner@example.com", password) }, h.last},
		{"submit a second factor: authenticator", 3, 200, secondFactor, factors.last},
		{"start native settings", 2, 200, get(native, "/self-service/settings/api"), h.last},
		{"start a browser's settings", 2, 200, get(signedIn, "/self-service/settings/browser"), h.last},
		{"submit settings: traits", 2, 200, send(native, "settings", map[string]string{"method": "profile", "traits.email": "owner@example.com", "traits.name": "An Owner"}), h.last},
		{"submit settings: a new address", 2, 200, send(native, "settings", map[string]string{"method": "profile", "traits.email": "moved@example.com"}), h.last},
		{"submit settings: a password", 2, 200, send(native, "settings", map[string]string{"method": "password", "password": password + " anew"}), h.last},
		{"submit a browser's settings", 2, 200, send(signedIn, "settings", map[string]string{"method": "password", "password": password + " anew"}), h.last},
		{"submit settings: what is refused", 2, 400, send(native, "settings", map[string]string{"method": "password", "password": "short"}), h.last},
		{"start a native recovery", 1, 200, get(h.client, "/self-service/recovery/api"), h.last},
		{"start a browser's recovery", 1, 200, get(h.browser("application/json"), "/self-service/recovery/browser"), h.last},
		{"submit a recovery: address", 3, 200, send(h.client, "recovery", known), h.last},
		{"submit a recovery: nobody's address", 3, 200, send(h.client, "recovery", nobody), h.last},
		{"submit a recovery: wrong code", 3, 200, codes["wrong recovery"], h.last},
		{"submit a recovery: code", 3, 200, codes["recovery"], h.last},
		{"start a native verification", 1, 200, get(h.client, "/self-service/verification/api"), h.last},
		{"start a browser's verification", 1, 200, get(h.browser("application/json"), "/self-service/verification/browser"), h.last},
		{"submit a verification: address", 3, 200, send(h.client, "verification", known), h.last},
		{"submit a verification: nobody's address", 3, 200, send(h.client, "verification", nobody), h.last},
		{"submit a verification: wrong code", 3, 200, codes["wrong verification"], h.last},
		{"submit a verification: code", 3, 200, codes["verification"], h.last},
		{"whoami", 1, 200, get(native, "/sessions/whoami"), h.last},
		{"whoami of nobody", 0, 401, get(h.client, "/sessions/whoami"), h.last},
		{"list one's other sessions: 2", 2, 200, get(native, "/sessions"), h.last},
		{"start a browser's logout", 1, 200, get(leaving, "/self-service/logout/browser"), h.last},
		{"log out a browser", 2, 204, func() answer { return leaving.do(http.MethodGet, logout, nil) }, h.last},
		{"log out natively", 2, 204, func() answer {
			return h.do(http.MethodDelete, h.public+"/self-service/logout/api", map[string]string{"session_token": owner.Token})
		}, h.last},
		{"admin get", 1, 200, manage(http.MethodGet, "identities/"+owner.Identity.ID, nil), h.last},
		{"admin find by identifier", 2, 200, manage(http.MethodGet, "identities?credentials_identifier=moved@example.com", nil), h.last},
		{"admin create", 1, 201, manage(http.MethodPost, "identities", map[string]any{"schema_id": "person", "traits": email("third@example.com")}), h.last},
		{"admin delete, with 1 session", 5, 204, manage(http.MethodDelete, "identities/"+guarded, nil), h.last},
		{"send a mail", 3, 200, h.delivery(), h.last},
	}, h.codeLogin(t, over)...)
}

// secondFactor is one that an authenticator app proves, and whose it is.
func (h *house) secondFactor() (submit func() answer, id string) {
	who := withPassword("guard@example.com")
	who["credentials"].(map[string]any)["totp"] = map[string]any{"config": map[string]string{
		"totp_url": "otpauth://totp/Styx:guard?issuer=Styx&secret=" + authenticatorKey,
	}}
	id = h.create(who)
	form := h.bearing(h.enter("guard@example.com")).open("login", "?aal=aal2")
	return func() answer {
		return form.submit(map[string]string{"method": "totp", "totp_code": authenticator.Code(h.t, authenticatorKey, time.Now())})
	}, id
}

// codeLogin are the operations of somebody who signs in by a code.
func (h *house) codeLogin(t *testing.T, over kept) []operation {
	t.Helper()
	const address = "coded@example.com"
	coded := build(t, over.behind, byCode())
	coded.create(map[string]any{"traits": email(address)})
	ask := func(f form) answer { return f.submit(map[string]string{"method": "code", "identifier": address}) }
	asking, answering := coded.open("login", ""), coded.open("login", "")
	if a := ask(answering); a.State != "sent_email" {
		t.Fatalf("login by code: %v", a)
	}
	code := coded.mail(address, "login_code_valid", 1).code
	return []operation{
		{"submit a login by code: address", 3, 400, func() answer { return ask(asking) }, coded.last},
		{"submit a login by code: code", 3, 200, func() answer {
			return answering.submit(map[string]string{"method": "code", "identifier": address, "code": code})
		}, coded.last},
	}
}

// delivery is the courier's work on one message, as in production.
func (h *house) delivery() func() answer {
	a := h.server.App
	works, err := mail.New(a, a.Engine.Hooks.Programs, slog.New(slog.DiscardHandler), func(config.SMTP) (courier.Send, error) {
		return inbox.New(a.Now).Send, nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	works.Keep = false
	var waiting []struct{ ID string }
	listed := h.do(http.MethodGet, h.admin+"/admin/courier/messages?status=queued", nil)
	if err := json.Unmarshal(listed.body, &waiting); err != nil || len(waiting) == 0 {
		h.t.Fatalf("messages: %v %v", listed, err)
	}
	return func() answer {
		if _, err := works.Deliver(h.last.record(h.t.Context()), waiting[0].ID); err != nil {
			h.t.Error(err)
		}
		return answer{status: http.StatusOK}
	}
}
