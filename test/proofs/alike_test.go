package proofs

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"styx/internal/table"
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
						steps := h.last.steps() + calls(over)
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

// weighing is a table that notes how large each item is that it is given.
type weighing struct {
	table.Table

	mu    sync.Mutex
	sizes []int
}

func (w *weighing) Write(ctx context.Context, ops ...table.Op) error {
	w.mu.Lock()
	for _, op := range ops {
		size := len(op.Item.Doc)
		for _, change := range op.Changes {
			size += len(change.Str)
		}
		w.sizes = append(w.sizes, size)
	}
	w.mu.Unlock()
	return w.Table.Write(ctx, ops...)
}

// taken are the sizes since this was last asked, in order.
func (w *weighing) taken() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	sizes := w.sizes
	w.sizes = nil
	slices.Sort(sizes)
	return sizes
}

// likeSize is by how many bytes an item of one submission may differ from that of
// another: identities differ by so much from each other.
const likeSize = 256

// TestProvingsWorkAlike shows that asking for a code or a link tells nothing by
// what it costs: whoever owns the address, the table sees the same verbs with as
// many items of like size in the same round trips.
func TestProvingsWorkAlike(t *testing.T) {
	for _, b := range backends() {
		for method, more := range map[string]string{"code": "", "link": byLink} {
			t.Run(b.name+" "+method, func(t *testing.T) {
				over := b.open(t)
				scale := &weighing{Table: over.behind}
				h := build(t, scale, more)
				h.join("known@example.com")
				inactive := withPassword("inactive@example.com")
				inactive["state"] = "inactive"
				h.create(inactive)
				h.create(map[string]any{"traits": email("bare@example.com")})
				for kind := range codeMail {
					var first string
					var sizes []int
					for _, address := range []string{"known@example.com", "nobody@example.com", "KNOWN@example.com", "inactive@example.com", "bare@example.com", "x@example.com"} {
						form := h.open(kind, "")
						if over.proxy != nil {
							over.proxy.Reset()
						}
						scale.taken()
						a := form.submit(map[string]string{"method": method, "email": address})
						steps, weighed := h.last.steps()+calls(over), scale.taken()
						if a.status != http.StatusOK || a.State != "sent_email" {
							t.Errorf("%s of %s: %v", kind, address, a)
						}
						if first == "" {
							first, sizes = steps, weighed
						}
						if steps != first {
							t.Errorf("%s of the first does\n%sbut of %s does\n%s", kind, first, address, steps)
							continue
						}
						for i := range sizes {
							if weighed[i] > sizes[i]+likeSize || weighed[i] < sizes[i]-likeSize {
								t.Errorf("%s of the first writes items of %v bytes, of %s %v", kind, sizes, address, weighed)
								break
							}
						}
					}
				}
			})
		}
	}
}
