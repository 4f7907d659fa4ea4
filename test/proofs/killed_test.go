package proofs

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"styx/internal/table/local"
)

// acknowledged are the answers to registrations that said 200, by address.
type acknowledged struct {
	mu  sync.Mutex
	who map[string]answer
}

func (k *acknowledged) add(t *testing.T, address string, a answer) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	if before, twice := k.who[address]; twice {
		t.Errorf("%s was registered twice, as %s and as %s", address, before.Identity.ID, a.Identity.ID)
	}
	k.who[address] = a
}

// intact checks that everybody who was told so is registered and signed in, and
// that nobody's address has two owners.
func (k *acknowledged) intact(t *testing.T, c *client) {
	t.Helper()
	owners := map[string]string{}
	for _, who := range c.identities() {
		if other, twice := owners[who.Traits.Email]; twice {
			t.Errorf("%s is owned by %s and by %s", who.Traits.Email, other, who.ID)
		}
		owners[who.Traits.Email] = who.ID
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for address, a := range k.who {
		if owners[address] != a.Identity.ID {
			t.Errorf("%s was registered as %s and belongs to %q", address, a.Identity.ID, owners[address])
		}
		if me := c.whoami(a.Token); me.status != http.StatusOK || me.Identity.ID != a.Identity.ID {
			t.Errorf("the session of %s: %v", address, me)
		}
	}
}

// TestKilledProcessKeepsItsWord kills a process amid two hundred registrations,
// two of each address, again and again on the same file.
func TestKilledProcessKeepsItsWord(t *testing.T) {
	const people = 100
	dsn := "file://" + filepath.Join(t.TempDir(), "styx.db")
	told := &acknowledged{who: map[string]answer{}}
	address := func(round, i int) string { return fmt.Sprintf("person%d-%d@example.com", round, i%people) }
	p := serve(t, dsn)
	for round, enough := range []int64{1, 30, 80} {
		var answered atomic.Int64
		kill := sync.OnceFunc(p.kill)
		atOnce(2*people, func(i int) {
			started, err := p.try(http.MethodGet, p.public+"/self-service/registration/api", nil)
			if err != nil || started.status != http.StatusOK {
				return // it is gone
			}
			a, err := p.try(http.MethodPost, started.UI.Action, map[string]any{
				"method": "password", "password": password, "traits": email(address(round, i)),
			})
			switch {
			case err != nil:
			case a.status == http.StatusOK:
				told.add(t, address(round, i), a)
				if answered.Add(1) == enough {
					kill()
				}
			case a.status != http.StatusBadRequest || !a.says(accountExists):
				t.Errorf("%s: %v", address(round, i), a)
			}
		})
		kill()
		t.Logf("killed after %d answers of %d", answered.Load(), people)

		p = serve(t, dsn)
		told.intact(t, p.client)
		// Whoever got no answer asks again and has it, or had it: no name stays
		// taken by nobody.
		before := map[string]bool{}
		for _, who := range p.identities() {
			before[who.Traits.Email] = true
		}
		for i := range people {
			a := p.signUp(p.flow("registration"), address(round, i), password)
			switch taken := before[address(round, i)]; {
			case taken && (a.status != http.StatusBadRequest || !a.says(accountExists)):
				t.Errorf("%s exists and registers again: %v", address(round, i), a)
			case !taken && a.status != http.StatusOK:
				t.Errorf("%s does not exist and can not register: %v", address(round, i), a)
			case !taken:
				told.add(t, address(round, i), a)
			}
		}
		told.intact(t, p.client)
	}
}

// TestCopyOfTheFile copies a living process' file between two acknowledged
// registrations. The copy opens and holds all that was acknowledged before.
func TestCopyOfTheFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "styx.db")
	p := serve(t, "file://"+path)
	told := &acknowledged{who: map[string]answer{}}
	for n := range 5 {
		for i := range 4 {
			address := fmt.Sprintf("person%d-%d@example.com", n, i)
			told.add(t, address, p.join(address))
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		clone := filepath.Join(folder, fmt.Sprintf("copy%d.db", n))
		if err := os.WriteFile(clone, content, 0o600); err != nil {
			t.Fatal(err)
		}
		opened := keep(t, func() (*local.Table, error) {
			return local.Open(clone, local.Options{Now: time.Now, Rand: rand.Reader})
		})
		h := build(t, opened)
		told.intact(t, h.client)
		if all := h.identities(); len(all) != len(told.who) {
			t.Errorf("copy %d holds %d identities, want %d", n, len(all), len(told.who))
		}
		h.join("later@example.com") // it goes its own way from here
	}
}
