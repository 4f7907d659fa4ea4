package selfservice_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"styx/internal/courier"
	"styx/internal/identity"
	"styx/internal/ui"
)

// changing is what settings are tested with.
const changing = verifying + `
session: {lifespan: 720h}
`

// save submits to the settings and returns the flow that the client sees then.
func (c *client) save(t *testing.T, id string, sent fields) (answer, flow) {
	t.Helper()
	a := c.submit(t, "settings", id, sent)
	return a, c.fetch(t, "settings", id).flow(t)
}

// TestSettingsChange what they say, for every kind of client.
func TestSettingsChange(t *testing.T) {
	for _, of := range kinds {
		h := open(t, changing)
		h.mailbox(t)
		c := h.client(of)
		before := c.signUp(t, "ann@example.org")
		id := c.start(t, "settings", "")
		a, f := c.save(t, id, fields{"method": "profile", "traits.email": "ann@example.org", "traits.name": "Ann"})
		if of == html && (a.Code != http.StatusSeeOther || a.location(t).String() != "https://app.example.org/settings?flow="+id) || of != html && a.Code != http.StatusOK {
			t.Errorf("%s: answered %d %s", of, a.Code, a.Header().Get("Location"))
		}
		if f.State != "success" || !slices.Equal(f.messages(), said(ui.ChangesSaved)) || f.node("traits.name").Attributes.Value != "Ann" {
			t.Errorf("%s: the flow is %s, says %v", of, f.State, f.messages())
		}
		if now := c.whoami(t); now.ID != before.ID || len(now.Methods) != 1 {
			t.Errorf("%s: the session is %+v", of, now)
		}
		// The same flow goes on, and so does the one that its form names.
		next := strings.TrimPrefix(f.UI.Action, "https://id.example.org/self-service/settings?flow=")
		for _, id := range []string{id, next} {
			if a, _ := c.save(t, id, fields{"method": "password", "password": "another tide of maple " + id}); a.Code >= http.StatusBadRequest {
				t.Errorf("%s: then %d %s", of, a.Code, a.Body)
			}
		}
	}
}

// TestSettingsKeepWhatWasTyped and tell what is wrong, at the field.
func TestSettingsKeepWhatWasTyped(t *testing.T) {
	for _, of := range kinds {
		h := open(t, changing)
		c := h.client(of)
		h.client(api).signUp(t, "eve@example.org")
		c.signUp(t, "ann@example.org")
		id := c.start(t, "settings", "")
		long := strings.Repeat("n", 30)
		f := c.again(t, "settings", c.submit(t, "settings", id, fields{"method": "profile", "traits.email": "ann@example.org", "traits.name": long}))
		if f.State != "show_form" || f.node("traits.name").Attributes.Value != long || !slices.Equal(f.messages(), said(ui.TooLong)) {
			t.Errorf("%s: %s %v %v", of, f.State, f.node("traits.name").Attributes.Value, f.messages())
		}
		f = c.again(t, "settings", c.submit(t, "settings", id, fields{"method": "profile", "traits.email": "eve@example.org"}))
		if f.node("traits.email").Attributes.Value != "eve@example.org" || !slices.Equal(f.messages(), said(ui.AccountExists)) {
			t.Errorf("%s: a name that is taken: %v %v", of, f.node("traits.email").Attributes.Value, f.messages())
		}
		if got := h.stored(t, c.whoami(t).Identity.ID); string(got.Traits) != `{"email":"ann@example.org"}` {
			t.Errorf("%s: stored are %s", of, got.Traits)
		}
	}
}

