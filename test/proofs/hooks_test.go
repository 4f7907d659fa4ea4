package proofs

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"styx/internal/app/mail"
	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/jsonnet"
	"styx/internal/table"
	"styx/internal/table/local"
)

// TestMain lets the tests' own process run the operator's programs, as the
// program does.
func TestMain(m *testing.M) {
	jsonnet.Main()
	os.Exit(m.Run())
}

// receiver is where web hooks go.
type receiver struct {
	*httptest.Server

	mu    sync.Mutex
	calls []string // their bodies
	judge func(body string) int
}

// receive starts a receiver; judge says with which status it answers.
func receive(t *testing.T, judge func(body string) int) *receiver {
	t.Helper()
	r := &receiver{judge: judge}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, asked *http.Request) {
	body, err := io.ReadAll(asked.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.mu.Lock()
	r.calls = append(r.calls, string(body))
	r.mu.Unlock()
	w.WriteHeader(r.judge(string(body)))
}

// got are the bodies of the calls so far.
func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

func fine(string) int { return http.StatusOK }

// hook is a web hook that goes to the receiver and is told what program makes of
// its context, as an item of a list of hooks; response is how it is answered.
func (r *receiver) hook(program, response string) string {
	source := base64.StdEncoding.EncodeToString([]byte("function(ctx) " + program))
	return fmt.Sprintf(`{"hook":"web_hook","config":{"url":"%s/","method":"POST","body":"base64://%s","response":{%s}}}`, r.URL, source, response)
}

// background is how a hook is answered that nobody waits for.
const background = `"ignore":true`

// deliver sends what waits to be sent, as in production: nothing of it is kept.
// It returns the mail.
func (h *house) deliver() []*courier.Letter {
	h.t.Helper()
	a, c := *h.server.App, *h.server.App.Config
	c.Dev, a.Config = false, &c
	var sent []*courier.Letter
	delivery, err := mail.New(&a, a.Engine.Hooks.Programs, slog.New(slog.DiscardHandler), func(config.SMTP) (courier.Send, error) {
		return func(_ context.Context, letter *courier.Letter) error {
			sent = append(sent, letter)
			return nil
		}, nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	due, err := a.Engine.Store.Due(h.t.Context(), 500)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, id := range due {
		if _, err := delivery.Deliver(h.t.Context(), id); err != nil {
			h.t.Error(err)
		}
	}
	return sent
}

// told is what the hooks of these tests are told: the kind of flow and whom it
// is about.
const told = `{flow: ctx.flow.id, who: if std.objectHas(ctx, 'identity') then ctx.identity.id else ''}`

// TestHookFindsTheIdentity: who is asked after a registration finds by the admin
// API whom it is asked about, and its failure does not undo the registration.
func TestHookFindsTheIdentity(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			var h *house
			var mu sync.Mutex
			found := map[string]int{}
			calls := receive(t, func(body string) int {
				var about struct{ Who string }
				if err := json.Unmarshal([]byte(body), &about); err != nil || about.Who == "" {
					t.Errorf("a hook is told %s", body)
					return http.StatusOK
				}
				a := h.do(http.MethodGet, h.admin+"/admin/identities/"+about.Who, nil)
				mu.Lock()
				defer mu.Unlock()
				found[a.Traits.Email] = a.status
				if a.Traits.Email == "lucky@example.com" {
					return http.StatusOK
				}
				return http.StatusInternalServerError
			})
			h = build(t, b.open(t), `selfservice: {flows: {registration: {after: {password: {hooks: [{hook: session}, `+calls.hook(told, "")+`]}}}}}`)
			h.join("lucky@example.com")
			unlucky := []*client{h.client, h.browser("application/json"), h.browser("text/html")}
			atOnce(len(unlucky), func(i int) { // a call that fails is made again after a pause
				a := unlucky[i].open("registration", "").register(fmt.Sprintf("unlucky%d@example.com", i), password)
				if page, err := url.Parse(a.header.Get("Location")); err == nil && page.Query().Get("id") != "" {
					a = unlucky[i].do(http.MethodGet, h.public+"/self-service/errors?id="+page.Query().Get("id"), nil)
					a.status = http.StatusBadGateway
				}
				if a.status != http.StatusBadGateway || a.Error.Code != http.StatusBadGateway || a.token() != "" {
					t.Errorf("a registration whose hook fails: %v with code %d", a, a.Error.Code)
				}
				if me := unlucky[i].do(http.MethodGet, h.public+"/sessions/whoami", nil); me.status != http.StatusUnauthorized {
					t.Errorf("a registration whose hook fails signs in: %v", me)
				}
			})
			for _, address := range []string{"lucky@example.com", "unlucky0@example.com", "unlucky1@example.com", "unlucky2@example.com"} {
				if found[address] != http.StatusOK {
					t.Errorf("the hook about %s finds %d", address, found[address])
				}
				h.enter(address)
			}
		})
	}
}

