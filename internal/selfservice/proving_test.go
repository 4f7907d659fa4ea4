package selfservice_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"styx/internal/identity"
	"styx/internal/table"
)

// provings are the kinds of flow in which somebody proves an address.
var provings = []string{"recovery", "verification"}

// proof is what the last letter carries for a flow of that kind: a code and a
// link, of which there is one.
func (b *mailbox) proof(tb testing.TB, kind string) (code, link string) {
	tb.Helper()
	last := b.last(tb)
	if kind == "recovery" {
		return last.RecoveryCode, last.RecoveryURL
	}
	return last.Code, last.URL
}

// proving opens a house in which addresses are proved by a code or by a link.
func proving(tb testing.TB, method string) (*house, *mailbox) {
	tb.Helper()
	more := []string{verifying, recovering, transitions}
	if method == "link" {
		more = append(more, byLink, linkRecovery)
	}
	h := open(tb, more...)
	return h, h.mailbox(tb)
}

// mail asks in a flow for what proves an address.
func (c *client) mail(tb testing.TB, kind, id, method, address string) flow {
	tb.Helper()
	return c.shown(tb, c.submit(tb, kind, id, fields{"method": method, "email": address}))
}

// asked begins a flow in which something was sent to an address.
func (c *client) asked(tb testing.TB, kind, method, address string) string {
	tb.Helper()
	id := c.start(tb, kind, "")
	if f := c.mail(tb, kind, id, method, address); f.State != "sent_email" {
		tb.Fatalf("%s of %s: %s, says %v", kind, address, f.State, f.messages())
	}
	return id
}

// gained takes the session that an answer hands out, if it does, and tells whose
// it is.
func (c *client) gained(tb testing.TB, a answer) string {
	tb.Helper()
	var body flow
	if json.Unmarshal(a.Body.Bytes(), &body) == nil {
		for _, step := range body.ContinueWith {
			if step.Token != "" {
				c.token = step.Token
			}
		}
	}
	if view := c.whoami(tb); view.Identity != nil {
		return view.Identity.ID
	}
	return ""
}

// nothing checks that a submission proved nothing: nobody is signed in and none
// of these is verified.
func (c *client) nothing(tb testing.TB, what string, a answer, who ...string) {
	tb.Helper()
	if a.Code >= http.StatusInternalServerError || a.Code == http.StatusConflict {
		tb.Errorf("%s: answered %d %s", what, a.Code, a.Body)
	}
	if got := c.gained(tb, a); got != "" {
		tb.Errorf("%s: signed in as %s", what, got)
	}
	for _, id := range who {
		if c.verified(tb, id) {
			tb.Errorf("%s: verified", what)
		}
	}
}

// TestStepsOutOfOrder drives recoveries and verifications out of order: nothing
// but what was sent proves anything (CVE-2026-18963).
func TestStepsOutOfOrder(t *testing.T) {
	for _, kind := range provings {
		for _, of := range kinds {
			h := open(t, verifying, recovering, transitions)
			box := h.mailbox(t)
			ann := h.client(api).signUp(t, "ann@example.org").Identity.ID
			eve := h.client(api).signUp(t, "eve@example.org").Identity.ID
			for name, drive := range map[string]func(c *client) answer{
				"a code before any was sent": func(c *client) answer {
					return c.submit(t, kind, c.start(t, kind, ""), fields{"method": "code", "code": "000000"})
				},
				"an address and a code at once": func(c *client) answer {
					return c.submit(t, kind, c.start(t, kind, ""), fields{"method": "code", "email": "ann@example.org", "code": "000000"})
				},
				"a code for nobody": func(c *client) answer {
					return c.submit(t, kind, c.asked(t, kind, "code", "nobody@example.org"), fields{"method": "code", "code": "000000"})
				},
				"no code": func(c *client) answer {
					return c.submit(t, kind, c.asked(t, kind, "code", "ann@example.org"), fields{"method": "code", "code": ""})
				},
				"a link's token in a flow of codes": func(c *client) answer {
					return c.ask(t, http.MethodGet, "/self-service/"+kind+"?flow="+c.asked(t, kind, "code", "ann@example.org")+"&token="+strings.Repeat("a", 32))
				},
				"no token in a flow of codes": func(c *client) answer {
					return c.ask(t, http.MethodGet, "/self-service/"+kind+"?flow="+c.asked(t, kind, "code", "ann@example.org")+"&token=")
				},
				"the state of a later step": func(c *client) answer {
					return c.submit(t, kind, c.start(t, kind, ""), fields{"method": "code", "state": "passed_challenge", "identity_id": ann})
				},
				"another's method": func(c *client) answer {
					return c.submit(t, kind, c.asked(t, kind, "code", "ann@example.org"), fields{"method": "link", "token": ""})
				},
				// Whose code it is must not be forgotten on the way to another address.
				"one's own code after another's address": func(c *client) answer {
					id := c.asked(t, kind, "code", "eve@example.org")
					code, _ := box.proof(t, kind)
					c.mail(t, kind, id, "code", "ann@example.org")
					if anns, _ := box.proof(t, kind); anns == code {
						code = other(code)
					}
					return c.submit(t, kind, id, fields{"method": "code", "code": code})
				},
				"one's own code after nobody's address": func(c *client) answer {
					id := c.asked(t, kind, "code", "eve@example.org")
					code, _ := box.proof(t, kind)
					c.mail(t, kind, id, "code", "nobody@example.org")
					return c.submit(t, kind, id, fields{"method": "code", "code": code})
				},
				"one's own code beside another's address": func(c *client) answer {
					id := c.asked(t, kind, "code", "eve@example.org")
					code, _ := box.proof(t, kind)
					c.mail(t, kind, id, "code", "nobody@example.org")
					return c.submit(t, kind, id, fields{"method": "code", "code": code, "email": "ann@example.org"})
				},
			} {
				c := h.client(of)
				c.nothing(t, kind+", "+of+", "+name, drive(c), ann, eve)
			}
		}
	}
}

