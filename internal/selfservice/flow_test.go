package selfservice_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"styx/internal/table"
	"styx/internal/ui"
)

// TestExpiredFlow answers 410 to its reader, and a submission with a fresh flow
// that says so.
func TestExpiredFlow(t *testing.T) {
	h := open(t)
	h.client(api).signUp(t, "ann@example.org")
	for kind, w := range map[string]struct {
		life    time.Duration
		message ui.ID
		sent    fields
	}{
		"login":        {10 * time.Minute, 4010001, fields{"method": "password", "identifier": "ann@example.org", "password": password}},
		"registration": {20 * time.Minute, 4040001, fields{"method": "password", "traits.email": "eve@example.org", "password": password}},
	} {
		for _, of := range kinds {
			c := h.client(of)
			old := c.start(t, kind, "return_to=https://app.example.org/x&identity_schema=person")
			w.sent["csrf_token"] = c.csrf(t, kind, old)
			h.clock.pass(w.life - time.Second)
			if a := c.fetch(t, kind, old); a.Code != http.StatusOK {
				t.Errorf("%s, %s: a second before its end it answers %d", kind, of, a.Code)
			}
			h.clock.pass(61 * time.Second)
			p := c.problem(t, c.fetch(t, kind, old))
			if p.Code != http.StatusGone || p.ID != "self_service_flow_expired" {
				t.Errorf("%s, %s: reading answers %+v", kind, of, p)
			}
			where := map[string]string{
				api:  "https://id.example.org/self-service/" + kind + "/api",
				spa:  "https://id.example.org/self-service/" + kind + "/browser?return_to=https%3A%2F%2Fapp.example.org%2Fx",
				html: "https://id.example.org/self-service/" + kind + "/browser?return_to=https%3A%2F%2Fapp.example.org%2Fx",
			}[of]
			if p.Details["api"] != where && p.Details["redirect_to"] != where {
				t.Errorf("%s, %s: a new one comes from %v", kind, of, p.Details)
			}
			a := c.submit(t, kind, old, w.sent)
			var body struct {
				Use     string        `json:"use_flow_id"`
				Since   time.Duration `json:"since"`
				Expired time.Time     `json:"expired_at"`
			}
			if of == html {
				body.Use = a.flowID(t)
			} else {
				a.decode(t, &body)
				if p := c.problem(t, a); p.Code != http.StatusGone || p.ID != "self_service_flow_expired" || body.Since != time.Minute || !body.Expired.Equal(h.Now().Add(-time.Minute)) {
					t.Errorf("%s, %s: submitting answers %d %s", kind, of, a.Code, a.Body)
				}
			}
			fresh := c.fetch(t, kind, body.Use).flow(t)
			if fresh.ID == old || fmt.Sprint(fresh.messages()) != fmt.Sprint(said(w.message)) || !fresh.ExpiresAt.Equal(h.Now().Add(w.life)) ||
				!strings.HasSuffix(fresh.RequestURL, "identity_schema=person") || fresh.Schema != "person" || fresh.ReturnTo != "https://app.example.org/x" {
				t.Errorf("%s, %s: the fresh flow is %+v", kind, of, fresh)
			}
			delete(w.sent, "csrf_token")
			done := c.submit(t, kind, fresh.ID, w.sent)
			if done.Code != http.StatusOK && (done.Code != http.StatusSeeOther || done.location(t).Path != "/x") {
				t.Errorf("%s, %s: the fresh flow ends with %d %s", kind, of, done.Code, done.Body)
			}
			if kind == "registration" {
				w.sent["traits.email"] = "next-" + w.sent["traits.email"]
			}
		}
	}
}

