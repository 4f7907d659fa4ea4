// Package idfirst is the method of saying who one is before a credential is asked
// for: the first of the two screens of a login. It proves nothing; the engine goes
// on to the screen of those methods that the person has.
package idfirst

import (
	"context"
	"slices"

	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/session"
	"styx/internal/ui"
)

const (
	id         = "identifier_first"
	identifier = "identifier"
)

// New returns the method.
func New() flow.Method {
	return flow.Method{ID: id, Group: ui.IdentifierFirst, AAL: session.AAL1, Login: &flow.Door{
		// It is asked last, and takes what no other method wants.
		Takes:  func(identity.Form) bool { return true },
		Claims: claims, Aliases: aliases, Form: form, Submit: submit,
	}}
}

// claims names the identifier as that of a password, the most frequent one.
func claims(form identity.Form) string {
	if !form.Has(identifier) {
		return ""
	}
	return guard(identity.Password, form)
}

// aliases are what else the identifier may stand for.
func aliases(form identity.Form) []string {
	return []string{guard(identity.Code, form), guard(identity.WebAuthn, form)}
}

func guard(kind identity.CredentialType, form identity.Form) string {
	return identity.CredentialGuard(kind, identity.Normalize(form.Get(identifier)))
}

// form asks who somebody is, and hides that once it is known.
func form(_ context.Context, s *flow.Step) error {
	form := &s.Flow.UI
	field := ui.Input(ui.IdentifierFirst, identifier, "text", "").Needed().
		Completing("username webauthn").Labelled(s.Schema.IdentifierLabel())
	switch s.Screen {
	case flow.IdentifierScreen:
		form.Append(field, ui.Submit(ui.IdentifierFirst, "method", id, ui.Continue))
	case flow.CredentialScreen:
		field.Attributes.Type, field.Attributes.Value = "hidden", s.Form.Get(identifier)
		form.Upsert(field)
		form.Nodes = slices.DeleteFunc(form.Nodes, func(n ui.Node) bool { return n.Group == ui.IdentifierFirst && n.Name() == "method" })
	case flow.Unified, flow.ProfileScreen:
	}
	return nil
}

// submit goes on to the screen for credentials.
func submit(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	if s.Screen != flow.IdentifierScreen {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoLoginMethod))
	}
	s.Screen = flow.CredentialScreen
	return flow.Again(), nil
}
