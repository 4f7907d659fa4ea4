package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/session"
	"styx/internal/table"
	"styx/internal/table/local"
)

func TestIdentityIsReadByIDAlone(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	if got := h.read(t, strings.ToUpper(ann.ID)); got.ID != ann.ID || got.V != 1 {
		t.Errorf("read %s, version %d", got.ID, got.V)
	}
	for _, id := range []string{"", "x", newUUID(), ann.ID + "#", "{" + ann.ID + "}", "../" + ann.ID, strings.ReplaceAll(ann.ID, "-", "")} {
		if _, err := h.Identity(t.Context(), id); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q answers %v", id, err)
		}
	}
}

// TestTakenNames says which name it is, and stores nothing of who came second.
func TestTakenNames(t *testing.T) {
	h := build(t)
	ann := somebody("ann")
	ann.ExternalID = "7"
	ann.VerifiableAddresses = []identity.VerifiableAddress{{ID: newUUID(), Via: identity.ViaEmail, Value: "ann@example.org"}}
	ann.RecoveryAddresses = []identity.RecoveryAddress{{ID: newUUID(), Via: identity.ViaEmail, Value: "ann@example.org"}}
	if err := h.Create(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*identity.Identity){
		guardOf("ann"):              func(who *identity.Identity) { who.Identify(identity.Password, []string{"free", "ann"}, start()) },
		identity.ExternalGuard("7"): func(who *identity.Identity) { who.ExternalID = "7" },
		identity.VerifiableGuard(identity.ViaEmail, "ann@example.org"): func(who *identity.Identity) {
			who.VerifiableAddresses = []identity.VerifiableAddress{{ID: newUUID(), Via: identity.ViaEmail, Value: "ANN@example.org"}}
		},
		identity.RecoveryGuard(identity.ViaEmail, "ann@example.org"): func(who *identity.Identity) {
			who.RecoveryAddresses = []identity.RecoveryAddress{{ID: newUUID(), Via: identity.ViaEmail, Value: "ann@example.org"}}
		},
	} {
		second := somebody("second")
		change(second)
		err := h.Create(t.Context(), second)
		if taken, ok := errors.AsType[*TakenError](err); !ok || taken.Guard != want {
			t.Errorf("want %s taken, got %v", want, err)
		}
		f := h.form(t, flow.Registration)
		live, _ := h.begin(t, second)
		second.V, second.Guards = 0, nil
		err = h.Commit(t.Context(), Change{Flow: f, Consume: true, Same: true, Who: second, Session: live})
		if taken, ok := errors.AsType[*TakenError](err); !ok || taken.Guard != want {
			t.Errorf("registering wants %s taken, got %v", want, err)
		}
		if h.item(t, key(identities, second.ID)) != nil || h.item(t, sessionKey(second.ID, live.ID)) != nil || h.item(t, key(pointers, live.ID)) != nil ||
			h.item(t, guardKey(guardOf("second"))) != nil || h.flow(t, f.ID).Done {
			t.Errorf("%s: something of a registration that failed is stored", want)
		}
	}
}

// TestChangingNames frees the old and takes the new in one write.
func TestChangingNames(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	rename := func(who *identity.Identity) { who.Identify(identity.Password, []string{"anna"}, start()) }
	if err := h.Upgrade(t.Context(), ann, rename); err != nil {
		t.Fatal(err)
	}
	if owners, err := h.Owners(t.Context(), guardOf("ann"), guardOf("anna")); err != nil || !slices.Equal(owners, []string{ann.ID}) {
		t.Errorf("the owners are %v, %v", owners, err)
	}
	if h.item(t, guardKey(guardOf("ann"))) != nil {
		t.Error("the old name is still taken")
	}
	eve := h.person(t, "ann")
	err := h.Upgrade(t.Context(), eve, rename)
	if taken, ok := errors.AsType[*TakenError](err); !ok || taken.Guard != guardOf("anna") {
		t.Errorf("want anna taken, got %v", err)
	}
	if got := name(h.read(t, eve.ID)); got != "ann" {
		t.Errorf("called %s after a change that failed", got)
	}
}

