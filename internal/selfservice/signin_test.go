package selfservice_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/courier"
	"styx/internal/identity"
	"styx/internal/table"
	"styx/internal/ui"
)

// caller is somebody with two addresses, both of which sign in and are verified.
const caller = `{"type":"object","properties":{"traits":{"type":"object","properties":{
	"email":{"type":"string","format":"email","ory.sh/kratos":{
		"credentials":{"password":{"identifier":true},"code":{"identifier":true,"via":"email"}},"verification":{"via":"email"}}},
	"phone":{"type":"string","format":"tel","ory.sh/kratos":{
		"credentials":{"password":{"identifier":true},"code":{"identifier":true,"via":"sms"}},"verification":{"via":"sms"}}},
	"name":{"type":"string"}},
	"additionalProperties":false}}}`

// byCode lets a code sign in and sign up.
func byCode() string {
	return callers() + `
selfservice:
  methods: {code: {enabled: true, passwordless_enabled: true, config: {lifespan: 15m}}}
  flows: {registration: {after: {code: {hooks: [{hook: session}]}}}}
`
}

// secondly makes a code the second factor.
func secondly() string {
	return callers() + `
selfservice: {methods: {code: {enabled: true, mfa_enabled: true}}}
session: {whoami: {required_aal: aal1}}
`
}

func callers() string {
	return `
identity: {default_schema_id: caller, schemas: [{id: caller, url: "base64://` + encoded(caller) + `"}]}
courier: {smtp: {from_address: styx@example.org}}
clients: {web_hook: {header_allowlist: [User-Agent]}}`
}

const (
	idFirst  = `selfservice: {flows: {login: {style: identifier_first}}}`
	discreet = `security: {account_enumeration: {mitigate: true}}`
	patient  = `selfservice: {methods: {code: {config: {max_submissions: 255}}}}`

	ann = "ann@example.org"
	eve = "eve@example.org"
	tel = "+4915112345678"
)

