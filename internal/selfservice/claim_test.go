package selfservice_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"styx/internal/identity"
	"styx/internal/selfservice"
)

// TestPasswordIsOfWhoWasNamed, and not of whom the flow sent a code to: a name of
// nothing but marks that are dropped names nobody, however often it is tried.
func TestPasswordIsOfWhoWasNamed(t *testing.T) {
	h := open(t, byCode())
	h.mailbox(t)
	h.client(api).signUp(t, ann)
	for _, name := range []string{" ", "\u200b", "\u00a0"} {
		c := h.client(api)
		id := c.asksCode(t, "", ann)
		a := c.submit(t, "login", id, fields{"method": "password", "identifier": name, "password": password})
		if a.Code != http.StatusBadRequest {
			t.Errorf("%q with the password of whom the code is for: answered %d %s", name, a.Code, a.Body)
		}
	}
}

// TestMailIsCountedHoweverItIsAsked: what else a submission holds, and which
// method it would be for as well, brings no message that is not paid for.
func TestMailIsCountedHoweverItIsAsked(t *testing.T) {
	for _, kind := range provings {
		h, box := proving(t, "link")
		h.client(api).signUp(t, ann)
		c := h.client(api)
		id := c.asked(t, kind, "link", ann)
		before, _ := box.counts()
		for range 20 {
			c.submit(t, kind, id, fields{"email": ann, "code": "123456"})
		}
		if after, _ := box.counts(); after-before > 11 {
			t.Errorf("%s: %d further messages", kind, after-before)
		}
	}
}

// TestChosenAddressIsCounted, whatever the person said of themselves before.
func TestChosenAddressIsCounted(t *testing.T) {
	_, box, c, _ := lost(t, api, chooseAddress, `selfservice: {flows: {recovery: {notify_unknown_recipients: true}}}`)
	id := c.start(t, "recovery", "")
	before, _ := box.counts()
	for at := range 20 {
		c.submit(t, "recovery", id, fields{
			"method": "code", "recovery_address": string(rune('a'+at)) + "@example.com", "recovery_confirm_address": "victim@example.org",
		})
	}
	if after, _ := box.counts(); after-before > 12 {
		t.Errorf("%d messages to one address", after-before)
	}
}

// TestHeldAddressIsItselfProved: another address of the same person, which is
// proved already, does not stand for it.
func TestHeldAddressIsItselfProved(t *testing.T) {
	const holds = `selfservice: {flows: {settings: {after: {profile: {hooks: [{hook: verify_new_address}]}}}}}`
	for _, by := range []string{"code", "link"} {
		h := open(t, changing, holds, map[string]string{"code": "{}", "link": byLink}[by])
		box := h.mailbox(t)
		c := h.client(api)
		mine := c.signUp(t, ann)
		h.change(t, mine.Identity.ID, func(who *identity.Identity) {
			who.Traits = []byte(`{"email":"ann@example.org","other":"own@example.org"}`)
			rules, err := h.Schemas.Rules(t.Context(), "person")
			if err == nil {
				err = rules.Apply(who, h.Now(), h.Rand)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		a, _ := c.save(t, c.start(t, "settings", ""), fields{"method": "profile", "traits.email": "boss@example.org", "traits.other": "own@example.org"})
		verification := a.flow(t).ContinueWith[0].Flow.ID
		c.submit(t, "verification", verification, fields{"method": by, "email": "own@example.org"})
		if last := box.last(t); last.To == "own@example.org" {
			if by == "code" {
				c.submit(t, "verification", verification, fields{"method": "code", "code": last.Code})
			} else {
				h.client(html).ask(t, http.MethodGet, parsed(t, last.URL).RequestURI())
			}
		}
		if after := h.stored(t, mine.Identity.ID); after.Verifiable("email", "boss@example.org") != nil {
			t.Errorf("by %s: stored is %+v", by, after.VerifiableAddresses)
		}
	}
}

// TestAddressesOfSettingsAreCounted: a change of address sends a message too, and
// a code that may be guessed at.
func TestAddressesOfSettingsAreCounted(t *testing.T) {
	const holds = `selfservice: {flows: {settings: {after: {profile: {hooks: [{hook: verify_new_address}]}}}}}`
	for _, more := range []string{"{}", holds} {
		h := open(t, changing, more)
		box := h.mailbox(t)
		c := h.client(api)
		c.signUp(t, ann)
		sent := 0
		for range 15 {
			for _, other := range []string{"victim@example.org", ""} {
				c.submit(t, "settings", c.start(t, "settings", ""), fields{"method": "profile", "traits.email": ann, "traits.other": other})
			}
		}
		for _, one := range box.all() {
			if one.To == "victim@example.org" {
				sent++
			}
		}
		if sent > 12 {
			t.Errorf("%s: %d messages to one address", more, sent)
		}
	}
}

// TestUnaskedMailEndsQuietly: whoever signs in again and again still signs in, or
// is still held back, when nothing more is sent.
func TestUnaskedMailEndsQuietly(t *testing.T) {
	for hook, last := range map[string]int{"verification": http.StatusOK, "require_verified_address": http.StatusBadRequest} {
		h := open(t, verifying, "selfservice: {flows: {login: {after: {password: {hooks: [{hook: "+hook+"}]}}}}}")
		h.client(api).signUp(t, ann) // which sends one, too
		box := h.mailbox(t)
		code := 0
		for range 15 {
			code = h.client(api).tryIn(t, ann, password, "").Code
		}
		if sent, _ := box.counts(); sent != 11 || code != last {
			t.Errorf("%s: %d messages, then answered %d", hook, sent, code)
		}
		// Which does not count as asked for.
		c := h.client(api)
		c.asked(t, "verification", "code", ann)
	}
}

// TestHandedOverIsOfItsOwner, whoever else is named beside it: what an
// administrator hands over carries no address that would tell.
func TestHandedOverIsOfItsOwner(t *testing.T) {
	for _, method := range []string{"link", "code"} {
		h, _ := proving(t, method)
		mine := h.client(api).signUp(t, ann)
		h.client(api).signUp(t, eve)
		for _, verb := range []string{http.MethodGet, http.MethodPost} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/admin/recovery", nil)
			handed, err := h.HandOver(r, selfservice.HandOver{By: method, Type: "browser", Who: h.stored(t, mine.Identity.ID), Life: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			sent := url.Values{map[string]string{"link": "token", "code": "code"}[method]: {handed.Secret}, "email": {eve}}
			c := h.client(html)
			if verb == http.MethodGet {
				sent.Set("flow", handed.Flow.ID)
				c.ask(t, verb, "/self-service/recovery?"+sent.Encode())
			} else {
				c.post(t, "recovery", handed.Flow.ID, "application/x-www-form-urlencoded", sent.Encode())
			}
			w := c.ask(t, http.MethodGet, "/sessions/whoami")
			if strings.Contains(w.Body.String(), eve) {
				t.Errorf("%s by %s: it signs in as somebody else", method, verb)
			}
		}
	}
}