// TestUpgradeIsDroppedOnARace and says nothing.
func TestUpgradeIsDroppedOnARace(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	h.race(func() {
		if err := h.Upgrade(t.Context(), h.read(t, ann.ID), func(who *identity.Identity) { who.SetState(identity.Inactive, start()) }); err != nil {
			t.Error(err)
		}
	})
	if err := h.Upgrade(t.Context(), ann, func(who *identity.Identity) { _ = who.SetPasswordHash("lost", start()) }); err != nil {
		t.Errorf("a race that was lost answers %v", err)
	}
	if got := h.read(t, ann.ID); got.Active() || got.PasswordHash() != "" {
		t.Errorf("stored is %+v", got)
	}
}

// TestBusyTable is told from a broken one wherever the store calls it.
func TestBusyTable(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	live, token := h.signIn(t, ann)
	f := h.form(t, flow.Registration)
	shown, err := h.KeepError(t.Context(), []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	throttled := local.Faults(func(local.Call) local.Fault { return local.Fault{Kind: local.Throttle} })
	calls := map[string]func(context.Context) error{
		"Identity":       func(ctx context.Context) error { _, err := h.Identity(ctx, ann.ID); return err },
		"IdentitiesByID": func(ctx context.Context) error { _, err := h.IdentitiesByID(ctx, []string{ann.ID}); return err },
		"Identities":     func(ctx context.Context) error { _, _, err := h.Identities(ctx, "", 10); return err },
		"Count":          func(ctx context.Context) error { _, err := h.CountIdentities(ctx, 10); return err },
		"Owners":         func(ctx context.Context) error { _, err := h.Owners(ctx, guardOf("ann")); return err },
		"Create":         func(ctx context.Context) error { return h.Create(ctx, somebody("eve")) },
		"Upgrade":        func(ctx context.Context) error { return h.Upgrade(ctx, ann, func(*identity.Identity) {}) },
		"Delete":         func(ctx context.Context) error { return h.Delete(ctx, ann.ID) },
		"SignIn":         func(ctx context.Context) error { s, _ := h.begin(t, ann); return h.Commit(ctx, Change{Session: s}) },
		"Resume":         func(ctx context.Context) error { return h.Resume(ctx, ann, live, nil) },
		"Revoke":         func(ctx context.Context) error { return h.Revoke(ctx, ann.ID, live.ID) },
		"RevokeOthers":   func(ctx context.Context) error { return h.RevokeOthers(ctx, ann, live, nil) },
		"Sessions":       func(ctx context.Context) error { _, err := h.Sessions(ctx, ann.ID); return err },
		"Amend": func(ctx context.Context) error {
			_, err := h.Amend(ctx, ann.ID, func(*identity.Identity) error { return nil })
			return err
		},
		"Session":      func(ctx context.Context) error { _, _, err := h.Session(ctx, live.ID); return err },
		"SessionsByID": func(ctx context.Context) error { _, err := h.SessionsByID(ctx, []string{live.ID}); return err },
		"AllSessions":  func(ctx context.Context) error { _, err := h.AllSessions(ctx, "", 10); return err },
		"SomeSessions": func(ctx context.Context) error { _, err := h.SomeSessions(ctx, 10, nil); return err },
		"RevokeAll":    func(ctx context.Context) error { _, err := h.RevokeAll(ctx, []*session.Session{live}); return err },
		"RevokeOf":     func(ctx context.Context) error { _, err := h.RevokeOf(ctx, ann.ID); return err },
		"DeleteAll":    func(ctx context.Context) error { return h.DeleteAll(ctx, []*session.Session{live}) },
		"DeleteOf":     func(ctx context.Context) error { _, err := h.DeleteOf(ctx, ann.ID); return err },
		"Bearer":       func(ctx context.Context) error { _, err := h.Bearer(ctx, token); return err },
		"Flow":         func(ctx context.Context) error { _, err := h.Flow(ctx, flow.Registration, f.ID); return err },
		"SaveFlow":     func(ctx context.Context) error { return h.SaveFlow(ctx, f) },
		"Register": func(ctx context.Context) error {
			return h.Commit(ctx, Change{Flow: f, Consume: true, Same: true, Who: somebody("eve")})
		},
		"Open": func(ctx context.Context) error {
			_, err := h.Open(ctx, Ask{Kind: flow.Registration, Flow: f.ID, Guard: guardOf("ann")})
			return err
		},
		"Claimed": func(ctx context.Context) error {
			_, err := h.Claimed(ctx, &Opening{Flow: f, claimed: ann.ID})
			return err
		},
		"KeepError":  func(ctx context.Context) error { _, err := h.KeepError(ctx, []byte(`{}`)); return err },
		"ShownError": func(ctx context.Context) error { _, err := h.ShownError(ctx, shown); return err },
		"Reachable":  h.Reachable,
	}
	for what, call := range calls {
		t.Run(what, func(t *testing.T) {
			h.faults.Store(&throttled)
			defer h.faults.Store(nil)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			defer cancel()
			if err := call(ctx); !errors.Is(err, table.ErrBusy) {
				t.Errorf("a busy table answers %v", err)
			}
			h.faults.Store(nil)
			ended, end := context.WithCancel(t.Context())
			end()
			if err := call(ended); !errors.Is(err, context.Canceled) {
				t.Errorf("a client that left is answered %v", err)
			}
		})
	}
	if got := h.read(t, ann.ID); got.V != 1 || !h.lives(t, token) {
		t.Errorf("something was written: %+v", got)
	}
}

// TestEveryRaceIsBusy: who never wins is told to come again.
func TestEveryRaceIsBusy(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	live, token := h.signIn(t, ann)
	var again func()
	again = func() {
		h.put(t, func() table.Item { item := *h.item(t, key(identities, ann.ID)); item.V++; return item }())
		h.race(again)
	}
	h.race(again)
	if err := h.RevokeOthers(t.Context(), ann, live, nil); !fault.Is(err, fault.Busy) {
		t.Errorf("revoking answers %v", err)
	}
	h.race(again)
	if err := h.Delete(t.Context(), ann.ID); !fault.Is(err, fault.Busy) {
		t.Errorf("deleting answers %v", err)
	}
	h.table.before = nil
	_ = token
}

// leftovers are the items of an identity that are still there.
func leftovers(t *testing.T, h *house, who *identity.Identity, live []*session.Session) []string {
	t.Helper()
	var left []string
	page, err := h.table.Query(t.Context(), table.Query{PK: key(identities, who.ID).PK})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range page.Items {
		left = append(left, item.PK+" "+item.SK)
	}
	for _, one := range live {
		if h.item(t, key(pointers, one.ID)) != nil {
			left = append(left, "pointer of "+one.ID)
		}
	}
	for _, guard := range who.Guards {
		if h.item(t, guardKey(guard)) != nil {
			left = append(left, guard)
		}
	}
	return left
}

// TestDeletionThatWasCutShort is completed by deleting again, wherever it was
// cut: nothing of the identity remains, and nothing of anybody else is gone.
func TestDeletionThatWasCutShort(t *testing.T) {
	const sessions = 2*deleteBatch + 3
	for cut := range 10 {
		t.Run(fmt.Sprint(cut), func(t *testing.T) {
			h := build(t)
			ann, eve := h.person(t, "ann"), h.person(t, "eve")
			_, others := h.signIn(t, eve)
			var live []*session.Session
			for range sessions {
				one, _ := h.signIn(t, ann)
				live = append(live, one)
			}
			h.cutAfter(cut + 1)
			err := h.Delete(t.Context(), ann.ID)
			finished := h.table.writes <= cut+1
			h.cutAfter(0)
			if finished != (err == nil) {
				t.Fatalf("%d writes were let through: %v", cut+1, err)
			}
			if !finished {
				if !errors.Is(err, errCut) {
					t.Fatalf("cut short with %v", err)
				}
				// Until the identity is gone its name is taken, by somebody.
				owned := h.item(t, guardKey(guardOf("ann"))) != nil
				if is := h.item(t, key(identities, ann.ID)) != nil; is != owned {
					t.Errorf("the identity is there: %v, its name taken: %v", is, owned)
				}
				if err := h.Delete(t.Context(), ann.ID); err != nil && !fault.Is(err, fault.NotFound) {
					t.Fatal(err)
				}
			}
			if left := leftovers(t, h, ann, live); len(left) > 0 {
				t.Errorf("left are %v", left)
			}
			if !h.lives(t, others) || h.item(t, guardKey(guardOf("eve"))) == nil {
				t.Error("something of somebody else is gone")
			}
			h.person(t, "ann")
		})
	}
}

// TestDeletionRacesALogin: the session is dead without its identity, and gone.
func TestDeletionRacesALogin(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	live, token := h.begin(t, ann)
	h.table.before = func([]table.Op) {
		// After the sessions were looked for, before the identity goes.
		h.table.before = func([]table.Op) {
			if err := h.Commit(t.Context(), Change{Session: live}); err != nil {
				t.Error(err)
			}
		}
	}
	if err := h.Delete(t.Context(), ann.ID); err != nil {
		t.Fatal(err)
	}
	if h.lives(t, token) {
		t.Error("the session lives")
	}
	if left := leftovers(t, h, ann, []*session.Session{live}); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}

func TestDeletingNobody(t *testing.T) {
	h := build(t)
	for _, id := range []string{newUUID(), "x", ""} {
		if err := h.Delete(t.Context(), id); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q answers %v", id, err)
		}
	}
}