// TestOldSessionChangesNothingOfAccess until its owner has proved again who they
// are; what they submitted waits for that, once, and for nobody else.
func TestOldSessionChangesNothingOfAccess(t *testing.T) {
	for name, sent := range map[string]fields{
		"a password":        {"method": "password", "password": "another tide of maple"},
		"an address":        {"method": "profile", "traits.email": "new@example.org"},
		"another address":   {"method": "profile", "traits.email": "ann@example.org", "traits.other": "other@example.org"},
		"a removed address": {"method": "profile", "traits.email": "ann@example.org"},
	} {
		h := open(t, changing)
		h.mailbox(t)
		c := h.client(html)
		mine := c.signUp(t, "ann@example.org")
		if name == "a removed address" {
			c.save(t, c.start(t, "settings", ""), fields{"method": "profile", "traits.email": "ann@example.org", "traits.other": "other@example.org"})
		}
		before, _ := json.Marshal(h.stored(t, mine.Identity.ID))
		h.clock.pass(2 * time.Hour)
		id := c.start(t, "settings", "")
		a := c.submit(t, "settings", id, sent)
		to := a.location(t)
		if a.Code != http.StatusSeeOther || to.Path != "/self-service/login/browser" || to.Query().Get("refresh") != "true" {
			t.Fatalf("%s: answered %d %s %s", name, a.Code, to, a.Body)
		}
		if after, _ := json.Marshal(h.stored(t, mine.Identity.ID)); string(after) != string(before) {
			t.Errorf("%s was changed: %s", name, after)
		}
		back := to.Query().Get("return_to")
		// Nobody else goes on with it, whoever has the cookie.
		eve := h.client(html)
		eve.signUp(t, "eve@example.org")
		eve.jar["ory_kratos_continuity"] = c.jar["ory_kratos_continuity"]
		if a := eve.ask(t, http.MethodGet, strings.TrimPrefix(back, "https://id.example.org")); a.location(t).Path != "/error" {
			t.Errorf("%s: somebody else gets %d %s", name, a.Code, a.location(t))
		}
		login := c.ask(t, http.MethodGet, to.RequestURI())
		a = c.submit(t, "login", login.flowID(t), fields{"method": "password", "identifier": "ann@example.org", "password": password})
		if a.Code != http.StatusSeeOther || a.location(t).String() != back {
			t.Fatalf("%s: signed in again it leads to %d %s", name, a.Code, a.location(t))
		}
		a = c.ask(t, http.MethodGet, a.location(t).RequestURI())
		if f := c.fetch(t, "settings", id).flow(t); a.Code != http.StatusSeeOther || f.State != "success" {
			t.Errorf("%s: it comes back to %d, %s %v", name, a.Code, f.State, f.messages())
		}
		if after, _ := json.Marshal(h.stored(t, mine.Identity.ID)); string(after) == string(before) {
			t.Errorf("%s was not changed", name)
		}
		if _, kept := c.jar["ory_kratos_continuity"]; kept {
			t.Errorf("%s: the cookie stays", name)
		}
	}
}

// TestOldSessionTellsApps where a browser would prove who somebody is.
func TestOldSessionTellsApps(t *testing.T) {
	for _, of := range []string{api, spa} {
		h := open(t, changing)
		c := h.client(of)
		c.signUp(t, "ann@example.org")
		h.clock.pass(2 * time.Hour)
		id := c.start(t, "settings", "")
		a := c.submit(t, "settings", id, fields{"method": "password", "password": "another tide of maple"})
		if p := c.problem(t, a); a.Code != http.StatusForbidden || p.ID != "session_refresh_required" {
			t.Errorf("%s: answered %d %+v", of, a.Code, p)
		}
		// What changes no access needs no recent sign-in.
		if a, f := c.save(t, id, fields{"method": "profile", "traits.email": "ann@example.org", "traits.name": "Ann"}); a.Code != http.StatusOK || f.State != "success" {
			t.Errorf("%s: a name answers %d %v", of, a.Code, f.messages())
		}
	}
}

// TestNewAddressIsVerified: it alone, and the hook shows where.
func TestNewAddressIsVerified(t *testing.T) {
	const shows = `selfservice: {flows: {settings: {after: {profile: {hooks: [{hook: show_verification_ui}]}}}}}`
	for _, of := range kinds {
		h := open(t, changing, shows)
		box := h.mailbox(t)
		c := h.client(of)
		mine := c.signUp(t, "ann@example.org")
		who := h.stored(t, mine.Identity.ID)
		who.VerifiableAddresses[0].Verify(h.Now())
		h.change(t, who.ID, func(stored *identity.Identity) { stored.VerifiableAddresses = who.VerifiableAddresses })
		id := c.start(t, "settings", "")
		a := c.submit(t, "settings", id, fields{"method": "profile", "traits.email": "ann@example.org", "traits.other": "other@example.org"})
		after := h.stored(t, mine.Identity.ID)
		if one, two := after.Verifiable("email", "ann@example.org"), after.Verifiable("email", "other@example.org"); !one.Verified || two == nil || two.Verified || two.Status != "sent" {
			t.Errorf("%s: the addresses are %+v", of, after.VerifiableAddresses)
		}
		if sent := box.last(t); sent.To != "other@example.org" || sent.Template != courier.VerificationCodeValid {
			t.Errorf("%s: sent was %+v", of, sent)
		}
		switch of {
		case html:
			if to := a.location(t); to.Path != "/verification" {
				t.Errorf("a browser is sent to %s", to)
			}
		default:
			asked := a.flow(t).ContinueWith
			last := asked[len(asked)-1]
			if last.Action != "show_verification_ui" || last.Flow.Address != "other@example.org" || (last.Flow.URL == "") != (of == api) {
				t.Errorf("%s is asked to %+v", of, asked)
			}
		}
	}
}

