// Package link is the method of proving an address with a link that was sent
// there: whoever opens it has read the mail.
package link

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/ui"
)

// id names the method in forms, flows and the configuration; recovered the entry
// that a session gets from a recovery.
const (
	id        = "link"
	recovered = "link_recovery"
)

// tokenLength is how long a link's token is: 190 bits.
const tokenLength = 32

type method struct {
	ring     *secret.Ring
	rand     io.Reader
	lifespan time.Duration
	base     string // the public URL, without a trailing slash
	notify   map[flow.Kind]bool
}

// New returns the method.
func New(c *config.Config, ring *secret.Ring, rand io.Reader) flow.Method {
	m := method{
		ring: ring, rand: rand, lifespan: c.Methods.Link.Lifespan,
		base: strings.TrimSuffix(c.Methods.Link.BaseURL.String(), "/"),
		// Whether strangers hear that somebody tried.
		notify: map[flow.Kind]bool{
			flow.Verification: c.Flows.Verification.NotifyUnknown, flow.Recovery: c.Flows.Recovery.NotifyUnknown,
		},
	}
	return flow.Method{
		ID: id, Group: ui.Link,
		Verification: &flow.Door{
			Takes:  func(identity.Form) bool { return true }, // a verification belongs to one method
			Claims: claims(identity.VerifiableGuard), Form: m.ask, Begin: m.begin, Submit: m.submit, Follow: m.followVerification,
		},
		Recovery: &flow.Door{
			Takes:  takesRecovery,
			Claims: claims(identity.RecoveryGuard), Form: m.ask, Submit: m.submit, Issue: m.issue, Follow: m.followRecovery,
		},
	}
}

// takesRecovery tells whether a submission asks for a link, or is one.
func takesRecovery(form identity.Form) bool {
	return form.Get("method") == id || !form.Has("method") && (form.Has("email") || form.Has("token"))
}

// claims names the address whose owner is to prove it. A link names nobody: it is
// of whom it was made for.
func claims(guard func(identity.Via, string) string) func(identity.Form) string {
	return func(form identity.Form) string {
		if form.Has("token") || !form.Has("email") {
			return ""
		}
		return guard(identity.ViaEmail, form.Get("email"))
	}
}

// ask adds the nodes that ask for an address.
func (m method) ask(_ context.Context, s *flow.Step) error {
	m.askAddress(s.Flow, nil)
	return nil
}

func (m method) askAddress(f *flow.Flow, address any) {
	f.UI.Nodes = []ui.Node{
		ui.CSRF(""),
		ui.Input(ui.Link, "email", "email", address).Needed().Labelled(ui.Say(ui.LabelEmail)),
		ui.Submit(ui.Link, "method", id, ui.Continue),
	}
}

// submit sends a link to an address.
func (m method) submit(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	address := s.Form.Get("email")
	if address == "" {
		return flow.Outcome{}, fault.InvalidField("email", ui.Missing("email"))
	}
	if s.Flow.Kind == flow.Recovery && !identity.IsEmail(address) {
		return flow.Outcome{}, fault.InvalidField("email", ui.Say(ui.NotAnEmail, ui.Context{"value": address}))
	}
	return m.send(s, address), nil
}

// begin sends a link to an address that somebody just gave.
func (m method) begin(s *flow.Step, address *identity.VerifiableAddress) (flow.Outcome, error) {
	return m.send(s, address.Value), nil
}

// letter is what the messages of one kind of flow are about.
type letter struct {
	valid, invalid courier.Template
	sent           ui.ID
	url            string // under which name the template knows the link
}

var letters = map[flow.Kind]letter{
	flow.Verification: {courier.VerificationValid, courier.VerificationInvalid, ui.VerificationLinkSent, courier.VerificationURL},
	flow.Recovery:     {courier.RecoveryValid, courier.RecoveryInvalid, ui.RecoveryLinkSent, courier.RecoveryURL},
}

