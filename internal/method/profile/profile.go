// Package profile is the method of saying who one is: the first of the two
// screens of a registration, where traits are judged before a credential is
// asked for, and the part of the settings that changes them.
package profile

import (
	"context"
	"encoding/json"
	"slices"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/ui"
)

const id = "profile"

// New returns the method. It takes part in registrations of two steps alone.
func New(c *config.Config) flow.Method {
	m := flow.Method{ID: id, Settings: &flow.Door{Form: show, Submit: save}}
	if c.Flows.Registration.Style == config.StyleProfileFirst {
		m.Registration = &flow.Door{Takes: takes, Unguarded: back, Form: form, Submit: submit}
	}
	return m
}

// show adds the traits as they are to the settings.
func show(_ context.Context, s *flow.Step) error {
	showTraits(s, identity.Flatten(s.Owner.Traits))
	s.Flow.UI.Append(ui.Submit(ui.Profile, "method", id, ui.Save))
	return nil
}

// showTraits puts the nodes of the traits into the settings, with these values.
// A value that no node asks for gets one of its own: what was typed is not lost.
func showTraits(s *flow.Step, values []identity.Trait) {
	form := &s.Flow.UI
	for _, node := range s.Schema.Nodes(ui.Profile) {
		form.Upsert(node)
	}
	for _, trait := range values {
		if form.Find(trait.Name) == nil {
			form.Append(ui.Input(ui.Profile, trait.Name, inputOf(trait.Value), nil))
		}
		form.SetValue(trait.Name, trait.Value)
	}
}

// inputOf is the type of input for a value that no schema knows.
func inputOf(value any) string {
	switch value.(type) {
	case bool:
		return "checkbox"
	case float64, json.Number:
		return "number"
	default:
		return "text"
	}
}

// save changes the traits of the settings' owner. Addresses and identifiers
// follow from them: one that stays the same keeps its state.
func save(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	showTraits(s, s.Form.FlatTraits())
	if string(s.Form.Traits) == "{}" {
		return flow.Outcome{}, fault.Bad("Did not receive any value changes.")
	}
	s.Owner.Traits = s.Form.Traits
	if err := s.Rules.Apply(s.Owner, s.Now, s.Rand); err != nil {
		return flow.Outcome{}, err
	}
	return flow.Changed(s.Owner), nil
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
		s.Flow.OrganizationID, s.Flow.State = nil, flow.ChooseMethod
		form.Nodes = []ui.Node{ui.CSRF("")}
		return flow.Again(), nil
	}
	s.KeepTraits()
	if err := s.Derive(); err != nil {
		return flow.Outcome{}, err
	}
	s.Screen = flow.CredentialScreen
	form.Remove("method")
	if s.Flow.State == flow.SentEmail { // a code was on its way
		form.Nodes = slices.DeleteFunc(form.Nodes, func(n ui.Node) bool { return n.Group != ui.Default })
	}
	s.Flow.State = flow.ChooseMethod
	return flow.Again(), nil
}
