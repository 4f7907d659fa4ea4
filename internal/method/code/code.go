// Package code is the method of proving an address with a six-digit code that
// was sent there.
package code

import (
	"context"
	"encoding/base64"
	"encoding/json"
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
const id = "code"

type method struct {
	ring     *secret.Ring
	rand     io.Reader
	lifespan time.Duration
	base     string // the public URL, without a trailing slash
	texts    bool   // whether telephones can be reached
	notify   bool   // whether strangers hear that somebody tried
}

// New returns the method.
func New(c *config.Config, ring *secret.Ring, rand io.Reader) flow.Method {
	m := method{
		ring: ring, rand: rand, lifespan: c.Methods.Code.Lifespan,
		base:   strings.TrimSuffix(c.Methods.Link.BaseURL.String(), "/"),
		texts:  len(c.Courier.Channels) > 0,
		notify: c.Flows.Verification.NotifyUnknown,
	}
	return flow.Method{
		ID: id, Group: ui.Code,
		Verification: &flow.Door{
			Takes: anything, Claims: claims, Guesses: guesses, Unguarded: guesses,
			Form: m.askAddress, Begin: m.begin, Submit: m.verify, Follow: m.follow,
		},
	}
}

// anything: a verification belongs to the one method that it was started with.
func anything(identity.Form) bool { return true }

func guesses(form identity.Form) bool { return form.Has("code") }

// claims names the address whose owner is to prove it.
func claims(form identity.Form) string {
	if guesses(form) || !form.Has("email") {
		return ""
	}
	address := form.Get("email")
	return identity.VerifiableGuard(channel(address), address)
}

// channel tells how an address is reached, by what it looks like.
func channel(address string) identity.Via {
	if strings.Contains(address, "@") {
		return identity.ViaEmail
	}
	return identity.ViaSMS
}

// askAddress adds the nodes that ask for an address.
func (m method) askAddress(_ context.Context, s *flow.Step) error {
	form := &s.Flow.UI
	form.Nodes = nil
	if m.texts {
		form.Append(ui.Input(ui.Code, "email", "text", nil).Needed().Labelled(ui.Say(ui.LabelEmailOrPhone)))
	} else {
		form.Append(addressField())
	}
	form.Append(ui.Submit(ui.Code, "method", id, ui.Continue))
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
		return m.judge(s)
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
	via := channel(address)
	mail, stranger := m.send(s.Flow, s.Claimed, via, address, s.Form.Transient, s.Now)
	m.askCode(s.Flow, "email", address)
	return flow.Outcome{Who: s.Claimed, Mail: mail, Stranger: stranger}, nil
}

// begin sends a code to an address that somebody just gave.
func (m method) begin(s *flow.Step, address *identity.VerifiableAddress) (flow.Outcome, error) {
	mail, _ := m.send(s.Flow, s.Claimed, address.Via, address.Value, s.Flow.Transient, s.Now)
	m.askCode(s.Flow, string(address.Via), address.Value)
	return flow.Outcome{Who: s.Claimed, Mail: mail}, nil
}

// askCode lets the flow wait for the code that was sent to an address; again
// names the button that asks for another.
func (m method) askCode(f *flow.Flow, again, address string) {
	form := &f.UI
	f.State = flow.SentEmail
	form.Nodes = []ui.Node{
		ui.Input(ui.Code, "method", "hidden", id),
		ui.Input(ui.Code, "code", "text", nil).Needed().Completing("one-time-code").Labelled(ui.Say(ui.LabelVerificationCode)),
		ui.Submit(ui.Code, "method", id, ui.Continue),
	}
	if !f.Native() {
		form.Append(ui.CSRF(""))
	}
	form.Append(ui.Submit(ui.Code, again, address, ui.ResendCode))
	sent := ui.VerificationMailSent
	if !strings.Contains(address, "@") {
		sent = ui.VerificationTextSent
	}
	form.Messages = []ui.Message{ui.Say(sent)}
}

// send makes a code for an address and the message that carries it. For nobody
// it makes one as well, of which nobody hears.
func (m method) send(f *flow.Flow, who *identity.Identity, via identity.Via, address string, transient json.RawMessage, now time.Time) (mail []courier.Draft, stranger bool) {
	code := secret.Code(m.rand)
	draft := courier.Draft{
		Template: courier.VerificationCodeValid, Via: via, To: address,
		Data: map[string]any{
			courier.RequestURL: f.RequestURL, courier.ExpiresInMinutes: int(m.lifespan.Minutes()),
		},
	}
	if transient != nil {
		draft.Data[courier.TransientPayload] = transient
	}
	owned := who.Addressed(via, address)
	if owned == nil {
		f.Proof = nil
		draft.Template = courier.VerificationCodeInvalid
		if !m.notify || via != identity.ViaEmail {
			draft.Via = identity.ViaEmail // a decoy is sealed whatever its template
			return []courier.Draft{draft}, true
		}
		return []courier.Draft{draft}, false
	}
	owned.Status = identity.Sent
	draft.To = owned.Value
	draft.Data[courier.VerificationCode] = code
	draft.Data[courier.VerificationURL] = m.base + "/self-service/verification?" + url.Values{"code": {code}, "flow": {f.ID}}.Encode()
	draft.Data[courier.Identity] = who.Public(m.base)
	f.Proof = &flow.Proof{
		Identity: who.ID, Via: via, Address: owned.Value,
		MAC: m.mac(f, owned.Value, code), ExpiresAt: now.Add(m.lifespan),
	}
	return []courier.Draft{draft}, false
}

// mac binds a code to its flow and address.
func (m method) mac(f *flow.Flow, address, code string) string {
	return base64.RawURLEncoding.EncodeToString(m.ring.MAC(secret.UseCode, string(f.Kind), f.ID, address, code))
}

// judge marks the address as verified when the code is the one that was sent.
func (m method) judge(s *flow.Step) (flow.Outcome, error) {
	if !m.matches(s) {
		return wrong(s.Flow)
	}
	owned := s.Claimed.Addressed(s.Flow.Proof.Via, s.Flow.Proof.Address)
	if owned == nil {
		return wrong(s.Flow) // the address changed since
	}
	owned.Verify(s.Now)
	return flow.Proved(s.Claimed, owned.Via), nil
}

func wrong(f *flow.Flow) (flow.Outcome, error) {
	f.UI.Messages = []ui.Message{ui.Say(ui.VerificationCodeInvalid)}
	return flow.Again(), nil
}

// follow shows the code of a link in its field; the person submits it. Only the
// right code moves the flow to the browser that opened the link: its id alone is
// no secret.
func (m method) follow(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	if m.matches(s) {
		s.Flow.UI.SetValue("code", s.Form.Get("code"))
		return flow.Outcome{Opened: true}, nil
	}
	return flow.Again(), nil
}

// matches tells whether the submitted code is the one that was sent.
func (m method) matches(s *flow.Step) bool {
	proof := s.Flow.Proof
	if proof == nil || !s.Now.Before(proof.ExpiresAt) {
		return false
	}
	sent, err := base64.RawURLEncoding.DecodeString(proof.MAC)
	return err == nil && m.ring.MatchMAC(secret.UseCode, sent, string(s.Flow.Kind), s.Flow.ID, proof.Address, s.Form.Get("code"))
}
