// Package passkey is the method of passkeys: keys that say themselves whose they
// are, so that nobody has to type who they are to sign in.
package passkey

import (
	"context"
	"encoding/json"

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
const id = "passkey"

// The fields that a browser's answers come in.
const (
	signed    = "passkey_login"
	made      = "passkey_register"
	madeLater = "passkey_settings_register"
	remove    = "passkey_remove"
)

// What a browser is given to work with, for the functions of the script.
const (
	challenge = "passkey_challenge"
	create    = "passkey_create_data"
)

// handleSize is the length of a user handle, in letters and digits.
const handleSize = 64

type method struct {
	ceremony.Method

	site string // its name
}

// New returns the method.
func New(c *config.Config) flow.Method {
	configured := c.Methods.Passkey
	m := method{
		Method: ceremony.NewMethod(c, identity.Passkey, ceremony.Rules{
			RP: configured.RP, UserVerification: configured.UserVerification, ResidentKey: configured.ResidentKey,
			Attachment: configured.Attachment, Attestation: configured.Attestation,
			Registration: configured.RegistrationTimeout, Login: configured.LoginTimeout,
		}),
		site: configured.RP.DisplayName,
	}
	return flow.Method{
		ID: id, AAL: session.AAL1,
		Login:        &flow.Door{Takes: takesLogin, Claims: claims, Form: m.ask, Submit: m.login},
		Registration: &flow.Door{Takes: takesRegistration, Form: m.askNew, Submit: m.register},
		Settings:     &flow.Door{Takes: takesSettings, Fresh: takesSettings, Form: m.manage, Submit: m.change},
	}
}

func takesLogin(form identity.Form) bool { return form.Has(signed) || form.Get("method") == id }

// takesRegistration lets a form pass whose script did not run: its button says
// "true" then.
func takesRegistration(form identity.Form) bool { return form.Has(made) && form.Get(made) != "true" }

func takesSettings(form identity.Form) bool { return form.Has(madeLater) || form.Has(remove) }

// claims names whose key is said to have signed: of a passkey by the user
// handle, of a security key, which is found by nothing else, by its own id.
func claims(form identity.Form) string {
	if !form.Has(signed) {
		return ""
	}
	answer, err := ceremony.ReadSignature(form.Get(signed))
	handle := []byte(nil)
	if err == nil {
		handle = answer.UserHandle()
	}
	switch len(handle) {
	case 0:
		return ""
	case ceremony.KeyHandleSize:
		return identity.KeyGuard(answer.KeyID())
	default:
		return identity.CredentialGuard(identity.Passkey, identity.PasskeyIdentifier(handle))
	}
}

// ask adds the nodes of a login: a button, and what a browser needs to offer
// passkeys where the identifier is typed. Whoever confirms a session is asked for
// one of their own.
func (m method) ask(_ context.Context, s *flow.Step) error {
	form := &s.Flow.UI
	button := ceremony.Button(s, ui.Passkey, "passkey_login_trigger", "", "oryPasskeyLogin", "", ui.SignInWithPasskey)
	if s.Screen == flow.CredentialScreen { // the rest is there already
		if s.Shows(hasPasskey) {
			form.Append(button)
		}
		return nil
	}
	field := ui.Input(ui.Passkey, signed, "hidden", nil)
	var keys []identity.Key
	if s.Flow.Refresh {
		var err error
		if keys, err = s.Owner.WebAuthnKeys(identity.Passkey); err != nil || len(keys) == 0 {
			return err
		}
	} else {
		if s.Screen == flow.Unified {
			form.Upsert(ceremony.Identifier(s))
		}
		field.Attributes.OnLoadTrigger = "oryPasskeyLoginAutocompleteInit"
		if !s.Flow.Native() {
			field.Attributes.OnLoad = "window.oryPasskeyLoginAutocompleteInit()"
		}
	}
	asked := ceremony.Ask(s.Rand, nil, keys)
	m.AddScript(s)
	if s.Screen == flow.Unified {
		form.Upsert(button)
	}
	form.Upsert(field)
	form.Upsert(ui.Input(ui.Passkey, challenge, "hidden", string(m.Party.Request(asked, keys))))
	return s.Keep(id, asked)
}

func hasPasskey(who *identity.Identity) bool { return who.Counts().Passkey > 0 }

// login judges what a passkey signed, or what a security key did that signs in
// without a password.
func (m method) login(ctx context.Context, s *flow.Step) (flow.Outcome, error) {
	if !s.Form.Has(signed) {
		outcome := flow.Again()
		outcome.Navigates = true // only the page of the flow can ask
		return outcome, nil
	}
	answer, err := ceremony.Read(s.Form, signed)
	if err != nil {
		return flow.Outcome{}, err
	}
	who := s.Claimed
	if who == nil {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoSuchKeyAccount))
	}
	kind, owner, err := ownerOf(who, answer.UserHandle())
	if err != nil {
		return flow.Outcome{}, err
	}
	return m.Prove(ctx, s, answer, who, kind, owner)
}

