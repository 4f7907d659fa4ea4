// Package webauthn is the method of security keys: a second factor or, where the
// configuration says so, a first one. It speaks to browsers alone.
package webauthn

import (
	"context"
	"unicode/utf8"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/method/webauthn/ceremony"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/ui"
)

// id names the method in forms, sessions and the configuration.
const id = "webauthn"

// The fields that a browser's answers come in, and what the key is called.
const (
	signed = "webauthn_login"
	made   = "webauthn_register"
	called = "webauthn_register_displayname"
	remove = "webauthn_remove"
)

type method struct {
	ceremony.Method

	name  string // of the site, which keys show as the user's: nothing personal
	level session.AAL
}

// New returns the method.
func New(c *config.Config) flow.Method {
	configured := c.Methods.WebAuthn
	m := method{
		Method: ceremony.NewMethod(c, identity.WebAuthn, ceremony.Rules{RP: configured.RP, UserVerification: "discouraged"}),
		name:   configured.RP.DisplayName, level: session.AAL2,
	}
	if configured.Passwordless {
		m.level = session.AAL1
	}
	all := flow.Method{
		ID: id, AAL: m.level,
		Login:    &flow.Door{Takes: takesLogin, Form: browsers(m.confirm), Submit: m.login},
		Settings: &flow.Door{Takes: takesSettings, Fresh: takesSettings, Form: browsers(m.manage), Submit: m.change},
	}
	if configured.Passwordless {
		all.Login.Claims, all.Login.Form = claims, browsers(m.ask)
		all.Registration = &flow.Door{Takes: takesRegistration, Form: browsers(m.askNew), Submit: m.register}
	}
	return all
}

// browsers leaves apps out of a form.
func browsers(form func(*flow.Step) error) func(context.Context, *flow.Step) error {
	return func(_ context.Context, s *flow.Step) error {
		if s.Flow.Native() {
			return nil
		}
		return form(s)
	}
}

func takesLogin(form identity.Form) bool { return form.Has(signed) || form.Get("method") == id }

func takesRegistration(form identity.Form) bool { return form.Has(made) }

func takesSettings(form identity.Form) bool { return form.Has(made) || form.Has(remove) }

// claims names whose key is to sign; nobody's while that was not said.
func claims(form identity.Form) string {
	identifier := identity.Normalize(form.Get("identifier"))
	if identifier == "" {
		return ""
	}
	return identity.CredentialGuard(identity.WebAuthn, identifier)
}

// ask adds the nodes of a first factor: who it is comes first, the key on the
// next screen.
func (m method) ask(s *flow.Step) error {
	if s.Flow.Refresh {
		return m.confirm(s)
	}
	form := &s.Flow.UI
	if s.Screen == flow.IdentifierScreen || s.Screen == flow.CredentialScreen && !s.Shows(signsInWithKey) {
		return nil
	}
	if s.Screen == flow.Unified {
		form.Upsert(ceremony.Identifier(s))
		m.AddScript(s)
	}
	form.Append(ui.Submit(ui.WebAuthn, "method", id, ui.SignInWithKey))
	return nil
}

func signsInWithKey(who *identity.Identity) bool { return who.Counts().Passwordless > 0 }

// confirm adds the nodes by which whoever is signed in uses a key of theirs.
func (m method) confirm(s *flow.Step) error {
	if s.Owner == nil {
		return nil // the session ended meanwhile
	}
	keys, err := m.keys(s.Owner)
	if err != nil || len(keys) == 0 {
		return err
	}
	// Nobody is looked up by it: it only has to be there.
	identifier := s.Owner.ID
	if traits := s.Owner.Credentials[identity.WebAuthn].Identifiers; len(traits) > 0 {
		identifier = traits[0]
	}
	s.Flow.UI.Upsert(ui.Input(ui.Default, "identifier", "hidden", identifier))
	return m.trigger(s, keys, ui.SignInWithKey)
}

// trigger asks for a signature of one of these keys.
func (m method) trigger(s *flow.Step, keys []identity.Key, label ui.ID) error {
	asked := ceremony.Ask(s.Rand, nil, keys)
	options := string(m.Party.Request(asked, keys))
	m.AddScript(s)
	s.Flow.UI.Upsert(ceremony.Button(s, ui.WebAuthn, "webauthn_login_trigger", options, "oryWebAuthnLogin", options, label))
	s.Flow.UI.Upsert(ui.Input(ui.WebAuthn, signed, "hidden", ""))
	return s.Keep(id, asked)
}

// keys returns the keys of who that reach the level the method is for.
func (m method) keys(who *identity.Identity) ([]identity.Key, error) {
	all, err := who.WebAuthnKeys(identity.WebAuthn)
	var fit []identity.Key
	for _, key := range all {
		if key.Passwordless == (m.level == session.AAL1) {
			fit = append(fit, key)
		}
	}
	return fit, err
}

// login asks for a key, or judges what it signed.
func (m method) login(ctx context.Context, s *flow.Step) (flow.Outcome, error) {
	if s.Flow.Native() {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoLoginMethod))
	}
	outcome, err := m.judge(ctx, s)
	if err != nil {
		s.Flow.UI.SetValue(signed, nil)
	}
	return outcome, err
}