// TestPreviousAddressesAreTold whom the hook says.
func TestPreviousAddressesAreTold(t *testing.T) {
	for recipients, want := range map[string][]string{
		"":                           {"ann@example.org"},
		"{recipients: removed}":      {"ann@example.org"},
		"{recipients: all_verified}": {"other@example.org"},
		"{recipients: all}":          {"ann@example.org", "other@example.org"},
	} {
		config := ""
		if recipients != "" {
			config = ", config: " + recipients
		}
		h := open(t, changing, `selfservice: {flows: {settings: {after: {profile: {hooks: [{hook: notify_previous_addresses`+config+`}]}}}}}`)
		box := h.mailbox(t)
		c := h.client(api)
		mine := c.signUp(t, "ann@example.org")
		id := c.start(t, "settings", "")
		c.save(t, id, fields{"method": "profile", "traits.email": "ann@example.org", "traits.other": "other@example.org"})
		h.change(t, mine.Identity.ID, func(who *identity.Identity) { who.Verifiable("email", "other@example.org").Verify(h.Now()) })
		told := func() []string {
			to := []string{}
			for _, l := range box.all() {
				if l.Template == courier.AddressChanged {
					to = append(to, l.To)
				}
			}
			slices.Sort(to)
			return to
		}
		if got := told(); len(got) > 0 {
			t.Errorf("%s: an address that is added tells %v", recipients, got)
		}
		c.save(t, id, fields{"method": "profile", "traits.email": "new@example.org", "traits.other": "other@example.org"})
		if got := told(); !slices.Equal(got, want) {
			t.Errorf("%s: told were %v, want %v", recipients, got, want)
		}
	}
}

// TestPasswordChangeEndsOtherSessions where a hook says so.
func TestPasswordChangeEndsOtherSessions(t *testing.T) {
	h := open(t, changing, `selfservice: {flows: {settings: {after: {password: {hooks: [{hook: revoke_active_sessions}]}}}}}`)
	other, c := h.client(api), h.client(spa)
	other.signUp(t, "ann@example.org")
	mine := c.signIn(t, "ann@example.org", "")
	if a, _ := c.save(t, c.start(t, "settings", ""), fields{"method": "password", "password": "another tide of maple"}); a.Code != http.StatusOK {
		t.Fatalf("answered %d %s", a.Code, a.Body)
	}
	if other.whoami(t).ID != "" || c.whoami(t).ID != mine.ID {
		t.Errorf("left are %q and %q", other.whoami(t).ID, c.whoami(t).ID)
	}
}

// TestNewAddressIsHeld until it is proved, where a hook says so.
func TestNewAddressIsHeld(t *testing.T) {
	const holds = `selfservice: {flows: {settings: {after: {profile: {hooks: [{hook: verify_new_address}]}}}}}`
	for _, of := range kinds {
		for _, by := range []string{"code", "link"} {
			h := open(t, changing, holds, map[string]string{"code": "{}", "link": byLink}[by])
			box := h.mailbox(t)
			c := h.client(of)
			mine := c.signUp(t, "ann@example.org")
			h.client(api).signUp(t, "eve@example.org")
			id := c.start(t, "settings", "")
			traits := func() string { return string(h.stored(t, mine.Identity.ID).Traits) }
			ask := func(email, other string) (answer, flow) {
				return c.save(t, id, fields{"method": "profile", "traits.email": email, "traits.other": other, "traits.name": "Ann"})
			}
			if _, f := ask("new@example.org", "newer@example.org"); !slices.Equal(f.messages(), said(ui.OneAddressAtATime)) {
				t.Errorf("%s: two at once: it says %v", of, f.messages())
			}
			if _, f := ask("eve@example.org", ""); !slices.Equal(f.messages(), said(ui.AccountExists)) {
				t.Errorf("%s: somebody else's: it says %v", of, f.messages())
			}
			a, _ := ask("new@example.org", "")
			verification := ""
			if of == html {
				verification = a.location(t).Query().Get("flow")
			} else {
				for _, step := range a.flow(t).ContinueWith {
					verification = step.Flow.ID
				}
			}
			if sent := box.last(t); verification == "" || sent.To != "new@example.org" || traits() != `{"email":"ann@example.org"}` {
				t.Fatalf("%s: sent to %s, stored are %s, answered %d %s", of, sent.To, traits(), a.Code, a.Body)
			}
			if by == "code" {
				// Asked again, another code is sent and nothing is stored.
				c.shown(t, c.submit(t, "verification", verification, fields{"method": "code", "email": "new@example.org"}))
				if traits() != `{"email":"ann@example.org"}` {
					t.Errorf("%s: asking again stored %s", of, traits())
				}
				c.shown(t, c.submit(t, "verification", verification, fields{"method": "code", "code": box.last(t).Code}))
			} else {
				link, err := url.Parse(box.last(t).URL)
				if err != nil {
					t.Fatal(err)
				}
				h.client(html).ask(t, http.MethodGet, link.RequestURI())
			}
			after := h.stored(t, mine.Identity.ID)
			if address := after.Verifiable("email", "new@example.org"); traits() != `{"email":"new@example.org","name":"Ann"}` || address == nil || !address.Verified {
				t.Errorf("%s by %s: stored are %s, %+v", of, by, traits(), after.VerifiableAddresses)
			}
			h.client(api).signIn(t, "new@example.org", "")
		}
	}
}

