package store

import (
	"slices"
	"strings"
	"testing"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
)

func TestBearer(t *testing.T) {
	h := build(t)
	ann, eve := h.person(t, "ann"), h.person(t, "eve")
	live, token := h.signIn(t, ann)
	b, err := h.Bearer(t.Context(), token)
	if err != nil || b == nil || b.Owner.ID != ann.ID || b.Session.ID != live.ID || b.Token != token || b.Session.V != 1 {
		t.Fatalf("read %+v, %v", b, err)
	}
	theirs, err := secret.ParseUUID(eve.ID)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*secret.Token){
		"another secret":          func(token *secret.Token) { token.Secret[0] ^= 1 },
		"another session":         func(token *secret.Token) { token.Session[0] ^= 1 },
		"another identity":        func(token *secret.Token) { token.Identity = theirs },
		"an identity of nobody":   func(token *secret.Token) { token.Identity = secret.UUID{} },
		"nothing but the session": func(token *secret.Token) { *token = secret.Token{Session: token.Session} },
	} {
		wrong := token
		change(&wrong)
		if b, err := h.Bearer(t.Context(), wrong); b != nil || err != nil {
			t.Errorf("%s: %+v, %v", what, b, err)
		}
	}
	// What is stored does not tell the token.
	doc := string(h.item(t, sessionKey(ann.ID, live.ID)).Doc)
	if strings.Contains(doc, token.String()) || !strings.Contains(doc, token.Hash()) {
		t.Errorf("stored is %s", doc)
	}
}

// TestRevoked sessions stay so, whoever writes next.
func TestRevoked(t *testing.T) {
	h := build(t)
	ann, eve := h.person(t, "ann"), h.person(t, "eve")
	live, token := h.signIn(t, ann)
	if err := h.Revoke(t.Context(), eve.ID, live.ID); err != nil || !h.lives(t, token) {
		t.Errorf("somebody else revokes it: %v", err)
	}
	for _, id := range []string{newUUID(), strings.ToUpper(live.ID), live.ID} {
		if err := h.Revoke(t.Context(), ann.ID, id); err != nil {
			t.Errorf("%s answers %v", id, err)
		}
	}
	if h.lives(t, token) {
		t.Fatal("it lives")
	}
	if err := h.Revoke(t.Context(), ann.ID, "x"); !fault.Is(err, fault.BadRequest) {
		t.Errorf("no UUID answers %v", err)
	}
	for what, write := range map[string]func() error{
		"Resume":       func() error { return h.Resume(t.Context(), ann, live, nil) },
		"RevokeOthers": func() error { return h.RevokeOthers(t.Context(), ann, live, nil) },
		"SignIn":       func() error { return h.Commit(t.Context(), Change{Session: live}) },
	} {
		if err := write(); err == nil || what != "SignIn" && !fault.Is(err, fault.Unauthorized) {
			t.Errorf("%s answers %v", what, err)
		}
		if h.lives(t, token) {
			t.Errorf("%s revived it", what)
		}
	}
	if got := h.item(t, sessionKey(ann.ID, newUUID())); got != nil {
		t.Error("revoking nothing made something")
	}
}

// TestRevokeOthers leaves one, new or old, and counts in one write.
func TestRevokeOthers(t *testing.T) {
	for _, isNew := range []bool{false, true} {
		h := build(t)
		ann, eve := h.person(t, "ann"), h.person(t, "eve")
		_, first := h.signIn(t, ann)
		_, stranger := h.signIn(t, eve)
		live, token := h.begin(t, ann)
		if !isNew {
			live, token = h.signIn(t, ann)
		}
		h.table.writes = 0
		if err := h.RevokeOthers(t.Context(), ann, live, func(s *session.Session) { s.AAL = session.AAL2 }); err != nil {
			t.Fatal(err)
		}
		if h.lives(t, first) || !h.lives(t, token) || !h.lives(t, stranger) || h.table.writes != 1 {
			t.Errorf("new %v: lives are %v, %v, %v after %d writes", isNew, h.lives(t, first), h.lives(t, token), h.lives(t, stranger), h.table.writes)
		}
		if b, err := h.Bearer(t.Context(), token); err != nil || b.Session.AAL != session.AAL2 {
			t.Errorf("new %v: the change is lost: %v", isNew, err)
		}
		// What was written can be written again.
		if err := h.Resume(t.Context(), ann, live, nil); err != nil {
			t.Error(err)
		}
		if err := h.Upgrade(t.Context(), ann, func(who *identity.Identity) { who.SetState(identity.Inactive, start()) }); err != nil || h.read(t, ann.ID).Active() {
			t.Errorf("new %v: an upgrade after it is lost, %v", isNew, err)
		}
	}
}