func (m method) judge(ctx context.Context, s *flow.Step) (flow.Outcome, error) {
	if !s.Form.Has("identifier") {
		return flow.Outcome{}, fault.InvalidField("identifier", ui.Missing("identifier"))
	}
	if m.level == session.AAL1 && !s.Form.Has(signed) {
		return m.prepare(s)
	}
	who, nobody := s.Claimed, ui.NoSuchKeyAccount
	if m.level == session.AAL2 {
		who, nobody = s.Owner, ui.NoKey
	}
	if who == nil || who.Credentials[identity.WebAuthn].Type == "" {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(nobody))
	}
	answer, err := ceremony.Read(s.Form, signed)
	if err != nil {
		return flow.Outcome{}, err
	}
	keys, err := m.keys(who)
	if err != nil {
		return flow.Outcome{}, err
	}
	handles, err := ceremony.KeyHandles(who)
	if err != nil {
		return flow.Outcome{}, err
	}
	return m.Prove(ctx, s, answer, who, identity.WebAuthn, ceremony.Owner{Handles: handles, Keys: keys})
}

// prepare leads to the screen that asks for a key of whoever was named. Nobody,
// and somebody without a key, are answered alike.
func (m method) prepare(s *flow.Step) (flow.Outcome, error) {
	var keys []identity.Key
	if s.Claimed != nil {
		var err error
		if keys, err = m.keys(s.Claimed); err != nil {
			return flow.Outcome{}, err
		}
	}
	if len(keys) == 0 {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoSuchKeyAccount))
	}
	form := &s.Flow.UI
	form.Nodes = []ui.Node{ui.Input(ui.Default, "identifier", "hidden", s.Form.Get("identifier")).Needed(), ui.CSRF("")}
	form.Messages = []ui.Message{ui.Say(ui.PrepareKey)}
	outcome := flow.Again()
	outcome.Navigates = true
	return outcome, m.trigger(s, keys, ui.ContinueWithKey)
}

// askNew adds the nodes of a registration.
func (m method) askNew(s *flow.Step) error {
	if s.Screen == flow.ProfileScreen {
		return nil
	}
	s.AskTraits()
	return m.offer(s, func() []byte { return secret.Bytes(s.Rand, ceremony.KeyHandleSize) }, nil, ui.SignUpWithKey)
}

// offer asks for a new key.
func (m method) offer(s *flow.Step, handle func() []byte, known []identity.Key, label ui.ID) error {
	asked, err := m.Asking(s, handle)
	if err != nil {
		return err
	}
	options := string(m.Party.Creation(asked, m.name, known))
	form := &s.Flow.UI
	form.Upsert(ui.Input(ui.WebAuthn, called, "text", "").Labelled(ui.Say(ui.KeyName)))
	form.Upsert(ui.Input(ui.WebAuthn, made, "hidden", ""))
	form.Upsert(ceremony.Button(s, ui.WebAuthn, "webauthn_register_trigger", options, "oryWebAuthnRegistration", options, label))
	m.AddScript(s)
	return nil
}

// register gives the draft its first key.
func (m method) register(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	if s.Flow.Native() {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoSignUpMethod))
	}
	s.KeepTraits()
	key, handle, err := m.make(s)
	if err != nil {
		return flow.Outcome{}, err
	}
	if err := s.Derive(); err != nil {
		return flow.Outcome{}, err
	}
	if len(s.Draft.Credentials[identity.WebAuthn].Identifiers) == 0 {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoIdentifiers)) // nobody could be looked up by it
	}
	return flow.Passed(s.Draft, id, m.level), s.Draft.SetWebAuthnKeys(identity.WebAuthn, handle, []identity.Key{key}, s.Now)
}

// maxName is how long the name of a key may be, in characters.
const maxName = 256

// make returns the key that a submission made, called as its owner wants.
func (m method) make(s *flow.Step) (identity.Key, []byte, error) {
	name := s.Form.Get(called)
	if length := utf8.RuneCountInString(name); length > maxName {
		tooLong := ui.Say(ui.TooLong, ui.Context{"max_length": maxName, "actual_length": length})
		return identity.Key{}, nil, fault.InvalidField(called, tooLong)
	}
	key, handle, err := m.Made(s, made)
	key.DisplayName, key.Passwordless = name, m.level == session.AAL1
	return key, handle, err
}

// manage adds the nodes of the settings.
func (m method) manage(s *flow.Step) error {
	if err := m.Offer(s, ui.WebAuthn, ui.RemoveKey, ""); err != nil {
		return err
	}
	known, err := s.Owner.WebAuthnKeys(identity.WebAuthn)
	if err != nil {
		return err
	}
	return m.offer(s, func() []byte { return ceremony.KeyHandle(s.Owner) }, known, ui.AddKey)
}

// change adds or removes a key.
func (m method) change(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	if s.Flow.Native() {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoSettingsMethod))
	}
	s.Flow.UI.Messages = nil // said of an earlier submission
	if s.Form.Has(remove) {
		absent := "You tried to remove a WebAuthn credential which does not exist."
		if s.Owner.Credentials[identity.WebAuthn].Type == "" {
			absent = "You tried to remove a WebAuthn but you have no WebAuthn set up."
		}
		return m.Remove(s, s.Form.Get(remove), absent)
	}
	if !s.Form.Has(called) {
		return flow.Outcome{}, fault.InvalidField(called, ui.Missing(called))
	}
	key, handle, err := m.make(s)
	if err != nil {
		return flow.Outcome{}, err
	}
	// Who signed up with a key stays known to it by the handle of then.
	stored, err := s.Owner.UserHandle(identity.WebAuthn)
	if err != nil {
		return flow.Outcome{}, err
	}
	if stored != nil {
		handle = stored
	}
	return m.Enrol(s, key, handle, m.level)
}