// TestProofIsOvertaken asks for a code to another address while the right one for
// one's own is being taken: it proves nothing of the other's.
func TestProofIsOvertaken(t *testing.T) {
	for _, kind := range provings {
		h := open(t, verifying, recovering, transitions)
		box := h.mailbox(t)
		ann := h.client(api).signUp(t, "ann@example.org").Identity.ID
		eve := h.client(api).signUp(t, "eve@example.org").Identity.ID
		c := h.client(api)
		id := c.asked(t, kind, "code", "eve@example.org")
		code, _ := box.proof(t, kind)
		raced := false
		h.Store.Table = onWrite{h.table, func(ops []table.Op) {
			if raced || len(ops) < 2 {
				return
			}
			raced = true
			c.mail(t, kind, id, "code", "ann@example.org")
		}}
		a := c.submit(t, kind, id, fields{"method": "code", "code": code})
		c.nothing(t, kind, a, ann, eve)
		if !raced {
			t.Errorf("%s: nothing raced", kind)
		}
	}
}

// TestProofIsOneFlows: the code or the link of one person's flow is worth nothing
// in another's (CVE-2023-26481).
func TestProofIsOneFlows(t *testing.T) {
	for _, kind := range provings {
		for _, method := range []string{"code", "link"} {
			for _, of := range kinds {
				h, box := proving(t, method)
				ann := h.client(api).signUp(t, "ann@example.org").Identity.ID
				eve := h.client(api).signUp(t, "eve@example.org").Identity.ID
				mine, theirs := h.client(of), h.client(of)
				own := mine.asked(t, kind, method, "eve@example.org")
				code, link := box.proof(t, kind)
				foreign := theirs.asked(t, kind, method, "ann@example.org")
				if anns, _ := box.proof(t, kind); anns == code && code != "" {
					continue // by chance
				}
				beside := map[string]string{"recovery": "verification", "verification": "recovery"}[kind]
				across := mine.asked(t, beside, method, "eve@example.org")
				later := mine.asked(t, kind, method, "eve@example.org")
				if laters, _ := box.proof(t, kind); laters == code && code != "" {
					continue
				}
				if method == "code" {
					mine.nothing(t, kind+", "+of+": a code in another's flow", theirs.submit(t, kind, foreign, fields{"method": "code", "code": code}), ann, eve)
					mine.nothing(t, kind+", "+of+": a code in a later flow", mine.submit(t, kind, later, fields{"method": "code", "code": code}), ann, eve)
					mine.nothing(t, kind+", "+of+": a code in another kind of flow", mine.submit(t, beside, across, fields{"method": "code", "code": code}), ann, eve)
					continue
				}
				query := parsed(t, link).Query()
				query.Set("flow", foreign)
				reader := h.client(html)
				reader.nothing(t, kind+", "+of+": a link into another's flow", reader.ask(t, http.MethodGet, "/self-service/"+kind+"?"+query.Encode()), ann, eve)
				query.Set("flow", later)
				reader.nothing(t, kind+", "+of+": a link into a later flow", reader.ask(t, http.MethodGet, "/self-service/"+kind+"?"+query.Encode()), ann, eve)
				query.Set("flow", across)
				reader.nothing(t, kind+", "+of+": a link into another kind of flow", reader.ask(t, http.MethodGet, "/self-service/"+beside+"?"+query.Encode()), ann, eve)
				// Whoever follows it is signed in, not whoever asked for it.
				a := reader.ask(t, http.MethodGet, parsed(t, link).RequestURI())
				if got := reader.gained(t, a); kind == "recovery" && got != eve || kind == "verification" && got != "" {
					t.Errorf("%s, %s: who follows the link is signed in as %q", kind, of, got)
				}
				if got := mine.whoami(t); got.ID != "" {
					t.Errorf("%s, %s: who asked for the link is signed in", kind, of)
				}
				mine.nothing(t, kind+", "+of+": the flow after its link was followed", mine.submit(t, kind, own, fields{"method": "link", "token": query.Get("token")}))
			}
		}
	}
}

