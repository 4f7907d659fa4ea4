package code

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/ui"
)

// Fields of a login.
const (
	identifier = "identifier" // who somebody claims to be
	chosen     = "address"    // one of the addresses of who is known already
)

// level is what a code proves.
func (m method) level() session.AAL {
	if m.second {
		return session.AAL2
	}
	return session.AAL1
}

func (m method) login() *flow.Door {
	door := &flow.Door{
		Takes: m.takesLogin, Guesses: guessesSignIn, Form: m.askIdentifier, Alone: m.sendAtOnce, Submit: m.signIn,
	}
	if m.second {
		door.Spends = guessesSignIn
	} else {
		door.Claims, door.Aliases = claimsLogin, m.aliasesLogin
	}
	return door
}

func (m method) takesLogin(form identity.Form) bool {
	return form.Get("method") == id || (m.second || m.confirms) && form.Has(chosen)
}

// named is who a submission is about: an address that was chosen, or one that was
// typed.
func named(form identity.Form) string {
	if form.Has(chosen) {
		return form.Get(chosen)
	}
	return form.Get(identifier)
}

func claimsLogin(form identity.Form) string {
	if named(form) == "" {
		return ""
	}
	return identity.CredentialGuard(identity.Code, identity.Normalize(named(form)))
}

// aliasesLogin is the verifiable address itself, for whom has no credential.
func (m method) aliasesLogin(form identity.Form) []string {
	if !m.fallback {
		return nil
	}
	return []string{identity.VerifiableGuard(channel(named(form)), named(form))}
}

// addresses are where somebody is offered a code: those of the credential, or the
// verified ones of whom has none.
func (m method) addresses(who *identity.Identity) []identity.CodeAddress {
	if own := who.CodeAddresses(); len(own) > 0 {
		return own
	}
	return m.verified(who)
}

// verified are the addresses that stand in for a credential.
func (m method) verified(who *identity.Identity) []identity.CodeAddress {
	var verified []identity.CodeAddress
	for _, address := range who.VerifiableAddresses {
		if m.fallback && address.Verified {
			verified = append(verified, identity.CodeAddress{Channel: address.Via, Address: address.Value})
		}
	}
	return verified
}

// address returns the one of somebody's addresses that was named, however it was
// written.
func (m method) address(who *identity.Identity, named string) (identity.CodeAddress, bool) {
	if who == nil {
		return identity.CodeAddress{}, false
	}
	addresses := slices.Concat(who.CodeAddresses(), m.verified(who))
	at := slices.IndexFunc(addresses, func(a identity.CodeAddress) bool {
		return identity.Normalize(a.Address) == identity.Normalize(named)
	})
	if at < 0 {
		return identity.CodeAddress{}, false
	}
	return addresses[at], true
}

func (m method) reachable(who *identity.Identity) bool { return len(m.addresses(who)) > 0 }

// known tells whether a login is of somebody known already, who chooses among
// addresses of theirs.
func (m method) known(f *flow.Flow) bool { return m.second || m.confirms && f.Refresh }

// askIdentifier adds the button that asks for a code, or one for each address of
// who is known already.
func (m method) askIdentifier(_ context.Context, s *flow.Step) error {
	form := &s.Flow.UI
	switch {
	case m.known(s.Flow):
		return m.offerAddresses(s)
	case s.Flow.Refresh && !m.reachable(s.Owner), s.Screen == flow.IdentifierScreen,
		s.Screen == flow.CredentialScreen && !s.Shows(m.reachable):
		return nil
	case s.Screen == flow.Unified:
		form.Upsert(ui.Input(ui.Default, identifier, "text", "").Needed().Labelled(s.Schema.IdentifierLabel()))
	}
	form.Append(submit(ui.SendLoginCode))
	return nil
}

// offerAddresses adds a button for each address, or for the only one that the
// request named by its trait.
func (m method) offerAddresses(s *flow.Step) error {
	if s.Owner == nil {
		return nil // the session ended meanwhile
	}
	addresses := m.addresses(s.Owner)
	if via := viaOf(s.Flow.RequestURL); via != "" && len(addresses) > 0 {
		address, err := m.ofTrait(s.Owner, via)
		if err != nil {
			return err
		}
		addresses = []identity.CodeAddress{address}
	}
	for _, address := range addresses {
		s.Flow.UI.Append(ui.Input(ui.Code, chosen, "submit", address.Address).Labelled(
			ui.Say(ui.SendCodeTo, ui.Context{"address": address.Address, "channel": string(address.Channel)})))
	}
	return nil
}

// viaOf is the trait that a request wants its code sent by, "" for any.
func viaOf(requested string) string {
	parsed, err := url.Parse(requested)
	if err != nil {
		return ""
	}
	return parsed.Query().Get("via")
}

// ofTrait is the address that a trait holds.
func (m method) ofTrait(who *identity.Identity, name string) (identity.CodeAddress, error) {
	value := ""
	for _, trait := range identity.Flatten(who.Traits) {
		if text, ok := trait.Value.(string); ok && trait.Name == "traits."+strings.TrimPrefix(name, "traits.") {
			value = text
		}
	}
	if value == "" {
		return identity.CodeAddress{}, fault.Bad("No value found for trait " + name + " in the current identity.")
	}
	if address, found := m.address(who, value); found {
		return address, nil
	}
	return identity.CodeAddress{}, fault.Bad("You can only reference a trait that matches a verification email address in the via parameter, or a registered credential.")
}

// sendAtOnce sends a code where there is no choice left to make.
func (m method) sendAtOnce(s *flow.Step) (flow.Outcome, error) {
	if !m.known(s.Flow) {
		return m.send(s, named(s.Form))
	}
	form := s.Flow.UI
	only := -1
	for at, node := range form.Nodes {
		if node.Name() != chosen {
			continue
		}
		if only >= 0 {
			return flow.Again(), nil
		}
		only = at
	}
	if only < 0 {
		return flow.Again(), nil
	}
	address, _ := form.Nodes[only].Attributes.Value.(string)
	return m.send(s, address)
}

