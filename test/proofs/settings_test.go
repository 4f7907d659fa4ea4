package proofs

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"styx/internal/identity"
)

// outdated makes somebody whose password is hashed as nobody does any more, and
// returns their session token: the next login hashes it anew.
func (h *house) outdated(address string) (id, token string) {
	h.t.Helper()
	token = h.join(address).Token
	id = h.whoami(token).Identity.ID
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost+1)
	if err != nil {
		h.t.Fatal(err)
	}
	records := h.server.App.Engine.Store
	who, err := records.Identity(h.t.Context(), id)
	if err == nil {
		err = records.Upgrade(h.t.Context(), who, func(who *identity.Identity) { _ = who.SetPasswordHash(string(hash), time.Now()) })
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return id, token
}

// named are the settings that give somebody a name.
func named(address, name string) map[string]string {
	return map[string]string{"method": "profile", "traits.email": address, "traits.name": name}
}

func newPassword(password string) map[string]string {
	return map[string]string{"method": "password", "password": password}
}

// TestSettingsOvertaken changes the settings while another change is under way:
// each is stored, and of two to the same traits the later one.
func TestSettingsOvertaken(t *testing.T) {
	const address, other = "owner@example.com", password + " anew"
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			for _, row := range []struct {
				name              string
				change, meanwhile func(h *house, token string) answer
				password, called  string // what they are afterwards
			}{
				{"a password, meanwhile a name", setting(newPassword(other)), setting(named(address, "First")), other, "First"},
				{"a name, meanwhile a password", setting(named(address, "Last")), setting(newPassword(other)), other, "Last"},
				{"a name, meanwhile another", setting(named(address, "Last")), setting(named(address, "First")), password, "Last"},
				{"a password, meanwhile another", setting(newPassword(other)), setting(newPassword(wrong)), other, ""},
				{"a password, meanwhile a login", setting(newPassword(other)), login, other, ""},
				{"a name, meanwhile a login", setting(named(address, "Last")), login, password, "Last"},
				{"a login, meanwhile a name", login, setting(named(address, "First")), password, "First"},
			} {
				t.Run(row.name, func(t *testing.T) {
					seam := &overtaken{Table: b.open(t)}
					h := build(t, seam)
					id, token := h.outdated(address)
					raced := false
					meanwhile := func() {
						raced = true
						if a := row.meanwhile(h, token); a.status != http.StatusOK {
							t.Errorf("meanwhile: %v", a)
						}
					}
					seam.by.Store(&meanwhile)
					if a := row.change(h, token); a.status != http.StatusOK || !raced {
						t.Errorf("raced %v: %v", raced, a)
					}
					if me := h.whoami(token); me.Identity.Traits.Name != row.called {
						t.Errorf("the name is %q, want %q", me.Identity.Traits.Name, row.called)
					}
					h.opens(address, row.password)
					if row.password != password {
						h.refused(address, password)
					}
					if all := h.identities(); len(all) != 1 || all[0].ID != id {
						t.Errorf("there are %d identities", len(all))
					}
				})
			}
		})
	}
}

// setting submits these settings.
func setting(fields map[string]string) func(*house, string) answer {
	return func(h *house, token string) answer { return h.bearing(token).open("settings", "").submit(fields) }
}

// login signs the owner in with the usual password.
func login(h *house, _ string) answer {
	return h.signIn(h.flow("login"), "owner@example.com", password)
}

// opens and refused tell whether a password is somebody's.
func (c *client) opens(address, password string) {
	c.t.Helper()
	if a := c.signIn(c.flow("login"), address, password); a.status != http.StatusOK {
		c.t.Errorf("login with what is the password: %v", a)
	}
}

func (c *client) refused(address, password string) {
	c.t.Helper()
	if a := c.signIn(c.flow("login"), address, password); a.status != http.StatusBadRequest || !a.says(wrongCredentials) {
		c.t.Errorf("login with what is not the password: %v", a)
	}
}

// TestSettingsRace lets two changes of the settings and a login that hashes the
// password anew run into each other: all are stored, traits as one of them was.
func TestSettingsRace(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			h := build(t, b.open(t))
			for round := range 10 {
				address := fmt.Sprintf("owner%d@example.com", round)
				moved, now := "moved"+address, password
				_, token := h.outdated(address)
				submits := []map[string]string{named(address, "First"), named(moved, "Second")}
				if round%2 == 0 {
					now = password + " anew"
					submits[0] = newPassword(now)
				}
				var forms []form
				for range submits {
					forms = append(forms, h.bearing(token).open("settings", ""))
				}
				action := h.flow("login")
				atOnce(len(forms)+1, func(i int) {
					if i < len(forms) {
						if a := forms[i].submit(submits[i]); a.status != http.StatusOK {
							t.Errorf("settings: %v", a)
						}
						return
					}
					// The password or the address may have changed before.
					if a := h.signIn(action, address, password); a.status != http.StatusOK && (a.status != http.StatusBadRequest || !a.says(wrongCredentials)) {
						t.Errorf("login: %v", a)
					}
				})
				traits := h.whoami(token).Identity.Traits
				if is := traits.Name + " " + traits.Email; is != "Second "+moved && (round%2 == 0 || is != "First "+address) {
					t.Errorf("the traits are %s", is)
				}
				h.opens(traits.Email, now)
				if now != password {
					h.refused(traits.Email, password)
				}
			}
		})
	}
}

// TestParkedIsTakenUpOnce comes back many times at once for one submission that
// waited: the settings change once, and nobody is told of an error of ours.
func TestParkedIsTakenUpOnce(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			calls := receive(t, fine)
			h := build(t, b.open(t), `selfservice: {flows: {settings: {after: {hooks: [`+calls.hook(told, background)+`]}}}}`)
			page, waiting := h.park("owner@example.com", password+" at last")
			same := page.frozen()
			atOnce(20, func(int) {
				if a := same.do(http.MethodGet, waiting, nil); a.status != http.StatusSeeOther || strings.Contains(a.header.Get("Location"), "/ui/error") {
					t.Errorf("coming back: %v, to %s", a, a.header.Get("Location"))
				}
			})
			h.deliver()
			if changes := len(calls.got()); changes != 1 {
				t.Errorf("one submission changed the settings %d times", changes)
			}
			h.opens("owner@example.com", password+" at last")
			if a := page.open("settings", "").submit(newPassword(password)); a.status != http.StatusSeeOther {
				t.Errorf("another change: %v", a)
			}
			same.do(http.MethodGet, waiting, nil)
			h.opens("owner@example.com", password)
		})
	}
}

// frozen returns a client that always sends the cookies that this one has now.
func (c *client) frozen() *client {
	c.t.Helper()
	to, err := url.Parse(c.public)
	if err != nil {
		c.t.Fatal(err)
	}
	f, own := *c, *c.http
	f.http, f.headers, own.Jar = &own, c.headers.Clone(), nil
	for _, cookie := range c.http.Jar.Cookies(to) {
		f.headers.Add("Cookie", cookie.Name+"="+cookie.Value)
	}
	return &f
}
