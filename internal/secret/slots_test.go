package secret

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestOnlySoManyHashesRunAtOnce(t *testing.T) {
	h, err := NewHasher(HasherConfig{Algorithm: "bcrypt", BcryptCost: 4}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	places := runtime.GOMAXPROCS(0)
	running, release := make(chan struct{}, places), make(chan struct{})
	var group sync.WaitGroup
	for range places {
		group.Go(func() {
			if err := h.run(t.Context(), Run{}, func() { running <- struct{}{}; <-release }); err != nil {
				t.Error(err)
			}
		})
	}
	for range places {
		<-running
	}

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	ctx, work := WithWork(ctx)
	if _, err := h.Hash(ctx, "password"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Hash did not wait for a place: %v", err)
	}
	if match, err := h.Matches(ctx, h.dummy, "password"); match || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Matches did not wait for a place: %t, %v", match, err)
	}
	if match, err := h.Matches(ctx, "", "password"); match || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Matches of nothing did not wait for a place: %t, %v", match, err)
	}
	if err := h.Pretend(ctx, "password"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Pretend did not wait for a place: %v", err)
	}
	if runs := work.Runs(); len(runs) != 0 {
		t.Errorf("what never ran was noted: %v", runs)
	}

	close(release)
	group.Wait()
	if err := h.Pretend(t.Context(), "password"); err != nil {
		t.Errorf("the places are not given back: %v", err)
	}
}

func TestEndedContextHashesNothing(t *testing.T) {
	h, err := NewHasher(HasherConfig{Algorithm: "bcrypt", BcryptCost: 4}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // a free place and an ended context are both ready: select picks either
		if err := h.Pretend(ctx, "password"); !errors.Is(err, context.Canceled) {
			t.Fatalf("Pretend = %v", err)
		}
	}
	if len(h.slots) != 0 {
		t.Errorf("%d places are still taken", len(h.slots))
	}
}