func parsed(tb testing.TB, address string) *url.URL {
	tb.Helper()
	to, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	return to
}

// TestProofOfAnAddressThatWasGivenUp proves nothing any more.
func TestProofOfAnAddressThatWasGivenUp(t *testing.T) {
	for _, kind := range provings {
		for _, method := range []string{"code", "link"} {
			h, box := proving(t, method)
			owner := h.client(api)
			ann := owner.signUp(t, "ann@example.org").Identity.ID
			c := h.client(api)
			id := c.asked(t, kind, method, "ann@example.org")
			code, link := box.proof(t, kind)
			moved := owner.submit(t, "settings", owner.start(t, "settings", ""), fields{"method": "profile", "traits.email": "moved@example.org"})
			if moved.Code != http.StatusOK || h.stored(t, ann).VerifiableAddresses[0].Value != "moved@example.org" {
				t.Fatalf("%s, %s: moving says %d %s", kind, method, moved.Code, moved.Body)
			}
			if method == "code" {
				c.nothing(t, kind+" by code", c.submit(t, kind, id, fields{"method": "code", "code": code}), ann)
				continue
			}
			reader := h.client(html)
			reader.nothing(t, kind+" by link", reader.ask(t, http.MethodGet, parsed(t, link).RequestURI()), ann)
		}
	}
}

// TestInactiveRecoversNothing: what would sign somebody in does not sign in who
// is switched off (CVE-2025-64521).
func TestInactiveRecoversNothing(t *testing.T) {
	for _, kind := range provings {
		for _, method := range []string{"code", "link"} {
			for _, of := range kinds {
				for _, before := range []bool{true, false} {
					h, box := proving(t, method)
					ann := h.client(api).signUp(t, "ann@example.org").Identity.ID
					if before {
						h.inactive(t, ann)
					}
					c := h.client(of)
					id := c.asked(t, kind, method, "ann@example.org")
					if !before {
						h.inactive(t, ann)
					}
					code, link := box.proof(t, kind)
					var a answer
					if method == "code" {
						a = c.submit(t, kind, id, fields{"method": "code", "code": code})
					} else {
						a = c.ask(t, http.MethodGet, parsed(t, link).RequestURI())
					}
					c.nothing(t, fmt.Sprintf("%s by %s, %s, inactive before %v", kind, method, of, before), a)
					h.change(t, ann, func(who *identity.Identity) { who.SetState(identity.Active, h.Now()) })
					if got := c.whoami(t); got.ID != "" {
						t.Errorf("%s by %s, %s: signed in once the identity is active again", kind, method, of)
					}
				}
			}
		}
	}
}