// TestListInOrderOfIDs pages through all shards, whatever the size of a page.
func TestListInOrderOfIDs(t *testing.T) {
	h := build(t)
	var want []string
	for i := range 60 {
		want = append(want, h.person(t, fmt.Sprintf("name-%d", i)).ID)
	}
	slices.Sort(want)
	for _, size := range []int{1, 7, 59, 60, 61, 500} {
		var got []string
		after, more := "", true
		for more {
			var page []*identity.Identity
			var err error
			if page, more, err = h.Identities(t.Context(), after, size); err != nil {
				t.Fatal(err)
			}
			if len(page) > size || more && len(page) != size {
				t.Fatalf("a page of %d holds %d, more is %v", size, len(page), more)
			}
			for _, who := range page {
				got = append(got, who.ID)
			}
			if more {
				after = got[len(got)-1]
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %d of %d, in order: %v", size, len(got), len(want), slices.IsSorted(got))
		}
	}
	// A place to go on from need not exist.
	page, _, err := h.Identities(t.Context(), "8", 500)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range page {
		if who.ID < "8" {
			t.Errorf("%s does not follow", who.ID)
		}
	}
}

// TestIdentityOfANewerRelease is read; it is not written over, and one of a
// release that nothing is known of is not even read.
func TestIdentityOfANewerRelease(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	live, token := h.signIn(t, ann)
	item := h.newer(t, key(identities, ann.ID), documentVersion+1)
	fresh := h.read(t, ann.ID)
	if name(fresh) != "ann" || !h.lives(t, token) {
		t.Errorf("read %+v", fresh)
	}
	if err := h.Upgrade(t.Context(), fresh, func(who *identity.Identity) { who.SetState(identity.Inactive, start()) }); err != nil {
		t.Errorf("an upgrade that has to be dropped answers %v", err)
	}
	if err := h.RevokeOthers(t.Context(), fresh, live, nil); !fault.Is(err, fault.Busy) {
		t.Errorf("revoking answers %v", err)
	}
	if got := h.item(t, item.Key); string(got.Doc) != string(item.Doc) || got.DV != item.DV {
		t.Errorf("written over with %s", got.Doc)
	}
	h.newer(t, item.Key, documentVersion+2)
	if who, err := h.Identity(t.Context(), ann.ID); err == nil {
		t.Errorf("read %+v", who)
	}
}

// TestUnknownMembersSurvive a change of what this release knows.
func TestUnknownMembersSurvive(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	live, token := h.signIn(t, ann)
	f := h.form(t, flow.Login)
	for _, k := range []table.Key{key(identities, ann.ID), sessionKey(ann.ID, live.ID), key(flows, f.ID)} {
		h.newer(t, k, documentVersion)
	}
	if err := h.Upgrade(t.Context(), h.read(t, ann.ID), func(who *identity.Identity) { who.SetState(identity.Inactive, start()) }); err != nil {
		t.Fatal(err)
	}
	b, err := h.Bearer(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Resume(t.Context(), b.Owner, b.Session, func(s *session.Session) { s.AAL = session.AAL2 }); err != nil {
		t.Fatal(err)
	}
	changed := h.flow(t, f.ID)
	changed.State = flow.SentEmail
	if err := h.SaveFlow(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	for what, w := range map[string]struct {
		key  table.Key
		want string
	}{
		"identity": {key(identities, ann.ID), `"state":"inactive"`},
		"session":  {sessionKey(ann.ID, live.ID), `"aal":"aal2"`},
		"flow":     {key(flows, f.ID), `"state":"sent_email"`},
	} {
		doc := string(h.item(t, w.key).Doc)
		if !strings.Contains(doc, `"later":{"a":1}`) || !strings.Contains(doc, w.want) {
			t.Errorf("%s: %s", what, doc)
		}
	}
}
