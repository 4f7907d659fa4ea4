package selfservice_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/identity"
	"styx/internal/selfservice"
	"styx/internal/ui"
)

// recovering switches recovery on, by code unless more is said.
const recovering = `
selfservice: {flows: {recovery: {enabled: true}}}
session: {lifespan: 720h}
`

const (
	linkRecovery  = `selfservice: {flows: {recovery: {use: link}}}`
	transitions   = `feature_flags: {use_continue_with_transitions: true}`
	chooseAddress = `feature_flags: {use_continue_with_transitions: true, choose_recovery_address: true}`
)

// lost is a house with a person who lost their password, and a client of theirs.
func lost(t *testing.T, of string, more ...string) (*house, *mailbox, *client, sessionView) {
	t.Helper()
	h := open(t, append([]string{verifying, recovering}, more...)...)
	mine := h.client(api).signUp(t, "ann@example.org")
	return h, h.mailbox(t), h.client(of), mine
}

// askBack asks for a code and returns the flow that waits for it.
func (c *client) askBack(t *testing.T, query, email string) string {
	t.Helper()
	id := c.start(t, "recovery", query)
	if f := c.shown(t, c.submit(t, "recovery", id, fields{"method": "code", "email": email})); f.State != "sent_email" || !slices.Equal(f.messages(), said(ui.RecoveryCodeSent)) {
		t.Fatalf("%s: the flow is %s and says %v", c.kind, f.State, f.messages())
	}
	return id
}

// recovered takes the session of a recovery, and returns the settings it leads to.
func (c *client) recovered(t *testing.T, a answer) string {
	t.Helper()
	if to := a.location(t); to != nil {
		return to.Query().Get("flow")
	}
	var body struct {
		Redirect string `json:"redirect_browser_to"`
	}
	a.decode(t, &body)
	if to, err := url.Parse(body.Redirect); err == nil && a.Code == http.StatusUnprocessableEntity {
		return to.Query().Get("flow")
	}
	settings := ""
	for _, step := range a.flow(t).ContinueWith {
		switch step.Action {
		case "set_ory_session_token":
			c.token = step.Token
		case "show_settings_ui":
			settings = step.Flow.ID
		}
	}
	if a.Code != http.StatusOK || settings == "" {
		t.Fatalf("%s: answered %d %s", c.kind, a.Code, a.Body)
	}
	return settings
}

// TestRecoveryByCode leads to settings in which a new password is set, for every
// kind of client, with the flag for continue_with and without.
func TestRecoveryByCode(t *testing.T) {
	for _, flag := range []string{transitions, "{}"} {
		for _, of := range kinds {
			if flag == "{}" && of == api {
				continue // an app gets no token there
			}
			h, box, c, mine := lost(t, of, flag)
			id := c.askBack(t, "", "ANN@example.org")
			settings := c.recovered(t, c.submit(t, "recovery", id, fields{"method": "code", "code": box.last(t).RecoveryCode}))
			f := c.fetch(t, "settings", settings).flow(t)
			if !slices.Equal(f.messages(), said(ui.Recovered)) || !strings.Contains(f.UI.Messages[0].Text, "within the next 60.00 minutes") {
				t.Errorf("%s: the settings say %v", of, f.UI.Messages)
			}
			who := c.whoami(t)
			if who.AAL != "aal1" || len(who.Methods) != 1 || who.Methods[0].Method != "code_recovery" || !h.verified(t, mine.Identity.ID) {
				t.Errorf("%s: signed in is %+v", of, who)
			}
			if a := c.submit(t, "settings", settings, fields{"method": "password", "password": "another tide of maple"}); a.Code >= http.StatusBadRequest {
				t.Errorf("%s: a new password answers %d %s", of, a.Code, a.Body)
			}
			h.client(api).done(t, h.client(api).tryIn(t, "ann@example.org", "another tide of maple", ""))
		}
	}
}

// TestRecoveryWithoutTransitions tells an app's script to navigate.
func TestRecoveryWithoutTransitions(t *testing.T) {
	_, box, c, _ := lost(t, api)
	id := c.askBack(t, "", "ann@example.org")
	a := c.submit(t, "recovery", id, fields{"method": "code", "code": box.last(t).RecoveryCode})
	if p := c.problem(t, a); a.Code != http.StatusUnprocessableEntity || p.ID != "browser_location_change_required" {
		t.Errorf("answered %d %+v", a.Code, p)
	}
	// Used up, it leads to a new flow that says so.
	a = c.submit(t, "recovery", id, fields{"method": "code", "code": box.last(t).RecoveryCode})
	to := a.location(t)
	if a.Code != http.StatusSeeOther || to.Path != "/self-service/recovery/flows" {
		t.Fatalf("again it answers %d %s", a.Code, a.Body)
	}
	if f := c.fetch(t, "recovery", to.Query().Get("id")).flow(t); f.ID == id || !slices.Equal(f.messages(), said(ui.RecoveryDone)) {
		t.Errorf("the new flow says %v", f.messages())
	}
}