// TestForeignProvings are forms that another site, or another browser, made: no
// mail leaves for them, and no code is judged.
func TestForeignProvings(t *testing.T) {
	for _, kind := range provings {
		for _, of := range []string{spa, html} {
			h := open(t, verifying, recovering, transitions)
			box := h.mailbox(t)
			ann := h.client(api).signUp(t, "ann@example.org").Identity.ID
			mine, theirs, bare := h.client(of), h.client(of), h.client(of)
			id, fresh := mine.asked(t, kind, "code", "ann@example.org"), theirs.start(t, kind, "")
			code, _ := box.proof(t, kind)
			before, _ := box.counts()
			for name, w := range map[string]struct {
				from  *client
				token string
			}{
				"another browser's token":          {mine, theirs.csrf(t, kind, fresh)},
				"no token":                         {mine, ""},
				"another browser's flow":           {theirs, theirs.csrf(t, kind, fresh)},
				"another browser's flow and token": {theirs, mine.csrf(t, kind, id)},
				"no cookie":                        {bare, mine.csrf(t, kind, id)},
			} {
				a := w.from.submit(t, kind, id, fields{"method": "code", "email": "ann@example.org", "csrf_token": w.token})
				if p := w.from.problem(t, a); p.Code != http.StatusForbidden || p.ID != "security_csrf_violation" {
					t.Errorf("%s, %s, %s: %+v", kind, of, name, p)
				}
				if kind == "recovery" { // a verification's code may come from any device
					w.from.nothing(t, kind+", "+of+", "+name, w.from.submit(t, kind, id, fields{"method": "code", "code": code, "csrf_token": w.token}), ann)
				}
			}
			if after, _ := box.counts(); after != before {
				t.Errorf("%s, %s: %d mails left", kind, of, after-before)
			}
			if a := theirs.fetch(t, kind, id); a.Code != http.StatusForbidden {
				t.Errorf("%s, %s: another browser reads the flow: %d", kind, of, a.Code)
			}
		}
	}
}

// evilReturns are where no flow may lead, however it is written.
var evilReturns = []string{
	"https://evil.example/", "//evil.example/", "///evil.example/", `https:\\evil.example/`, `/\evil.example/`,
	"https://app.example.org@evil.example/", "https://app.example.org.evil.example/", "https://app.example.org:444/",
	"https://id.example.org@evil.example/self-service/settings", "https://evilapp.example.org/", "https://xn--pp-mia.example.org/",
	"javascript:alert(1)", "data:text/html,x", "app:evil", "\thttps://evil.example/",
}

// TestWhereProvingsReturn is asked at the beginning and, because the list may
// have changed since, at the end.
func TestWhereProvingsReturn(t *testing.T) {
	for _, kind := range []string{"settings", "recovery", "verification"} {
		for _, of := range kinds {
			h := open(t, verifying, recovering, transitions)
			box := h.mailbox(t)
			ann := h.client(of)
			ann.signUp(t, "ann@example.org")
			c := ann
			if kind != "settings" {
				c = h.client(of)
			}
			for _, evil := range evilReturns {
				a := c.opened(t, kind, "return_to="+url.QueryEscape(evil))
				if a.flowID(t) != "" {
					t.Errorf("%s, %s: %q begins: %d %s", kind, of, evil, a.Code, a.Header().Get("Location"))
				} else if p := c.problem(t, a); p.Code != http.StatusBadRequest {
					t.Errorf("%s, %s: %q is answered %+v", kind, of, evil, p)
				}
			}
			id := c.start(t, kind, "return_to=app://done/x")
			sent := fields{"method": "profile", "traits.email": "ann@example.org", "traits.name": "Ann"}
			if kind != "settings" {
				c.mail(t, kind, id, "code", "ann@example.org")
				code, _ := box.proof(t, kind)
				sent = fields{"method": "code", "code": code}
			}
			sent["csrf_token"] = c.csrf(t, kind, id)
			h.Returns.Allowed = h.Returns.Allowed[:1]
			a := c.submit(t, kind, id, sent)
			said := a.Header().Get("Location") + a.Body.String()
			if to := a.location(t); to != nil && to.Query().Get("flow") != "" { // where the way on is shown
				said = c.fetch(t, kind, id).Body.String()
			}
			leads := func(as string) bool { return strings.Contains(said, as+"app:") }
			if a.Code >= http.StatusInternalServerError || strings.HasPrefix(said, "app:") || leads(`browser_to":"`) || leads(`"action":"`) || leads(`"href":"`) {
				t.Errorf("%s, %s: sent to where it is not allowed any more: %d %s", kind, of, a.Code, said)
			}
			if kind == "recovery" {
				c.nothing(t, "recovery to where it is not allowed, "+of, a)
			}
		}
	}
}