// person makes somebody with these traits, and a password.
func (h *house) person(tb testing.TB, traits string) *identity.Identity {
	tb.Helper()
	who := identity.New(uuid(), "caller", h.Now())
	who.Traits = []byte(traits)
	rules, err := h.Schemas.Rules(tb.Context(), "caller")
	if err == nil {
		err = rules.Apply(who, h.Now(), h.Rand)
	}
	if err == nil {
		err = h.Store.Create(tb.Context(), who)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return who
}

// asksCode asks for a code and returns the flow that waits for it.
func (c *client) asksCode(tb testing.TB, query, who string) string {
	tb.Helper()
	id := c.start(tb, "login", query)
	f := c.again(tb, "login", c.submit(tb, "login", id, fields{"method": "code", "identifier": who}))
	if f.State != "sent_email" || f.Active != "code" || f.node("code") == nil {
		tb.Fatalf("%s: the flow is %s and says %v", c.kind, f.State, f.messages())
	}
	return id
}

func (c *client) guess(tb testing.TB, id, who, code string) answer {
	tb.Helper()
	return c.submit(tb, "login", id, fields{"method": "code", "identifier": who, "code": code})
}

// says fails unless a submission leads back to a form that says just this.
func (c *client) says(tb testing.TB, what, kind string, a answer, want ...ui.ID) flow {
	tb.Helper()
	f := c.again(tb, kind, a)
	if !slices.Equal(f.messages(), want) {
		tb.Errorf("%s, %s: it says %v, want %v", c.kind, what, f.messages(), want)
	}
	return f
}

// TestSignInByCode verifies the address on the way, for every kind of client and
// in both styles of login; the address may be written in any way.
func TestSignInByCode(t *testing.T) {
	for _, style := range []string{"", idFirst} {
		h := open(t, byCode(), style)
		box := h.mailbox(t)
		who := h.person(t, `{"email":"ann@example.org","phone":"+49 151 12345678"}`)
		for at, named := range []string{ann, " Ann@Example.ORG", "+49 (151) 123-456 78"} {
			c := h.client(kinds[at])
			id := c.asksCode(t, "", named)
			letter := box.last(t)
			if letter.Template != courier.LoginCodeValid || !strings.HasSuffix(letter.To, map[bool]string{true: "5678", false: "example.org"}[at == 2]) {
				t.Errorf("%s was sent to %s", letter.Template, letter.To)
			}
			if letter.Headers != "map[User-Agent:[the tests]]" {
				t.Errorf("the channel sees %s", letter.Headers)
			}
			c.says(t, "a wrong code", "login", c.guess(t, id, named, other(letter.LoginCode)), ui.LoginCodeInvalid)
			c.says(t, "no code", "login", c.guess(t, id, named, ""), ui.PropertyMissing)
			live := c.done(t, c.guess(t, id, named, letter.LoginCode))
			if live.Identity.ID != who.ID || len(live.Methods) != 1 || live.Methods[0].Method != "code" || live.AAL != "aal1" {
				t.Errorf("%s: signed in as %+v", c.kind, live)
			}
			if c.kind == api {
				c.token = ""
				c.says(t, "the flow once more", "login", c.guess(t, id, named, letter.LoginCode), ui.NoLoginMethod)
			}
		}
		for _, address := range h.stored(t, who.ID).VerifiableAddresses {
			if !address.Verified {
				t.Errorf("%s is not verified", address.Value)
			}
		}
	}
}

// TestLoginCodeIsOfItsFlow: a code of another flow or person opens nothing, nor
// does one that is old, void, or of an address that is gone.
func TestLoginCodeIsOfItsFlow(t *testing.T) {
	h := open(t, byCode())
	box := h.mailbox(t)
	who := h.person(t, `{"email":"ann@example.org"}`)
	h.person(t, `{"email":"eve@example.org"}`)
	c := h.client(api)
	first := c.asksCode(t, "", ann)
	code := box.last(t).LoginCode
	second := c.asksCode(t, "", ann)
	newer := box.last(t).LoginCode
	wrong := func(what, id, who, code string) {
		t.Helper()
		c.says(t, what, "login", c.guess(t, id, who, code), ui.LoginCodeInvalid)
	}
	wrong("the code of another flow", second, ann, code)
	wrong("the code of another flow", first, ann, newer)
	wrong("somebody else's name", first, eve, code)
	c.says(t, "a stranger's name", "login", c.guess(t, first, "ghost@example.org", code), ui.NoCodeAccount)
	c.again(t, "login", c.submit(t, "login", second, fields{"method": "code", "identifier": ann, "resend": "code", "code": newer}))
	wrong("a code that was replaced", second, ann, newer)

	short := open(t, byCode(), `selfservice: {methods: {code: {config: {lifespan: 5m}}}}`)
	box = short.mailbox(t)
	short.person(t, `{"email":"ann@example.org"}`)
	c = short.client(api)
	id := c.asksCode(t, "", ann)
	short.clock.pass(5 * time.Minute)
	wrong("a code that is too old", id, ann, box.last(t).LoginCode)

	c = h.client(api)
	id = c.asksCode(t, "", ann)
	h.change(t, who.ID, func(who *identity.Identity) {
		if err := who.SetCodeAddresses([]identity.CodeAddress{{Channel: identity.ViaEmail, Address: "ann@example.net"}}, h.Now()); err != nil {
			t.Fatal(err)
		}
	})
	c.says(t, "an address that is no longer theirs", "login", c.guess(t, id, ann, code), ui.NoCodeAccount)
}

// TestLoginCodeIsUsedOnce, however often it is sent at the same time.
func TestLoginCodeIsUsedOnce(t *testing.T) {
	h := open(t, byCode(), patient)
	box := h.mailbox(t)
	who := h.person(t, `{"email":"ann@example.org"}`)
	id := h.client(api).asksCode(t, "", ann)
	code := box.last(t).LoginCode
	var all sync.WaitGroup
	var mu sync.Mutex
	answers := map[int]int{}
	for range 50 {
		all.Go(func() {
			a := h.client(api).guess(t, id, ann, code)
			mu.Lock()
			defer mu.Unlock()
			answers[a.Code]++
		})
	}
	all.Wait()
	sessions, err := h.Store.Sessions(t.Context(), who.ID)
	if err != nil || len(sessions) != 1 || answers[http.StatusOK] != 1 {
		t.Errorf("%d sessions, answers %v, %v", len(sessions), answers, err)
	}
	if answers[http.StatusInternalServerError] != 0 {
		t.Errorf("answers %v", answers)
	}
}

// TestLoginCodeIsGuessedFewTimes: no more than the configuration allows, however
// many come at once and whatever else is sent to the flow in between.
func TestLoginCodeIsGuessedFewTimes(t *testing.T) {
	h := open(t, byCode(), idFirst)
	box := h.mailbox(t)
	h.person(t, `{"email":"ann@example.org"}`)
	c := h.client(api)
	id := c.asksCode(t, "", ann)
	code := box.last(t).LoginCode
	var all sync.WaitGroup
	var mu sync.Mutex
	said := map[ui.ID]int{}
	for range 90 {
		all.Go(func() {
			f := h.client(api).guess(t, id, ann, other(code)).flow(t)
			mu.Lock()
			defer mu.Unlock()
			for _, message := range f.messages() {
				said[message]++
			}
		})
	}
	all.Wait()
	if said[ui.LoginCodeInvalid] > 5 || said[ui.LoginCodeInvalid]+said[ui.ReasonGiven] != 90 {
		t.Errorf("guesses were answered %v", said)
	}
	for what, sent := range map[string]fields{
		"a wrong password":     {"method": "password", "identifier": eve, "password": "wrong password"},
		"no method":            {"identifier": eve},
		"a stranger's address": {"method": "code", "identifier": "ghost@example.org", "resend": "code"},
		"nothing":              {"method": "code"},
	} {
		c.again(t, "login", c.submit(t, "login", id, sent))
		a := c.guess(t, id, ann, code)
		if a.Code == http.StatusOK {
			t.Fatalf("after %s the code is good again", what)
		}
	}
}

// outline is a request's calls of the table, and its answer without what names
// anybody.
func (c *client) outline(t *testing.T, id string, sent fields, names ...string) string {
	t.Helper()
	if c.kind != api {
		sent["csrf_token"] = c.csrf(t, "login", id)
	}
	contentType, body := multipartOf(t, sent)
	r := c.request(t, http.MethodPost, "/self-service/login?flow="+id, contentType, body)
	ctx, tally := table.WithTally(r.Context())
	a := c.send(r.WithContext(ctx))
	var calls []string
	for _, call := range tally.Calls() {
		calls = append(calls, fmt.Sprint(call.Verb, call.Items, "@", call.Trip))
	}
	slices.Sort(calls)
	said := c.fetch(t, "login", id).Body.String()
	if at := strings.Index(said, `"csrf_token","type":"hidden","value":"`); at >= 0 {
		said = said[:at] + said[at+150:]
	}
	for _, name := range names {
		said = strings.ReplaceAll(said, name, "NAME")
	}
	return fmt.Sprint(a.Code, calls, strings.ReplaceAll(said, id, "FLOW"))
}

// TestCodesOfStrangersCostAlike: asking for a code takes the same calls of the
// table whoever the address belongs to; where nobody is to learn that, the answer
// is the same as well, and so is that to a code (CVE-2026-23511).
func TestCodesOfStrangersCostAlike(t *testing.T) {
	for _, mitigate := range []bool{false, true} {
		for _, style := range []string{"", idFirst} {
			h := open(t, byCode(), style, map[bool]string{true: discreet}[mitigate])
			h.mailbox(t)
			h.person(t, `{"email":"known@example.org"}`)
			h.inactive(t, h.person(t, `{"email":"sleep@example.org"}`).ID)
			for _, of := range kinds {
				seen := map[string][]string{}
				for _, name := range []string{"known", "ghost", "sleep"} {
					c, who := h.client(of), name+"@example.org"
					id := c.start(t, "login", "")
					said := ""
					if mitigate && style != "" {
						said = c.outline(t, id, fields{"identifier": who}, name)
					}
					asked := c.outline(t, id, fields{"method": "code", "identifier": who}, name)
					if mitigate {
						said += asked + c.outline(t, id, fields{"method": "code", "identifier": who, "code": "12345x"}, name)
					} else {
						calls, _, _ := strings.Cut(asked, "{")
						said += calls
					}
					seen[said] = append(seen[said], name)
				}
				if len(seen) != 1 {
					for said, names := range seen {
						t.Errorf("%s: %v: %s", of, names, said)
					}
				}
			}
		}
	}
}

// TestMessagesToAnAddressAreCounted: so many an hour, whoever owns it and however
// many flows ask.
func TestMessagesToAnAddressAreCounted(t *testing.T) {
	h := open(t, byCode())
	h.mailbox(t)
	h.person(t, `{"email":"ann@example.org"}`)
	for _, who := range []string{ann, "ghost@example.org"} {
		for at := range 13 {
			c := h.client(api)
			a := c.submit(t, "login", c.start(t, "login", ""), fields{"method": "code", "identifier": who})
			if want := map[bool]int{true: http.StatusBadRequest, false: http.StatusTooManyRequests}[at < 12]; a.Code != want {
				t.Errorf("message %d to %s: answered %d", at+1, who, a.Code)
			}
		}
	}
	c := h.client(api)
	a := c.submit(t, "registration", c.start(t, "registration", ""), fields{"method": "code", "traits.email": ann})
	if a.Code != http.StatusTooManyRequests {
		t.Errorf("a registration goes on sending: %d", a.Code)
	}
	h.clock.pass(time.Hour)
	h.client(api).asksCode(t, "", ann)
}

// TestInactiveByCode signs nobody in, and the code is used up.
func TestInactiveByCode(t *testing.T) {
	h := open(t, byCode())
	box := h.mailbox(t)
	who := h.person(t, `{"email":"ann@example.org"}`)
	h.inactive(t, who.ID)
	c := h.client(api)
	id := c.asksCode(t, "", ann)
	code := box.last(t).LoginCode
	c.says(t, "inactive", "login", c.guess(t, id, ann, code), ui.AccountDisabled)
	h.change(t, who.ID, func(who *identity.Identity) { who.SetState(identity.Active, h.Now()) })
	c.says(t, "the same code", "login", c.guess(t, id, ann, code), ui.NoLoginMethod)
}

// TestSecondFactorByCode: a single address is sent a code at once, among several
// one chooses; what is not one's own is refused, and the session goes on.
func TestSecondFactorByCode(t *testing.T) {
	h := open(t, secondly())
	box := h.mailbox(t)
	for _, of := range kinds {
		c := h.client(of)
		email := of + "@example.org"
		before := c.signUp(t, email)
		id := c.start(t, "login", "aal=aal2")
		f := c.fetch(t, "login", id).flow(t)
		if f.State != "sent_email" || f.Active != "code" || !slices.Equal(f.messages(), said(ui.SecondCodeSent)) || box.last(t).To != email {
			t.Errorf("%s: the flow is %s and says %v", of, f.State, f.messages())
		}
		code := box.last(t).LoginCode
		c.says(t, "a wrong code", "login", c.guess(t, id, "", other(code)), ui.LoginCodeInvalid)
		c.again(t, "login", c.submit(t, "login", id, fields{"method": "code", "identifier": email, "resend": "code"}))
		c.says(t, "the code before", "login", c.guess(t, id, "", code), ui.LoginCodeInvalid)
		token := c.token
		a := c.guess(t, id, "", box.last(t).LoginCode)
		if c.kind == html && a.Code != http.StatusSeeOther || c.kind != html && a.Code != http.StatusOK {
			t.Fatalf("%s: answered %d %s", of, a.Code, a.Body)
		}
		if live := c.whoami(t); live.ID != before.ID || live.AAL != "aal2" || len(live.Methods) != 2 || live.Methods[1].Method != "code" || token != c.token {
			t.Errorf("%s: the session is %+v", of, live)
		}
	}
}

// TestSecondFactorAmongAddresses offers each, or the one that was asked for.
func TestSecondFactorAmongAddresses(t *testing.T) {
	h := open(t, secondly())
	box := h.mailbox(t)
	c := h.client(api)
	c.done(t, c.submit(t, "registration", c.start(t, "registration", ""),
		fields{"method": "password", "traits.email": ann, "traits.phone": tel, "traits.name": "Ann", "password": password}))
	offered := func(query string) []string {
		t.Helper()
		var values []string
		for _, node := range c.opened(t, "login", query).flow(t).UI.Nodes {
			if node.Attributes.Name == "address" {
				values = append(values, fmt.Sprint(node.Attributes.Value))
			}
		}
		return values
	}
	if got := offered("aal=aal2"); !slices.Equal(got, []string{tel, ann}) {
		t.Errorf("offered %v", got)
	}
	for _, via := range []string{"phone", "traits.phone"} {
		if f := c.opened(t, "login", "aal=aal2&via="+via).flow(t); f.State != "sent_email" || f.node("identifier").Attributes.Value != tel || box.last(t).To != tel {
			t.Errorf("via %s the flow is %s", via, f.State)
		}
	}
	for via, reason := range map[string]string{
		"fax":  "No value found for trait fax in the current identity.",
		"name": "You can only reference a trait that matches a verification email address in the via parameter, or a registered credential.",
	} {
		if a := c.opened(t, "login", "aal=aal2&via="+via); a.Code != http.StatusBadRequest || c.problem(t, a).Reason != reason {
			t.Errorf("via %s: %d %s", via, a.Code, a.Body)
		}
	}
	id := c.start(t, "login", "aal=aal2")
	c.says(t, "an address of somebody else", "login", c.submit(t, "login", id, fields{"address": eve}), ui.AddressUnknown)
	f := c.says(t, "one's own", "login", c.submit(t, "login", id, fields{"address": "+49 151 12345678"}), ui.SecondCodeSent)
	var identifiers int
	for _, node := range f.UI.Nodes {
		if node.Attributes.Name == "identifier" {
			identifiers++
		}
	}
	if identifiers != 2 || f.node("address") != nil {
		t.Errorf("the form has %d identifiers", identifiers)
	}
	c.says(t, "another code", "login", c.submit(t, "login", id, fields{"method": "code", "identifier": ann, "resend": "code"}), ui.SecondCodeSent)
	if got := box.last(t).To; got != tel {
		t.Errorf("the other code went to %s", got)
	}
	c.done(t, c.guess(t, id, "", box.last(t).LoginCode))
}

// TestGuessesAtASecondFactorAreCounted over all flows, and messages too: where no
// more may be sent the form is shown instead.
func TestGuessesAtASecondFactorAreCounted(t *testing.T) {
	h := open(t, secondly(), patient)
	box := h.mailbox(t)
	c := h.client(api)
	c.signUp(t, ann)
	first, second := c.start(t, "login", "aal=aal2"), c.start(t, "login", "aal=aal2")
	code := box.last(t).LoginCode
	for at := range 100 {
		id := []string{first, second}[at%2]
		if a := c.guess(t, id, "", other(code)); a.Code != http.StatusBadRequest {
			t.Fatalf("guess %d answers %d", at, a.Code)
		}
	}
	if a := c.guess(t, second, "", code); a.Code != http.StatusTooManyRequests {
		t.Errorf("the right code after a hundred wrong ones answers %d", a.Code)
	}
	for range 20 {
		c.start(t, "login", "aal=aal2")
	}
	f := c.opened(t, "login", "aal=aal2").flow(t)
	if f.State != "choose_method" || f.Active != "" || f.node("address") == nil || !slices.Equal(f.messages(), said(ui.CompleteSecond)) {
		t.Errorf("the form is %s and says %v", f.State, f.messages())
	}
}

// TestConfirmByCode confirms a session by one's own address, typed or chosen, and
// by nobody else's.
func TestConfirmByCode(t *testing.T) {
	for _, choose := range []bool{false, true} {
		h := open(t, byCode(), idFirst, fmt.Sprintf(`feature_flags: {refresh_login_choose_address: %v}`, choose))
		box := h.mailbox(t)
		h.person(t, `{"email":"ann@example.org"}`)
		h.person(t, `{"email":"eve@example.org"}`)
		c := h.client(api)
		mine := c.done(t, c.guess(t, c.asksCode(t, "", ann), ann, box.last(t).LoginCode))
		h.clock.pass(time.Minute)
		id := c.start(t, "login", "refresh=true")
		f := c.fetch(t, "login", id).flow(t)
		if (f.node("address") != nil) != choose || (f.node("identifier") != nil) == choose || f.State != "choose_method" {
			t.Errorf("the form is %s with %+v", f.State, f.UI.Nodes)
		}
		name := map[bool]string{true: "address", false: "identifier"}[choose]
		c.says(t, "somebody else", "login", c.submit(t, "login", id, fields{"method": "code", name: eve}), ui.NoCodeAccount)
		c.says(t, "oneself", "login", c.submit(t, "login", id, fields{"method": "code", name: ann}), ui.SecondCodeSent)
		c.says(t, "somebody else with the code", "login", c.guess(t, id, eve, box.last(t).LoginCode), ui.NoCodeAccount)
		if live := c.done(t, c.guess(t, id, ann, box.last(t).LoginCode)); live.ID != mine.ID || !live.AuthenticatedAt.After(mine.AuthenticatedAt) {
			t.Errorf("the session is %+v, was %+v", live, mine)
		}
	}
}

// TestVerifiedAddressSignsIn whoever has no code credential, where that is wanted.
func TestVerifiedAddressSignsIn(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		h := open(t, byCode(), fmt.Sprintf(`selfservice: {methods: {code: {config: {missing_credential_fallback_enabled: %v}}}}`, wanted))
		box := h.mailbox(t)
		for name, verified := range map[string]bool{"old": true, "new": false} {
			who := h.person(t, `{"email":"`+name+`@example.org"}`)
			h.change(t, who.ID, func(who *identity.Identity) {
				delete(who.Credentials, identity.Code)
				if verified {
					who.VerifiableAddresses[0].Verify(h.Now())
				}
			})
		}
		c := h.client(api)
		if wanted {
			c.done(t, c.guess(t, c.asksCode(t, "", "old@example.org"), "old@example.org", box.last(t).LoginCode))
		} else {
			c.says(t, "not wanted", "login", c.submit(t, "login", c.start(t, "login", ""), fields{"method": "code", "identifier": "old@example.org"}), ui.NoCodeAccount)
		}
		c = h.client(api)
		c.says(t, "not verified", "login", c.submit(t, "login", c.start(t, "login", ""), fields{"method": "code", "identifier": "new@example.org"}), ui.NoCodeAccount)
	}
}