// TestExpiredRefreshWithoutItsSession asks nobody to confirm who they are: the
// session is gone as well as the flow.
func TestExpiredRefreshWithoutItsSession(t *testing.T) {
	h := open(t)
	for i, of := range kinds {
		c := h.client(of)
		email := fmt.Sprintf("ann%d@example.org", i)
		c.signUp(t, email)
		id := c.start(t, "login", "refresh=true")
		token := c.csrf(t, "login", id)
		h.clock.pass(48 * time.Hour)
		a := c.submit(t, "login", id, fields{"method": "password", "identifier": email, "password": password, "csrf_token": token})
		if a.Code >= http.StatusInternalServerError {
			t.Fatalf("%s: answered %d %s", of, a.Code, a.Body)
		}
		var body struct {
			Use string `json:"use_flow_id"`
		}
		if of == html {
			body.Use = a.flowID(t)
		} else {
			a.decode(t, &body)
		}
		fresh := c.fetch(t, "login", body.Use).flow(t)
		if node := fresh.node("identifier"); fresh.Refresh || node == nil || node.Attributes.Type != "text" {
			t.Errorf("%s: the fresh flow is %+v", of, fresh)
		}
	}
}

// TestSignedInAlready covers who opens, or finishes, a flow that a session makes
// pointless.
func TestSignedInAlready(t *testing.T) {
	h := open(t)
	h.client(api).signUp(t, "eve@example.org")
	for i, of := range kinds {
		c := h.client(of)
		email := fmt.Sprintf("ann%d@example.org", i)
		early := map[string]string{"login": c.start(t, "login", ""), "registration": c.start(t, "registration", "")}
		mine := c.signUp(t, email)
		for _, kind := range []string{"login", "registration"} {
			a := c.opened(t, kind, "return_to=https://app.example.org/x")
			if of == html {
				if a.Code != http.StatusSeeOther || a.location(t).String() != "https://app.example.org/x" {
					t.Errorf("%s: a browser is sent to %s", kind, a.location(t))
				}
			} else if p := c.problem(t, a); p.Code != http.StatusBadRequest || p.ID != "session_already_available" {
				t.Errorf("%s, %s: starting answers %+v", kind, of, p)
			}
			a = c.submit(t, kind, early[kind], fields{"method": "password", "identifier": "eve@example.org", "traits.email": "new@example.org", "password": password, "csrf_token": "x"})
			if of == html {
				if a.Code != http.StatusSeeOther || a.location(t).String() != "https://app.example.org/" {
					t.Errorf("%s: a browser is sent to %s", kind, a.location(t))
				}
			} else if f := c.again(t, kind, a); fmt.Sprint(f.messages()) != "[4000001]" || !strings.HasPrefix(f.UI.Messages[0].Text, "A valid session was detected") {
				t.Errorf("%s, %s: says %+v", kind, of, f.UI.Messages)
			}
			if got := c.whoami(t); got.ID != mine.ID {
				t.Errorf("%s, %s: the session is %s now", kind, of, got.ID)
			}
		}
	}
}

// TestRefreshForm asks for the password alone.
func TestRefreshForm(t *testing.T) {
	h := open(t)
	for i, of := range kinds {
		c := h.client(of)
		email := fmt.Sprintf("ann%d@example.org", i)
		c.signUp(t, email)
		f := c.fetch(t, "login", c.start(t, "login", "refresh=true")).flow(t)
		node := f.node("identifier")
		if !f.Refresh || node.Attributes.Type != "hidden" || node.Attributes.Value != email || fmt.Sprint(f.messages()) != "[1010003]" {
			t.Errorf("%s: %+v", of, f)
		}
		nobody := h.client(of)
		f = nobody.fetch(t, "login", nobody.start(t, "login", "refresh=true")).flow(t)
		if f.Refresh || f.node("identifier").Attributes.Type != "text" || len(f.messages()) != 0 {
			t.Errorf("%s: nobody has nothing to refresh: %+v", of, f)
		}
	}
}

