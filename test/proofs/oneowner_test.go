package proofs

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
)

// spellings are one address, written as people and their keyboards write it.
var spellings = []string{
	"maple@example.com", "Maple@example.com", "MAPLE@EXAMPLE.COM",
	"\uff4d\uff41\uff50\uff4c\uff45@example.com", // full width
}

// TestOneNameHasOneOwner registers one address a hundred times at once.
func TestOneNameHasOneOwner(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			h := build(t, b.open(t))
			race(t, h.client, h.client)
		})
	}
}

// race registers one address from many clients at once, turn by turn through
// each of the ways in, and shows that it has one owner afterwards.
func race(t *testing.T, ways ...*client) {
	t.Helper()
	const racers = 100
	passwords, actions, answers := [racers]string{}, [racers]string{}, [racers]answer{}
	atOnce(racers, func(i int) {
		passwords[i] = fmt.Sprintf("%s %d", password, i)
		actions[i] = ways[i%len(ways)].flow("registration")
	})
	atOnce(racers, func(i int) {
		answers[i] = ways[i%len(ways)].signUp(actions[i], spellings[i%len(spellings)], passwords[i])
	})
	winner := -1
	for i, a := range answers {
		switch {
		case a.status == http.StatusOK && winner < 0:
			winner = i
		case a.status == http.StatusOK:
			t.Errorf("%d won although %d did", i, winner)
		case a.status != http.StatusBadRequest || !a.says(accountExists):
			t.Errorf("%q: want 400 with message %d: %v", spellings[i%len(spellings)], accountExists, a)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	won := answers[winner]
	for _, way := range ways {
		all := way.identities()
		if len(all) != 1 || all[0].ID != won.Identity.ID || all[0].Traits.Email != spellings[winner%len(spellings)] {
			t.Errorf("%d identities, want the winner's alone: %+v", len(all), all)
		}
		if a := way.whoami(won.Token); a.status != http.StatusOK || a.Identity.ID != won.Identity.ID {
			t.Errorf("the winner's session: %v", a)
		}
		loser := (winner + 1) % racers
		if a := way.signIn(way.flow("login"), spellings[0], passwords[loser]); a.status != http.StatusBadRequest || !a.says(wrongCredentials) {
			t.Errorf("login with a loser's password: %v", a)
		}
		if a := way.signIn(way.flow("login"), spellings[0], passwords[winner]); a.status != http.StatusOK || a.Session.Identity.ID != won.Identity.ID {
			t.Errorf("login with the winner's password: %v", a)
		}
	}
}

// TestOneFlowMakesOneIdentity submits one registration flow many times at once,
// each time for somebody else.
func TestOneFlowMakesOneIdentity(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			h := build(t, b.open(t))
			action := h.flow("registration")
			var won atomic.Int64
			atOnce(50, func(i int) {
				a := h.signUp(action, fmt.Sprintf("racer%d@example.com", i), password)
				switch {
				case a.status == http.StatusOK:
					won.Add(1)
				case a.status != http.StatusBadRequest || !a.says(registrationDone):
					t.Errorf("want 400 with message %d: %v", registrationDone, a)
				}
			})
			if all := h.identities(); won.Load() != 1 || len(all) != 1 {
				t.Errorf("%d submissions won and there are %d identities, want one of each", won.Load(), len(all))
			}
		})
	}
}