// TestHeldAddressIsGivenUp when its session ended, or the traits changed.
func TestHeldAddressIsGivenUp(t *testing.T) {
	const holds = `selfservice: {flows: {settings: {after: {profile: {hooks: [{hook: verify_new_address}]}}}}}`
	for what, happens := range map[string]func(t *testing.T, c *client, mine sessionView){
		"the session ended": func(t *testing.T, c *client, mine sessionView) {
			t.Helper()
			if err := c.Store.Revoke(t.Context(), mine.Identity.ID, mine.ID); err != nil {
				t.Fatal(err)
			}
		},
		"the traits changed": func(t *testing.T, c *client, _ sessionView) {
			t.Helper()
			c.save(t, c.start(t, "settings", ""), fields{"method": "profile", "traits.email": "ann@example.org", "traits.name": "Nan"})
		},
	} {
		h := open(t, changing, holds)
		box := h.mailbox(t)
		c := h.client(api)
		mine := c.signUp(t, "ann@example.org")
		a, _ := c.save(t, c.start(t, "settings", ""), fields{"method": "profile", "traits.email": "new@example.org"})
		verification, code := a.flow(t).ContinueWith[0].Flow.ID, box.last(t).Code
		happens(t, c, mine)
		f := c.shown(t, c.submit(t, "verification", verification, fields{"method": "code", "code": code}))
		if !slices.Equal(f.messages(), said(ui.VerificationCodeInvalid)) || h.stored(t, mine.Identity.ID).Verifiable("email", "new@example.org") != nil {
			t.Errorf("%s: it says %v, stored is %s", what, f.messages(), h.stored(t, mine.Identity.ID).Traits)
		}
	}
}

// problemIs checks that an answer refuses, with that status and id.
func (c *client) problemIs(tb testing.TB, what string, a answer, code int, id string) {
	tb.Helper()
	if p := c.problem(tb, a); p.Code != code || p.ID != id {
		tb.Errorf("%s: want %d %q: %d %+v", what, code, id, a.Code, p)
	}
}

// TestParkedBelongsToItsSender: what waits for a sign-in is taken up by the
// browser and the person who sent it, in the flow that it was sent to.
func TestParkedBelongsToItsSender(t *testing.T) {
	for name, take := range map[string]func(t *testing.T, ann, eve *client, id string){
		"another browser of the same person": func(t *testing.T, ann, _ *client, id string) {
			t.Helper()
			other := ann.client(html)
			other.signIn(t, "ann@example.org", "")
			other.ask(t, http.MethodGet, "/self-service/settings?flow="+id)
		},
		"somebody else with the cookie": func(t *testing.T, ann, eve *client, id string) {
			t.Helper()
			eve.jar["ory_kratos_continuity"] = ann.jar["ory_kratos_continuity"]
			eve.ask(t, http.MethodGet, "/self-service/settings?flow="+id)
			eve.ask(t, http.MethodGet, "/self-service/settings?flow="+eve.start(t, "settings", ""))
		},
		"another flow": func(t *testing.T, ann, _ *client, _ string) {
			t.Helper()
			kept := ann.jar["ory_kratos_continuity"]
			other := ann.start(t, "settings", "")
			ann.signIn(t, "ann@example.org", "refresh=true")
			ann.jar["ory_kratos_continuity"] = kept
			ann.ask(t, http.MethodGet, "/self-service/settings?flow="+other)
		},
		"too late": func(t *testing.T, ann, _ *client, id string) {
			t.Helper()
			ann.clock.pass(16 * time.Minute)
			ann.signIn(t, "ann@example.org", "refresh=true")
			ann.ask(t, http.MethodGet, "/self-service/settings?flow="+id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			ann, eve := h.client(html), h.client(html)
			anns, eves := ann.signUp(t, "ann@example.org").Identity.ID, eve.signUp(t, "eve@example.org").Identity.ID
			h.clock.pass(2 * time.Hour)
			id := ann.start(t, "settings", "")
			ann.submit(t, "settings", id, fields{"method": "password", "password": password + " anew"})
			if ann.jar["ory_kratos_continuity"] == "" {
				t.Fatal("nothing waits")
			}
			eve.signIn(t, "eve@example.org", "refresh=true")
			before := []string{h.stored(t, anns).PasswordHash(), h.stored(t, eves).PasswordHash()}
			take(t, ann, eve, id)
			for i, who := range []string{anns, eves} {
				if h.stored(t, who).PasswordHash() != before[i] {
					t.Errorf("the password of %d was changed", i)
				}
			}
		})
	}
}