// TestReturnToIsAskedAgainAtTheEnd because the list may have changed since.
func TestReturnToIsAskedAgainAtTheEnd(t *testing.T) {
	for kind, sent := range map[string]fields{
		"login":        {"method": "password", "identifier": "ann@example.org", "password": password},
		"registration": {"method": "password", "traits.email": "eve@example.org", "password": password},
	} {
		for _, of := range kinds {
			h := open(t)
			h.client(api).signUp(t, "ann@example.org")
			c := h.client(of)
			id := c.start(t, kind, "return_to=app://done/x")
			h.Returns.Allowed = h.Returns.Allowed[:1]
			f := c.again(t, kind, c.submit(t, kind, id, sent))
			if fmt.Sprint(f.messages()) != "[4000001]" || !strings.Contains(f.UI.Messages[0].Text, `Requested return_to URL "app://done/x" is not allowed.`) {
				t.Errorf("%s, %s: says %+v", kind, of, f.UI.Messages)
			}
			if got := c.whoami(t); got.ID != "" {
				t.Errorf("%s, %s: signed in nevertheless", kind, of)
			}
		}
	}
}

// TestWhereItEnds goes from the most specific setting to the general one.
func TestWhereItEnds(t *testing.T) {
	const method = `selfservice: {flows: {login: {after: {password: {default_browser_return_url: "https://app.example.org/method"}}}}}`
	const kind = `selfservice: {flows: {login: {after: {default_browser_return_url: "https://app.example.org/flow"}}}}`
	for _, w := range []struct {
		name  string
		more  []string
		query string
		want  string
	}{
		{"the general setting", nil, "", "https://app.example.org/"},
		{"the flow's", []string{kind}, "", "https://app.example.org/flow"},
		{"the method's", []string{kind, method}, "", "https://app.example.org/method"},
		{"what was asked for", []string{kind, method}, "return_to=https://app.example.org/asked?a=b", "https://app.example.org/asked?a=b"},
		{"a path that was asked for", nil, "return_to=/asked", "https://app.example.org/asked"},
		{"an app", nil, "return_to=app://done/x", "app://done/x"},
	} {
		t.Run(w.name, func(t *testing.T) {
			h := open(t, w.more...)
			h.client(api).signUp(t, "ann@example.org")
			if a := h.client(html).tryIn(t, "ann@example.org", password, w.query); a.Header().Get("Location") != w.want {
				t.Errorf("a page ends at %s, want %s", a.Header().Get("Location"), w.want)
			}
			var body struct {
				Next []struct {
					Action string `json:"action"`
					To     string `json:"redirect_browser_to"`
				} `json:"continue_with"`
			}
			h.client(spa).tryIn(t, "ann@example.org", password, w.query).decode(t, &body)
			if len(body.Next) != 1 || body.Next[0].Action != "redirect_browser_to" || body.Next[0].To != w.want {
				t.Errorf("a script continues with %v, want %s", body.Next, w.want)
			}
		})
	}
}

