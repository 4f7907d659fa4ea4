package password

import (
	"context"
	"errors"
	"net/http"
	"time"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/ui"
)

// id names the method in forms, sessions and the configuration.
const id = "password"

type method struct {
	hash   *secret.Hasher
	policy policy
}

// New returns the method. The client asks whether a password is known to have
// been breached.
func New(c config.Password, h *secret.Hasher, client *http.Client) flow.Method {
	m := method{hash: h, policy: newPolicy(c, client)}
	return flow.Method{
		ID: id, AAL: session.AAL1,
		Login:        &flow.Door{Claims: claims, Form: m.ask, Submit: m.login},
		Registration: &flow.Door{Form: m.askNew, Submit: m.register},
		Settings:     &flow.Door{Fresh: func(identity.Form) bool { return true }, Form: m.askChange, Submit: m.change},
	}
}

// claims names whose password is being guessed; nobody's while there is none.
func claims(form identity.Form) string {
	identifier := identity.Normalize(form.Get("identifier"))
	if !form.Has(id) || identifier == "" {
		return ""
	}
	return identity.CredentialGuard(identity.Password, identifier)
}

// ask adds the nodes of a login. Whoever confirms a session is not asked again
// who they are.
func (m method) ask(_ context.Context, s *flow.Step) error {
	form, submit := &s.Flow.UI, ui.SignInWithPassword
	switch {
	case s.Flow.Refresh:
		credential := s.Owner.Credentials[identity.Password]
		if s.Owner.PasswordHash() == "" || len(credential.Identifiers) == 0 {
			return nil
		}
		form.Upsert(ui.Input(ui.Default, "identifier", "hidden", credential.Identifiers[0]))
		submit = ui.SignIn
	case s.Screen == flow.IdentifierScreen, s.Screen == flow.CredentialScreen && !s.Shows(hasPassword):
		return nil
	case s.Screen == flow.Unified:
		form.Upsert(ui.Input(ui.Default, "identifier", "text", "").Needed().Labelled(s.Schema.IdentifierLabel()))
	}
	form.Upsert(field("current-password"))
	form.Append(ui.Submit(ui.Password, "method", id, submit))
	return nil
}

func hasPassword(who *identity.Identity) bool {
	return who.PasswordHash() != "" || who.MigratesPassword()
}

func field(autocomplete string) ui.Node {
	return ui.Input(ui.Password, id, "password", nil).Needed().
		Completing(autocomplete).Labelled(ui.Say(ui.LabelPassword))
}

// login checks a password. A stranger costs the same hash as an owner, so
// timing tells nothing (ASVS 5.0, 6.3.8).
func (m method) login(ctx context.Context, s *flow.Step) (flow.Outcome, error) {
	identifier, password := s.Form.Get("identifier"), s.Form.Get(id)
	s.Flow.UI.SetValue("identifier", identifier)
	if missing := required(s.Form, "identifier", id); missing != nil {
		return flow.Outcome{}, missing
	}
	hash := ""
	if s.Claimed != nil {
		hash = s.Claimed.PasswordHash()
		if s.Claimed.MigratesPassword() {
			return m.move(ctx, s, identifier, password)
		}
	}
	matches, err := m.hash.Matches(ctx, hash, password)
	if ctx.Err() != nil {
		return flow.Outcome{}, err
	}
	// A hash that cannot be read matches nothing, like any other.
	if err != nil || !matches {
		return flow.Outcome{}, fault.InvalidCredentials()
	}
	s.Flow.UI.SetValue("identifier", "")
	passed := flow.Passed(s.Claimed, id, session.AAL1)
	if m.hash.Outdated(hash) {
		passed.Upgrade, err = m.upgrade(ctx, hash, password, s.Now)
	}
	return passed, err
}

