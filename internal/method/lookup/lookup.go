// Package lookup is the method of proving a second factor with backup recovery
// codes, each of which works once.
package lookup

import (
	"context"
	"crypto/subtle"
	"strings"

	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/ui"
)

// id names the method in forms, sessions and the configuration, and the field
// where a code is typed.
const id = "lookup_secret"

// The buttons and the list of the settings.
const (
	list       = "lookup_secret_codes"
	confirm    = "lookup_secret_confirm"
	reveal     = "lookup_secret_reveal"
	disable    = "lookup_secret_disable"
	regenerate = "lookup_secret_regenerate"
)

// How many codes there are, and how long each is: 41 bits.
const (
	count  = 12
	length = 8
)

type method struct{ ring *secret.Ring }

// New returns the method.
func New(ring *secret.Ring) flow.Method {
	m := method{ring}
	return flow.Method{
		ID: id, Group: ui.LookupSecret, AAL: session.AAL2,
		Login:    &flow.Door{Spends: guesses, Form: ask, Submit: m.login},
		Settings: &flow.Door{Takes: takes, Fresh: always, Form: show, Submit: m.change},
	}
}

func guesses(form identity.Form) bool { return form.Has(id) }

// takes tells whether one of the four buttons was pressed.
func takes(form identity.Form) bool {
	return pressed(form, confirm) || pressed(form, reveal) || pressed(form, disable) || pressed(form, regenerate)
}

func pressed(form identity.Form, button string) bool { return form.Get(button) == "true" }

func always(identity.Form) bool { return true }

// enrolled tells whether somebody has codes; nobody has none.
func enrolled(who *identity.Identity) bool { return who != nil && who.Counts().LookupSecret > 0 }

// ask adds the nodes of a login to whoever has codes.
func ask(_ context.Context, s *flow.Step) error {
	if !enrolled(s.Owner) {
		return nil
	}
	s.Flow.UI.Append(
		ui.Input(ui.LookupSecret, id, "text", "").Needed().Labelled(ui.Say(ui.BackupCode)),
		ui.Submit(ui.LookupSecret, "method", id, ui.UseBackupCode),
	)
	return nil
}

// login uses a code up. It is stored as used together with the session: of
// several sign-ins with one code, one comes about.
func (m method) login(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	s.Flow.UI.SetValue(id, nil)
	typed := s.Form.Get(id)
	if typed == "" {
		return flow.Outcome{}, fault.InvalidField(id, ui.Missing(id))
	}
	codes, err := s.Owner.Lookup(m.ring)
	if err != nil {
		return flow.Outcome{}, err
	}
	if len(codes) == 0 {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoBackupCodes))
	}
	at := find(codes, typed)
	if at < 0 {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.BackupCodeInvalid))
	}
	if codes[at].UsedAt != nil {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.BackupCodeUsed))
	}
	now := s.Now
	codes[at].UsedAt = &now
	passed := flow.Passed(s.Owner, id, session.AAL2)
	passed.Changed = true
	return passed, s.Owner.SetLookup(m.ring, codes, s.Now)
}

// find returns which code was typed, -1 for none. How long it takes tells
// nothing.
func find(codes []identity.LookupCode, typed string) int {
	found := -1
	for at, code := range codes {
		if subtle.ConstantTimeCompare([]byte(code.Code), []byte(typed)) == 1 {
			found = at
		}
	}
	return found
}

// show adds the nodes of the settings.
func show(_ context.Context, s *flow.Step) error {
	if enrolled(s.Owner) {
		s.Flow.UI.Append(button(reveal, ui.RevealCodes), button(disable, ui.DisableMethod))
	} else {
		s.Flow.UI.Append(button(regenerate, ui.GenerateCodes))
	}
	return nil
}

func button(name string, label ui.ID) ui.Node {
	return ui.Submit(ui.LookupSecret, name, "true", label)
}

// change does what the pressed button says.
func (m method) change(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	switch {
	case pressed(s.Form, confirm):
		return m.confirm(s)
	case pressed(s.Form, reveal):
		return m.reveal(s)
	case pressed(s.Form, disable):
		return flow.Changed(s.Owner), s.Owner.SetLookup(m.ring, nil, s.Now)
	default:
		return generate(s)
	}
}

// reveal shows the codes as they are.
func (m method) reveal(s *flow.Step) (flow.Outcome, error) {
	codes, err := s.Owner.Lookup(m.ring)
	if err != nil {
		return flow.Outcome{}, err
	}
	if len(codes) == 0 {
		return flow.Outcome{}, fault.Bad("Can not reveal lookup codes because you have none.")
	}
	present(s.Flow, listed(codes), button(disable, ui.DisableMethod), button(regenerate, ui.GenerateCodes))
	return flow.Again(), nil
}

// generate shows new codes, which count once they are confirmed.
func generate(s *flow.Step) (flow.Outcome, error) {
	codes := make([]identity.LookupCode, count)
	for at := range codes {
		codes[at].Code = secret.LowerText(s.Rand, length)
	}
	present(s.Flow, listed(codes), button(confirm, ui.ConfirmCodes))
	return flow.Again(), s.Keep(id, codes)
}

// confirm stores the codes that the flow showed.
func (m method) confirm(s *flow.Step) (flow.Outcome, error) {
	var codes []identity.LookupCode
	shown, err := s.Recall(id, &codes)
	if err != nil {
		return flow.Outcome{}, err
	}
	if !shown {
		return flow.Outcome{}, fault.Bad("You must (re-)generate recovery backup codes before you can save them.")
	}
	return flow.Enrolled(s.Owner, id, session.AAL2), s.Owner.SetLookup(m.ring, codes, s.Now)
}

// present puts nodes in the place of all that the method showed, and what earlier
// submissions were told is over. The nodes show secrets.
func present(f *flow.Flow, nodes ...ui.Node) {
	f.UI.Hush()
	for _, name := range []string{list, confirm, reveal, disable, regenerate} {
		f.UI.Remove(name)
	}
	f.UI.Append(nodes...)
	f.Private = true
}

// listed is the list of codes: which are left, and when the others were used.
func listed(codes []identity.LookupCode) ui.Node {
	secrets := make([]ui.Message, len(codes))
	texts := make([]string, len(codes))
	for at, code := range codes {
		if used := code.UsedAt; used == nil {
			texts[at], secrets[at] = code.Code, ui.Say(ui.BackupSecret, ui.Context{"secret": code.Code})
		} else {
			texts[at], secrets[at] = "used", ui.Used(*used)
		}
	}
	all := ui.Say(ui.BackupSecrets)
	all.Text, all.Context = strings.Join(texts, ", "), ui.Context{"secrets": secrets}
	return ui.Text(ui.LookupSecret, list, all).Labelled(ui.Say(ui.KeepCodes))
}
