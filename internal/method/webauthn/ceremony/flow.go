package ceremony

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/method/webauthn/script"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/ui"
)

// Method is what the two methods have in common: their keys, kept in a
// credential of a type that is called like the method.
type Method struct {
	ID    string
	Kind  identity.CredentialType
	Party *Party

	script string // where it is
	policy identity.Policy
}

// NewMethod returns the common part of a method.
func NewMethod(c *config.Config, kind identity.CredentialType, rules Rules) Method {
	rules.RefuseClones = c.Styx.RefuseClones
	base := strings.TrimSuffix(c.Serve.Public.BaseURL.String(), "/")
	return Method{
		ID: string(kind), Kind: kind, Party: New(c, rules),
		script: base + script.Path,
		policy: identity.PolicyOf(c.Methods),
	}
}

// AddScript adds the browser's part to a form. An app has its own.
func (m Method) AddScript(s *flow.Step) {
	if !s.Flow.Native() {
		nonce := secret.NewV4(s.Rand).String()
		s.Flow.UI.Upsert(ui.Script(ui.WebAuthn, "webauthn_script", m.script, script.Integrity, nonce))
	}
}

// Button returns a button that has a browser use a key: it calls a function of
// the script, with these arguments.
func Button(s *flow.Step, group ui.Group, name string, value any, function, arguments string, label ui.ID) ui.Node {
	node := ui.Input(group, name, "button", value).Labelled(ui.Say(label))
	node.Attributes.OnClickTrigger = function
	if !s.Flow.Native() {
		node.Attributes.OnClick = "window." + function + "(" + arguments + ")"
	}
	return node
}

var (
	errUnread = fault.Bad("Unable to parse WebAuthn response.")
	errWrong  = fault.InvalidField("", ui.Say(ui.KeyInvalid))

	// What was asked for is lost, or never was: clients have seen a 500.
	errUnasked = &fault.Error{Reason: "Expected WebAuthN in internal context to be an object."}
)

// asked recalls what the flow asked a browser for; a challenge that was never
// made, or is used up, is one that nothing answers.
func (m Method) asked(s *flow.Step) (asked Challenge, known bool, err error) {
	known, err = s.Recall(m.ID, &asked)
	return asked, known, err
}

// Asking returns the challenge by which a flow asks for a new key, for the user
// handle that handle returns. It stays the same for as long as the flow asks.
func (m Method) Asking(s *flow.Step, handle func() []byte) (Challenge, error) {
	asked, known, err := m.asked(s)
	if err != nil || known {
		return asked, err
	}
	asked = Ask(s.Rand, handle(), nil)
	return asked, s.Keep(m.ID, asked)
}

// Made returns the key that a submission made, in that field, and the user handle
// it was made for. One that the settings' owner has already is refused there,
// whichever of their credentials holds it. That an answer is untrue is a 500, as
// clients have seen it.
func (m Method) Made(s *flow.Step, field string) (key identity.Key, handle []byte, err error) {
	asked, known, err := m.asked(s)
	if err != nil {
		return identity.Key{}, nil, err
	}
	if !known {
		return identity.Key{}, nil, errUnasked
	}
	answer, err := ReadNewKey(s.Form.Get(field))
	if err != nil {
		return identity.Key{}, nil, errUnread
	}
	owned, err := owns(s.Owner, answer.KeyID())
	if err != nil {
		return identity.Key{}, nil, err
	}
	if owned {
		return identity.Key{}, nil, fault.InvalidField(field, ui.Reason("this security key or passkey is already registered with your account"))
	}
	if key, err = m.Party.Accept(asked, answer, s.Now); err != nil {
		return identity.Key{}, nil, &fault.Error{Reason: "Unable to create WebAuthn credential.", Err: err}
	}
	return key, asked.User, nil
}

// owns tells whether who, if anybody, has the key of that id.
func owns(who *identity.Identity, id []byte) (bool, error) {
	if who == nil {
		return false, nil
	}
	for _, kind := range []identity.CredentialType{identity.WebAuthn, identity.Passkey} {
		keys, err := who.WebAuthnKeys(kind)
		if err != nil || slices.ContainsFunc(keys, isKey(id)) {
			return true, err
		}
	}
	return false, nil
}

// Enrol gives the settings' owner another key.
func (m Method) Enrol(s *flow.Step, key identity.Key, handle []byte, level session.AAL) (flow.Outcome, error) {
	keys, err := s.Owner.WebAuthnKeys(m.Kind)
	if err != nil {
		return flow.Outcome{}, err
	}
	return flow.Enrolled(s.Owner, m.ID, level), s.Owner.SetWebAuthnKeys(m.Kind, handle, append(keys, key), s.Now)
}

func isKey(id []byte) func(identity.Key) bool {
	return func(key identity.Key) bool { return bytes.Equal(key.ID, id) }
}

// KeyHandleSize is the length of a security key's user handle, in bytes: that of
// an identity's id. By it alone one can be told from a passkey's.
const KeyHandleSize = 16

