// Package code is the method of proving an address with a six-digit code that
// was sent there.
package code

import (
	"encoding/base64"
	"io"
	"strings"
	"time"

	"styx/internal/config"
	"styx/internal/courier"
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
	choose   bool   // whether a recovery lets its owner choose among addresses
	notify   map[flow.Kind]bool

	second   bool // whether a code is the second factor, and not the first
	confirms bool // whether whoever confirms a session chooses among addresses
	fallback bool // whether a verified address signs in whose owner has no code credential
	alike    bool // whether nobody is to learn who has an account
	steps    bool // whether a registration has two screens
}

// New returns the method.
func New(c *config.Config, ring *secret.Ring, rand io.Reader) flow.Method {
	m := method{
		ring: ring, rand: rand, lifespan: c.Methods.Code.Lifespan,
		base:   strings.TrimSuffix(c.Methods.Link.BaseURL.String(), "/"),
		texts:  len(c.Courier.Channels) > 0,
		choose: c.FeatureFlags.ChooseRecoveryAddress,
		// Whether strangers hear that somebody tried.
		notify: map[flow.Kind]bool{
			flow.Verification: c.Flows.Verification.NotifyUnknown, flow.Recovery: c.Flows.Recovery.NotifyUnknown,
		},
		second:   c.Methods.Code.MFA,
		confirms: c.FeatureFlags.RefreshLoginChooseAddress,
		fallback: c.Methods.Code.Fallback,
		alike:    c.Security.MitigateEnumeration,
		steps:    c.Flows.Registration.Style == config.StyleProfileFirst,
	}
	method := flow.Method{
		ID: id, Group: ui.Code, AAL: m.level(),
		Verification: m.verification(),
		Recovery:     m.recovery(),
	}
	if c.Methods.Code.Passwordless {
		method.Registration = m.registration()
	}
	if c.Methods.Code.Passwordless || c.Methods.Code.MFA {
		method.Login = m.login()
	}
	return method
}

func guesses(form identity.Form) bool { return form.Has("code") }

// again tells whether a submission asks for another code, whatever else it holds.
func again(form identity.Form) bool { return form.Has("resend") }

// guessesSignIn is guesses where a button asks for another code.
func guessesSignIn(form identity.Form) bool { return guesses(form) && !again(form) }

// channel tells how an address is reached, by what it looks like.
func channel(address string) identity.Via {
	if strings.Contains(address, "@") {
		return identity.ViaEmail
	}
	return identity.ViaSMS
}

// field is where a code is typed.
func field(label ui.ID) ui.Node {
	return ui.Input(ui.Code, "code", "text", nil).Needed().Completing("one-time-code").Labelled(ui.Say(label))
}

// hidden names the method where a button may not be pressed.
func hidden() ui.Node { return ui.Input(ui.Code, "method", "hidden", id) }

func submit(label ui.ID) ui.Node { return ui.Submit(ui.Code, "method", id, label) }

// draft is a message of a flow, to whomever it is for.
func (m method) draft(s *flow.Step, template courier.Template, via identity.Via, to string) courier.Draft {
	draft := courier.Draft{
		Template: template, Via: via, To: to,
		Data: map[string]any{
			courier.RequestURL: s.Flow.RequestURL, courier.ExpiresInMinutes: int(m.lifespan.Minutes()),
		},
	}
	if s.Form.Transient != nil {
		draft.Data[courier.TransientPayload] = s.Form.Transient
	} else if s.Flow.Transient != nil {
		draft.Data[courier.TransientPayload] = s.Flow.Transient
	}
	return draft
}

// refuse is the message to an address that is nobody's: at the same cost as any,
// and only sent where strangers are to hear that somebody tried.
func (m method) refuse(s *flow.Step, template courier.Template, via identity.Via, address string) flow.Outcome {
	tell := m.notify[s.Flow.Kind] && via == identity.ViaEmail
	s.Flow.Proofs = nil
	return flow.Outcome{Mail: []courier.Draft{m.draft(s, template, identity.ViaEmail, address)}, Stranger: !tell}
}

// prove makes the proof that a code was sent to an address of who.
func (m method) prove(s *flow.Step, who string, via identity.Via, address, code string, life time.Duration) flow.Proof {
	return flow.Proof{
		Identity: who, Via: via, Address: address, MAC: m.mac(s.Flow, address, code), ExpiresAt: s.Now.Add(life),
	}
}

// mac binds a code to its flow and address.
func (m method) mac(f *flow.Flow, address, code string) string {
	return base64.RawURLEncoding.EncodeToString(m.ring.MAC(secret.UseCode, string(f.Kind), f.ID, address, code))
}

// proved returns the proof whose code was submitted, nil for a wrong one.
func (m method) proved(s *flow.Step) *flow.Proof {
	var found *flow.Proof
	for at := range s.Flow.Proofs {
		proof := &s.Flow.Proofs[at]
		sent, err := base64.RawURLEncoding.DecodeString(proof.MAC)
		matches := err == nil && m.ring.MatchMAC(secret.UseCode, sent, string(s.Flow.Kind), s.Flow.ID, proof.Address, s.Form.Get("code"))
		if matches && s.Now.Before(proof.ExpiresAt) {
			found = proof
		}
	}
	return found
}
