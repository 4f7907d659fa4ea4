package selfservice_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/table"
)

// TestStrangersAndOwnersCostAlike: whoever an identifier belongs to, a wrong
// password takes the same calls of the table, the same hashes and the same
// answer (CVE-2026-23511).
func TestStrangersAndOwnersCostAlike(t *testing.T) {
	h := open(t)
	for _, name := range []string{"owner", "inactive", "without", "outdated"} {
		id := h.client(api).signUp(t, name+"@example.org").Identity.ID
		switch name {
		case "inactive":
			h.inactive(t, id)
		case "without":
			h.change(t, id, func(who *identity.Identity) {
				credential := who.Credentials[identity.Password]
				credential.Config = []byte(`{}`)
				who.Credentials[identity.Password] = credential
			})
		case "outdated":
			h.change(t, id, func(who *identity.Identity) {
				if err := who.SetPasswordHash("no hash at all", h.Now()); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
	for _, of := range kinds {
		seen := map[string]string{}
		for _, name := range []string{"owner", "stranger", "inactive", "without", "outdated"} {
			c := h.client(of)
			id := c.start(t, "login", "")
			token := c.csrf(t, "login", id)
			contentType, body := multipartOf(t, fields{"method": "password", "identifier": name + "@example.org", "password": "wrong password", "csrf_token": token})
			r := c.request(t, http.MethodPost, "/self-service/login?flow="+id, contentType, body)
			ctx, tally := table.WithTally(r.Context())
			ctx, work := secret.WithWork(ctx)
			a := c.send(r.WithContext(ctx))
			var calls []string
			for _, call := range tally.Calls() {
				calls = append(calls, fmt.Sprint(call.Verb, call.Items, "@", call.Trip))
			}
			said := c.fetch(t, "login", id).Body.String()
			said = strings.NewReplacer(name, "NAME", id, "FLOW").Replace(said)
			if at := strings.Index(said, `"csrf_token","type":"hidden","value":"`); at >= 0 {
				said = said[:at] + said[at+150:]
			}
			said = fmt.Sprint(a.Code, calls, work.Runs(), said)
			seen[said] += " " + name
		}
		if len(seen) != 1 {
			for said, names := range seen {
				t.Errorf("%s:%s: %s", of, names, said)
			}
		}
	}
}

// TestAttemptsAreCounted for anybody's name, spelt in any way, and a flood at
// one leaves the others alone.
func TestAttemptsAreCounted(t *testing.T) {
	h := open(t)
	h.client(api).signUp(t, "ann@example.org")
	h.client(api).signUp(t, "eve@example.org")
	c := h.client(api)
	id := c.start(t, "login", "")
	guess := func(name, password string) int {
		return c.submit(t, "login", id, fields{"method": "password", "identifier": name, "password": password}).Code
	}
	spellings := []string{"ann@example.org", "ANN@EXAMPLE.ORG", " ann@example.org ", "a\u200bnn@example.org"}
	for i := range 100 {
		if got := guess(spellings[i%len(spellings)], "wrong password"); got != http.StatusBadRequest {
			t.Fatalf("guess %d answers %d", i, got)
		}
	}
	for _, name := range spellings {
		if got := guess(name, password); got != http.StatusTooManyRequests {
			t.Errorf("the right password after a hundred wrong ones answers %d", got)
		}
	}
	if got := guess("eve@example.org", password); got != http.StatusOK {
		t.Errorf("somebody else is answered %d", got)
	}
	h.clock.pass(10 * 60e9)
	c = h.client(api)
	if got := c.tryIn(t, "ann@example.org", password, ""); got.Code != http.StatusOK {
		t.Errorf("ten minutes later the right password answers %d", got.Code)
	}
}

// TestMailIsCounted for anybody's address, spelt in any way: whoever owns it, the
// thirteenth message in an hour is refused in the same words.
func TestMailIsCounted(t *testing.T) {
	for _, kind := range provings {
		for _, method := range []string{"code", "link"} {
			h, box := proving(t, method)
			h.client(api).signUp(t, "ann@example.org")
			c := h.client(api)
			refused := map[string]string{}
			for _, name := range []string{"ann", "nobody"} {
				for i := range 13 {
					address := name + "@example.org"
					if i%2 == 1 {
						address = strings.ToUpper(address)
					}
					id := c.start(t, kind, "")
					before, _ := box.counts()
					a := c.submit(t, kind, id, fields{"method": method, "email": address})
					after, _ := box.counts()
					if want := i < 12; (a.Code == http.StatusOK) != want || after > before && !want {
						t.Fatalf("%s by %s of %s, message %d: %d %s", kind, method, name, i, a.Code, a.Body)
					}
					refused[name] = strings.ReplaceAll(fmt.Sprint(a.Code, a.Body), id, "FLOW")
				}
			}
			if refused["ann"] != refused["nobody"] {
				t.Errorf("%s by %s: somebody is told\n%s\nand nobody\n%s", kind, method, refused["ann"], refused["nobody"])
			}
			h.clock.pass(time.Hour)
			c.asked(t, kind, method, "ann@example.org")
		}
	}
}

// fuzzSubmit sends any body as any content type to a flow of each kind of
// client. Whatever it is, it is the client's mistake, and the flow goes on.
func fuzzSubmit(f *testing.F, kind, valid string) {
	f.Helper()
	h := open(f)
	h.client(api).signUp(f, "ann@example.org")
	for _, bad := range badInputs(f, kind) {
		if len(bad.body) < 1<<16 {
			f.Add(bad.contentType, []byte(bad.body))
		}
	}
	f.Add("application/x-www-form-urlencoded", []byte(valid))
	f.Add("application/json", []byte(`{"method":"password","identifier":"ann@example.org","password":"x","traits":{"email":"\ud800","name":["x"]},"transient_payload":{"a":1}}`))
	f.Add("application/json", []byte(`{"method":"profile","traits":{"email":{}},"traits.name":[1,2],"screen":"previous"}`))
	f.Add("application/json", []byte(`{"method":"password","password":{"a":1},"traits.email":null,"traits":"x"}`))
	f.Add("application/x-www-form-urlencoded", []byte("method=profile%3aback&traits.email=%ff&traits=%7b%22name%22%3a1e999%7d"))
	contentType, body := multipartOf(f, fields{"method": "password", "traits.email": "\xff", "password": "\x00"})
	f.Add(contentType, []byte(body))
	clients, flows := map[string]*client{}, map[string]string{}
	for _, of := range kinds {
		clients[of] = h.client(of)
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		for _, of := range kinds {
			c := clients[of]
			if of != api {
				delete(c.jar, "ory_kratos_session")
			}
			if flows[of] == "" || c.fetch(t, kind, flows[of]).Code != http.StatusOK {
				flows[of] = c.start(t, kind, "")
			}
			a := c.post(t, kind, flows[of], contentType, string(body))
			switch {
			case a.Code >= http.StatusInternalServerError:
				t.Fatalf("%s: answered %d %s", of, a.Code, a.Body)
			case a.Code == http.StatusOK || a.location(t) != nil && a.location(t).Path == "/":
				flows[of] = "" // it was valid
			case a.location(t) != nil && a.location(t).Path == "/error":
				if p := c.problem(t, a); p.Code >= http.StatusInternalServerError {
					t.Fatalf("%s: answered %+v", of, p)
				}
			}
			if flows[of] != "" && c.fetch(t, kind, flows[of]).Code != http.StatusOK {
				t.Fatalf("%s: the flow is gone after %d %s", of, a.Code, a.Body)
			}
		}
	})
}

// FuzzLoginSubmit sends anything to logins.
func FuzzLoginSubmit(f *testing.F) {
	fuzzSubmit(f, "login", "method=password&identifier=ann%40example.org&password=wrong+password")
}

// FuzzRegistrationSubmit sends anything to registrations.
func FuzzRegistrationSubmit(f *testing.F) {
	fuzzSubmit(f, "registration", "method=password&traits.email=ann%40example.org&password=a+password+of+hers")
}