// KeyHandle is the user handle that a security key of who is made for.
func KeyHandle(who *identity.Identity) []byte {
	parsed, err := secret.ParseUUID(who.ID)
	if err != nil {
		return nil // ids are made by us
	}
	return parsed[:]
}

// KeyHandles are what the security keys of who know them by: the handle that is
// stored, which may be of the time before there was an identity, and its id.
func KeyHandles(who *identity.Identity) ([][]byte, error) {
	stored, err := who.UserHandle(identity.WebAuthn)
	return [][]byte{stored, KeyHandle(who)}, err
}

// Offer adds a button for each key that its owner may remove; the last way to
// sign in is shown, and stays.
func (m Method) Offer(s *flow.Step, group ui.Group, label ui.ID, unnamed string) error {
	keys, err := s.Owner.WebAuthnKeys(m.Kind)
	if err != nil {
		return err
	}
	for _, key := range keys {
		name := key.DisplayName
		if name == "" {
			name = unnamed
		}
		node := ui.Input(group, m.ID+"_remove", "submit", hex.EncodeToString(key.ID)).Labelled(ui.Say(label, ui.Context{
			"display_name": name, "added_at": key.AddedAt, "added_at_unix": key.AddedAt.Unix(),
		}))
		if m.last(s.Owner, key) {
			node = node.Barred()
		}
		s.Flow.UI.Append(node)
	}
	return nil
}

// last tells whether nobody could sign in without the key.
func (m Method) last(who *identity.Identity, key identity.Key) bool {
	return key.Passwordless && who.Counts().FirstFactors(m.policy) < 2
}

// Remove takes the key of that id, in hex, from the settings' owner. Absent is
// what is said of a key that is not there.
func (m Method) Remove(s *flow.Step, id, absent string) (flow.Outcome, error) {
	keys, err := s.Owner.WebAuthnKeys(m.Kind)
	if err != nil {
		return flow.Outcome{}, err
	}
	wanted, err := hex.DecodeString(id)
	at := slices.IndexFunc(keys, isKey(wanted))
	if err != nil || at < 0 {
		return flow.Outcome{}, fault.Bad(absent)
	}
	if m.last(s.Owner, keys[at]) {
		// The field is this one for passkeys as well; clients have seen it so.
		return flow.Outcome{}, fault.InvalidField("webauthn_remove",
			ui.Reason("unable to remove this security key because it would lock you out of your account"))
	}
	if m.Kind == identity.Passkey && len(keys) == 1 {
		delete(s.Owner.Credentials, m.Kind) // its identifiers are of no use without it
		return flow.Changed(s.Owner), nil
	}
	handle, err := s.Owner.UserHandle(m.Kind)
	if err != nil {
		return flow.Outcome{}, err
	}
	return flow.Changed(s.Owner), s.Owner.SetWebAuthnKeys(m.Kind, handle, slices.Delete(keys, at, at+1), s.Now)
}

// Read reads the signature that a submission brings.
func Read(form identity.Form, field string) (Signature, error) {
	answer, err := ReadSignature(form.Get(field))
	if err != nil {
		return Signature{}, errUnread
	}
	return answer, nil
}

// Prove lets who in by a signature of one of their keys, kept in a credential of
// that kind. The challenge is used up by it: the flow forgets it in the same
// write that begins the session. What the key said last is stored afterwards,
// and may be lost (section 7.2, step 26): a counter that is one behind is still
// above every earlier one.
func (m Method) Prove(ctx context.Context, s *flow.Step, answer Signature, who *identity.Identity, kind identity.CredentialType, of Owner) (flow.Outcome, error) {
	asked, _, err := m.asked(s)
	if err != nil {
		return flow.Outcome{}, err
	}
	key, err := m.Party.Verify(ctx, asked, answer, of)
	if err != nil {
		return flow.Outcome{}, errWrong
	}
	level := session.AAL1
	if !key.Passwordless {
		level = session.AAL2
	}
	passed := flow.Passed(who, m.ID, level)
	passed.Spent, passed.Late = true, errWrong
	passed.Upgrade = func(who *identity.Identity) { m.note(who, kind, key, s) }
	return passed, s.Keep(m.ID, nil)
}

// note keeps what a key said when it signed.
func (m Method) note(who *identity.Identity, kind identity.CredentialType, signed identity.Key, s *flow.Step) {
	keys, err := who.WebAuthnKeys(kind)
	if err != nil {
		return // it was readable a moment ago
	}
	handle, err := who.UserHandle(kind)
	if at := slices.IndexFunc(keys, isKey(signed.ID)); err == nil && at >= 0 {
		keys[at].Authenticator, keys[at].Flags = signed.Authenticator, signed.Flags
		_ = who.SetWebAuthnKeys(kind, handle, keys, s.Now) // it could be read
	}
}

// Identifier is the field that a browser offers keys in.
func Identifier(s *flow.Step) ui.Node {
	return ui.Input(ui.Default, "identifier", "text", "").Needed().
		Completing("username webauthn").Labelled(s.Schema.IdentifierLabel())
}