// ownerOf returns the credential of who that a user handle belongs to.
func ownerOf(who *identity.Identity, handle []byte) (identity.CredentialType, ceremony.Owner, error) {
	of := ceremony.Owner{}
	kind := identity.Passkey
	for _, identifier := range who.Credentials[identity.Passkey].Identifiers {
		if identifier == identity.PasskeyIdentifier(handle) {
			of.Handles = [][]byte{handle}
		}
	}
	if of.Handles == nil {
		kind = identity.WebAuthn
		var err error
		if of.Handles, err = ceremony.KeyHandles(who); err != nil {
			return kind, of, err
		}
	}
	keys, err := who.WebAuthnKeys(kind)
	for _, key := range keys {
		if key.Passwordless {
			of.Keys = append(of.Keys, key)
		}
	}
	return kind, of, err
}

// askNew adds the nodes of a registration. Without a trait to call the passkey by
// there is none.
func (m method) askNew(_ context.Context, s *flow.Step) error {
	names := s.Schema.DisplayNames()
	if s.Screen == flow.ProfileScreen || len(names) == 0 {
		return nil
	}
	s.AskTraits()
	asked, err := m.Asking(s, func() []byte { return newHandle(s) })
	if err != nil {
		return err
	}
	data, err := json.Marshal(map[string]any{
		"credentialOptions":     m.Party.Creation(asked, m.site, nil), // the script puts in the name that was typed
		"displayNameFieldName":  names[0],
		"displayNameFieldNames": names,
	})
	if err != nil {
		return err
	}
	m.offer(s, made, ceremony.Button(s, ui.Passkey, "passkey_register_trigger", nil, "oryPasskeyRegistration", "", ui.SignUpWithPasskey), data)
	return nil
}

// offer asks for a new passkey.
func (m method) offer(s *flow.Step, field string, button ui.Node, data []byte) {
	m.AddScript(s)
	form := &s.Flow.UI
	form.Upsert(button)
	form.Upsert(ui.Input(ui.Passkey, field, "hidden", nil))
	form.Upsert(ui.Input(ui.Passkey, create, "hidden", string(data)))
}

// newHandle returns a user handle, in letters and digits: it is an identifier of
// the credential.
func newHandle(s *flow.Step) []byte { return []byte(secret.Text(s.Rand, handleSize)) }

// register gives the draft its first passkey.
func (m method) register(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	s.KeepTraits()
	key, handle, err := m.make(s, made)
	if err != nil {
		return flow.Outcome{}, err
	}
	if err := s.Derive(); err != nil {
		return flow.Outcome{}, err
	}
	return flow.Passed(s.Draft, id, session.AAL1), s.Draft.SetWebAuthnKeys(identity.Passkey, handle, []identity.Key{key}, s.Now)
}

func (m method) make(s *flow.Step, field string) (identity.Key, []byte, error) {
	key, handle, err := m.Made(s, field)
	key.Passwordless = true
	return key, handle, err
}

// manage adds the nodes of the settings.
func (m method) manage(_ context.Context, s *flow.Step) error {
	if err := m.Offer(s, ui.Passkey, ui.RemovePasskey, "unnamed"); err != nil {
		return err
	}
	name := s.Schema.DisplayName(s.Owner.Traits)
	if name == "" {
		s.Flow.UI.Messages = append(s.Flow.UI.Messages, ui.Say(ui.NoIdentifiers))
		return nil
	}
	known, err := s.Owner.WebAuthnKeys(identity.Passkey)
	if err != nil {
		return err
	}
	asked, err := m.Asking(s, func() []byte { return newHandle(s) })
	if err != nil {
		return err
	}
	m.offer(s, madeLater,
		ceremony.Button(s, ui.Passkey, "passkey_register_trigger", "", "oryPasskeySettingsRegistration", "", ui.AddPasskey),
		m.Party.Creation(asked, name, known))
	return nil
}

// change adds or removes a passkey.
func (m method) change(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	s.Flow.UI.Messages = nil // said of an earlier submission
	if s.Form.Has(remove) {
		absent := "You tried to remove a passkey which does not exist."
		if s.Owner.Credentials[identity.Passkey].Type == "" {
			absent = "You tried to remove a passkey but you have no passkey set up."
		}
		return m.Remove(s, s.Form.Get(remove), absent)
	}
	key, handle, err := m.make(s, madeLater)
	if err != nil {
		return flow.Outcome{}, err
	}
	return m.Enrol(s, key, handle, session.AAL1)
}
