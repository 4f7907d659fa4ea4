package password

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/ui"
)

func noon() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

const right = "correct horse battery"

func hasher(t *testing.T, cost int) *secret.Hasher {
	t.Helper()
	h, err := secret.NewHasher(secret.HasherConfig{Algorithm: "bcrypt", BcryptCost: cost}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func build(t *testing.T) flow.Method {
	t.Helper()
	return New(config.Password{MinLength: 8, SimilarityCheck: true}, hasher(t, 4), nil)
}

// ann is an identity whose password was hashed at that cost.
func ann(t *testing.T, cost int) *identity.Identity {
	t.Helper()
	who := identity.New("a", "person", noon())
	who.Identify(identity.Password, []string{"ann@example.org"}, noon())
	hash, err := hasher(t, cost).Hash(t.Context(), right)
	if err == nil {
		err = who.SetPasswordHash(hash, noon())
	}
	if err != nil {
		t.Fatal(err)
	}
	return who
}

// sent is a step of a login that was filled in.
func sent(claimed *identity.Identity, fields map[string]string) *flow.Step {
	s := &flow.Step{Flow: &flow.Flow{Kind: flow.Login}, Claimed: claimed, Now: noon(), Rand: rand.Reader}
	s.Form.Values = map[string][]string{}
	for name, value := range fields {
		s.Form.Values[name] = []string{value}
	}
	return s
}

// messages are the ids that an error puts at the nodes of a form.
func messages(err error) string {
	var at []string
	if known := fault.As(err); known != nil {
		for _, field := range known.Fields {
			at = append(at, fmt.Sprintf("%s:%d", field.At, field.Text.ID))
		}
	}
	return strings.Join(at, " ")
}

func TestLoginJudges(t *testing.T) {
	both := func(identifier, password string) map[string]string {
		return map[string]string{"identifier": identifier, "password": password}
	}
	broken := ann(t, 4)
	broken.Credentials[identity.Password] = identity.Credential{Type: identity.Password, Config: []byte(`{"hashed_password":"$2a$99$x"}`)}
	without := identity.New("w", "person", noon())
	for _, c := range []struct {
		name    string
		claimed *identity.Identity
		fields  map[string]string
		want    string // messages; "" for passed
		runs    int    // hashes
	}{
		{"the right password", ann(t, 4), both("ann", right), "", 1},
		{"a wrong password", ann(t, 4), both("ann", "wrong"), ":4000006", 1},
		{"one character more", ann(t, 4), both("ann", right+"x"), ":4000006", 1},
		{"another case", ann(t, 4), both("ann", strings.ToUpper(right)), ":4000006", 1},
		{"a stranger", nil, both("eve", right), ":4000006", 1},
		{"nobody's password", without, both("eve", right), ":4000006", 1},
		{"a hash that cannot be read", broken, both("ann", right), ":4000006", 1},
		{"no password", ann(t, 4), both("ann", ""), "password:4000002", 0},
		{"no identifier", nil, both("", right), "identifier:4000002", 0},
		{"nothing", nil, nil, "identifier:4000002 password:4000002", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, work := secret.WithWork(t.Context())
			outcome, err := build(t).Login.Submit(ctx, sent(c.claimed, c.fields))
			if (err == nil) != (c.want == "") || messages(err) != c.want {
				t.Fatalf("answers %v", err)
			}
			if got := len(work.Runs()); got != c.runs {
				t.Errorf("%d hashes, want %d", got, c.runs)
			}
			if err == nil && (outcome.Who != c.claimed || outcome.Method.Method != "password" || outcome.Method.AAL != session.AAL1 || outcome.Upgrade != nil) {
				t.Errorf("passed %+v", outcome)
			}
			if err != nil && (outcome.Who != nil || strings.Contains(err.Error(), right)) {
				t.Errorf("%+v, %v", outcome, err)
			}
		})
	}
}

// TestUpgrade makes a hash of other parameters anew, unless the password was
// changed meanwhile.
func TestUpgrade(t *testing.T) {
	who := ann(t, 5)
	outcome, err := build(t).Login.Submit(t.Context(), sent(who, map[string]string{"identifier": "ann", "password": right}))
	if err != nil || outcome.Upgrade == nil {
		t.Fatalf("no upgrade: %v", err)
	}
	changed := ann(t, 5)
	if err := changed.SetPasswordHash("changed meanwhile", noon()); err != nil {
		t.Fatal(err)
	}
	if outcome.Upgrade(changed); changed.PasswordHash() != "changed meanwhile" {
		t.Error("a password that was changed meanwhile is the old one again")
	}
	outcome.Upgrade(who)
	if !strings.HasPrefix(who.PasswordHash(), "$2a$04$") {
		t.Errorf("the hash is %.7s", who.PasswordHash())
	}
	if ok, err := hasher(t, 4).Matches(t.Context(), who.PasswordHash(), right); !ok || err != nil {
		t.Errorf("the password no longer matches: %v", err)
	}
}

// TestPasswordTooLongForTheNewAlgorithm keeps its old hash, and its owner passes.
func TestPasswordTooLongForTheNewAlgorithm(t *testing.T) {
	long := strings.Repeat("long ", 20)
	argon, err := secret.NewHasher(secret.HasherConfig{
		Algorithm: "argon2", Argon2: secret.Argon2{MemoryKiB: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32},
	}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	who := ann(t, 4)
	hash, err := argon.Hash(t.Context(), long)
	if err == nil {
		err = who.SetPasswordHash(hash, noon())
	}
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := build(t).Login.Submit(t.Context(), sent(who, map[string]string{"identifier": "ann", "password": long}))
	if err != nil || outcome.Who != who || outcome.Upgrade != nil {
		t.Errorf("%+v, %v", outcome, err)
	}
}

// TestLoginOutOfTime is no wrong password.
func TestLoginOutOfTime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := build(t).Login.Submit(ctx, sent(ann(t, 4), map[string]string{"identifier": "ann", "password": right}))
	if !errors.Is(err, context.Canceled) || fault.As(err) != nil {
		t.Errorf("answers %v", err)
	}
}

// TestClaims names nobody while there is no password to guess with.
func TestClaims(t *testing.T) {
	for password, want := range map[string]string{"": "", "x": "ann"} {
		form := identity.Form{Values: map[string][]string{"identifier": {"ann"}, "password": {password}}}
		if want != "" {
			want = identity.CredentialGuard(identity.Password, want)
		}
		if got := claims(form); got != want {
			t.Errorf("with %q: %q", password, got)
		}
	}
}

// TestRefreshAsksWhoHasAPassword and nobody else.
func TestRefreshAsksWhoHasAPassword(t *testing.T) {
	for name, c := range map[string]struct {
		owner *identity.Identity
		nodes int
	}{
		"a password": {ann(t, 4), 3},
		"none":       {identity.New("w", "person", noon()), 0},
	} {
		s := &flow.Step{Flow: &flow.Flow{Kind: flow.Login, Refresh: true}, Owner: c.owner}
		if err := build(t).Login.Form(t.Context(), s); err != nil || len(s.Flow.UI.Nodes) != c.nodes {
			t.Errorf("%s: %d nodes, %v", name, len(s.Flow.UI.Nodes), err)
		}
	}
}

// applied are rules that find nothing wrong and derive these identifiers.
type applied []string

// Validate implements identity.Rules.
func (applied) Validate(json.RawMessage) error { return nil }

// Apply implements identity.Rules.
func (a applied) Apply(who *identity.Identity, now time.Time, _ io.Reader) error {
	who.Identify(identity.Password, a, now)
	return nil
}

// TestRegistrationJudges, in this order: what is missing, traits, the policy.
func TestRegistrationJudges(t *testing.T) {
	for _, c := range []struct {
		name, password string
		identifiers    []string
		want           string
	}{
		{"good", right, []string{"ann@example.org"}, ""},
		{"no password", "", []string{"ann@example.org"}, "password:4000002"},
		{"no identifier in the schema", right, nil, ":4000009"},
		{"too short", "short", []string{"ann@example.org"}, "password:4000032"},
		{"like the identifier", "ann@example.org", []string{"ann@example.org"}, "password:4000031"},
		{"longer than bcrypt reads", strings.Repeat("xyz ", 20), []string{"ann@example.org"}, "password:4000033"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sent(nil, map[string]string{"password": c.password})
			s.Draft = identity.New("a", "person", noon())
			s.Rules = applied(c.identifiers)
			outcome, err := build(t).Registration.Submit(t.Context(), s)
			if (err == nil) != (c.want == "") || messages(err) != c.want {
				t.Fatalf("answers %v", err)
			}
			if got := s.Draft.PasswordHash() != ""; got != (err == nil) {
				t.Errorf("the draft has a password: %v", got)
			}
			if err == nil && outcome.Who != s.Draft {
				t.Errorf("passed %+v", outcome.Who)
			}
		})
	}
}

// TestFormBySteps: traits and password at once, or the password on its own
// screen.
func TestFormBySteps(t *testing.T) {
	schema, err := identity.ParseSchema("person", []byte(`{"properties":{"traits":{"type":"object","properties":{"email":{"type":"string"}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for screen, want := range map[flow.Screen]string{
		flow.Unified:          "traits.email password method",
		flow.ProfileScreen:    "",
		flow.CredentialScreen: "password method",
	} {
		s := &flow.Step{Flow: &flow.Flow{Kind: flow.Registration}, Screen: screen, Schema: schema}
		if err := build(t).Registration.Form(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, node := range s.Flow.UI.Nodes {
			names = append(names, node.Attributes.Name)
			if node.Attributes.Name == "password" && (node.Attributes.Value != nil || node.Attributes.Autocomplete != "new-password" || node.Group != ui.Password) {
				t.Errorf("the password's node is %+v", node)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("screen %d has %q, want %q", screen, got, want)
		}
	}
}
