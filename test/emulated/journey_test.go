//go:build emulated

package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"styx/test/authenticator"
)

var (
	code = regexp.MustCompile(`(?m)^\d{6}$`)
	link = regexp.MustCompile(`https://\S+`)
)

// TestABrowserSignsUpProvesItsAddressAndComesBack is somebody's whole life with
// pages and cookies.
func TestABrowserSignsUpProvesItsAddressAndComesBack(t *testing.T) {
	d := deployed(t)
	email := somebody("browser")
	b := d.browser(t)
	json := b.with("Accept", "application/json")

	signUp := b.opens("registration", "")
	done := b.sends(signUp, map[string]string{"method": "password", "password": password, "traits.email": email})
	done.lands(t, "https://shop.example.test/welcome")
	var cookies []string
	for _, cookie := range done.header.Values("Set-Cookie") {
		cookies = append(cookies, cookie)
		for _, want := range []string{"__Host-", "; Secure", "; HttpOnly", "; Path=/", "; SameSite="} {
			if !strings.Contains(cookie, want) || strings.Contains(cookie, "; Domain=") {
				t.Errorf("the cookie %s lacks %s, or has a domain", cookie, want)
			}
		}
	}
	if len(cookies) == 0 {
		t.Fatal("no cookie")
	}
	me := json.wants(http.StatusOK, http.MethodGet, "/sessions/whoami", nil)
	if me.Identity.Traits.Email != email || me.AAL != "aal1" || me.Identity.Addresses[0].Verified {
		t.Fatalf("whoami: %s", me)
	}

	// Who is signed in has nobody to sign up.
	b.wants(http.StatusSeeOther, http.MethodGet, "/self-service/registration/browser", nil).lands(t, "https://shop.example.test/welcome")

	// The mail's link leads to the page that has the code, so that nobody who only
	// looks at links has used it.
	mail := d.mail(t, email, 1)
	followed := b.wants(http.StatusSeeOther, http.MethodGet, link.FindString(mail.BodyText), nil)
	followed.lands(t, public+"/ui/verification?flow=")
	_, id, _ := strings.Cut(followed.header.Get("Location"), "?flow=")
	page := b.reads("verification", id)
	b.sends(page, map[string]string{"method": "code", "code": page.node(t, "code").Attributes.Value.(string)})
	if me = json.wants(http.StatusOK, http.MethodGet, "/sessions/whoami", nil); !me.Identity.Addresses[0].Verified {
		t.Fatalf("the address is not verified: %s", me)
	}

	// Traits, then a second factor of each kind.
	settings := b.opens("settings", "")
	b.sends(settings, map[string]string{"method": "profile", "traits.email": email, "traits.name": "Bea"})
	if me = json.wants(http.StatusOK, http.MethodGet, "/sessions/whoami", nil); me.Identity.Traits.Name != "Bea" {
		t.Fatalf("the name is not kept: %s", me)
	}
	settings = b.opens("settings", "")
	key := settings.node(t, "totp_secret_key").Attributes.Text.Text
	began := time.Now()
	b.sends(settings, map[string]string{"method": "totp", "totp_code": authenticator.Code(t, key, began)})
	settings = b.opens("settings", "")
	settings.node(t, "totp_unlink")
	b.sends(settings, map[string]string{"method": "lookup_secret", "lookup_secret_regenerate": "true"})
	settings = b.reads("settings", settings.ID)
	secrets := settings.node(t, "lookup_secret_codes").Attributes.Text.Context.Secrets
	b.sends(settings, map[string]string{"method": "lookup_secret", "lookup_secret_confirm": "true"})

	out := json.wants(http.StatusOK, http.MethodGet, "/self-service/logout/browser", nil)
	b.wants(http.StatusSeeOther, http.MethodGet, out.LogoutURL, nil)
	json.wants(http.StatusUnauthorized, http.MethodGet, "/sessions/whoami", nil)

	// Back with each.
	for _, second := range []map[string]string{
		// One code is good once: the next.
		{"method": "totp", "totp_code": authenticator.Code(t, key, began.Add(30*time.Second))},
		{"method": "lookup_secret", "lookup_secret": secrets[2].Text},
	} {
		b := d.browser(t)
		b.sends(b.opens("login", ""), map[string]string{"method": "password", "identifier": email, "password": password})
		b.sends(b.opens("login", "?aal=aal2"), second).lands(t, "https://shop.example.test/welcome")
		me := b.with("Accept", "application/json").wants(http.StatusOK, http.MethodGet, "/sessions/whoami", nil)
		if me.AAL != "aal2" {
			t.Errorf("by %s: %s", second["method"], me)
		}
	}
}