// TestRecoveryByLink signs in whoever opens it, once.
func TestRecoveryByLink(t *testing.T) {
	h, box, c, _ := lost(t, html, linkRecovery)
	id := c.start(t, "recovery", "return_to=https://app.example.org/basket")
	if f := c.shown(t, c.submit(t, "recovery", id, fields{"method": "link", "email": "ann@example.org"})); !slices.Equal(f.messages(), said(ui.RecoveryLinkSent)) {
		t.Errorf("asked, it says %v", f.messages())
	}
	link, err := url.Parse(box.last(t).RecoveryURL)
	if err != nil || !strings.HasPrefix(link.String(), "https://id.example.org/self-service/recovery?flow="+id) {
		t.Fatalf("the link is %s", link)
	}
	elsewhere := h.client(html)
	for _, look := range []func(*http.Request){
		func(r *http.Request) { r.Method = http.MethodHead },
		func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch") },
	} {
		r := elsewhere.request(t, http.MethodGet, link.RequestURI(), "", "")
		look(r)
		if a := elsewhere.send(r); a.Code != http.StatusNoContent || elsewhere.whoami(t).ID != "" {
			t.Errorf("a look ahead answers %d", a.Code)
		}
	}
	wrong := *link
	wrong.RawQuery = strings.Replace(link.RawQuery, "token=", "token=x", 1)
	if a := elsewhere.ask(t, http.MethodGet, wrong.RequestURI()); a.location(t).Path != "/recovery" || elsewhere.whoami(t).ID != "" {
		t.Errorf("a wrong token answers %d %s", a.Code, a.location(t))
	}
	a := elsewhere.ask(t, http.MethodGet, link.RequestURI())
	settings := elsewhere.fetch(t, "settings", a.location(t).Query().Get("flow")).flow(t)
	if a.Code != http.StatusSeeOther || elsewhere.whoami(t).Methods[0].Method != "link_recovery" || settings.ReturnTo != "https://app.example.org/basket" {
		t.Errorf("opened it answers %d, and leads back to %q", a.Code, settings.ReturnTo)
	}
	third := h.client(html)
	a = third.ask(t, http.MethodGet, link.RequestURI())
	if to := a.location(t); to.Path != "/recovery" || third.whoami(t).ID != "" {
		t.Errorf("opened again it answers %d %s", a.Code, to)
	} else if f := third.fetch(t, "recovery", to.Query().Get("flow")).flow(t); !slices.Equal(f.messages(), said(ui.RecoveryTokenInvalid)) {
		t.Errorf("the new flow says %v", f.messages())
	}
}

// TestLinksAreConfirmed by a button, where the configuration says so.
func TestLinksAreConfirmed(t *testing.T) {
	h, box, c, mine := lost(t, html, linkRecovery, byLink, `styx: {links: {confirm: true}}`)
	for _, kind := range []string{"recovery", "verification"} {
		id := c.start(t, kind, "")
		c.submit(t, kind, id, fields{"method": "link", "email": "ann@example.org"})
		sent := box.last(t)
		link, err := url.Parse(sent.URL + sent.RecoveryURL)
		if err != nil {
			t.Fatal(err)
		}
		browser := h.client(html)
		page := browser.ask(t, http.MethodGet, link.RequestURI()+"&x=\"><script>")
		if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), `action="?flow=`+id+`"`) || strings.Contains(page.Body.String(), "<script") {
			t.Fatalf("%s: opened it shows %d %s", kind, page.Code, page.Body)
		}
		if browser.whoami(t).ID != "" || h.verified(t, mine.Identity.ID) && kind == "verification" {
			t.Errorf("%s: opening it is enough", kind)
		}
		pressed := url.Values{"token": {link.Query().Get("token")}}.Encode()
		a := browser.post(t, kind, id, "application/x-www-form-urlencoded", pressed)
		switch kind {
		case "recovery":
			if a.location(t).Path != "/settings" || browser.whoami(t).ID == "" {
				t.Errorf("pressed it leads to %d %s", a.Code, a.location(t))
			}
			h.change(t, mine.Identity.ID, func(who *identity.Identity) { who.VerifiableAddresses[0].Verified = false })
		default:
			if a.location(t).Path != "/verification" || !h.verified(t, mine.Identity.ID) {
				t.Errorf("pressed it leads to %d %s", a.Code, a.location(t))
			}
		}
	}
}

