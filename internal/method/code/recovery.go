package code

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/ui"
)

// recovered names the entry that a session gets from a recovery.
const recovered = "code_recovery"

// States of a recovery in which its owner chooses among addresses.
const (
	awaitingAddress = "recovery_awaiting_address"
	awaitingChoice  = "recovery_awaiting_address_choice"
	confirming      = "recovery_confirming_address"
	awaitingCode    = "recovery_awaiting_code"
)

// Fields of a recovery in which its owner chooses among addresses.
const (
	anyAddress = "recovery_address"         // whatever the person knows of themselves
	selected   = "recovery_select_address"  // the hash of one of their addresses
	confirmed  = "recovery_confirm_address" // an address in full
	screen     = "screen"
)

func (m method) recovery() *flow.Door {
	door := &flow.Door{
		Takes: takesRecovery, Claims: claimsRecovery, Guesses: guesses,
		Form: m.askRecoverable, Submit: m.recoverBy, Issue: m.issue,
	}
	if m.choose {
		door.Claims, door.Form, door.Submit = claimsChosen, m.askAnyAddress, m.recoverByChoice
	}
	return door
}

// takesRecovery tells whether a submission is meant for a code.
func takesRecovery(form identity.Form) bool {
	switch form.Get("method") {
	case id:
		return true
	case "":
		return guesses(form) || form.Has("email") || form.Has(anyAddress) || form.Has(confirmed)
	default:
		return false
	}
}

// claimsRecovery names the address whose owner wants back in.
func claimsRecovery(form identity.Form) string {
	if guesses(form) || !form.Has("email") {
		return ""
	}
	return identity.RecoveryGuard(identity.ViaEmail, form.Get("email"))
}

// askRecoverable adds the nodes that ask for an address.
func (m method) askRecoverable(_ context.Context, s *flow.Step) error {
	s.Flow.UI.Nodes = []ui.Node{ui.CSRF(""), addressField(), submit(ui.Continue)}
	return nil
}

// recoverBy sends a code to an address, or judges one.
func (m method) recoverBy(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	if guesses(s.Form) {
		return m.judgeRecovery(s)
	}
	address := s.Form.Get("email")
	if address == "" {
		return flow.Outcome{}, fault.InvalidField("email", ui.Missing("email"))
	}
	if !identity.IsEmail(address) {
		return flow.Outcome{}, fault.InvalidField("email", ui.Say(ui.NotAnEmail, ui.Context{"value": address}))
	}
	outcome := m.sendRecovery(s, identity.ViaEmail, address)
	s.Flow.State = flow.SentEmail
	s.Flow.UI.Nodes = []ui.Node{
		ui.CSRF(""), recoveryCode(), hidden(), submit(ui.Continue), ui.Submit(ui.Code, "email", address, ui.ResendCode),
	}
	s.Flow.UI.Messages = []ui.Message{ui.Say(ui.RecoveryCodeSent)}
	return outcome, nil
}

func recoveryCode() ui.Node {
	node := field(ui.LabelRecoveryCode)
	node.Attributes.Pattern, node.Attributes.MaxLength = "[0-9]+", 6
	return node
}

// sendRecovery makes a code for an address and the message that carries it.
func (m method) sendRecovery(s *flow.Step, via identity.Via, address string) flow.Outcome {
	who := s.Claimed
	code := secret.Code(m.rand)
	if who == nil || who.Recovery(via, address) == nil {
		return m.refuse(s, courier.RecoveryCodeInvalid, via, address)
	}
	owned := who.Recovery(via, address)
	draft := m.draft(s, courier.RecoveryCodeValid, via, owned.Value)
	draft.Data[courier.RecoveryCode] = code
	draft.Data[courier.Identity] = who.Public(m.base)
	s.Flow.Proofs = []flow.Proof{m.prove(s, who.ID, via, owned.Value, code, m.lifespan)}
	return flow.Outcome{Mail: []courier.Draft{draft}}
}

// judgeRecovery lets the owner in when the code is the one that was sent.
func (m method) judgeRecovery(s *flow.Step) (flow.Outcome, error) {
	proof := m.proved(s)
	if proof == nil || !proof.Of(s.Claimed) || proof.Address != "" && s.Claimed.Recovery(proof.Via, proof.Address) == nil {
		s.Flow.UI.Messages = []ui.Message{ui.Say(ui.RecoveryCodeInvalid)}
		return flow.Again(), nil
	}
	return s.Recovered(proof.Via, proof.Address, recovered), nil
}

// issue makes a code that an administrator hands over. It proves no address.
func (m method) issue(s *flow.Step, life time.Duration) (string, error) {
	code := secret.Code(m.rand)
	s.Flow.State = flow.SentEmail
	s.Flow.Proofs = []flow.Proof{m.prove(s, s.Claimed.ID, "", "", code, life)}
	s.Flow.UI.Nodes = []ui.Node{recoveryCode(), submit(ui.Continue)}
	return code, nil
}

// claimsChosen names the address of whoever wants back in, typed now or before.
func claimsChosen(form identity.Form) string {
	typed := form.Get(anyAddress)
	if typed == "" {
		typed = form.Get(confirmed)
	}
	if guesses(form) || typed == "" {
		return ""
	}
	return identity.RecoveryGuard(channel(typed), typed)
}

// askAnyAddress adds the nodes that ask who somebody is.
func (m method) askAnyAddress(_ context.Context, s *flow.Step) error {
	s.Flow.State = awaitingAddress
	s.Flow.UI.Nodes = []ui.Node{
		ui.CSRF(""), ui.Input(ui.Code, anyAddress, "text", nil).Needed().Labelled(ui.Say(ui.LabelRecoveryAddress)), submit(ui.Continue),
	}
	return nil
}