// send makes a link for an address and the message that carries it. For nobody
// it makes one as well, of which nobody hears.
func (m method) send(s *flow.Step, address string) flow.Outcome {
	f, about := s.Flow, letters[s.Flow.Kind]
	token := secret.Text(m.rand, tokenLength)
	draft := courier.Draft{
		Template: about.valid, Via: identity.ViaEmail, To: address,
		Data: map[string]any{courier.RequestURL: f.RequestURL, courier.ExpiresInMinutes: int(m.lifespan.Minutes())},
	}
	if s.Form.Transient != nil {
		draft.Data[courier.TransientPayload] = s.Form.Transient
	} else if f.Transient != nil {
		draft.Data[courier.TransientPayload] = f.Transient
	}
	f.State, f.Proofs = flow.SentEmail, nil
	m.askAddress(f, address)
	f.UI.Messages = []ui.Message{ui.Say(about.sent)}
	outcome := flow.Outcome{Mail: []courier.Draft{draft}}
	owned := m.owned(s, address)
	if owned == "" {
		outcome.Mail[0].Template, outcome.Stranger = about.invalid, !m.notify[f.Kind]
		return outcome
	}
	if f.Kind == flow.Verification {
		s.Claimed.Verifiable(identity.ViaEmail, owned).Status = identity.Sent
		outcome.Who = s.Claimed
	}
	outcome.Mail[0].To = owned
	draft.Data[about.url] = m.base + "/self-service/" + string(f.Kind) + "?" + url.Values{"flow": {f.ID}, "token": {token}}.Encode()
	draft.Data[courier.Identity] = s.Claimed.Public(m.base)
	f.Proofs = []flow.Proof{m.prove(s, s.Claimed.ID, owned, token, m.lifespan)}
	return outcome
}

// owned is the address as its owner has it, "" when it is nobody's.
func (m method) owned(s *flow.Step, address string) string {
	switch {
	case s.Claimed == nil:
	case s.Flow.Kind == flow.Recovery:
		if found := s.Claimed.Recovery(identity.ViaEmail, address); found != nil {
			return found.Value
		}
	default:
		if found := s.Claimed.Verifiable(identity.ViaEmail, address); found != nil {
			return found.Value
		}
	}
	return ""
}

// prove makes the proof that a token was sent to an address of who.
func (m method) prove(s *flow.Step, who, address, token string, life time.Duration) flow.Proof {
	mac := m.ring.MAC(secret.UseCode, id, string(s.Flow.Kind), s.Flow.ID, address, token)
	return flow.Proof{
		Identity: who, Via: identity.ViaEmail, Address: address,
		MAC: base64.RawURLEncoding.EncodeToString(mac), ExpiresAt: s.Now.Add(life),
	}
}

// issue makes a token that an administrator hands over. It proves no address.
func (m method) issue(s *flow.Step, life time.Duration) (string, error) {
	token := secret.Text(m.rand, tokenLength)
	m.askAddress(s.Flow, nil)
	s.Flow.State = flow.SentEmail
	s.Flow.Proofs = []flow.Proof{m.prove(s, s.Claimed.ID, "", token, life)}
	return token, nil
}

// proved returns the proof when the token is the one that was sent.
func (m method) proved(s *flow.Step) (*flow.Proof, error) {
	if len(s.Flow.Proofs) == 0 || !s.Flow.Proofs[0].Of(s.Claimed) {
		return nil, flow.ErrLink
	}
	proof := &s.Flow.Proofs[0]
	sent, err := base64.RawURLEncoding.DecodeString(proof.MAC)
	if err != nil {
		return nil, errors.New("link: the stored proof is torn")
	}
	if !s.Now.Before(proof.ExpiresAt) ||
		!m.ring.MatchMAC(secret.UseCode, sent, id, string(s.Flow.Kind), s.Flow.ID, proof.Address, s.Form.Get("token")) {
		return nil, flow.ErrLink
	}
	return proof, nil
}

// followVerification marks the address as verified.
func (m method) followVerification(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	proof, err := m.proved(s)
	if err != nil {
		return flow.Outcome{}, err
	}
	owned := s.Claimed.Verifiable(proof.Via, proof.Address)
	if owned == nil {
		return flow.Outcome{}, flow.ErrLink // the address changed since
	}
	owned.Verify(s.Now)
	return flow.Proved(s.Claimed, owned.Via), nil
}

// followRecovery lets the owner in.
func (m method) followRecovery(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	proof, err := m.proved(s)
	if err != nil {
		return flow.Outcome{}, err
	}
	if proof.Address != "" && s.Claimed.Recovery(proof.Via, proof.Address) == nil {
		return flow.Outcome{}, flow.ErrLink // the address changed since
	}
	return s.Recovered(proof.Via, proof.Address, recovered), nil
}