// TestTwoScreens walks through a registration in two steps, back, and on again.
func TestTwoScreens(t *testing.T) {
	h := open(t)
	for i, of := range kinds {
		t.Run(of, func(t *testing.T) {
			c := h.client(of)
			email := fmt.Sprintf("ann%d@example.org", i)
			const organization = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
			id := c.start(t, "registration", "organization="+organization)
			traits := func(more fields) fields {
				all := fields{"traits.email": email, "traits.name": "Ann"}
				maps.Copy(all, more)
				return all
			}
			if f := c.fetch(t, "registration", id).flow(t); f.node("password") != nil || f.node("traits.email").Attributes.Type != "email" {
				t.Fatalf("the first screen is %+v", f.UI.Nodes)
			}
			// Traits that do not hold up lead nowhere.
			f := c.again(t, "registration", c.submit(t, "registration", id, traits(fields{"method": "profile", "traits.email": "no email"})))
			if got := fmt.Sprint(f.messages()); got != "[4000040]" && got != "[4000001]" || f.node("password") != nil {
				t.Errorf("a wrong address says %s", got)
			}
			for range 2 {
				f = c.again(t, "registration", c.submit(t, "registration", id, traits(fields{"method": "profile"})))
				if fmt.Sprint(f.messages()) != "[1040009]" || f.Active != "" || f.node("password") == nil || f.node("screen") == nil {
					t.Fatalf("the second screen is %+v", f)
				}
				if node := f.node("traits.email"); node.Attributes.Type != "hidden" || node.Attributes.Value != email {
					t.Errorf("the second screen keeps %+v", node.Attributes)
				}
				// The way back needs no token: it changes nothing.
				f = c.again(t, "registration", c.submit(t, "registration", id, traits(fields{"screen": "previous", "csrf_token": ""})))
				if node := f.node("traits.email"); len(f.messages()) != 0 || f.node("password") != nil || f.node("screen") != nil ||
					node.Attributes.Type != "email" || node.Attributes.Value != email || f.node("traits.name").Attributes.Value != "Ann" {
					t.Fatalf("the way back leads to %+v", f)
				}
			}
			if !strings.Contains(c.fetch(t, "registration", id).Body.String(), `"organization_id":null`) {
				t.Error("the way back keeps the organization")
			}
			f = c.again(t, "registration", c.submit(t, "registration", id, traits(fields{"screen": "credential-selection"})))
			if f.node("password") == nil {
				t.Fatal("the button of old leads nowhere")
			}
			// A password that is refused leaves the second screen.
			f = c.again(t, "registration", c.submit(t, "registration", id, traits(fields{"method": "password", "password": "short"})))
			if fmt.Sprint(f.messages()) != "[4000032]" || f.node("traits.email").Attributes.Type != "hidden" {
				t.Errorf("a short password says %v, in %+v", f.messages(), f.node("traits.email").Attributes)
			}
			mine := c.done(t, c.submit(t, "registration", id, traits(fields{"method": "password", "password": password})))
			if got := string(h.stored(t, mine.Identity.ID).Traits); got != `{"email":"`+email+`","name":"Ann"}` {
				t.Errorf("stored are %s", got)
			}
			// What is done is done.
			again := h.client(of)
			again.jar = c.jar
			p := again.post(t, "registration", id, "application/json", `{"method":"password"}`)
			if p.Code == http.StatusOK {
				t.Errorf("the flow is open again: %s", p.Body)
			}
		})
	}
}

// TestOneScreen asks for everything at once where the configuration says so.
func TestOneScreen(t *testing.T) {
	h := open(t, `selfservice: {flows: {registration: {style: unified}}}`)
	for i, of := range kinds {
		c := h.client(of)
		id := c.start(t, "registration", "")
		if f := c.fetch(t, "registration", id).flow(t); f.node("password") == nil || f.node("traits.email") == nil || f.node("screen") != nil {
			t.Errorf("%s: the screen is %+v", of, f.UI.Nodes)
		}
		c.done(t, c.submit(t, "registration", id, fields{"method": "password", "traits.email": fmt.Sprintf("ann%d@example.org", i), "password": password}))
	}
}

// TestRegistrationSwitchedOff starts none.
func TestRegistrationSwitchedOff(t *testing.T) {
	h := open(t, `selfservice: {flows: {registration: {enabled: false}}}`)
	for _, of := range kinds {
		c := h.client(of)
		if p := c.problem(t, c.opened(t, "registration", "")); p.Code != http.StatusBadRequest || p.ID != "self_service_flow_disabled" {
			t.Errorf("%s: %+v", of, p)
		}
	}
}