// TestBackgroundHookOutlivesItsProcess kills a process the moment it has
// answered, before it could call anybody: the next one does.
func TestBackgroundHookOutlivesItsProcess(t *testing.T) {
	var living atomic.Bool
	living.Store(true)
	calls := receive(t, func(string) int {
		if living.Load() {
			return http.StatusInternalServerError // whatever the first process tries is in vain
		}
		return http.StatusOK
	})
	path := filepath.Join(t.TempDir(), "styx.db")
	hooks := "[" + calls.hook(told, background) + "]"
	p := serve(t, "file://"+path,
		"SELFSERVICE_FLOWS_REGISTRATION_AFTER_PASSWORD_HOOKS="+hooks, "SELFSERVICE_FLOWS_SETTINGS_AFTER_HOOKS="+hooks)
	owner := p.signUp(p.flow("registration"), "owner@example.com", password)
	settings := p.bearing(p.enter("owner@example.com")).open("settings", "")
	a := settings.submit(map[string]string{"method": "profile", "traits.email": "owner@example.com", "traits.name": "An Owner"})
	p.kill()
	if owner.status != http.StatusOK || a.status != http.StatusOK {
		t.Fatalf("registration: %v; settings: %v", owner, a)
	}
	living.Store(false)
	before := len(calls.got())

	h := build(t, keep(t, func() (*local.Table, error) {
		return local.Open(path, local.Options{Now: time.Now, Rand: rand.Reader})
	}))
	h.pass(time.Hour) // whatever the dead process had claimed is given back
	h.deliver()
	// Distinct, because what the dead process sent at last may arrive only now.
	after := slices.Compact(slices.Sorted(slices.Values(calls.got()[before:])))
	if len(after) != 2 || !strings.Contains(after[0], owner.Identity.ID) || !strings.Contains(after[1], owner.Identity.ID) {
		t.Errorf("after the process was killed, %d calls came: %q", len(after), after)
	}
	sent := len(calls.got())
	if h.deliver(); len(calls.got()) != sent {
		t.Error("a call came twice")
	}
}

// TestRefusedChangeSendsNothing: of a change that is not stored no mail and no
// call is, and the other way round.
func TestRefusedChangeSendsNothing(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			calls := receive(t, fine)
			seam := &failing{Table: b.open(t)}
			h := build(t, seam, fmt.Sprintf(`selfservice: {flows: {
				settings: {after: {hooks: [%[1]s]}}, recovery: {after: {hooks: [%[1]s]}}, verification: {after: {hooks: [%[1]s]}},
				registration: {after: {password: {hooks: [{hook: session}, %[1]s]}}}}}`, calls.hook(told, background)))
			h.join("taken@example.com")
			owner := h.bearing(h.join("owner@example.com").Token)
			id, code := h.awaiting("recovery", "owner@example.com")
			h.deliver()
			stored, called := len(h.identities()), len(calls.got())
			register := func() answer { return h.signUp(h.flow("registration"), "new@example.com", password) }
			move := func(to string) func() answer {
				form := owner.open("settings", "")
				return func() answer { return form.submit(map[string]string{"method": "profile", "traits.email": to}) }
			}
			recovered := func() answer { return h.guess("recovery", id, code) }
			for _, attempt := range []struct {
				name string
				do   func() answer
				lost bool // the table does not take it
				want int
			}{
				{"a registration of a name that is taken", func() answer { return h.signUp(h.flow("registration"), "taken@example.com", password) }, false, 400},
				{"settings with a name that is taken", move("taken@example.com"), false, 400},
				{"a registration that is not stored", register, true, 500},
				{"settings that are not stored", move("new@example.com"), true, 500},
				{"a recovery that is not stored", recovered, true, 500},
			} {
				seam.lose.Store(attempt.lost)
				if a := attempt.do(); a.status != attempt.want || a.token() != "" {
					t.Errorf("%s: want %d: %v", attempt.name, attempt.want, a)
				}
				seam.lose.Store(false)
				if letters := h.deliver(); len(letters) != 0 || len(calls.got()) != called {
					t.Errorf("%s sends %d letters and %d calls", attempt.name, len(letters), len(calls.got())-called)
				}
				if me := owner.do(http.MethodGet, h.public+"/sessions/whoami", nil); me.Identity.Traits.Email != "owner@example.com" {
					t.Errorf("%s: the owner is %q", attempt.name, me.Identity.Traits.Email)
				}
				if all := h.identities(); len(all) != stored {
					t.Errorf("%s: there are %d identities, want %d", attempt.name, len(all), stored)
				}
			}
			// What was refused for the table's sake alone is still to be had.
			for i, do := range []func() answer{register, recovered, move("moved@example.com")} {
				if a := do(); a.status != http.StatusOK {
					t.Errorf("attempt %d, once the table takes it: %v", i, a)
				}
			}
			if letters := h.deliver(); len(letters) != 2 || len(calls.got()) != called+3 {
				t.Errorf("%d letters and %d calls left, want 2 and 3", len(letters), len(calls.got())-called)
			}
		})
	}
}

// failing is a table that loses transactions when it is told to.
type failing struct {
	table.Table

	lose atomic.Bool
}

var errLost = errors.New("the table is gone")

func (f *failing) Write(ctx context.Context, ops ...table.Op) error {
	if len(ops) > 1 && f.lose.Load() {
		return errLost
	}
	return f.Table.Write(ctx, ops...)
}
