package profile

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/ui"
)

func twoSteps() flow.Method {
	c := new(config.Config)
	c.Flows.Registration.Style = config.StyleProfileFirst
	return New(c)
}

func filled(fields map[string]string) identity.Form {
	f := identity.Form{Values: map[string][]string{}, Traits: json.RawMessage(`{"email":"ann@example.org"}`)}
	for name, value := range fields {
		f.Values[name] = []string{value}
	}
	return f
}

// TestTakes tells what is meant for the traits from what only carries them.
func TestTakes(t *testing.T) {
	for _, c := range []struct {
		method, screen string
		takes, back    bool
	}{
		{"profile", "", true, false},
		{"profile", "credential-selection", true, false},
		{"profile", "previous", true, false},
		{"profile:back", "", true, true},
		{"", "previous", true, true},
		{"password", "previous", true, true},
		{"", "credential-selection", true, false},
		{"password", "credential-selection", true, false},
		{"password", "", false, false},
		{"", "", false, false},
		{"Profile", "", false, false},
	} {
		f := filled(map[string]string{"method": c.method, "screen": c.screen})
		door := twoSteps().Registration
		if door.Takes(f) != c.takes || door.Unguarded(f) != c.back {
			t.Errorf("method %q, screen %q: takes %v, goes back %v", c.method, c.screen, door.Takes(f), door.Unguarded(f))
		}
	}
}

// judged are rules that find that wrong.
type judged struct{ wrong error }

// Validate implements identity.Rules.
func (j judged) Validate(json.RawMessage) error { return j.wrong }

// Apply implements identity.Rules.
func (j judged) Apply(*identity.Identity, time.Time, io.Reader) error { return j.wrong }

// submitted sends fields from a screen and returns the names of the form that
// follows, once it is filled for where the submission led.
func submitted(t *testing.T, from flow.Screen, rules identity.Rules, fields map[string]string) (*flow.Step, string, error) {
	t.Helper()
	schema, err := identity.ParseSchema("person", []byte(`{"properties":{"traits":{"type":"object","properties":{"email":{"type":"string","format":"email"}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	organization := "o"
	s := &flow.Step{Flow: &flow.Flow{Kind: flow.Registration, OrganizationID: &organization}, Schema: schema, Screen: from, Rules: rules, Draft: new(identity.Identity)}
	s.Flow.UI.Nodes = []ui.Node{ui.CSRF("")}
	if err := twoSteps().Registration.Form(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	s.Form = filled(fields)
	outcome, err := twoSteps().Registration.Submit(t.Context(), s)
	if outcome.Who != nil {
		t.Fatal("traits alone signed somebody up")
	}
	if err == nil {
		if err := twoSteps().Registration.Form(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for _, node := range s.Flow.UI.Nodes {
		kind := node.Attributes.Type
		names = append(names, node.Attributes.Name+":"+kind)
	}
	return s, strings.Join(names, " "), err
}

func TestOnward(t *testing.T) {
	s, names, err := submitted(t, flow.ProfileScreen, judged{}, map[string]string{"method": "profile"})
	if err != nil || s.Screen != flow.CredentialScreen || names != "csrf_token:hidden traits.email:hidden screen:submit" {
		t.Errorf("leads to screen %d, %s, %v", s.Screen, names, err)
	}
	if got := s.Flow.UI.Find("traits.email").Attributes.Value; got != "ann@example.org" || s.Flow.OrganizationID == nil {
		t.Errorf("the address is %v, the organization %v", got, s.Flow.OrganizationID)
	}
}

func TestBack(t *testing.T) {
	// Wrong traits do not hold anybody back.
	s, names, err := submitted(t, flow.CredentialScreen, judged{fault.Bad("wrong")}, map[string]string{"screen": "previous"})
	if err != nil || s.Screen != flow.ProfileScreen || names != "csrf_token:hidden traits.email:email method:submit" {
		t.Errorf("leads to screen %d, %s, %v", s.Screen, names, err)
	}
	if got := s.Flow.UI.Find("traits.email").Attributes.Value; got != "ann@example.org" || s.Flow.OrganizationID != nil {
		t.Errorf("the address is %v, the organization %v", got, s.Flow.OrganizationID)
	}
}

func TestWrongTraitsStay(t *testing.T) {
	wrong := fault.Bad("wrong")
	s, names, err := submitted(t, flow.ProfileScreen, judged{wrong}, map[string]string{"method": "profile"})
	if fault.As(err) != wrong || s.Screen != flow.ProfileScreen || names != "csrf_token:hidden traits.email:email method:submit" {
		t.Errorf("leads to screen %d, %s, %v", s.Screen, names, err)
	}
}
