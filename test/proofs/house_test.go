package proofs

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"styx/internal/app"
	"styx/internal/app/full"
	"styx/internal/config"
	"styx/internal/secret"
	"styx/internal/table"
	"styx/internal/table/local"
	"styx/test/dynamodb"
)

const personSchema = `{"type":"object","properties":{"traits":{"type":"object","properties":{
	"email":{"type":"string","format":"email","ory.sh/kratos":{
		"credentials":{"password":{"identifier":true}},"verification":{"via":"email"},"recovery":{"via":"email"}}},
	"name":{"type":"string"}},
	"required":["email"],"additionalProperties":false}}}`

// settings are the configuration of every test, whose hashes are cheap.
func settings() string {
	return `
dev: true
log: {level: debug, format: json}
identity:
  default_schema_id: person
  schemas:
    - id: person
      url: base64://` + base64.StdEncoding.EncodeToString([]byte(personSchema)) + `
selfservice:
  default_browser_return_url: http://127.0.0.1:4455/
  allowed_return_urls: [http://127.0.0.1:4455/]
  methods: {password: {config: {haveibeenpwned_enabled: false}}, code: {enabled: true}, link: {enabled: true}}
  flows:
    registration: {after: {password: {hooks: [{hook: session}]}}}
    recovery: {enabled: true}
    verification: {enabled: true}
courier: {smtp: {from_address: styx@example.org}}
feature_flags: {use_continue_with_transitions: true}
hashers: {algorithm: bcrypt, bcrypt: {cost: 4}}
secrets: {default: [the-secret-of-all-proofs]}
`
}

// backend is one way to keep a table.
type backend struct {
	name string
	open func(*testing.T) kept
}

// kept is an open table and what is known of how it is kept.
type kept struct {
	table.Table

	behind table.Table     // the same behind the proxy, if there is one
	proxy  *dynamodb.Proxy // nil where the table is no service
	rest   func() []byte   // every byte at rest and on the way there; nil in memory
}

func embedded() []backend {
	options := local.Options{Now: time.Now, Rand: rand.Reader}
	return []backend{
		{"memory", func(t *testing.T) kept {
			t.Helper()
			return keep(t, func() (*local.Table, error) { return local.Memory(options) })
		}},
		{"file", func(t *testing.T) kept {
			t.Helper()
			path := filepath.Join(t.TempDir(), "styx.db")
			file := keep(t, func() (*local.Table, error) { return local.Open(path, options) })
			file.rest = func() []byte {
				content, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				return content
			}
			return file
		}},
	}
}

func keep(t *testing.T, open func() (*local.Table, error)) kept {
	t.Helper()
	opened, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return kept{Table: opened, behind: opened}
}

// house is all of Styx in this process, and a native app's view of it.
type house struct {
	*client

	server *full.Server
	last   *latest
	ahead  *atomic.Int64 // by how many nanoseconds its clock is
}

// pass turns the clock of the house.
func (h *house) pass(by time.Duration) { h.ahead.Add(int64(by)) }

// latest is the record of the request that came last.
type latest struct {
	mu    sync.Mutex
	tally *table.Tally
	work  *secret.Work
}

// watched records each request. Tests that read the record ask one at a time.
func (l *latest) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(l.record(r.Context())))
	})
}

// record begins the record of a request.
func (l *latest) record(ctx context.Context) context.Context {
	ctx, tally := table.WithTally(ctx)
	ctx, work := secret.WithWork(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tally, l.work = tally, work
	return ctx
}

// build starts a house over a table; more settings go over the usual ones.
func build(t *testing.T, over table.Table, more ...string) *house {
	t.Helper()
	h := &house{last: &latest{}, ahead: new(atomic.Int64)}
	sources := []config.Source{{Name: "styx.yml", Data: []byte(settings())}}
	for _, text := range more {
		sources = append(sources, config.Source{Name: "more.yml", Data: []byte(text)})
	}
	public, admin := httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(nil)
	publicURL, adminURL := "http://"+public.Listener.Addr().String(), "http://"+admin.Listener.Addr().String()
	c, _, err := config.Load(sources, nil, map[string]any{
		"serve.public.base_url": publicURL + "/", "serve.admin.base_url": adminURL + "/",
	})
	if err != nil {
		t.Fatal(err)
	}
	h.server, err = full.Local(app.Parts{
		Config: c, Table: over, Rand: rand.Reader, Client: app.Outgoing(c, ""),
		Now: func() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) },
	}, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	public.Config.Handler, admin.Config.Handler = h.last.watched(h.server.Public), h.last.watched(h.server.Admin)
	for _, server := range []*httptest.Server{public, admin} {
		server.Start()
		t.Cleanup(server.Close)
	}
	h.client = newClient(t, publicURL, adminURL)
	return h
}

// create adds an identity by the admin API and returns its id.
func (c *client) create(body map[string]any) string {
	c.t.Helper()
	body["schema_id"] = "person"
	a := c.do(http.MethodPost, c.admin+"/admin/identities", body)
	if a.status != http.StatusCreated {
		c.t.Fatalf("creation: %v", a)
	}
	return a.ID
}

// withPassword is the body of an identity that has the usual password.
func withPassword(address string) map[string]any {
	return map[string]any{
		"traits":      email(address),
		"credentials": map[string]any{"password": map[string]any{"config": map[string]string{"password": password}}},
	}
}

// tallied is the last request's record of the table.
func (l *latest) tallied() *table.Tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tally
}

// steps is what the last request did: each call of the table with the round
// trip it belongs to, then each password hash.
func (l *latest) steps() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines strings.Builder
	for _, call := range l.tally.Calls() {
		fmt.Fprintf(&lines, "%d %s %d\n", call.Trip, call.Verb, call.Items)
	}
	for _, run := range l.work.Runs() {
		fmt.Fprintf(&lines, "%s %s\n", run.Algorithm, run.Cost)
	}
	return lines.String()
}

// waits are the waits for the table that the last request had to make, each by
// the slowest of its calls: r for a read, w for a write, t for a transaction.
func (l *latest) waits() string {
	waits := []byte(strings.Repeat("r", l.tallied().RoundTrips()))
	for _, call := range l.tallied().Calls() {
		switch {
		case call.Verb == table.VerbWrite && call.Items > 1:
			waits[call.Trip] = 't'
		case call.Verb == table.VerbWrite && waits[call.Trip] == 'r':
			waits[call.Trip] = 'w'
		}
	}
	return cmp.Or(string(waits), "-")
}

// hashes is how many password hashes the last request computed.
func (l *latest) hashes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.work.Runs())
}

// recording is a table that remembers every text it was given.
type recording struct {
	table.Table

	mu   sync.Mutex
	text strings.Builder
}

func (r *recording) Get(ctx context.Context, keys ...table.Key) ([]*table.Item, error) {
	for _, key := range keys {
		r.note(key.PK, key.SK)
	}
	return r.Table.Get(ctx, keys...)
}

func (r *recording) Write(ctx context.Context, ops ...table.Op) error {
	for _, op := range ops {
		r.note(op.Key.PK, op.Key.SK, string(op.Item.Doc), op.Item.St, op.Item.GK, op.Item.GS)
		for _, change := range op.Changes {
			r.note(change.Str)
		}
	}
	return r.Table.Write(ctx, ops...)
}

func (r *recording) note(texts ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, text := range texts {
		r.text.WriteString(text)
		r.text.WriteByte('\n')
	}
}

func (r *recording) all() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return []byte(r.text.String())
}