// TestNameIsTaken keeps the first, and says so to the second, also to one who
// spells it with invisible characters.
func TestNameIsTaken(t *testing.T) {
	h := open(t)
	first := h.client(api).signUp(t, "ann@example.org")
	for _, of := range kinds {
		for _, email := range []string{"ann@example.org", "ANN@Example.org", "\u202eann@example.org", "an\u200bn@example.org"} {
			c := h.client(of)
			f := c.again(t, "registration", c.submit(t, "registration", c.start(t, "registration", ""), fields{"method": "password", "traits.email": email, "password": password}))
			if got := fmt.Sprint(f.messages()); got != "[4000007]" && got != "[4000040]" && got != "[4000001]" {
				t.Errorf("%s, %+q: says %s", of, email, got)
			}
			if c.whoami(t).ID != "" {
				t.Errorf("%s, %+q: signed in", of, email)
			}
		}
	}
	if got := h.client(api).signIn(t, "ann@example.org", ""); got.Identity.ID != first.Identity.ID {
		t.Errorf("the name belongs to %s now", got.Identity.ID)
	}
}

// TestFlowOfANewerRelease is read and judged; what a newer release wrote is not
// written over. One of a release that nothing is known of is refused.
func TestFlowOfANewerRelease(t *testing.T) {
	h := open(t)
	h.client(api).signUp(t, "ann@example.org")
	for _, of := range kinds {
		c := h.client(of)
		id := c.start(t, "login", "")
		key := table.Key{PK: "0.F#" + id, SK: "#"}
		items, err := h.table.Get(t.Context(), key)
		if err != nil || items[0] == nil {
			t.Fatalf("no item of the flow: %v", err)
		}
		newer := *items[0]
		newer.DV, newer.Doc = 2, []byte(strings.Replace(string(newer.Doc), "{", `{"later":1,`, 1))
		if err := h.table.Write(t.Context(), table.Put(newer)); err != nil {
			t.Fatal(err)
		}
		if a := c.submit(t, "login", id, fields{"method": "password", "identifier": "ann@example.org", "password": "wrong"}); a.Code >= http.StatusInternalServerError {
			t.Errorf("%s: answered %d %s", of, a.Code, a.Body)
		}
		if items, err = h.table.Get(t.Context(), key); err != nil || string(items[0].Doc) != string(newer.Doc) || items[0].DV != 2 {
			t.Errorf("%s: the newer document was written over: %s", of, items[0].Doc)
		}
		c.done(t, c.submit(t, "login", id, fields{"method": "password", "identifier": "ann@example.org", "password": password}))
		newer.DV = 3
		if err := h.table.Write(t.Context(), table.Put(newer)); err != nil {
			t.Fatal(err)
		}
		if a := c.fetch(t, "login", id); a.Code != http.StatusInternalServerError {
			t.Errorf("%s: a document of dv 3 answers %d", of, a.Code)
		}
	}
}

