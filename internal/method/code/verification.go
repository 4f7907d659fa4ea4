package code

import (
	"context"
	"net/url"

	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/ui"
)

func (m method) verification() *flow.Door {
	return &flow.Door{
		Takes:  func(identity.Form) bool { return true }, // a verification belongs to one method
		Claims: claimsVerifiable, Guesses: guesses, Unguarded: guesses,
		Form: m.askVerifiable, Begin: m.beginVerification, Submit: m.verify, Follow: m.follow,
	}
}

// claimsVerifiable names the address whose owner is to prove it.
func claimsVerifiable(form identity.Form) string {
	if guesses(form) || !form.Has("email") {
		return ""
	}
	address := form.Get("email")
	return identity.VerifiableGuard(channel(address), address)
}

// askVerifiable adds the nodes that ask for an address.
func (m method) askVerifiable(_ context.Context, s *flow.Step) error {
	form := &s.Flow.UI
	form.Nodes = nil
	if m.texts {
		form.Append(ui.Input(ui.Code, "email", "text", nil).Needed().Labelled(ui.Say(ui.LabelEmailOrPhone)))
	} else {
		form.Append(addressField())
	}
	form.Append(submit(ui.Continue))
	if !s.Flow.Native() {
		form.Append(ui.CSRF(""))
	}
	return nil
}

func addressField() ui.Node {
	return ui.Input(ui.Code, "email", "email", nil).Needed().Labelled(ui.Say(ui.LabelEmail))
}

// verify sends a code, or judges one.
func (m method) verify(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	if guesses(s.Form) {
		return m.judgeVerification(s)
	}
	form := &s.Flow.UI
	if chosen := s.Form.Get("method"); chosen != id && chosen != "link" && chosen != "" {
		return flow.Outcome{}, fault.InvalidField("method", ui.Reason(`value must be one of "code", "link"`))
	}
	address := s.Form.Get("email")
	if address == "" {
		form.Upsert(ui.CSRF(""))
		field := addressField()
		field.Attributes.Value = ""
		form.Upsert(field)
		return flow.Outcome{}, fault.InvalidField("email", ui.Missing("email"))
	}
	outcome := m.sendVerification(s, channel(address), address)
	m.askVerificationCode(s.Flow, "email", address)
	return outcome, nil
}

// beginVerification sends a code to an address that somebody just gave.
func (m method) beginVerification(s *flow.Step, address *identity.VerifiableAddress) (flow.Outcome, error) {
	outcome := m.sendVerification(s, address.Via, address.Value)
	m.askVerificationCode(s.Flow, string(address.Via), address.Value)
	return outcome, nil
}

// askVerificationCode lets the flow wait for the code that was sent to an
// address; again names the button that asks for another.
func (m method) askVerificationCode(f *flow.Flow, again, address string) {
	form := &f.UI
	f.State = flow.SentEmail
	form.Nodes = []ui.Node{hidden(), field(ui.LabelVerificationCode), submit(ui.Continue)}
	if !f.Native() {
		form.Append(ui.CSRF(""))
	}
	form.Append(ui.Submit(ui.Code, again, address, ui.ResendCode))
	sent := ui.VerificationMailSent
	if channel(address) == identity.ViaSMS {
		sent = ui.VerificationTextSent
	}
	form.Messages = []ui.Message{ui.Say(sent)}
}

// sendVerification makes a code for an address and the message that carries it.
func (m method) sendVerification(s *flow.Step, via identity.Via, address string) flow.Outcome {
	who := s.Claimed
	code := secret.Code(m.rand)
	owned := who.Addressed(via, address)
	if owned == nil {
		return m.refuse(s, courier.VerificationCodeInvalid, via, address)
	}
	owned.Status = identity.Sent
	draft := m.draft(s, courier.VerificationCodeValid, via, owned.Value)
	draft.Data[courier.VerificationCode] = code
	draft.Data[courier.VerificationURL] = m.base + "/self-service/verification?" + url.Values{"code": {code}, "flow": {s.Flow.ID}}.Encode()
	draft.Data[courier.Identity] = who.Public(m.base)
	s.Flow.Proofs = []flow.Proof{m.prove(s, who.ID, via, owned.Value, code, m.lifespan)}
	return flow.Outcome{Who: who, Mail: []courier.Draft{draft}}
}

// judgeVerification marks the address as verified when the code is the one that
// was sent.
func (m method) judgeVerification(s *flow.Step) (flow.Outcome, error) {
	proof := m.proved(s)
	if proof == nil || !proof.Of(s.Claimed) {
		return wrongVerification(s.Flow)
	}
	owned := s.Claimed.Addressed(proof.Via, proof.Address)
	if owned == nil {
		return wrongVerification(s.Flow) // the address changed since
	}
	owned.Verify(s.Now)
	return flow.Proved(s.Claimed, owned.Via), nil
}

func wrongVerification(f *flow.Flow) (flow.Outcome, error) {
	f.UI.Messages = []ui.Message{ui.Say(ui.VerificationCodeInvalid)}
	return flow.Again(), nil
}

// follow shows the code of a link in its field; the person submits it. Only the
// right code moves the flow to the browser that opened the link: its id alone is
// no secret.
func (m method) follow(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	if m.proved(s) == nil {
		return flow.Again(), nil
	}
	s.Flow.UI.SetValue("code", s.Form.Get("code"))
	s.Flow.Private = true
	return flow.Outcome{Opened: true}, nil
}
