// Package profile is the method of saying who one is, the first of the two
// screens of a registration: its traits are judged before a credential is asked
// for.
package profile

import (
	"context"

	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/ui"
)

const id = "profile"

// New returns the method, for registrations in two steps.
func New() flow.Method {
	return flow.Method{
		ID:           id,
		Registration: &flow.Door{Takes: takes, Unguarded: back, Form: form, Submit: submit},
	}
}

func takes(form identity.Form) bool {
	return form.Get("method") == id || back(form) || form.Has("screen")
}

// back tells whether a submission leads back to the traits, which changes
// nothing.
func back(form identity.Form) bool {
	method := form.Get("method")
	return method == "profile:back" || method != id && form.Get("screen") == "previous"
}

// form adds the traits on the first screen; on the second it hides them and
// adds the way back.
func form(_ context.Context, s *flow.Step) error {
	form := &s.Flow.UI
	if s.Screen == flow.ProfileScreen {
		for _, node := range s.Schema.Nodes(ui.Default) {
			form.Upsert(node)
		}
		s.KeepTraits()
		form.Append(ui.Submit(ui.Profile, "method", id, ui.SignUp))
		return nil
	}
	for i := range form.Nodes {
		if node := &form.Nodes[i]; node.Type == ui.InputNode && node.Group == ui.Default {
			node.Attributes.Type = "hidden"
		}
	}
	form.Append(ui.Submit(ui.Profile, "screen", "previous", ui.Back))
	return nil
}

// submit judges the traits and goes on to the credentials, or goes back.
func submit(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	form := &s.Flow.UI
	if back(s.Form) {
		s.Screen = flow.ProfileScreen
		s.Flow.OrganizationID = nil
		form.Nodes = []ui.Node{ui.CSRF("")}
		return flow.Again(), nil
	}
	s.KeepTraits()
	if err := s.Derive(); err != nil {
		return flow.Outcome{}, err
	}
	s.Screen = flow.CredentialScreen
	form.Remove("method")
	return flow.Again(), nil
}