// TestHostReachesNothing: every URL comes from the configuration (CVE-2017-12161).
func TestHostReachesNothing(t *testing.T) {
	h := open(t, verifying, recovering, byLink, linkRecovery)
	box := h.mailbox(t)
	h.client(api).signUp(t, "ann@example.org")
	evil := func(r *http.Request) *http.Request {
		r.Host = "evil.example"
		for _, name := range []string{"X-Forwarded-Host", "X-Original-Host", "X-Host", "X-Forwarded-Server", "Forwarded"} {
			r.Header.Set(name, "host=evil.example")
		}
		r.Header.Set("X-Forwarded-Proto", "gopher")
		r.Header.Set("X-Forwarded-Prefix", "/evil.example")
		return r
	}
	for _, of := range kinds {
		c := h.client(of)
		check := func(what string, a answer) answer {
			t.Helper()
			text := fmt.Sprint(a.Header(), a.Body)
			if strings.Contains(text, "evil") || strings.Contains(text, "gopher") {
				t.Errorf("%s, %s: %s", what, of, text)
			}
			return a
		}
		for _, kind := range []string{"login", "registration", "recovery", "verification"} {
			for _, path := range []string{"/self-service/" + kind + "/browser", "/self-service/" + kind + "/api", "/self-service/" + kind + "/browser?aal=aal2", "/self-service/" + kind} {
				check(path, c.send(evil(c.request(t, http.MethodGet, path, "", ""))))
			}
			id := check("start", c.send(evil(c.request(t, http.MethodGet, "/self-service/"+kind+"/"+map[string]string{api: "api", spa: "browser", html: "browser"}[of], "", "")))).flowID(t)
			check("fetch", c.fetch(t, kind, id))
			check("empty", c.send(evil(c.request(t, http.MethodPost, "/self-service/"+kind+"?flow="+id, "application/json", `{}`))))
			items, err := h.table.Get(t.Context(), table.Key{PK: "0.F#" + id, SK: "#"})
			if err != nil || items[0] == nil || strings.Contains(string(items[0].Doc), "evil") {
				t.Errorf("%s, %s: stored is %v", kind, of, items)
			}
			if kind != "recovery" && kind != "verification" {
				continue
			}
			id = c.start(t, kind, "")
			sent := url.Values{"method": {"link"}, "email": {"ann@example.org"}, "csrf_token": {c.csrf(t, kind, id)}}
			check("submit", c.send(evil(c.request(t, http.MethodPost, "/self-service/"+kind+"?flow="+id, "application/x-www-form-urlencoded", sent.Encode()))))
			_, link := box.proof(t, kind)
			if !strings.HasPrefix(link, "https://id.example.org/self-service/"+kind+"?") || strings.Contains(box.last(t).data, "evil") {
				t.Errorf("%s, %s: a mail says %s", kind, of, box.last(t).data)
			}
			reader := h.client(html)
			check("link", reader.send(evil(reader.request(t, http.MethodGet, parsed(t, link).RequestURI(), "", ""))))
			check("used link", reader.send(evil(reader.request(t, http.MethodGet, parsed(t, link).RequestURI(), "", ""))))
		}
		c.signIn(t, "ann@example.org", "")
		id := check("start settings", c.send(evil(c.request(t, http.MethodGet, "/self-service/settings/"+map[string]string{api: "api", spa: "browser", html: "browser"}[of], "", "")))).flowID(t)
		moved := url.Values{"method": {"profile"}, "traits.email": {"ann@example.org"}, "csrf_token": {c.csrf(t, "settings", id)}}
		check("settings", c.send(evil(c.request(t, http.MethodPost, "/self-service/settings?flow="+id, "application/x-www-form-urlencoded", moved.Encode()))))
		h.clock.pass(2 * time.Hour)
		id = c.start(t, "settings", "")
		late := url.Values{"method": {"password"}, "password": {password + " anew"}, "csrf_token": {c.csrf(t, "settings", id)}}
		check("late settings", c.send(evil(c.request(t, http.MethodPost, "/self-service/settings?flow="+id, "application/x-www-form-urlencoded", late.Encode()))))
		for _, path := range []string{"/sessions/whoami", "/sessions", "/self-service/logout/browser", "/self-service/errors?id=stub:500", "/.well-known/change-password", "/schemas"} {
			check(path, c.send(evil(c.request(t, http.MethodGet, path, "", ""))))
		}
	}
}

// TestTransientPayloadIsNotStored but shown in the answer to its submission.
func TestTransientPayloadIsNotStored(t *testing.T) {
	h := open(t)
	c := h.client(api)
	id := c.start(t, "registration", "")
	a := c.post(t, "registration", id, "application/json", `{"method":"profile","traits":{"email":"ann@example.org"},"transient_payload":{"secret":"value"}}`)
	if !strings.Contains(a.Body.String(), `"transient_payload":{"secret":"value"}`) {
		t.Errorf("answered %s", a.Body)
	}
	if a := c.fetch(t, "registration", id); strings.Contains(a.Body.String(), "value") && strings.Contains(a.Body.String(), "secret") {
		t.Errorf("stored %s", a.Body)
	}
}