// recoverByChoice leads from what a person knows of themselves to a code sent to
// the address of their choice. None of it tells whether there is such a person:
// a stranger's flow goes on as one with a single address.
func (m method) recoverByChoice(ctx context.Context, s *flow.Step) (flow.Outcome, error) {
	f, form := s.Flow, s.Form
	s.Flow.UI.Messages = nil
	switch {
	case form.Get(screen) == "previous":
		if len(m.choices(s)) > 1 {
			return m.offer(s, form.Get(anyAddress))
		}
		f.Proofs = nil
		return flow.Again(), m.askAnyAddress(ctx, s)
	case guesses(form) && f.State != awaitingAddress:
		return m.judgeRecovery(s)
	case form.Has(confirmed):
		return m.sendChosen(s, form.Get(confirmed))
	case form.Has(selected):
		return m.pick(s)
	case f.State == awaitingCode || f.State == confirming:
		return flow.Outcome{}, fault.InvalidField(confirmed, ui.Missing(confirmed))
	case form.Has(anyAddress):
		typed := form.Get(anyAddress)
		if all := m.choices(s); len(all) > 1 {
			return m.offer(s, typed)
		}
		return m.sendChosen(s, typed)
	default:
		return flow.Outcome{}, fault.InvalidField(anyAddress, ui.Missing(anyAddress))
	}
}

// choices are the addresses of whoever was found, sorted.
func (m method) choices(s *flow.Step) []string {
	if s.Claimed == nil {
		return nil
	}
	var all []string
	for _, address := range s.Claimed.RecoveryAddresses {
		all = append(all, address.Value)
	}
	slices.Sort(all)
	return all
}

// digest stands for an address in a form, so that it does not have to show it.
func digest(address string) string {
	sum := sha256.Sum256([]byte(address))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// masked is an address as somebody sees it who may not know it.
func masked(address string) string {
	if local, domain, email := strings.Cut(address, "@"); email {
		if len(local) < 2 {
			return address
		}
		return local[:2] + "****@" + domain
	}
	if len(address) < 6 {
		return address
	}
	return address[:3] + "****" + address[len(address)-2:]
}

// offer lets a person choose one of their addresses.
func (m method) offer(s *flow.Step, typed string) (flow.Outcome, error) {
	s.Flow.State, s.Flow.Proofs = awaitingChoice, nil
	form := &s.Flow.UI
	form.Nodes = []ui.Node{ui.CSRF("")}
	for _, address := range m.choices(s) {
		label := ui.Say(ui.MaskedAddress, ui.Context{"masked_address": masked(address)})
		label.Context = nil // the text says it all
		form.Append(ui.Input(ui.Code, selected, "submit", digest(address)).Labelled(label))
	}
	form.Append(hidden(), ui.Input(ui.Code, anyAddress, "hidden", typed))
	form.Messages = []ui.Message{ui.Say(ui.ChooseAddress)}
	return flow.Again(), nil
}

// pick takes the address that was chosen: a code is sent there when it is the
// one that was typed, and else it has to be typed in full first.
func (m method) pick(s *flow.Step) (flow.Outcome, error) {
	typed := s.Form.Get(anyAddress)
	for _, address := range m.choices(s) {
		if subtle.ConstantTimeCompare([]byte(digest(address)), []byte(s.Form.Get(selected))) != 1 {
			continue
		}
		if identity.Normalize(typed) == identity.Normalize(address) {
			return m.sendChosen(s, typed)
		}
		return m.confirm(s, typed, channel(address))
	}
	return flow.Outcome{}, fault.Bad("The chosen recovery address is not one of those that were offered.")
}

// confirm asks for an address in full.
func (m method) confirm(s *flow.Step, typed string, via identity.Via) (flow.Outcome, error) {
	s.Flow.State = confirming
	kind, label := "email", ui.LabelEmail
	if via == identity.ViaSMS {
		kind, label = "tel", ui.LabelPhone
	}
	s.Flow.UI.Nodes = []ui.Node{
		ui.CSRF(""), ui.Input(ui.Code, confirmed, kind, "").Needed().Labelled(ui.Say(label)),
		ui.Input(ui.Code, anyAddress, "hidden", typed), submit(ui.Continue), hidden(),
		ui.Submit(ui.Code, screen, "previous", ui.RecoveryBack),
	}
	s.Flow.UI.Messages = []ui.Message{ui.Say(ui.ConfirmAddress)}
	return flow.Again(), nil
}

// sendChosen sends a code to an address.
func (m method) sendChosen(s *flow.Step, address string) (flow.Outcome, error) {
	outcome := m.sendRecovery(s, channel(address), address)
	typed := s.Form.Get(anyAddress)
	if typed == "" {
		typed = address
	}
	s.Flow.State = awaitingCode
	s.Flow.UI.Nodes = []ui.Node{
		ui.CSRF(""), recoveryCode(), submit(ui.Continue), hidden(), ui.Submit(ui.Code, confirmed, address, ui.ResendCode),
		ui.Input(ui.Code, anyAddress, "hidden", typed), ui.Submit(ui.Code, screen, "previous", ui.RecoveryBack),
	}
	s.Flow.UI.Messages = []ui.Message{ui.Say(ui.RecoveryCodeSentTo, ui.Context{"masked_address": masked(address)})}
	return outcome, nil
}
