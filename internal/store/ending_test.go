package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/session"
	"styx/internal/table"
)

func TestDeletionTakesWhatIsKeptBesideAnIdentity(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	step := table.Key{PK: key(identities, ann.ID).PK, SK: "T#totp"}
	h.put(t, table.Item{Key: step, N: 7})
	if err := h.Delete(t.Context(), ann.ID); err != nil {
		t.Fatal(err)
	}
	if h.item(t, step) != nil {
		t.Error("what was kept beside the identity is left")
	}
	// Something that a crash left behind goes when it is deleted again.
	h.put(t, table.Item{Key: step, N: 7})
	if err := h.Delete(t.Context(), ann.ID); !fault.Is(err, fault.NotFound) || h.item(t, step) != nil {
		t.Errorf("deleting again answers %v and leaves %v", err, h.item(t, step))
	}
}

// TestDeleteOfIsResumed: all sessions die at once, and a second call removes what
// a first one that was cut short left.
func TestDeleteOfIsResumed(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	var live []*session.Session
	for range deleteBatch + 2 {
		one, _ := h.signIn(t, ann)
		live = append(live, one)
	}
	_, newest := h.signIn(t, ann)
	h.cutAfter(1)
	if _, err := h.DeleteOf(t.Context(), ann.ID); !errors.Is(err, errCut) {
		t.Fatalf("cut short with %v", err)
	}
	h.cutAfter(0)
	if h.lives(t, newest) {
		t.Error("a session lives on")
	}
	if count, err := h.DeleteOf(t.Context(), ann.ID); err != nil || count == 0 {
		t.Errorf("the second call removed %d, %v", count, err)
	}
	for _, one := range live {
		if h.item(t, sessionKey(ann.ID, one.ID)) != nil || h.item(t, key(pointers, one.ID)) != nil {
			t.Fatalf("something of session %s is left", one.ID)
		}
	}
	if count, err := h.DeleteOf(t.Context(), ann.ID); err != nil || count != 0 {
		t.Errorf("the third call removed %d, %v", count, err)
	}
	_, token := h.signIn(t, h.read(t, ann.ID))
	if !h.lives(t, token) {
		t.Error("a session that begins now is dead")
	}
}

// TestDeletedSessionStaysDead, even if it was about to be written again.
func TestDeletedSessionStaysDead(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	live, token := h.signIn(t, ann)
	h.race(func() {
		if _, err := h.DeleteOf(t.Context(), ann.ID); err != nil {
			t.Error(err)
		}
	})
	if err := h.Resume(t.Context(), ann, live, func(*session.Session) {}); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("going on answers %v", err)
	}
	if h.lives(t, token) || h.item(t, key(pointers, live.ID)) != nil {
		t.Error("it came back")
	}
}

func TestRevokeOfCountsWhatWasAlive(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	one, first := h.signIn(t, ann)
	_, second := h.signIn(t, ann)
	if err := h.Revoke(t.Context(), ann.ID, one.ID); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		if count, err := h.RevokeOf(t.Context(), ann.ID); err != nil || count != want {
			t.Errorf("ended %d, %v, want %d", count, err, want)
		}
	}
	if h.lives(t, first) || h.lives(t, second) {
		t.Error("a session lives on")
	}
	if count, err := h.RevokeOf(t.Context(), newUUID()); err != nil || count != 0 {
		t.Errorf("nobody had %d, %v", count, err)
	}
}

// TestPointerLastsAsLongAsItsSession: an administrator finds a session that was
// extended.
func TestPointerLastsAsLongAsItsSession(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	live, _ := h.signIn(t, ann)
	later := h.Now().Add(100 * 24 * time.Hour)
	if err := h.Resume(t.Context(), ann, live, func(one *session.Session) { one.ExpiresAt = later }); err != nil {
		t.Fatal(err)
	}
	pointer, stored := h.item(t, key(pointers, live.ID)), h.item(t, sessionKey(ann.ID, live.ID))
	if pointer.Exp != later.UnixMilli() || pointer.TTL != stored.TTL || pointer.St != ann.ID {
		t.Errorf("the pointer is %+v, the session %+v", pointer, stored)
	}
}

func TestAmendDecidesAnew(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	h.race(func() {
		if err := h.Upgrade(t.Context(), h.read(t, ann.ID), func(who *identity.Identity) { who.SetState(identity.Inactive, start()) }); err != nil {
			t.Error(err)
		}
	})
	changed, err := h.Amend(t.Context(), ann.ID, func(who *identity.Identity) error { return who.SetPasswordHash("new", start()) })
	if err != nil || changed.Active() || changed.V != 3 {
		t.Errorf("changed is %+v, %v", changed, err)
	}
	if got := h.read(t, ann.ID); got.Active() || got.PasswordHash() != "new" {
		t.Errorf("stored is %+v", got)
	}
	refusal := errors.New("no")
	if _, err := h.Amend(t.Context(), ann.ID, func(*identity.Identity) error { return refusal }); !errors.Is(err, refusal) {
		t.Errorf("a change that refuses answers %v", err)
	}
	h.person(t, "bea")
	_, err = h.Amend(t.Context(), ann.ID, func(who *identity.Identity) error {
		who.Identify(identity.Password, []string{"bea"}, start())
		return nil
	})
	if taken, ok := errors.AsType[*TakenError](err); !ok || taken.Guard != guardOf("bea") {
		t.Errorf("want bea taken, got %v", err)
	}
	if _, err := h.Amend(t.Context(), newUUID(), func(*identity.Identity) error { return nil }); !fault.Is(err, fault.NotFound) {
		t.Errorf("nobody answers %v", err)
	}
}

// TestPagesOfIdentities are the whole in the order of ids, wherever they begin
// and however long they are.
func TestPagesOfIdentities(t *testing.T) {
	s, ids := peopled(t, 60)
	slices.Sort(ids)
	for _, limit := range []int{1, 2, 7, 59, 60, 61, 500} {
		var walked []string
		for after, more := "", true; more; {
			page, follows, err := s.Identities(t.Context(), after, limit)
			if err != nil || len(page) > limit || follows && len(page) < limit {
				t.Fatalf("a page of %d has %d, more: %v, %v", limit, len(page), follows, err)
			}
			for _, who := range page {
				walked = append(walked, who.ID)
			}
			after, more = walked[len(walked)-1], follows
		}
		if !slices.Equal(walked, ids) {
			t.Fatalf("in pages of %d they are %v, want %v", limit, walked, ids)
		}
	}
}

func TestSomeSessions(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	for range 40 {
		h.signIn(t, ann)
	}
	gone, _ := h.signIn(t, ann)
	if err := h.Revoke(t.Context(), ann.ID, gone.ID); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int]int{10: 10, 40: 40, 100: 40} {
		found, err := h.SomeSessions(t.Context(), limit, func(one *session.Session) bool { return !one.Revoked })
		if err != nil || len(found) != want {
			t.Errorf("of at most %d there are %d, %v", limit, len(found), err)
		}
	}
}