// TestForeignSettings are reached by their owner alone, from the owner's browser.
func TestForeignSettings(t *testing.T) {
	for _, of := range kinds {
		h := open(t)
		mine, theirs, bare := h.client(of), h.client(of), h.client(of)
		ann := mine.signUp(t, "ann@example.org").Identity.ID
		theirs.signUp(t, "eve@example.org")
		id, own := mine.start(t, "settings", ""), theirs.start(t, "settings", "")
		before := h.stored(t, ann).V
		change := func(token string) fields {
			return fields{"method": "password", "password": password + " of eve", "csrf_token": token}
		}
		theirs.problemIs(t, of+": another's settings", theirs.submit(t, "settings", id, change(theirs.csrf(t, "settings", own))), http.StatusForbidden, "security_identity_mismatch")
		if a := theirs.fetch(t, "settings", id); a.Code != http.StatusForbidden {
			t.Errorf("%s: another reads the settings: %d", of, a.Code)
		}
		if a := bare.fetch(t, "settings", id); a.Code != http.StatusUnauthorized {
			t.Errorf("%s: nobody reads the settings: %d", of, a.Code)
		}
		if a := bare.submit(t, "settings", id, change("")); of != html && a.Code != http.StatusUnauthorized || of == html && a.location(t).Path != "/login" {
			t.Errorf("%s: nobody changes the settings: %d %s", of, a.Code, a.Body)
		}
		if of == api {
			for name, value := range map[string]string{"Origin": "https://evil.example", "Cookie": "a=b"} {
				r := mine.request(t, http.MethodPost, "/self-service/settings?flow="+id, "application/json", `{"method":"password","password":"`+password+` of eve"}`)
				r.Header.Set(name, value)
				if a := mine.send(r); a.Code != http.StatusBadRequest || !strings.Contains(a.Body.String(), name) {
					t.Errorf("%s is answered %d %s", name, a.Code, a.Body)
				}
			}
		} else {
			for name, token := range map[string]string{"no token": "", "another's token": theirs.csrf(t, "settings", own), "a made-up token": strings.Repeat("A", 88)} {
				mine.problemIs(t, of+", "+name, mine.submit(t, "settings", id, change(token)), http.StatusForbidden, "security_csrf_violation")
			}
		}
		if after := h.stored(t, ann).V; after != before {
			t.Errorf("%s: somebody's settings were changed", of)
		}
	}
}

// TestInactiveChangesNothing: an open session of who was switched off reaches no
// settings, whenever they began.
func TestInactiveChangesNothing(t *testing.T) {
	for _, of := range kinds {
		h := open(t)
		c := h.client(of)
		ann := c.signUp(t, "ann@example.org").Identity.ID
		id := c.start(t, "settings", "")
		token := c.csrf(t, "settings", id)
		h.inactive(t, ann)
		before := h.stored(t, ann).V
		if a := c.opened(t, "settings", ""); a.flowID(t) != "" {
			t.Errorf("%s: settings begin: %d %s", of, a.Code, a.Body)
		}
		if a := c.fetch(t, "settings", id); a.Code != http.StatusUnauthorized {
			t.Errorf("%s: settings are read: %d", of, a.Code)
		}
		for _, sent := range []fields{
			{"method": "password", "password": password + " anew", "csrf_token": token},
			{"method": "profile", "traits.email": "eve@example.org", "csrf_token": token},
		} {
			a := c.submit(t, "settings", id, sent)
			if of != html && a.Code != http.StatusUnauthorized || of == html && a.location(t).Path != "/login" {
				t.Errorf("%s: answered %d %s", of, a.Code, a.Body)
			}
		}
		if after := h.stored(t, ann); after.V != before {
			t.Errorf("%s: settings were changed", of)
		}
	}
}