// TestRecoveryEndsOtherSessions where a hook says so, and else leaves them.
func TestRecoveryEndsOtherSessions(t *testing.T) {
	for hooks, ends := range map[string]bool{"{}": false, `selfservice: {flows: {recovery: {after: {hooks: [{hook: revoke_active_sessions}]}}}}`: true} {
		h, box, c, _ := lost(t, spa, transitions, hooks)
		other := h.client(api)
		other.signIn(t, "ann@example.org", "")
		id := c.askBack(t, "", "ann@example.org")
		c.recovered(t, c.submit(t, "recovery", id, fields{"method": "code", "code": box.last(t).RecoveryCode}))
		if c.whoami(t).ID == "" || (other.whoami(t).ID == "") != ends {
			t.Errorf("%s: left is %q beside %q", hooks, other.whoami(t).ID, c.whoami(t).ID)
		}
	}
}

// TestRecoveryOfInactive is refused, with the code alone.
func TestRecoveryOfInactive(t *testing.T) {
	h, box, c, mine := lost(t, spa, transitions)
	h.change(t, mine.Identity.ID, func(who *identity.Identity) { who.SetState(identity.Inactive, h.Now()) })
	id := c.askBack(t, "", "ann@example.org")
	f := c.again(t, "recovery", c.submit(t, "recovery", id, fields{"method": "code", "code": box.last(t).RecoveryCode}))
	if !slices.Equal(f.messages(), said(ui.AccountDisabled)) || c.whoami(t).ID != "" {
		t.Errorf("it says %v", f.messages())
	}
}

// TestRecoverySkipsSettings where a browser asks for that.
func TestRecoverySkipsSettings(t *testing.T) {
	for _, of := range []string{spa, html} {
		_, box, c, _ := lost(t, of, transitions)
		id := c.askBack(t, "skip_settings=true&return_to=https://app.example.org/basket", "ann@example.org")
		a := c.submit(t, "recovery", id, fields{"method": "code", "code": box.last(t).RecoveryCode})
		to := a.Header().Get("Location")
		if of == spa {
			to = a.flow(t).ContinueWith[0].Redirect
		}
		if to != "https://app.example.org/basket" || c.whoami(t).ID == "" {
			t.Errorf("%s: sent to %q", of, to)
		}
	}
}

// TestRecoveryCodeIsOfItsFlow: the code of one flow, or of another person, opens
// nothing elsewhere, and neither does one that is old or void.
func TestRecoveryCodeIsOfItsFlow(t *testing.T) {
	h, box, c, _ := lost(t, api, transitions)
	h.client(api).signUp(t, "eve@example.org")
	anns := c.askBack(t, "", "ann@example.org")
	code := box.last(t).RecoveryCode
	eves := c.askBack(t, "", "eve@example.org")
	evesCode := box.last(t).RecoveryCode
	wrong := func(what, id, code string) {
		t.Helper()
		if f := c.shown(t, c.submit(t, "recovery", id, fields{"method": "code", "code": code})); !slices.Equal(f.messages(), said(ui.RecoveryCodeInvalid)) {
			t.Errorf("%s: it says %v", what, f.messages())
		}
	}
	wrong("a code of another's flow", eves, code)
	wrong("a code of another's", anns, evesCode)
	c.shown(t, c.submit(t, "recovery", anns, fields{"method": "code", "email": "ann@example.org"}))
	wrong("a code that was replaced", anns, code)
	code = box.last(t).RecoveryCode
	h.clock.pass(59 * time.Minute)
	h.change(t, h.client(api).signIn(t, "ann@example.org", "").Identity.ID, func(who *identity.Identity) { who.RecoveryAddresses = nil })
	wrong("an address that is no longer theirs", anns, code)
}

