package proofs

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"styx/internal/identity"
	"styx/internal/table"
)

// TestRevokingOthersAtOnce lets twenty sessions of one identity revoke all
// others at once, while as many logins make new ones. One comes first; those it
// revoked revoke nothing any more.
func TestRevokingOthersAtOnce(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			h := build(t, b.open(t))
			const each = 20
			tokens := []string{h.join("owner@example.com").Token}
			for len(tokens) < each {
				tokens = append(tokens, h.enter("owner@example.com"))
			}
			actions := [each]string{}
			for i := range actions {
				actions[i] = h.flow("login")
			}
			var revoked, entered [each]answer
			atOnce(2*each, func(i int) {
				if i < each {
					revoked[i] = h.bearing(tokens[i]).do(http.MethodDelete, h.public+"/sessions", nil)
				} else {
					entered[i-each] = h.signIn(actions[i-each], "owner@example.com", password)
				}
			})

			survivor := ""
			for i, a := range revoked {
				switch a.status {
				case http.StatusOK:
					if survivor != "" {
						t.Error("two sessions revoked each other and both were told so")
					}
					survivor = tokens[i]
				case http.StatusUnauthorized: // another one was first
				default:
					t.Errorf("revoking others: %v", a)
				}
			}
			live := map[string]bool{}
			for _, token := range tokens {
				a := h.whoami(token)
				if (a.status == http.StatusOK) != (token == survivor) {
					t.Errorf("of all that revoked others, the one that was first has to live, alone: %d", a.status)
				}
			}
			for _, a := range entered {
				if a.status != http.StatusOK {
					t.Errorf("login meanwhile: %v", a)
				}
				if me := h.whoami(a.Token); me.status == http.StatusOK {
					live[a.Session.ID] = true
				} else if me.status != http.StatusUnauthorized {
					t.Errorf("whoami of a login meanwhile: %v", me)
				}
			}
			if survivor == "" {
				t.Fatal("nobody revoked the others")
			}

			last := h.bearing(survivor)
			if listed := last.sessions(); len(listed) != len(live) || slices.ContainsFunc(listed, func(id string) bool { return !live[id] }) {
				t.Errorf("%d sessions are listed, %d are alive", len(listed), len(live))
			}
			if a := last.do(http.MethodDelete, h.public+"/sessions", nil); a.status != http.StatusOK {
				t.Errorf("revoking all others: %v", a)
			}
			for _, a := range entered {
				if me := h.whoami(a.Token); me.status != http.StatusUnauthorized {
					t.Errorf("a session that was revoked: %v", me)
				}
			}
			if a := h.whoami(survivor); a.status != http.StatusOK {
				t.Errorf("the survivor: %v", a)
			}
		})
	}
}

// sessions are the ids of the caller's other sessions.
func (c *client) sessions() []string {
	c.t.Helper()
	var ids []string
	for _, one := range c.list(c.public + "/sessions") {
		ids = append(ids, one.ID)
	}
	return ids
}

func TestDeletedIdentityHasNoSession(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			h := build(t, b.open(t))
			gone, stays := h.join("gone@example.com"), h.join("stays@example.com")
			tokens := []string{gone.Token, h.enter("gone@example.com"), h.enter("gone@example.com")}
			actions := [10]string{}
			for i := range actions {
				actions[i] = h.flow("login")
			}
			var entered [len(actions)]answer
			atOnce(len(actions)+1, func(i int) {
				if i == len(actions) {
					a := h.do(http.MethodDelete, h.admin+"/admin/identities/"+gone.Identity.ID, nil)
					if a.status != http.StatusNoContent {
						t.Errorf("deletion: %v", a)
					}
					return
				}
				entered[i] = h.signIn(actions[i], "gone@example.com", password)
			})
			for _, a := range entered {
				if a.status == http.StatusOK {
					tokens = append(tokens, a.Token)
				} else if a.status != http.StatusBadRequest || !a.says(wrongCredentials) {
					t.Errorf("login meanwhile: %v", a)
				}
			}
			for _, token := range tokens {
				if a := h.whoami(token); a.status != http.StatusUnauthorized {
					t.Errorf("session of a deleted identity: %v", a)
				}
			}
			if a := h.whoami(stays.Token); a.status != http.StatusOK {
				t.Errorf("somebody else's session: %v", a)
			}
			if again := h.join("gone@example.com"); again.Identity.ID == gone.Identity.ID {
				t.Error("the address is registered again and leads to the deleted identity")
			}
			for _, token := range tokens {
				if a := h.whoami(token); a.status != http.StatusUnauthorized {
					t.Errorf("session of a deleted identity whose address came back: %v", a)
				}
			}
		})
	}
}

