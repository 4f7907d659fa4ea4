package proofs

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// messages of refused logins and registrations.
const (
	wrongCredentials = 4000006
	accountExists    = 4000007
	accountDisabled  = 4010011
	registrationDone = 4040002
)

// wrong is not the password of anybody.
const wrong = "harbour nine violet stone"

// TestLoginsWorkAlike shows that a refused login tells nothing by what it costs:
// whoever owns the identifier, the table sees the same verbs with as many items
// in the same round trips, and the same password hashes are computed.
func TestLoginsWorkAlike(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			over := b.open(t)
			h := build(t, over.behind)
			h.join("known@example.com")
			inactive := withPassword("inactive@example.com")
			inactive["state"] = "inactive"
			h.create(inactive)
			h.create(map[string]any{"traits": email("bare@example.com")})
			tooLong := strings.Repeat("lantern tide ", 8)
			attempts := []struct {
				name, identifier, password string
				says                       int
			}{
				{"a stranger", "nobody@example.com", password, wrongCredentials},
				{"a stranger whose name is no address", "no body at all", password, wrongCredentials},
				{"known, wrong password", "known@example.com", wrong, wrongCredentials},
				{"known, a password longer than bcrypt reads", "known@example.com", tooLong, wrongCredentials},
				{"a stranger, a password longer than bcrypt reads", "nobody@example.com", tooLong, wrongCredentials},
				{"inactive, wrong password", "inactive@example.com", wrong, wrongCredentials},
				{"inactive, right password", "inactive@example.com", password, accountDisabled},
				{"without a password", "bare@example.com", password, wrongCredentials},
			}
			signedIn := h.browser("application/json")
			if a := signedIn.open("login", "").login("known@example.com", password); a.status != http.StatusOK {
				t.Fatalf("login of a browser: %v", a)
			}
			for _, client := range []struct {
				name string
				open func() form
			}{
				{"native", func() form { return h.open("login", "") }},
				{"script", func() form { return h.browser("application/json").open("login", "") }},
				{"script with a session", func() form { return signedIn.open("login", "?refresh=true") }},
				{"page", func() form { return h.browser("text/html").open("login", "") }},
			} {
				t.Run(client.name, func(t *testing.T) {
					first := ""
					for _, attempt := range attempts {
						form := client.open()
						if over.proxy != nil {
							over.proxy.Reset()
						}
						a := form.login(attempt.identifier, attempt.password)
						steps := h.steps() + calls(over)
						if a.status == http.StatusSeeOther { // a page reads its flow
							a = form.do(http.MethodGet, strings.Replace(form.action, "/login?flow=", "/login/flows?id=", 1), nil)
							a.status = http.StatusBadRequest
						}
						if a.status != http.StatusBadRequest || !a.says(attempt.says) {
							t.Errorf("%s: want 400 with message %d: %v", attempt.name, attempt.says, a)
						}
						if first == "" {
							first = steps
							t.Logf("each attempt:\n%s", steps)
						}
						if steps != first {
							t.Errorf("%s does\n%sbut %s does\n%s", attempts[0].name, first, attempt.name, steps)
						}
					}
				})
			}
		})
	}
}

// calls are what the proxy saw since it was reset, "" without a proxy.
func calls(over kept) string {
	if over.proxy == nil {
		return ""
	}
	var lines []string
	for _, call := range over.proxy.Calls() {
		lines = append(lines, fmt.Sprintf("%s %d\n", call.Verb, call.Items))
	}
	slices.Sort(lines) // those sent together have no order
	return strings.Join(lines, "")
}