// move signs in by a password that an older system knows, and keeps it from then
// on.
func (m method) move(ctx context.Context, s *flow.Step, identifier, password string) (flow.Outcome, error) {
	known, err := s.Known(ctx, identifier, password)
	if err != nil {
		return flow.Outcome{}, err
	}
	if !known {
		return flow.Outcome{}, fault.InvalidCredentials()
	}
	s.Flow.UI.SetValue("identifier", "")
	passed := flow.Passed(s.Claimed, id, session.AAL1)
	fresh, err := m.hash.Hash(ctx, password)
	if errors.Is(err, secret.ErrTooLong) {
		return passed, nil // it stays where it is
	}
	passed.Upgrade = func(who *identity.Identity) {
		if who.MigratesPassword() {
			_ = who.SetPasswordHash(fresh, s.Now) // its config is plain text
		}
	}
	return passed, err
}

// upgrade hashes a password anew, as the configuration now wants it. A password
// that the new algorithm cannot take keeps its old hash.
func (m method) upgrade(ctx context.Context, old, password string, now time.Time) (func(*identity.Identity), error) {
	fresh, err := m.hash.Hash(ctx, password)
	if errors.Is(err, secret.ErrTooLong) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return func(who *identity.Identity) {
		if who.PasswordHash() == old {
			_ = who.SetPasswordHash(fresh, now) // its config is plain text
		}
	}, nil
}

// askNew adds the nodes of a registration: everything at once, or the password
// once the traits are known.
func (m method) askNew(_ context.Context, s *flow.Step) error {
	if s.Screen == flow.ProfileScreen {
		return nil
	}
	s.AskTraits()
	form := &s.Flow.UI
	form.Upsert(field("new-password"))
	form.Append(ui.Submit(ui.Password, "method", id, ui.SignUp))
	return nil
}

// register gives the draft its password.
func (m method) register(ctx context.Context, s *flow.Step) (flow.Outcome, error) {
	s.KeepTraits()
	if missing := required(s.Form, id); missing != nil {
		return flow.Outcome{}, missing
	}
	password := s.Form.Get(id)
	if err := s.Derive(); err != nil {
		return flow.Outcome{}, err
	}
	identifiers := s.Draft.Credentials[identity.Password].Identifiers
	if len(identifiers) == 0 {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoIdentifiers))
	}
	hash, err := m.accept(ctx, password, identifiers)
	if err != nil {
		return flow.Outcome{}, err
	}
	return flow.Passed(s.Draft, id, session.AAL1), s.Draft.SetPasswordHash(hash, s.Now)
}

// accept returns the hash of a new password that is good enough.
func (m method) accept(ctx context.Context, password string, identifiers []string) (string, error) {
	if err := m.policy.check(ctx, password, identifiers); err != nil {
		return "", err
	}
	hash, err := m.hash.Hash(ctx, password)
	if errors.Is(err, secret.ErrTooLong) {
		return "", tooLong(password)
	}
	return hash, err
}

// askChange adds the nodes of the settings.
func (m method) askChange(_ context.Context, s *flow.Step) error {
	s.Flow.UI.Append(field("new-password"), ui.Submit(ui.Password, "method", id, ui.Save))
	return nil
}

// change gives the settings' owner another password.
func (m method) change(ctx context.Context, s *flow.Step) (flow.Outcome, error) {
	if missing := required(s.Form, id); missing != nil {
		return flow.Outcome{}, missing
	}
	password, old := s.Form.Get(id), s.Owner.PasswordHash()
	hash, err := m.accept(ctx, password, s.Owner.Credentials[identity.Password].Identifiers)
	if err != nil {
		return flow.Outcome{}, err
	}
	if old != "" {
		same, err := m.hash.Matches(ctx, old, password)
		if ctx.Err() != nil {
			return flow.Outcome{}, err
		}
		if same {
			return flow.Outcome{}, refused(ui.Say(ui.SamePassword))
		}
	}
	return flow.Changed(s.Owner), s.Owner.SetPasswordHash(hash, s.Now)
}

// required names the fields that were not sent, all of them at once.
func required(form identity.Form, names ...string) error {
	var missing []fault.Field
	for _, name := range names {
		if !form.Has(name) {
			missing = append(missing, fault.Field{At: name, Text: ui.Missing(name)})
		}
	}
	if missing == nil {
		return nil
	}
	return fault.Invalid(missing...)
}
