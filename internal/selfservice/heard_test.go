package selfservice_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// listen returns what is told of the events that were noted since it was asked
// last, as event, outcome, reason and method.
func listen(t *testing.T, private ...string) func() []string {
	t.Helper()
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return func() []string {
		t.Helper()
		for _, secret := range append(private, password, "ann@example.org", "ory_st_") {
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log holds %q: %s", secret, log.String())
			}
		}
		var told []string
		for line := range strings.Lines(log.String()) {
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatal(err)
			}
			if record["styx"] != "audit" {
				continue
			}
			said := fmt.Sprint(record["event"], " ", record["outcome"])
			for _, name := range []string{"reason", "method"} {
				if value, ok := record[name]; ok {
					said += fmt.Sprint(" ", value)
				}
			}
			for _, name := range []string{"identity_id", "session_id", "flow_id"} {
				if _, ok := record[name]; ok {
					said += " " + strings.TrimSuffix(name, "_id")
				}
			}
			told = append(told, said)
		}
		log.Reset()
		return told
	}
}

// TestEventsAreNoted once each, with who and how, and with nothing that is secret.
func TestEventsAreNoted(t *testing.T) {
	h := open(t, verifying, recovering, transitions)
	box := h.mailbox(t)
	heard := listen(t)
	expect := func(what string, want ...string) {
		t.Helper()
		if got := heard(); !slices.Equal(got, want) {
			t.Errorf("%s: noted was %q, want %q", what, got, want)
		}
	}
	c := h.client(api)
	c.signUp(t, "ann@example.org")
	expect("signing up", "registration success password identity session flow")
	c.again(t, "login", h.client(api).tryIn(t, "ann@example.org", "not her password", ""))
	expect("a wrong password", "login failure credentials password identity flow")
	c.again(t, "login", h.client(api).tryIn(t, "nobody@example.org", password, ""))
	expect("nobody's password", "login failure credentials password flow")
	c.signIn(t, "ann@example.org", "refresh=true")
	expect("signing in", "login success password identity session flow")
	id := c.start(t, "settings", "")
	c.again(t, "settings", c.submit(t, "settings", id, fields{"method": "profile", "traits.email": "x"}))
	expect("a typing mistake")
	c.save(t, id, fields{"method": "password", "password": "another tide of maple"})
	expect("a new password", "settings success password identity session flow")
	other := h.client(spa)
	id = other.askBack(t, "", "ann@example.org")
	expect("asking for a code")
	other.shown(t, other.submit(t, "recovery", id, fields{"method": "code", "code": "000000x"}))
	expect("a wrong code", "recovery failure credentials code identity flow")
	other.recovered(t, other.submit(t, "recovery", id, fields{"method": "code", "code": box.last(t).RecoveryCode}))
	expect("recovering", "recovery success code_recovery identity session flow")
	if a := c.ask(t, http.MethodDelete, "/sessions"); a.Code != http.StatusOK {
		t.Fatal(a.Body)
	}
	expect("ending the others", "sessions_revoked success identity session")
	a := c.send(c.request(t, http.MethodDelete, "/self-service/logout/api", "application/json", `{"session_token":"`+c.token+`"}`))
	if a.Code != http.StatusNoContent {
		t.Fatal(a.Body)
	}
	expect("signing out", "logout success identity session")
}