// TestSomebodyRecoversByACode is who forgot the password, in a browser.
func TestSomebodyRecoversByACode(t *testing.T) {
	d := deployed(t)
	email := somebody("forgetful")
	d.registers(t, email)
	d.mail(t, email, 1)
	b := d.browser(t)
	recovery := b.opens("recovery", "")
	b.sends(recovery, map[string]string{"method": "code", "email": email})
	mail := d.mail(t, email, 2)
	recovery = b.reads("recovery", recovery.ID)
	sent := b.sends(recovery, map[string]string{"method": "code", "code": code.FindString(mail.BodyText)})
	sent.lands(t, public+"/ui/settings?flow=")
	_, id, _ := strings.Cut(sent.header.Get("Location"), "?flow=")
	b.sends(b.reads("settings", id), map[string]string{"method": "password", "password": "harbour nine violet stone"})

	a := d.app(t)
	flow := a.starts("login", "")
	a.wants(http.StatusBadRequest, http.MethodPost, flow.UI.Action, map[string]string{"method": "password", "identifier": email, "password": password})
	a.wants(http.StatusOK, http.MethodPost, flow.UI.Action, map[string]string{"method": "password", "identifier": email, "password": "harbour nine violet stone"})
}

// registers signs up by an app and returns its session token and identity.
func (d *deployment) registers(t *testing.T, email string) (token, identity string) {
	t.Helper()
	a := d.app(t)
	flow := a.starts("registration", "")
	done := a.wants(http.StatusOK, http.MethodPost, flow.UI.Action, map[string]any{
		"method": "password", "password": password, "traits": map[string]string{"email": email},
	})
	return done.Token, done.Identity.ID
}

// TestAnAppSignsUpAndOut is a native app with tokens.
func TestAnAppSignsUpAndOut(t *testing.T) {
	d := deployed(t)
	email := somebody("app")
	phone, _ := d.registers(t, email)
	a := d.app(t)
	mine := a.with("X-Session-Token", phone)

	// The code that the mail has, in a flow of one's own.
	d.mail(t, email, 1)
	flow := a.starts("verification", "")
	flow = a.wants(http.StatusOK, http.MethodPost, flow.UI.Action, map[string]string{"method": "code", "email": email})
	mail := d.mail(t, email, 2)
	flow = a.wants(http.StatusOK, http.MethodPost, flow.UI.Action, map[string]string{"method": "code", "code": code.FindString(mail.BodyText)})
	if flow.State != "passed_challenge" {
		t.Fatalf("verification: %s", flow)
	}

	login := a.starts("login", "")
	laptop := a.wants(http.StatusOK, http.MethodPost, login.UI.Action, map[string]string{
		"method": "password", "identifier": email, "password": password,
	})
	settings := mine.starts("settings", "")
	mine.wants(http.StatusOK, http.MethodPost, settings.UI.Action, map[string]any{
		"method": "profile", "traits": map[string]string{"email": email, "name": "Ann"},
	})
	if me := mine.wants(http.StatusOK, http.MethodGet, "/sessions/whoami", nil); me.Identity.Traits.Name != "Ann" || !me.Identity.Addresses[0].Verified {
		t.Fatalf("whoami: %s", me)
	}
	if list := mine.wants(http.StatusOK, http.MethodGet, "/sessions", nil); !strings.Contains(string(list.body), laptop.Session.ID) {
		t.Fatalf("the sessions lack the other one: %s", list)
	}
	mine.wants(http.StatusNoContent, http.MethodDelete, "/sessions/"+laptop.Session.ID, nil)
	a.with("X-Session-Token", laptop.Token).wants(http.StatusUnauthorized, http.MethodGet, "/sessions/whoami", nil)
	mine.wants(http.StatusNoContent, http.MethodDelete, "/self-service/logout/api", map[string]string{"session_token": phone})
	mine.wants(http.StatusUnauthorized, http.MethodGet, "/sessions/whoami", nil)
}