// names are the nodes of a form, each with its type.
func (f flow) names() []string {
	var names []string
	for _, node := range f.UI.Nodes {
		names = append(names, node.Attributes.Name+":"+node.Attributes.Type)
	}
	return names
}

// TestIdentifierFirst asks who it is, then for what they have; asking again, for
// the same or for somebody else, begins from there.
func TestIdentifierFirst(t *testing.T) {
	for _, of := range kinds {
		h := open(t, byCode(), idFirst)
		box := h.mailbox(t)
		h.client(api).signUp(t, ann)
		h.change(t, h.person(t, `{"email":"eve@example.org"}`).ID, func(who *identity.Identity) { delete(who.Credentials, identity.Password) })
		h.change(t, h.person(t, `{"email":"bare@example.org"}`).ID, func(who *identity.Identity) { delete(who.Credentials, identity.Code) })
		c := h.client(of)
		id := c.start(t, "login", "")
		first := []string{"identifier:text", "method:submit", "csrf_token:hidden"}
		if got := c.fetch(t, "login", id).flow(t).names(); !slices.Equal(got, first) {
			t.Errorf("%s: the first screen is %v", of, got)
		}
		for _, nobody := range []string{"ghost@example.org", "bare@example.org", ""} {
			f := c.says(t, nobody, "login", c.submit(t, "login", id, fields{"method": "identifier_first", "identifier": nobody}), ui.NoMethodAccount)
			if !slices.Equal(f.names(), first) || f.node("identifier").Attributes.Value != nobody {
				t.Errorf("%s: after %q the form is %v", of, nobody, f.names())
			}
		}
		second := []string{"identifier:hidden", "csrf_token:hidden", "password:password", "method:submit", "method:submit"}
		for range 3 {
			f := c.says(t, "known", "login", c.submit(t, "login", id, fields{"identifier": ann}))
			if got := f.names(); !slices.Equal(got, second) || f.Active != "identifier_first" {
				t.Errorf("%s: the second screen is %v, active %s", of, got, f.Active)
			}
		}
		f := c.says(t, "only a code", "login", c.submit(t, "login", id, fields{"identifier": eve}), ui.LoginCodeSent)
		if f.State != "sent_email" || f.Active != "code" || f.node("password") != nil || box.last(t).To != eve {
			t.Errorf("%s: the flow is %s, active %s, %v", of, f.State, f.Active, f.names())
		}
		f = c.says(t, "somebody else after all", "login", c.submit(t, "login", id, fields{"identifier": ann}))
		if got := f.names(); !slices.Equal(got, second) || f.State != "choose_method" {
			t.Errorf("%s: the second screen is %v", of, got)
		}
		c.says(t, "the code that was sent before", "login", c.guess(t, id, eve, box.last(t).LoginCode), ui.LoginCodeSent)
		c.done(t, c.submit(t, "login", id, fields{"method": "password", "identifier": ann, "password": password}))
		// Whoever confirms a session is known.
		id = c.start(t, "login", "refresh=true")
		c.says(t, "no method", "login", c.submit(t, "login", id, fields{"identifier": ann}), ui.NoLoginMethod)
	}
}

