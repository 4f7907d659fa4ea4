package identity

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"styx/internal/fault"
)

func TestGuards(t *testing.T) {
	who := full(t)
	who.Credentials[TOTP] = Credential{Type: TOTP, Identifiers: []string{who.ID}}
	if err := who.SetWebAuthnKeys(Passkey, []byte("handle"), []Key{{ID: []byte("key")}}, noon); err != nil {
		t.Fatal(err)
	}
	who.Credentials[OIDC] = Credential{Type: OIDC, Identifiers: []string{"acme:Subject", "acme:subject"}}
	got, err := Guards(who)
	if err != nil {
		t.Fatal(err)
	}
	ann := Hash("ann@example.org")
	want := []string{
		"A#r#email#" + ann, "A#v#email#" + ann, "C#code#" + ann, "C#external#" + Hash("crm-1"),
		"C#oidc#" + Hash("acme:Subject"), "C#oidc#" + Hash("acme:subject"), "C#password#" + ann,
		"C#passkey#" + Hash("handle"), KeyGuard([]byte("key")),
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, name := range got {
		if strings.Contains(name, "ann") && !strings.Contains(name, ann) {
			t.Errorf("%s holds personal data", name)
		}
	}
}

func TestGuardsOfEqualAddressesAreEqual(t *testing.T) {
	if VerifiableGuard(ViaEmail, " ANN@example.org") != VerifiableGuard(ViaEmail, "ann@example.org") ||
		RecoveryGuard(ViaSMS, "+49 151 2345678") != RecoveryGuard(ViaSMS, "+491512345678") {
		t.Error("addresses equal in normal form have different guards")
	}
	if VerifiableGuard(ViaEmail, "a") == RecoveryGuard(ViaEmail, "a") || VerifiableGuard(ViaEmail, "a") == VerifiableGuard(ViaSMS, "a") {
		t.Error("guards of different kinds are equal")
	}
}

func TestTheGuardTooManyNamesItsTrait(t *testing.T) {
	who := New("5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11", "person", noon)
	var names, traits []string
	for i := range MaxGuards {
		names = append(names, fmt.Sprintf("name%d", i))
		traits = append(traits, fmt.Sprintf("%q", names[i]))
	}
	who.Identify(Password, names, noon)
	who.Traits = json.RawMessage(`{"names":[` + strings.Join(traits, ",") + `],"last":" Name40 "}`)
	if got, err := Guards(who); err != nil || len(got) != MaxGuards {
		t.Fatalf("%d guards, %v", len(got), err)
	}
	who.Identify(Password, append(names, "name40"), noon)
	got, err := Guards(who)
	if found := fault.As(err); got != nil || found == nil || found.Kind != fault.BadRequest || !strings.Contains(found.Reason, "traits.last") {
		t.Errorf("got %v and %v, want a bad request that names traits.last", got, err)
	}
}