// TestRecoveryByChoice walks through the masked addresses.
func TestRecoveryByChoice(t *testing.T) {
	for _, of := range kinds {
		h, box, c, mine := lost(t, of, chooseAddress)
		h.change(t, mine.Identity.ID, func(who *identity.Identity) {
			who.SetRecovery([]identity.Address{{Via: "email", Value: "ann@example.org"}, {Via: "email", Value: "second@example.org"}}, h.Now(), h.Rand)
		})
		id := c.start(t, "recovery", "")
		step := func(sent fields) flow {
			sent["method"] = "code"
			return c.shown(t, c.submit(t, "recovery", id, sent))
		}
		f := step(fields{"recovery_address": "ann@example.org"})
		var labels, values []string
		for _, node := range f.UI.Nodes {
			if node.Attributes.Name == "recovery_select_address" {
				labels, values = append(labels, node.Meta.Label.Text), append(values, node.Attributes.Value.(string))
			}
		}
		if f.State != "recovery_awaiting_address_choice" || !slices.Equal(labels, []string{"an****@example.org", "se****@example.org"}) {
			t.Fatalf("%s: %s offers %v", of, f.State, labels)
		}
		// The other address has to be known in full.
		f = step(fields{"recovery_address": "ann@example.org", "recovery_select_address": values[1]})
		if f.State != "recovery_confirming_address" || !slices.Equal(f.messages(), said(ui.ConfirmAddress)) {
			t.Errorf("%s: chosen it is %s and says %v", of, f.State, f.messages())
		}
		before, _ := box.counts()
		f = step(fields{"recovery_address": "ann@example.org", "recovery_confirm_address": "eve@example.org"})
		if after, _ := box.counts(); f.State != "recovery_awaiting_code" || after != before {
			t.Errorf("%s: a stranger's address is %s, %d letters", of, f.State, after-before)
		}
		if f = step(fields{"recovery_address": "ann@example.org", "screen": "previous"}); f.State != "recovery_awaiting_address_choice" {
			t.Errorf("%s: back it is %s", of, f.State)
		}
		f = step(fields{"recovery_address": "ann@example.org", "recovery_confirm_address": "second@example.org"})
		if sent := box.last(t); f.State != "recovery_awaiting_code" || sent.To != "second@example.org" {
			t.Errorf("%s: confirmed it is %s, sent to %s", of, f.State, sent.To)
		}
		c.recovered(t, c.submit(t, "recovery", id, fields{"method": "code", "code": box.last(t).RecoveryCode}))
		if c.whoami(t).Identity.ID != mine.Identity.ID {
			t.Errorf("%s: signed in is %+v", of, c.whoami(t))
		}
	}
}

// TestChoiceThatWasNotOffered is a mistake, and tells nothing.
func TestChoiceThatWasNotOffered(t *testing.T) {
	_, box, c, _ := lost(t, api, chooseAddress)
	id := c.start(t, "recovery", "")
	f := c.again(t, "recovery", c.submit(t, "recovery", id, fields{"method": "code", "recovery_address": "ann@example.org", "recovery_select_address": "x"}))
	if arrived, _ := box.counts(); arrived > 0 || !slices.Equal(f.messages(), said(ui.ReasonGiven)) {
		t.Errorf("it says %v", f.messages())
	}
}

// TestHandedOver is what an administrator hands over: it works without a mail,
// for whoever has it, once.
func TestHandedOver(t *testing.T) {
	h, box, c, mine := lost(t, spa, transitions)
	who := h.stored(t, mine.Identity.ID)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/admin/recovery/code", nil)
	hand := func(by string) *selfservice.Handed {
		handed, err := h.HandOver(r, selfservice.HandOver{By: by, Type: "browser", Who: who, Life: time.Hour, RequestURL: "https://admin.example.org/admin/recovery/code"})
		if err != nil {
			t.Fatal(err)
		}
		return handed
	}
	code := hand(config.UseCode)
	c.recovered(t, c.post(t, "recovery", code.Flow.ID, "application/json", `{"method":"code","code":"`+code.Secret+`"}`))
	if c.whoami(t).Identity.ID != who.ID || h.verified(t, who.ID) {
		t.Error("it proves an address, or nothing")
	}
	link := hand(config.UseLink)
	for want := range slices.Values([]bool{true, false}) {
		browser := h.client(html)
		browser.ask(t, http.MethodGet, "/self-service/recovery?"+url.Values{"flow": {link.Flow.ID}, "token": {link.Secret}}.Encode())
		if got := browser.whoami(t).ID != ""; got != want {
			t.Errorf("the link signs in: %v", got)
		}
	}
	if arrived, _ := box.counts(); arrived > 0 {
		t.Error("somebody got mail")
	}
	h.change(t, who.ID, func(who *identity.Identity) { who.SetState(identity.Inactive, h.Now()) })
	code = hand(config.UseCode)
	if a := h.client(spa).post(t, "recovery", code.Flow.ID, "application/json", `{"method":"code","code":"`+code.Secret+`"}`); a.Code != http.StatusBadRequest {
		t.Errorf("a code for an account that is switched off answers %d", a.Code)
	}
}

// TestStrangersHear that somebody tried, where the configuration says so.
func TestStrangersHear(t *testing.T) {
	_, box, c, _ := lost(t, api, `selfservice: {flows: {recovery: {notify_unknown_recipients: true}}}`)
	c.askBack(t, "", "nobody@example.org")
	sent, _ := json.Marshal(box.last(t))
	if got := box.last(t); got.To != "nobody@example.org" || got.Template != courier.RecoveryCodeInvalid || got.RecoveryCode != "" {
		t.Errorf("sent was %s", sent)
	}
}