// TestEmptyLogin tells what is missing and goes no further (CVE-2026-49448).
func TestEmptyLogin(t *testing.T) {
	for _, row := range []struct {
		settings []string
		says     ui.ID
	}{
		{[]string{byCode()}, ui.PropertyMissing},
		{[]string{byCode(), idFirst}, ui.PropertyMissing},
		{[]string{byCode(), idFirst, discreet}, ui.PropertyMissing},
	} {
		h := open(t, row.settings...)
		h.mailbox(t)
		h.person(t, `{"email":"ann@example.org"}`)
		for _, of := range kinds {
			c := h.client(of)
			id := c.start(t, "login", "")
			c.says(t, "nothing but the method", "login", c.submit(t, "login", id, fields{"method": "code"}), row.says)
			waiting := c.asksCode(t, "", ann)
			c.says(t, "no code", "login", c.submit(t, "login", waiting, fields{"method": "code"}), ui.PropertyMissing)
			if a := c.post(t, "login", waiting, "application/json", ""); a.Code == http.StatusOK || c.whoami(t).ID != "" {
				t.Errorf("%s: an empty body answers %d", of, a.Code)
			}
		}
	}
}

// TestSecondFactorWithoutTheSession: the flow that replaces an expired one offers
// nothing to nobody.
func TestSecondFactorWithoutTheSession(t *testing.T) {
	h := open(t, secondly())
	h.mailbox(t)
	c := h.client(api)
	c.signUp(t, ann)
	id := c.start(t, "login", "aal=aal2")
	h.clock.pass(time.Hour)
	c.token = ""
	if a := c.guess(t, id, "", "123456"); a.Code != http.StatusGone {
		t.Errorf("answered %d %s", a.Code, a.Body)
	}
}

