package store

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/table"
	"styx/internal/table/local"
)

// house is a store over a table in memory, which the tests let go wrong.
type house struct {
	*Store
	table  *faulty
	faults atomic.Pointer[local.Faults]
	now    atomic.Int64
}

func start() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

func build(tb testing.TB) *house {
	tb.Helper()
	h := new(house)
	h.now.Store(start().UnixMicro())
	now := func() time.Time { return time.UnixMicro(h.now.Load()).UTC() }
	memory, err := local.Memory(local.Options{Now: now, Rand: rand.Reader, Faults: func(call local.Call) local.Fault {
		if faults := h.faults.Load(); faults != nil {
			return (*faults)(call)
		}
		return local.Fault{}
	}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = memory.Close() })
	h.table = &faulty{Table: memory}
	h.Store = &Store{Table: h.table, Now: now, Rand: rand.Reader}
	return h
}

func (h *house) pass(by time.Duration) { h.now.Add(by.Microseconds()) }

// errCut is the failure of a process that ended.
var errCut = errors.New("the process ended here")

// faulty is a table whose writes can be counted, cut short or raced.
type faulty struct {
	table.Table

	mu     sync.Mutex
	left   int              // writes until errCut, 0 for never
	writes int              // so far
	before func([]table.Op) // runs once, before the next write
}

// Write implements table.Table.
func (f *faulty) Write(ctx context.Context, ops ...table.Op) error {
	f.mu.Lock()
	before := f.before
	f.before = nil
	f.writes++
	cut := f.left > 0 && f.writes > f.left
	f.mu.Unlock()
	if before != nil {
		before(ops)
	}
	if cut {
		return errCut
	}
	return f.Table.Write(ctx, ops...)
}

// race runs do before the next write.
func (h *house) race(do func()) { h.table.before = func([]table.Op) { do() } }

// cutAfter lets n more writes through and fails those after; 0 mends the table.
func (h *house) cutAfter(n int) { h.table.left, h.table.writes = n, 0 }

func newUUID() string { return secret.NewV4(rand.Reader).String() }

// somebody returns an identity of that name, not stored.
func somebody(name string) *identity.Identity {
	who := identity.New(newUUID(), "person", start())
	who.Identify(identity.Password, []string{name}, start())
	return who
}

// person stores an identity of that name.
func (h *house) person(tb testing.TB, name string) *identity.Identity {
	tb.Helper()
	who := somebody(name)
	if err := h.Create(tb.Context(), who); err != nil {
		tb.Fatal(err)
	}
	return h.read(tb, who.ID)
}

func (h *house) read(tb testing.TB, id string) *identity.Identity {
	tb.Helper()
	who, err := h.Identity(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	return who
}

// begin returns a session of who, not stored, and its token.
func (h *house) begin(tb testing.TB, who *identity.Identity) (*session.Session, secret.Token) {
	tb.Helper()
	owner, err := secret.ParseUUID(who.ID)
	if err != nil {
		tb.Fatal(err)
	}
	token := secret.NewToken(rand.Reader, owner, secret.NewV7(h.Now(), rand.Reader))
	live := &session.Session{ID: token.Session.String(), IdentityID: who.ID, Hash: token.Hash(), Epoch: who.Epoch, IssuedAt: h.Now()}
	live.Authenticated(session.Method{Method: "password", AAL: session.AAL1}, h.Now(), time.Hour)
	h.pass(time.Millisecond) // sessions are ordered by the time they began
	return live, token
}

// signIn stores a session of who.
func (h *house) signIn(tb testing.TB, who *identity.Identity) (*session.Session, secret.Token) {
	tb.Helper()
	live, token := h.begin(tb, who)
	if err := h.Commit(tb.Context(), Change{Session: live}); err != nil {
		tb.Fatal(err)
	}
	return live, token
}

// lives tells whether a token is good.
func (h *house) lives(tb testing.TB, token secret.Token) bool {
	tb.Helper()
	b, err := h.Bearer(tb.Context(), token)
	if err != nil {
		tb.Fatal(err)
	}
	return b != nil && b.Session.Active(b.Owner, h.Now(), time.Time{})
}

// form stores a flow.
func (h *house) form(tb testing.TB, kind flow.Kind) *flow.Flow {
	tb.Helper()
	f := &flow.Flow{ID: newUUID(), Kind: kind, Type: flow.API, State: flow.ChooseMethod, IssuedAt: h.Now(), ExpiresAt: h.Now().Add(time.Hour)}
	if err := h.SaveFlow(tb.Context(), f); err != nil {
		tb.Fatal(err)
	}
	return h.flow(tb, f.ID)
}

func (h *house) flow(tb testing.TB, id string) *flow.Flow {
	tb.Helper()
	for _, kind := range []flow.Kind{flow.Login, flow.Registration, flow.Settings, flow.Recovery, flow.Verification} {
		if f, err := h.Flow(tb.Context(), kind, id); err == nil {
			return f
		}
	}
	tb.Fatal("no such flow")
	return nil
}

// item is what stands at a key, nil for nothing.
func (h *house) item(tb testing.TB, k table.Key) *table.Item {
	tb.Helper()
	items, err := h.table.Get(tb.Context(), k)
	if err != nil {
		tb.Fatal(err)
	}
	return items[0]
}

// put writes an item over whatever there is.
func (h *house) put(tb testing.TB, item table.Item) {
	tb.Helper()
	if err := h.table.Table.Write(tb.Context(), table.Put(item)); err != nil {
		tb.Fatal(err)
	}
}

// newer makes what stands at a key a document of a newer release.
func (h *house) newer(tb testing.TB, k table.Key, version int64) table.Item {
	tb.Helper()
	item := *h.item(tb, k)
	item.DV, item.Doc = version, []byte(strings.Replace(string(item.Doc), "{", `{"later":{"a":1},`, 1))
	h.put(tb, item)
	return item
}

func name(who *identity.Identity) string { return who.Credentials[identity.Password].Identifiers[0] }

func guardOf(name string) string { return identity.CredentialGuard(identity.Password, name) }
