package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"styx/internal/fault"
	"styx/internal/flow"
)

// TestFlows are kept by kind and id, and the last form stays.
func TestFlows(t *testing.T) {
	h := build(t)
	f := h.form(t, flow.Login)
	for _, w := range []struct {
		kind flow.Kind
		id   string
		ok   bool
	}{{flow.Login, f.ID, true}, {flow.Login, strings.ToUpper(f.ID), true}, {flow.Registration, f.ID, false}, {flow.Login, newUUID(), false}, {flow.Login, "x", false}, {flow.Login, "", false}} {
		if _, err := h.Flow(t.Context(), w.kind, w.id); (err == nil) != w.ok || err != nil && !fault.Is(err, fault.NotFound) {
			t.Errorf("%s %q answers %v", w.kind, w.id, err)
		}
	}
	one, two := h.flow(t, f.ID), h.flow(t, f.ID)
	one.Active, two.Active = "one", "two"
	for _, tab := range []*flow.Flow{one, two} {
		if err := h.SaveFlow(t.Context(), tab); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.flow(t, f.ID); got.Active != "two" {
		t.Errorf("the form is of tab %s", got.Active)
	}
	// An expired flow is still read: it answers that it is expired.
	h.pass(24 * time.Hour)
	if got := h.flow(t, f.ID); !got.Expired(h.Now()) {
		t.Error("not expired")
	}
	if item := h.item(t, key(flows, f.ID)); item.TTL != f.ExpiresAt.Add(flowGrace).Unix() || item.Exp != f.ExpiresAt.UnixMilli() {
		t.Errorf("kept until %d, %d", item.TTL, item.Exp)
	}
}

// TestRegistrationHappensOnce per flow: a second submission, an expired flow and
// one that is gone are told apart from a name that is taken.
func TestRegistrationHappensOnce(t *testing.T) {
	h := build(t)
	f := h.form(t, flow.Registration)
	ann := somebody("ann")
	live, token := h.begin(t, ann)
	if err := h.Commit(t.Context(), Change{Flow: f, Consume: true, Same: true, Who: ann, Session: live}); err != nil {
		t.Fatal(err)
	}
	if !h.lives(t, token) || !h.flow(t, f.ID).Done {
		t.Error("half of it is stored")
	}
	f.Active = "again"
	if err := h.SaveFlow(t.Context(), f); err != nil {
		t.Errorf("a form that came too late answers %v", err)
	}
	if got := h.flow(t, f.ID); got.Active != "" || !got.Done {
		t.Error("a completed flow was opened again")
	}
	expired := h.form(t, flow.Registration)
	h.pass(2 * time.Hour)
	for what, late := range map[string]*flow.Flow{"completed": f, "expired": expired, "gone": {ID: newUUID()}} {
		eve := somebody("eve")
		other, _ := h.begin(t, eve)
		if err := h.Commit(t.Context(), Change{Flow: late, Consume: true, Same: true, Who: eve, Session: other}); !errors.Is(err, ErrConsumed) {
			t.Errorf("a flow that is %s answers %v", what, err)
		}
		if h.item(t, key(identities, eve.ID)) != nil || h.item(t, guardKey(guardOf("eve"))) != nil {
			t.Errorf("a flow that is %s made an identity", what)
		}
	}
	if err := h.Commit(t.Context(), Change{Flow: h.form(t, flow.Registration), Consume: true, Same: true, Who: somebody("bob")}); err != nil {
		t.Errorf("without a session: %v", err)
	}
}

// TestOneOfManyRegisters: a hundred submissions of one flow make one identity.
func TestOneOfManyRegisters(t *testing.T) {
	h := build(t)
	f := h.form(t, flow.Registration)
	results := make(chan error, 100)
	for i := range cap(results) {
		who := somebody(fmt.Sprintf("name-%d", i))
		live, _ := h.begin(t, who)
		mine := *f
		go func() {
			results <- h.Commit(t.Context(), Change{Flow: &mine, Consume: true, Same: true, Who: who, Session: live})
		}()
	}
	won := 0
	for range cap(results) {
		switch err := <-results; {
		case err == nil:
			won++
		case !errors.Is(err, ErrConsumed):
			t.Errorf("a loser is answered %v", err)
		}
	}
	if count, err := h.CountIdentities(t.Context(), 1000); won != 1 || count != 1 || err != nil {
		t.Errorf("%d won, there are %d identities, %v", won, count, err)
	}
}