// TestFlowTellsItsMethod, when it is submitted again after somebody passed.
func TestFlowTellsItsMethod(t *testing.T) {
	h := open(t)
	h.client(api).signUp(t, ann)
	c := h.client(api)
	id := c.start(t, "login", "")
	for _, try := range []struct{ password, active string }{{"wrong password", ""}, {password, ""}, {"wrong password", "password"}} {
		a := c.submit(t, "login", id, fields{"method": "password", "identifier": ann, "password": try.password})
		if f := a.flow(t); a.Code == http.StatusBadRequest && f.Active != try.active {
			t.Errorf("the flow tells %q, want %q", f.Active, try.active)
		}
	}
}

// TestKeysOnTwoScreens: a passkey can be used before anybody is named, and by a
// button for whom has one; where nobody is to learn what somebody has, everybody
// is shown every button.
func TestKeysOnTwoScreens(t *testing.T) {
	first := []string{"identifier", "method", "csrf_token", "webauthn_script", "passkey_login", "passkey_challenge"}
	second := []string{"identifier", "csrf_token", "webauthn_script", "passkey_login", "passkey_challenge", "password", "method"}
	for _, mitigate := range []bool{false, true} {
		h := open(t, keyed(), passwordless, idFirst, map[bool]string{true: discreet}[mitigate])
		h.client(spa).signUp(t, "plain@example.org")
		owner := h.client(spa)
		owner.signUp(t, ann)
		key := owner.passkey(t)
		owner.securityKey(t)
		c := h.client(spa)
		f := c.begin(t, "login", "")
		if got := nodeNames(f); !slices.Equal(got, first) {
			t.Errorf("the first screen is %v", got)
		}
		everything := append(slices.Clone(second), "passkey_login_trigger", "method")
		for who, want := range map[string][]string{
			ann: everything, "plain@example.org": map[bool][]string{true: everything, false: second}[mitigate],
		} {
			for range 2 {
				f = c.again(t, "login", c.submit(t, "login", f.ID, fields{"identifier": who}))
				if got := nodeNames(f); !slices.Equal(got, want) {
					t.Errorf("mitigate %v: the second screen of %s is %v", mitigate, who, got)
				}
			}
		}
		c.done(t, c.show(t, f, key.Get(t, f.options(t, "passkey_challenge"), keyOrigin)))
	}
}

func nodeNames(f flow) []string {
	var names []string
	for _, node := range f.UI.Nodes {
		names = append(names, node.Name())
	}
	return names
}