// signIn sends a code, or judges one.
func (m method) signIn(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	switch {
	case s.Flow.State == flow.ChallengePassed:
		s.Flow.UI.Upsert(ui.CSRF(""))
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoLoginMethod))
	case s.Flow.State == flow.SentEmail && !again(s.Form):
		return m.judgeLogin(s)
	case m.destination(s) == "":
		return flow.Outcome{}, fault.InvalidField(identifier, ui.Missing(identifier))
	default:
		return m.send(s, m.destination(s))
	}
}

// destination is where a code is wanted. Another code goes where the first one
// went: the form of somebody who is known names every address of theirs.
func (m method) destination(s *flow.Step) string {
	unnamed := named(s.Form) == "" || m.known(s.Flow) && !s.Form.Has(chosen)
	if again(s.Form) && unnamed && len(s.Flow.Proofs) > 0 {
		return s.Flow.Proofs[0].Address
	}
	return named(s.Form)
}

// subject is who a code is for: whose session it is, or who was claimed.
func (m method) subject(s *flow.Step) *identity.Identity {
	if m.second {
		return s.Owner
	}
	return s.Claimed
}

// send sends a code to an address of whoever signs in. For a stranger as much is
// written; where nobody is to learn who has an account, the answer is the same too.
func (m method) send(s *flow.Step, to string) (flow.Outcome, error) {
	who := m.subject(s)
	address, found := m.address(who, to)
	stranger := !found || another(s, who)
	if m.second && stranger {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.AddressUnknown)) // about oneself
	}
	code := secret.Code(m.rand)
	if stranger {
		who, address = nil, identity.CodeAddress{Channel: channel(to), Address: identity.Normalize(to)}
	}
	draft := m.draft(s, courier.LoginCodeValid, address.Channel, address.Address)
	draft.Data[courier.LoginCode] = code
	if who != nil {
		draft.Data[courier.Identity] = who.Public(m.base)
	}
	outcome := flow.Outcome{Mail: []courier.Draft{draft}, Stranger: stranger}
	if stranger && !m.alike {
		// What was sent before is void as after every message: it brings new guesses.
		s.Flow.State, s.Flow.Proofs = flow.ChooseMethod, nil
		s.Flow.UI.SetValue(identifier, to)
		outcome.Refused = fault.InvalidField("", ui.Say(ui.NoCodeAccount))
		return outcome, nil
	}
	owner := ""
	if who != nil {
		owner = who.ID
	}
	s.Flow.Proofs = []flow.Proof{m.prove(s, owner, address.Channel, address.Address, code, m.lifespan)}
	m.askLoginCode(s, to)
	return outcome, nil
}

// another tells whether somebody is to confirm a session that is not theirs.
func another(s *flow.Step, who *identity.Identity) bool {
	return s.Flow.Refresh && s.Owner != nil && who.ID != s.Owner.ID
}

// askLoginCode lets the flow wait for the code that was sent.
func (m method) askLoginCode(s *flow.Step, to string) {
	f, sent := s.Flow, ui.LoginCodeSent
	if m.second || f.Refresh {
		sent = ui.SecondCodeSent
	}
	f.State = flow.SentEmail
	var nodes []ui.Node
	for _, node := range f.UI.Nodes {
		switch {
		case node.Name() == chosen:
			node.Attributes.Name = identifier
		case node.Name() != identifier:
			continue
		case !m.known(f):
			node.Attributes.Value = to
		}
		node.Attributes.Type, node.Messages = "hidden", []ui.Message{}
		nodes = append(nodes, node)
	}
	f.UI.Nodes = append(nodes, hidden(), field(ui.LabelLoginCode), submit(ui.Continue), resend())
	if !f.Native() {
		f.UI.Append(ui.CSRF(""))
	}
	f.UI.Messages = []ui.Message{ui.Say(sent)}
}

// resend is the button that asks for another code.
func resend() ui.Node { return ui.Submit(ui.Code, "resend", id, ui.ResendCode) }

// judgeLogin signs in whom the code was sent to.
func (m method) judgeLogin(s *flow.Step) (flow.Outcome, error) {
	if !guesses(s.Form) {
		return wrongLogin(s, "code", ui.Missing("code"))
	}
	who := m.subject(s)
	if (who == nil || another(s, who)) && !m.alike {
		return wrongLogin(s, "", ui.Say(ui.NoCodeAccount))
	}
	proof := m.proved(s)
	if proof == nil || !proof.Of(who) || another(s, who) {
		return wrongLogin(s, "", ui.Say(ui.LoginCodeInvalid))
	}
	if _, still := m.address(who, proof.Address); !still { // it changed since
		return wrongLogin(s, "", ui.Say(ui.LoginCodeInvalid))
	}
	outcome := flow.Passed(who, id, m.level())
	outcome.Spent, outcome.Late = true, fault.CodeUsed()
	if owned := who.Verifiable(proof.Via, proof.Address); owned != nil && !owned.Verified {
		owned.Verify(s.Now)
		outcome.Changed = true
	}
	return outcome, nil
}

// wrongLogin refuses a submission to a flow that waits for a code. Its form names
// who is signing in as the submission did.
func wrongLogin(s *flow.Step, at string, why ui.Message) (flow.Outcome, error) {
	s.Flow.UI.Upsert(ui.CSRF(""))
	s.Flow.UI.Upsert(ui.Input(ui.Default, identifier, "hidden", named(s.Form)))
	return flow.Outcome{}, fault.InvalidField(at, why)
}
