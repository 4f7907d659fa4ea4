package proofs

import (
	"net/http"
	"testing"
)

// TestRoundTrips holds every request to the waits it may cost (see
// docs/ARCHITECTURE.md). The tally of the seam counts them, and where a proxy
// stands before the table it has to agree.
func TestRoundTrips(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			over := b.open(t)
			h := build(t, over.behind)
			owner := h.join("owner@example.com")
			get := func(c *client, path string) func() answer {
				return func() answer { return c.do(http.MethodGet, c.public+path, nil) }
			}
			native, script := h.bearing(owner.Token), h.browser("application/json")
			signUp, signIn, wrong := h.flow("registration"), h.flow("login"), h.flow("login")
			refresh := native.do(http.MethodGet, h.public+"/self-service/login/api?refresh=true", nil).UI.Action
			h.create(withPassword("known@example.com"))
			codes := map[string]func() answer{}
			for kind := range codeMail {
				id, code := h.awaiting(kind, "known@example.com")
				codes[kind] = func() answer { return h.guess(kind, id, code) }
				codes["wrong "+kind] = func() answer { return h.guess(kind, id, "x"+code) }
			}
			send := func(c *client, kind string, fields map[string]string) func() answer {
				form := c.open(kind, "")
				return func() answer { return form.submit(fields) }
			}
			signedIn := h.browser("application/json")
			if a := signedIn.open("login", "").login("known@example.com", password); a.status != http.StatusOK {
				t.Fatalf("login of a browser: %v", a)
			}
			known, nobody := map[string]string{"method": "code", "email": "known@example.com"}, map[string]string{"method": "code", "email": "nobody@example.com"}
			for _, op := range []struct {
				name   string
				most   int
				status int
				do     func() answer
			}{
				{"start a native login", 1, 200, get(h.client, "/self-service/login/api")},
				{"start a browser's login", 1, 200, get(script, "/self-service/login/browser")},
				{"start a page's login", 1, 303, get(h.browser("text/html"), "/self-service/login/browser")},
				{"start a login with a session", 2, 200, get(native, "/self-service/login/api?refresh=true")},
				{"start a native registration", 1, 200, get(h.client, "/self-service/registration/api")},
				{"start a browser's registration", 1, 200, get(h.browser("application/json"), "/self-service/registration/browser")},
				{"submit a registration", 2, 200, func() answer { return h.signUp(signUp, "second@example.com", password) }},
				{"submit a login", 3, 200, func() answer { return h.signIn(signIn, "owner@example.com", password) }},
				{"submit a login with a wrong password", 3, 400, func() answer { return h.signIn(wrong, "owner@example.com", "harbour nine violet stone") }},
				{"submit a login with a session", 3, 200, func() answer { return native.signIn(refresh, "owner@example.com", password) }},
				{"start native settings", 2, 200, get(native, "/self-service/settings/api")},
				{"start a browser's settings", 2, 200, get(signedIn, "/self-service/settings/browser")},
				{"submit settings: traits", 2, 200, send(native, "settings", map[string]string{"method": "profile", "traits.email": "owner@example.com", "traits.name": "An Owner"})},
				{"submit settings: a new address", 2, 200, send(native, "settings", map[string]string{"method": "profile", "traits.email": "moved@example.com"})},
				{"submit settings: a password", 2, 200, send(native, "settings", map[string]string{"method": "password", "password": password + " anew"})},
				{"submit a browser's settings", 2, 200, send(signedIn, "settings", map[string]string{"method": "password", "password": password + " anew"})},
				{"submit settings: what is refused", 2, 400, send(native, "settings", map[string]string{"method": "password", "password": "short"})},
				{"start a native recovery", 1, 200, get(h.client, "/self-service/recovery/api")},
				{"start a browser's recovery", 1, 200, get(h.browser("application/json"), "/self-service/recovery/browser")},
				{"submit a recovery: address", 3, 200, send(h.client, "recovery", known)},
				{"submit a recovery: nobody's address", 3, 200, send(h.client, "recovery", nobody)},
				{"submit a recovery: wrong code", 3, 200, codes["wrong recovery"]},
				{"submit a recovery: code", 3, 200, codes["recovery"]},
				{"start a native verification", 1, 200, get(h.client, "/self-service/verification/api")},
				{"start a browser's verification", 1, 200, get(h.browser("application/json"), "/self-service/verification/browser")},
				{"submit a verification: address", 3, 200, send(h.client, "verification", known)},
				{"submit a verification: nobody's address", 3, 200, send(h.client, "verification", nobody)},
				{"submit a verification: wrong code", 3, 200, codes["wrong verification"]},
				{"submit a verification: code", 3, 200, codes["verification"]},
				{"whoami", 1, 200, get(native, "/sessions/whoami")},
				{"whoami of nobody", 0, 401, get(h.client, "/sessions/whoami")},
				{"admin get", 1, 200, func() answer {
					return h.do(http.MethodGet, h.admin+"/admin/identities/"+owner.Identity.ID, nil)
				}},
				{"admin create", 1, 201, func() answer {
					return h.do(http.MethodPost, h.admin+"/admin/identities", map[string]any{"schema_id": "person", "traits": email("third@example.com")})
				}},
			} {
				if over.proxy != nil {
					over.proxy.Reset()
				}
				if a := op.do(); a.status != op.status {
					t.Errorf("%s: want %d: %v", op.name, op.status, a)
				}
				waits := h.roundTrips()
				if waits > op.most {
					t.Errorf("%s waits %d times for the table, at most %d are allowed:\n%s", op.name, waits, op.most, h.steps())
				}
				if over.proxy != nil && over.proxy.RoundTrips() != waits {
					t.Errorf("%s: the proxy counts %d round trips, the tally %d", op.name, over.proxy.RoundTrips(), waits)
				}
				t.Logf("%-38s %d of %d", op.name, waits, op.most)
			}
		})
	}
}
