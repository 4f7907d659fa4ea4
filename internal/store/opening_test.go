package store

import (
	"fmt"
	"strings"
	"testing"

	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/table"
)

// TestOpen brings everything in one round trip.
func TestOpen(t *testing.T) {
	h := build(t)
	ann := h.person(t, "ann")
	live, token := h.signIn(t, ann)
	f := h.form(t, flow.Login)
	ctx, tally := table.WithTally(t.Context())
	got, err := h.Open(ctx, Ask{Kind: flow.Login, Flow: strings.ToUpper(f.ID), Token: &token, Guard: guardOf("ann")})
	if err != nil {
		t.Fatal(err)
	}
	if got.Flow.ID != f.ID || got.Bearer.Session.ID != live.ID || tally.RoundTrips() != 1 {
		t.Errorf("opened %+v in %d round trips", got, tally.RoundTrips())
	}
	who, err := h.Claimed(ctx, got)
	if err != nil || who.ID != ann.ID {
		t.Errorf("claimed is %+v, %v", who, err)
	}
	// A name nobody has costs the same.
	ctx, strange := table.WithTally(t.Context())
	if got, err = h.Open(ctx, Ask{Kind: flow.Login, Flow: f.ID, Token: &token, Guard: guardOf("nobody")}); err != nil {
		t.Fatal(err)
	}
	if who, err := h.Claimed(ctx, got); who != nil || err != nil || fmt.Sprint(strange.Calls()) != fmt.Sprint(tally.Calls()) {
		t.Errorf("claimed is %+v, %v after %v, want %v", who, err, strange.Calls(), tally.Calls())
	}
	dead := token
	dead.Secret[0] ^= 1
	if got, err := h.Open(t.Context(), Ask{Kind: flow.Login, Flow: f.ID, Token: &dead}); err != nil || got.Bearer != nil {
		t.Errorf("a wrong token is %+v, %v", got.Bearer, err)
	}
	for _, ask := range []Ask{{Kind: flow.Login, Flow: newUUID()}, {Kind: flow.Registration, Flow: f.ID}, {Kind: flow.Login, Flow: "x"}, {Kind: flow.Login}} {
		if _, err := h.Open(t.Context(), ask); !fault.Is(err, fault.NotFound) {
			t.Errorf("%+v answers %v", ask, err)
		}
	}
}

// TestAttemptsArePaidBeforehand: of two hundred guesses at once a hundred are
// let through, no more; the next window starts anew.
func TestAttemptsArePaidBeforehand(t *testing.T) {
	for _, kind := range []flow.Kind{flow.Login, flow.Recovery, flow.Verification} {
		h := build(t)
		f := h.form(t, kind)
		attempt := func() error {
			_, err := h.Open(t.Context(), Ask{Kind: kind, Flow: f.ID, Guard: guardOf("ann")})
			return err
		}
		results := make(chan error, 2*tries.most)
		for range cap(results) {
			go func() { results <- attempt() }()
		}
		paid := 0
		for range cap(results) {
			switch err := <-results; {
			case err == nil:
				paid++
			case !fault.Is(err, fault.TooMany):
				t.Errorf("%s: refused with %v", kind, err)
			}
		}
		if paid != int(tries.most) {
			t.Errorf("%s: %d attempts were let through", kind, paid)
		}
		if _, err := h.Open(t.Context(), Ask{Kind: kind, Flow: f.ID, Guard: guardOf("eve")}); err != nil {
			t.Errorf("%s: an attempt at another name answers %v", kind, err)
		}
		if _, err := h.Open(t.Context(), Ask{Kind: kind, Flow: f.ID}); err != nil {
			t.Errorf("%s: no attempt at all answers %v", kind, err)
		}
		h.pass(tries.window)
		if f = h.form(t, kind); attempt() != nil {
			t.Errorf("%s: the next window is closed", kind)
		}
	}
}
