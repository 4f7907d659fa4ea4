// Package totp is the method of proving a second factor with an authenticator
// app: the codes of RFC 6238, the secret that makes them and the picture by
// which an app takes it over.
package totp

import (
	"context"
	"fmt"
	"io"
	"unicode/utf8"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/ui"
)

// id names the method in forms, sessions and the configuration.
const id = "totp"

// The fields of its forms.
const (
	field  = "totp_code"
	unlink = "totp_unlink"
)

// secretSize is the length in bytes of a new secret, as RFC 4226 recommends it.
const secretSize = 20

type method struct {
	ring   *secret.Ring
	issuer string
}

// New returns the method.
func New(c config.TOTP, ring *secret.Ring) flow.Method {
	m := method{ring, c.Issuer}
	return flow.Method{
		ID: id, Group: ui.TOTP, AAL: session.AAL2,
		Login:    &flow.Door{Spends: guesses, Form: ask, Submit: m.login},
		Settings: &flow.Door{Takes: takes, Fresh: always, Form: m.show, Submit: m.change},
	}
}

func guesses(form identity.Form) bool { return form.Has(field) }

func takes(form identity.Form) bool { return form.Get("method") == id || form.Get(unlink) == "true" }

func always(identity.Form) bool { return true }

// enrolled tells whether somebody has an app; nobody has none.
func enrolled(who *identity.Identity) bool { return who != nil && who.Counts().TOTP > 0 }

// ask adds the nodes of a login to whoever has an app.
func ask(_ context.Context, s *flow.Step) error {
	if !enrolled(s.Owner) {
		return nil
	}
	s.Flow.UI.Append(
		ui.Input(ui.TOTP, field, "text", "").Needed().Labelled(ui.Say(ui.AuthenticationCode)),
		ui.Submit(ui.TOTP, "method", id, ui.UseAuthenticator),
	)
	return nil
}

// login checks a code. The time step it is of counts up, so that whoever saw a
// code being typed cannot use it again (ASVS 5.0, 6.5.1).
func (m method) login(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	s.Flow.UI.SetValue(field, nil)
	code := s.Form.Get(field)
	if code == "" {
		return flow.Outcome{}, fault.InvalidField(field, ui.Missing(field))
	}
	if length := utf8.RuneCountInString(code); length < digits {
		return flow.Outcome{}, fault.InvalidField(field, ui.Say(ui.TooShort, ui.Context{"min_length": digits, "actual_length": length}))
	}
	link, err := s.Owner.TOTP(m.ring)
	if err != nil {
		return flow.Outcome{}, err
	}
	if link == "" {
		return flow.Outcome{}, fault.InvalidField("", ui.Say(ui.NoTOTP))
	}
	wrong := fault.InvalidField("", ui.Say(ui.TOTPInvalid))
	step, matches := match(keyIn(link), code, s.Now)
	if !matches {
		return flow.Outcome{}, wrong
	}
	passed := flow.Passed(s.Owner, id, session.AAL2)
	passed.Once = &flow.Once{Identity: s.Owner.ID, Name: id, To: step, Used: wrong}
	return passed, nil
}

// show adds the nodes of the settings: how to take the app away, or a new secret
// for one. The flow keeps the secret until a code shows that an app has it.
func (m method) show(_ context.Context, s *flow.Step) error {
	form := &s.Flow.UI
	if enrolled(s.Owner) {
		form.Append(ui.Submit(ui.TOTP, unlink, "true", ui.UnlinkTOTP).Needed())
		return nil
	}
	raw := make([]byte, secretSize)
	if _, err := io.ReadFull(s.Rand, raw); err != nil {
		return fmt.Errorf("draw a secret: %w", err)
	}
	key := written().EncodeToString(raw)
	link := linkOf(m.issuer, account(s.Schema, s.Owner), key)
	src, err := picture(link)
	if err != nil {
		return err
	}
	form.Append(
		ui.Image(ui.TOTP, "totp_qr", src, side, side).Labelled(ui.Say(ui.TOTPImage)),
		ui.Text(ui.TOTP, "totp_secret_key", ui.Say(ui.TOTPSecret, ui.Context{"secret": key})).Labelled(ui.Say(ui.TOTPSecretLabel)),
		ui.Input(ui.TOTP, field, "text", nil).Needed().Labelled(ui.Say(ui.VerifyCode)),
		ui.Submit(ui.TOTP, "method", id, ui.Save),
	)
	s.Flow.Private = true
	return s.Keep(id, link)
}

// change takes the app away from whoever has one, and gives one to whoever has
// none.
func (m method) change(_ context.Context, s *flow.Step) (flow.Outcome, error) {
	if !enrolled(s.Owner) {
		return m.enrol(s)
	}
	if s.Form.Get(unlink) != "true" {
		return flow.Changed(s.Owner), nil // an app is there: nothing changes
	}
	return flow.Changed(s.Owner), s.Owner.SetTOTP(m.ring, "", s.Now)
}

// enrol stores the secret that the flow showed once a code proves that an app
// has it. Kratos lets that code sign in as well, and so do its clients: only a
// sign-in uses a code up.
func (m method) enrol(s *flow.Step) (flow.Outcome, error) {
	code := s.Form.Get(field)
	if code == "" {
		return flow.Outcome{}, fault.InvalidField(field, ui.Missing(field))
	}
	var link string
	if _, err := s.Recall(id, &link); err != nil {
		return flow.Outcome{}, err
	}
	if _, matches := match(keyIn(link), code, s.Now); !matches {
		return flow.Outcome{}, fault.InvalidField(field, ui.Say(ui.TOTPInvalid))
	}
	return flow.Enrolled(s.Owner, id, session.AAL2), s.Owner.SetTOTP(m.ring, link, s.Now)
}
