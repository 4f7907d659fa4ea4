package code

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/ui"
)

func (m method) registration() *flow.Door {
	return &flow.Door{Guesses: guessesSignIn, Form: askRegistration, Submit: m.signUp}
}

// askRegistration adds the button that asks for a code, with the traits where they
// are not asked for on a screen before.
func askRegistration(_ context.Context, s *flow.Step) error {
	if s.Screen == flow.ProfileScreen {
		return nil
	}
	s.AskTraits()
	s.Flow.UI.Append(submit(ui.SendRegistrationCode))
	return nil
}

// signUp sends codes to the addresses of a new identity, or judges one.
func (m method) signUp(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	s.KeepTraits()
	switch {
	case s.Flow.State == flow.ChallengePassed:
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoSignUpMethod))
	case s.Flow.State == flow.SentEmail && !again(s.Form):
		return m.judgeRegistration(s)
	default:
		return m.sendRegistration(s)
	}
}

// sendRegistration sends a code to each address that the traits name for it: any
// of them proves that one address.
func (m method) sendRegistration(s *flow.Step) (flow.Outcome, error) {
	if err := s.Derive(); err != nil {
		return flow.Outcome{}, err
	}
	addresses := s.Draft.CodeAddresses()
	if len(addresses) == 0 {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoIdentifiers))
	}
	if err := s.Keep(id, s.Form.Traits); err != nil {
		return flow.Outcome{}, err
	}
	public := s.Draft.Public(m.base)
	public.ID = secret.UUID{}.String() // there is no such identity yet
	s.Flow.Proofs = nil
	var outcome flow.Outcome
	for _, address := range addresses {
		code := secret.Code(m.rand)
		draft := m.draft(s, courier.RegistrationCodeValid, address.Channel, address.Address)
		draft.Data[courier.RegistrationCode] = code
		draft.Data[courier.Identity], draft.Data[courier.Traits] = public, public.Traits
		outcome.Mail = append(outcome.Mail, draft)
		s.Flow.Proofs = append(s.Flow.Proofs, m.prove(s, "", address.Channel, address.Address, code, m.lifespan))
	}
	m.askRegistrationCode(s.Flow)
	return outcome, nil
}

// askRegistrationCode lets the flow wait for a code, and keeps the traits for it.
func (m method) askRegistrationCode(f *flow.Flow) {
	form := &f.UI
	f.State = flow.SentEmail
	form.Nodes = slices.DeleteFunc(form.Nodes, func(n ui.Node) bool {
		return n.Name() != "csrf_token" && !strings.HasPrefix(n.Name(), "traits.")
	})
	form.Hush()
	for at := range form.Nodes {
		form.Nodes[at].Attributes.Type = "hidden"
	}
	form.Append(hidden(), field(ui.LabelRegistrationCode), submit(ui.Continue), resend())
	if m.steps {
		form.Append(ui.Submit(ui.Profile, screen, "credential-selection", ui.Back))
	}
	form.Messages = []ui.Message{ui.Say(ui.RegistrationCodeSent)}
}

// judgeRegistration ends a registration whose traits are those that a code was
// sent for. The address that it was sent to is verified by that.
func (m method) judgeRegistration(s *flow.Step) (flow.Outcome, error) {
	var sent json.RawMessage
	if _, err := s.Recall(id, &sent); err != nil {
		return flow.Outcome{}, err
	}
	if !same(sent, s.Form.Traits) {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.TraitsChanged))
	}
	if !guesses(s.Form) {
		return flow.Outcome{}, fault.InvalidField("code", ui.Missing("code"))
	}
	proof := m.proved(s)
	if proof == nil {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.RegistrationCodeInvalid))
	}
	if err := s.Derive(); err != nil {
		return flow.Outcome{}, err
	}
	if owned := s.Draft.Verifiable(proof.Via, proof.Address); owned != nil {
		owned.Verify(s.Now)
	}
	outcome := flow.Passed(s.Draft, id, session.AAL1)
	outcome.Spent, outcome.Late = true, fault.CodeUsed()
	return outcome, s.Keep(id, nil)
}

// same tells whether two sets of traits say the same, in whatever order.
func same(one, other json.RawMessage) bool {
	a, err := ordered(one)
	b, failed := ordered(other)
	return err == nil && failed == nil && bytes.Equal(a, b)
}

// ordered prints an object with its members in the order of their names.
func ordered(object json.RawMessage) ([]byte, error) {
	var members map[string]any
	if err := json.Unmarshal(object, &members); err != nil {
		return nil, err
	}
	return json.Marshal(members)
}
