package store

import (
	"crypto/rand"
	"fmt"
	"slices"
	"testing"
	"time"

	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/table/local"
)

// peopled returns a store that holds n identities, called name-0 and so on, and
// their ids in that order.
func peopled(t *testing.T, n int) (*Store, []string) {
	t.Helper()
	noon := func() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }
	memory, err := local.Memory(local.Options{Now: noon, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = memory.Close() })
	s := &Store{Table: memory, Now: noon, Rand: rand.Reader}
	ids := make([]string, n)
	for at := range ids {
		id := secret.NewV4(rand.Reader).String()
		who := identity.New(id, "person", noon())
		who.Identify(identity.Password, []string{fmt.Sprintf("name-%d", at)}, noon())
		if err := s.Create(t.Context(), who); err != nil {
			t.Fatal(err)
		}
		ids[at] = id
	}
	return s, ids
}

func TestIdentitiesByID(t *testing.T) {
	s, ids := peopled(t, 3)
	const nobody = "6f0c6a0e-0000-4000-8000-000000000000"
	found, err := s.IdentitiesByID(t.Context(), []string{ids[2], ids[0], nobody, "zzz", ids[2]})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, who := range found {
		got = append(got, who.ID)
	}
	want := []string{ids[0], ids[2]}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if found, err := s.IdentitiesByID(t.Context(), nil); err != nil || len(found) != 0 {
		t.Errorf("nobody asked for: %v, %v", found, err)
	}
}

func TestOwners(t *testing.T) {
	s, ids := peopled(t, 2)
	guard := func(name string) string { return identity.CredentialGuard(identity.Password, name) }
	got, err := s.Owners(t.Context(), guard("name-1"), guard("nobody"), guard("name-0"), identity.CredentialGuard(identity.Code, "name-0"))
	if want := []string{ids[1], ids[0]}; err != nil || !slices.Equal(got, want) {
		t.Errorf("owners are %v, %v, want %v", got, err, want)
	}
	if err := s.Delete(t.Context(), ids[1]); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Owners(t.Context(), guard("name-1")); err != nil || len(got) != 0 {
		t.Errorf("the owner was deleted: %v, %v", got, err)
	}
}

func TestCountIdentities(t *testing.T) {
	s, _ := peopled(t, 40)
	for most, want := range map[int]int{0: 0, 1: 1, 39: 39, 40: 40, 41: 40, 10_000: 40} {
		if got, err := s.CountIdentities(t.Context(), most); err != nil || got != want {
			t.Errorf("at most %d: counted %d, %v, want %d", most, got, err, want)
		}
	}
}