// TestWhatNobodyOwnsIsAnsweredAsItShould are the routes beside the flows, and
// what is none.
func TestWhatNobodyOwnsIsAnsweredAsItShould(t *testing.T) {
	d := deployed(t)
	a := d.app(t)
	a.wants(http.StatusOK, http.MethodGet, "/health/ready", nil)
	a.wants(http.StatusOK, http.MethodGet, "/schemas", nil)
	a.wants(http.StatusNotFound, http.MethodGet, "/nowhere", nil)
	a.wants(http.StatusNotFound, http.MethodGet, "/self-service/login/flows?id=00000000-0000-4000-8000-000000000000", nil)
	// Of the admin API it knows where that is said to be, and hands nothing on.
	a.wants(http.StatusTemporaryRedirect, http.MethodGet, "/admin/identities", nil).lands(t, "https://127.0.0.1:4434/admin/")
	refused := a.wants(http.StatusMethodNotAllowed, http.MethodPatch, "/self-service/login", nil)
	if refused.header.Get("Allow") == "" {
		t.Errorf("405 without Allow: %v", refused.header)
	}
	// A function answers HEAD as GET, without the body.
	if head := a.wants(http.StatusOK, http.MethodHead, "/schemas", nil); len(head.body) > 0 || head.header.Get("Content-Type") == "" {
		t.Errorf("HEAD: %v %s", head.header, head)
	}
	// An error that a page was sent to, by its id.
	b := d.browser(t)
	b.wants(http.StatusSeeOther, http.MethodGet, "/self-service/settings/browser", nil).lands(t, public+"/self-service/login/browser")
	sent := b.wants(http.StatusSeeOther, http.MethodGet, "/self-service/logout?token=none", nil)
	_, id, found := strings.Cut(sent.header.Get("Location"), "/ui/error?id=")
	if !found {
		t.Fatalf("no error page: %v", sent.header)
	}
	if said := a.wants(http.StatusOK, http.MethodGet, "/self-service/errors?id="+id, nil); said.ID != id {
		t.Errorf("the error is %s", said)
	}
}

// TestOnlyTheNamedOriginsMayAsk: no gateway answers a preflight, the functions
// do, as the configuration says.
func TestOnlyTheNamedOriginsMayAsk(t *testing.T) {
	d := deployed(t)
	for origin, allowed := range map[string]bool{"https://shop.example.test": true, "https://evil.example.test": false} {
		c := d.app(t).with("Origin", origin).with("Access-Control-Request-Method", "POST")
		said := c.do(http.MethodOptions, "/self-service/login", nil)
		if got := said.header.Get("Access-Control-Allow-Origin"); (got == origin) != allowed {
			t.Errorf("%s: %s %v", origin, said, said.header)
		}
		asked := d.app(t).with("Origin", origin).do(http.MethodGet, "/self-service/login/api", nil)
		if got := asked.header.Get("Access-Control-Allow-Origin"); (got == origin) != allowed {
			t.Errorf("%s: %s %v", origin, asked, asked.header)
		}
	}
}
