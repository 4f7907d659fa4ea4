// Package link is the method of proving an address with a link that was sent
// there: whoever opens it has read the mail.
package link

import (
	"context"
	"encoding/base64"
	"encoding/json"
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

// id names the method in forms, flows and the configuration.
const id = "link"

// tokenLength is how long a link's token is: 190 bits.
const tokenLength = 32

type method struct {
	ring     *secret.Ring
	rand     io.Reader
	lifespan time.Duration
	base     string // the public URL, without a trailing slash
	notify   bool   // whether strangers hear that somebody tried
}

// New returns the method.
func New(c *config.Config, ring *secret.Ring, rand io.Reader) flow.Method {
	m := method{
		ring: ring, rand: rand, lifespan: c.Methods.Link.Lifespan,
		base:   strings.TrimSuffix(c.Methods.Link.BaseURL.String(), "/"),
		notify: c.Flows.Verification.NotifyUnknown,
	}
	return flow.Method{
		ID: id, Group: ui.Link,
		Verification: &flow.Door{
			Takes:  func(identity.Form) bool { return true }, // a verification belongs to one method
			Claims: claims, Form: m.ask, Begin: m.begin, Submit: m.submit, Follow: m.follow,
		},
	}
}

// claims names the address whose owner is to prove it.
func claims(form identity.Form) string {
	if !form.Has("email") {
		return ""
	}
	return identity.VerifiableGuard(identity.ViaEmail, form.Get("email"))
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
	return m.send(s, address, s.Form.Transient), nil
}

// begin sends a link to an address that somebody just gave.
func (m method) begin(s *flow.Step, address *identity.VerifiableAddress) (flow.Outcome, error) {
	return m.send(s, address.Value, s.Flow.Transient), nil
}

// send makes a link for an address and the message that carries it. For nobody
// it makes one as well, of which nobody hears.
func (m method) send(s *flow.Step, address string, transient json.RawMessage) flow.Outcome {
	f := s.Flow
	token := secret.Text(m.rand, tokenLength)
	draft := courier.Draft{
		Template: courier.VerificationValid, Via: identity.ViaEmail, To: address,
		Data: map[string]any{courier.RequestURL: f.RequestURL, courier.ExpiresInMinutes: int(m.lifespan.Minutes())},
	}
	if transient != nil {
		draft.Data[courier.TransientPayload] = transient
	}
	f.State, f.Proof = flow.SentEmail, nil
	m.askAddress(f, address)
	f.UI.Messages = []ui.Message{ui.Say(ui.VerificationLinkSent)}
	owned := s.Claimed.Addressed(identity.ViaEmail, address)
	if owned == nil {
		draft.Template = courier.VerificationInvalid
		return flow.Outcome{Mail: []courier.Draft{draft}, Stranger: !m.notify}
	}
	owned.Status = identity.Sent
	draft.To = owned.Value
	draft.Data[courier.VerificationURL] = m.base + "/self-service/verification?" + url.Values{"flow": {f.ID}, "token": {token}}.Encode()
	draft.Data[courier.Identity] = s.Claimed.Public(m.base)
	f.Proof = &flow.Proof{
		Identity: s.Claimed.ID, Via: owned.Via, Address: owned.Value,
		MAC:       base64.RawURLEncoding.EncodeToString(m.ring.MAC(secret.UseCode, id, string(f.Kind), f.ID, owned.Value, token)),
		ExpiresAt: s.Now.Add(m.lifespan),
	}
	return flow.Outcome{Who: s.Claimed, Mail: []courier.Draft{draft}}
}

// follow marks the address as verified when the token is the one that was sent.
func (m method) follow(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	proof := s.Flow.Proof
	if proof == nil || s.Claimed == nil || !s.Now.Before(proof.ExpiresAt) {
		return flow.Outcome{}, flow.ErrLink
	}
	sent, err := base64.RawURLEncoding.DecodeString(proof.MAC)
	if err != nil {
		return flow.Outcome{}, errors.New("link: the stored proof is torn")
	}
	owned := s.Claimed.Addressed(proof.Via, proof.Address)
	if owned == nil || !m.ring.MatchMAC(secret.UseCode, sent, id, string(s.Flow.Kind), s.Flow.ID, proof.Address, s.Form.Get("token")) {
		return flow.Outcome{}, flow.ErrLink
	}
	owned.Verify(s.Now)
	return flow.Proved(s.Claimed, owned.Via), nil
}