func TestInactiveIdentityHasToWait(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			h := build(t, b.open(t))
			owner := h.join("owner@example.com")
			signedIn := h.browser("application/json")
			if a := signedIn.open("login", "").login("owner@example.com", password); a.status != http.StatusOK {
				t.Fatalf("login of a browser: %v", a)
			}
			for _, step := range []struct {
				state  identity.State
				status int
			}{
				{identity.Inactive, http.StatusUnauthorized},
				{identity.Active, http.StatusOK},
				{identity.Inactive, http.StatusUnauthorized},
			} {
				h.set(owner.Identity.ID, step.state)
				for name, c := range map[string]*client{"token": h.bearing(owner.Token), "cookie": signedIn} {
					for _, path := range []string{"/sessions/whoami", "/sessions"} {
						if a := c.do(http.MethodGet, h.public+path, nil); a.status != step.status {
							t.Errorf("%s of a %s identity by %s: want %d: %v", path, step.state, name, step.status, a)
						}
					}
				}
			}
			if a := h.bearing(owner.Token).do(http.MethodDelete, h.public+"/sessions", nil); a.status != http.StatusUnauthorized {
				t.Errorf("revoking others: %v", a)
			}
		})
	}
}

// set gives an identity a state.
func (h *house) set(id string, state identity.State) {
	h.t.Helper()
	records := h.server.App.Engine.Store
	who, err := records.Identity(h.t.Context(), id)
	if err == nil {
		err = records.Upgrade(h.t.Context(), who, func(who *identity.Identity) { who.SetState(state, time.Now()) })
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// overtaken is a table on which something happens just before the next write
// that changes two items or more.
type overtaken struct {
	table.Table

	by atomic.Pointer[func()]
}

func (o *overtaken) Write(ctx context.Context, ops ...table.Op) error {
	if len(ops) > 1 {
		if happens := o.by.Swap(nil); happens != nil {
			(*happens)()
		}
	}
	return o.Table.Write(ctx, ops...)
}

// TestRevokedMeanwhileRevokesNobody revokes a session while it is itself about
// to revoke all others: it comes too late.
func TestRevokedMeanwhileRevokesNobody(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			over := b.open(t)
			seam := &overtaken{Table: over}
			h := build(t, seam)
			first, late := h.join("owner@example.com").Token, h.enter("owner@example.com")
			revoke := func(token string) answer {
				return h.bearing(token).do(http.MethodDelete, h.public+"/sessions", nil)
			}
			meanwhile := func() {
				if a := revoke(first); a.status != http.StatusOK {
					t.Errorf("the first: %v", a)
				}
			}
			seam.by.Store(&meanwhile)
			if a := revoke(late); a.status != http.StatusUnauthorized {
				t.Errorf("revoking others by a session that was revoked meanwhile: want 401: %v", a)
			}
			if a := h.whoami(late); a.status != http.StatusUnauthorized {
				t.Errorf("the revoked session: want 401: %v", a)
			}
			if a := h.whoami(first); a.status != http.StatusOK {
				t.Errorf("the session that revoked it: want 200: %v", a)
			}
		})
	}
}