// TestRevokeOthersRacesAChange of the identity, and both count.
func TestRevokeOthersRacesAChange(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	_, first := h.signIn(t, ann)
	live, token := h.signIn(t, ann)
	h.race(func() {
		if err := h.Upgrade(t.Context(), h.read(t, ann.ID), func(who *identity.Identity) { _ = who.SetPasswordHash("changed", start()) }); err != nil {
			t.Error(err)
		}
	})
	if err := h.RevokeOthers(t.Context(), ann, live, nil); err != nil {
		t.Fatal(err)
	}
	if h.lives(t, first) || !h.lives(t, token) || h.read(t, ann.ID).PasswordHash() != "changed" || ann.PasswordHash() != "changed" {
		t.Error("one of the two is lost")
	}
}

// TestTwoRevokeEachOther and one of them wins: the other's session is dead, and
// it is told so.
func TestTwoRevokeEachOther(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	one, first := h.signIn(t, ann)
	two, second := h.signIn(t, ann)
	h.race(func() {
		if err := h.RevokeOthers(t.Context(), h.read(t, ann.ID), one, nil); err != nil {
			t.Error(err)
		}
	})
	if err := h.RevokeOthers(t.Context(), ann, two, nil); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("the loser is answered %v", err)
	}
	if !h.lives(t, first) || h.lives(t, second) {
		t.Errorf("the lives are %v and %v", h.lives(t, first), h.lives(t, second))
	}
}

func TestRevokeOthersOfADeletedIdentity(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	live, _ := h.signIn(t, ann)
	h.race(func() {
		if err := h.Delete(t.Context(), ann.ID); err != nil {
			t.Error(err)
		}
	})
	if err := h.RevokeOthers(t.Context(), ann, live, nil); !fault.Is(err, fault.Unauthorized) {
		t.Errorf("answers %v", err)
	}
	if h.item(t, key(identities, ann.ID)) != nil || h.item(t, sessionKey(ann.ID, live.ID)) != nil {
		t.Error("the identity is back")
	}
}

// TestListedSessions are the newest ones, newest first.
func TestListedSessions(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	var want []string
	for range newestSessions + 5 {
		one, _ := h.signIn(t, ann)
		want = append(want, one.ID)
	}
	slices.Reverse(want)
	found, err := h.Sessions(t.Context(), ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range found {
		got = append(got, one.ID)
	}
	if !slices.Equal(got, want[:newestSessions]) {
		t.Errorf("listed are %d, in order: %v", len(got), slices.Equal(got[:5], want[:5]))
	}
	if found, err := h.Sessions(t.Context(), newUUID()); err != nil || len(found) != 0 {
		t.Errorf("of nobody are %v, %v", found, err)
	}
}

// TestSessionOfANewerRelease is good, can be revoked, and is not written over.
func TestSessionOfANewerRelease(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	live, token := h.signIn(t, ann)
	item := h.newer(t, sessionKey(ann.ID, live.ID), documentVersion+1)
	if !h.lives(t, token) {
		t.Error("it is dead")
	}
	if err := h.Resume(t.Context(), ann, live, nil); !fault.Is(err, fault.Busy) {
		t.Errorf("going on with it answers %v", err)
	}
	if got := h.item(t, item.Key); string(got.Doc) != string(item.Doc) {
		t.Errorf("written over with %s", got.Doc)
	}
	if err := h.Revoke(t.Context(), ann.ID, live.ID); err != nil || h.lives(t, token) {
		t.Errorf("revoking answers %v", err)
	}
	h.newer(t, item.Key, documentVersion+2)
	if b, err := h.Bearer(t.Context(), token); err == nil {
		t.Errorf("read %+v", b)
	}
}
