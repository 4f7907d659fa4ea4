package selfservice

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/store"
	"styx/internal/ui"
	"styx/internal/web"
)

// Upper bounds of a submission's body. Lambda takes 6 MB, and a form arrives
// there in base64.
const (
	maxForm = 4 << 20
	maxJSON = 5 << 20
)

// submission is the body of a POST, read as far as it can be before it is known
// which flow it is for.
type submission struct {
	fields identity.Fields
	plain  identity.Form // without traits
	err    error         // why it cannot be read; a person may see it
}

// read takes the body of a submission apart. Anything but a POST has none.
func read(w http.ResponseWriter, r *http.Request) submission {
	if r.Method != http.MethodPost {
		return submission{}
	}
	limit := int64(maxForm)
	if web.WantsJSON(r) {
		limit = maxJSON
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return submission{err: fault.Bad("The request body is too large.")}
	}
	if err != nil {
		return submission{err: fault.Bad("The request body could not be read.")}
	}
	var s submission
	if s.fields, s.err = identity.ReadFields(r.Header.Get("Content-Type"), body); s.err == nil {
		s.plain, s.err = s.fields.Form(nil)
	}
	return s
}

// along reads the submission along a schema.
func (s submission) along(schema *identity.Schema) (identity.Form, error) {
	if s.err != nil || s.fields == nil {
		return identity.Form{}, s.err
	}
	return s.fields.Form(schema)
}

// chosen returns the method that a submission is meant for, and its door. A
// method that is known and switched off is a NotFound fault.
func (e *Engine) chosen(f *flow.Flow, form identity.Form) (string, *flow.Door, error) {
	if e.disabled(f.Kind, form.Get("method")) {
		return "", nil, errSwitchedOff
	}
	for _, method := range e.offered(f) {
		door := method.Door(f.Kind)
		if door.Submit != nil && door.Answers(method.ID, form) {
			return method.ID, door, nil
		}
	}
	return "", nil, fault.InvalidField("", ui.Say(kinds[f.Kind].nobody))
}

var errSwitchedOff = &fault.Error{
	Kind:   fault.NotFound,
	Reason: "This endpoint was disabled by system administrator. Please check your url or contact the system administrator to enable it.",
}

// guard refuses a submission that did not come from where the flow belongs.
func (e *Engine) guard(r *http.Request, f *flow.Flow, door *flow.Door, form identity.Form) error {
	if f.Unbound || door.Unguarded != nil && door.Unguarded(form) {
		return nil
	}
	if f.Native() {
		return web.CheckNative(r)
	}
	return e.Cookies.CheckForm(r, f.Browser, form.Get("csrf_token"))
}

var errNoFlow = fault.Bad("The flow query parameter is missing or malformed.")

// kind is what the engine has to know of one kind of flow.
type kind struct {
	settings func(config.Flows) config.Flow
	expired  ui.ID    // what the flow says that replaces an expired one
	nobody   ui.ID    // what it says when no method takes a submission
	missing  string   // the reason when there is no such flow, "" for the general one
	methods  []string // that clients may name; one that is not in the roster is switched off
}

var kinds = map[flow.Kind]kind{
	flow.Login: {
		settings: func(f config.Flows) config.Flow { return f.Login.Flow },
		expired:  ui.LoginExpired, nobody: ui.NoLoginMethod,
		methods: []string{"password", "oidc", "code", "totp", "webauthn", "passkey", "lookup_secret"},
	},
	flow.Registration: {
		settings: func(f config.Flows) config.Flow { return f.Registration.Flow },
		expired:  ui.RegistrationExpired, nobody: ui.NoSignUpMethod,
		methods: []string{"password", "oidc", "code", "webauthn", "passkey"},
	},
	flow.Settings: {
		settings: func(f config.Flows) config.Flow { return f.Settings.Flow },
		expired:  ui.SettingsExpired, nobody: ui.NoSettingsMethod,
		missing: "The settings request could not be found. Please restart the flow.",
		methods: []string{"profile", "password", "oidc", "totp", "webauthn", "passkey", "lookup_secret"},
	},
	flow.Recovery: {
		settings: func(f config.Flows) config.Flow { return f.Recovery.Flow },
		expired:  ui.RecoveryExpired, nobody: ui.NoRecoveryMethod,
		missing: "The recovery request could not be found. Please restart the flow.",
		methods: []string{config.UseCode, config.UseLink},
	},
	flow.Verification: {
		settings: func(f config.Flows) config.Flow { return f.Verification.Flow },
		expired:  ui.VerificationExpired, nobody: ui.NoVerificationMethod,
		missing: "The verification request could not be found. Please restart the flow.",
	},
}

// settings is the configuration of a flow's kind.
func (e *Engine) settings(of flow.Kind) config.Flow { return kinds[of].settings(e.Config.Flows) }

// begin reads what a submission is about. When it cannot go on, because there
// is no such flow or it has expired, it answers and returns no step.
func (e *Engine) begin(w http.ResponseWriter, r *http.Request, ask store.Ask) (*flow.Step, *store.Opening) {
	ask.Flow = r.URL.Query().Get("flow")
	if _, err := secret.ParseUUID(ask.Flow); err != nil {
		e.failBrowser(w, r, errNoFlow)
		return nil, nil
	}
	if token, found := e.token(r); found {
		ask.Token = &token
	}
	opening, err := e.Store.Open(r.Context(), ask)
	if missing := kinds[ask.Kind].missing; missing != "" && fault.Is(err, fault.NotFound) {
		err = &fault.Error{Kind: fault.NotFound, Reason: missing}
	}
	if err != nil {
		e.overrun(r, ask.Kind, err)
		e.failBrowser(w, r, err)
		return nil, nil
	}
	return e.prepare(w, r, opening)
}

// prepare makes a step of what was read for it.
func (e *Engine) prepare(w http.ResponseWriter, r *http.Request, opening *store.Opening) (*flow.Step, *store.Opening) {
	step := &flow.Step{Now: e.Now(), Rand: e.Rand}
	e.look(step, opening)
	var err error
	if step.Schema, err = e.Schemas.Schema(r.Context(), e.schemaOf(step)); err != nil {
		e.failSubmit(w, r, step.Flow, err)
		return nil, nil
	}
	return step, opening
}

// look lets a step see what was read for it.
func (e *Engine) look(step *flow.Step, opening *store.Opening) {
	step.Flow, step.Session, step.Owner = opening.Flow, nil, nil
	step.Screen = e.firstScreen(step.Flow)
	if e.alive(opening.Bearer) {
		step.Session, step.Owner = opening.Bearer.Session, opening.Bearer.Owner.Clone()
		step.Flow.Owner = opening.Bearer.Owner
	}
}

// judged is how a submission is decided.
type judged func(context.Context, *flow.Step) (flow.Outcome, error)

// settle lets a submission be judged and stores what was decided. A lost race is
// read again and decided anew, by what is true then; web hooks are called again
// as well.
func (e *Engine) settle(
	r *http.Request, step *flow.Step, opening *store.Opening, judge judged, write func(context.Context, flow.Outcome) error,
) (flow.Outcome, error) {
	var outcome flow.Outcome
	raced := false
	err := store.Again(r.Context(), func(ctx context.Context) (err error) {
		if opening.Overdrawn {
			return errTooOften
		}
		if raced {
			if err := e.Store.Reopen(ctx, opening); err != nil {
				return err
			}
			e.look(step, opening)
		}
		raced = true
		if outcome, err = judge(ctx, step); err != nil {
			return err
		}
		step.Flow.UpdatedAt = step.Now
		return write(ctx, outcome)
	})
	if errors.Is(err, store.ErrConsumed) && outcome.Late != nil {
		err = outcome.Late
	}
	e.heard(r, step, outcome, err)
	return outcome, err
}

// submitTo is the part of every judgement that comes before the method's own: it
// finds the door that a submission is meant for, guards it, and pays for a guess
// at the caller's second factor. Every way in goes through here.
func (e *Engine) submitTo(r *http.Request, step *flow.Step) (string, *flow.Door, error) {
	id, door, err := e.chosen(step.Flow, step.Form)
	if err != nil {
		return "", nil, err
	}
	if err := e.guard(r, step.Flow, door, step.Form); err != nil {
		return "", nil, err
	}
	if door.Spends != nil && step.Owner != nil && door.Spends(step.Form) {
		err = e.Store.Spend(r.Context(), step.Owner.ID)
	}
	return id, door, err
}

// claimed returns who a submission to a door is about: who owns what it names.
// Where it names nobody, a door that judges the flow's proofs is about whom they
// were sent to, and any other one about nobody.
func (e *Engine) claimed(ctx context.Context, door *flow.Door, opening *store.Opening) (*identity.Identity, error) {
	switch {
	case door.Claims == nil:
		return nil, nil
	case door.Guesses != nil || door.Follow != nil:
		return e.Store.Addressee(ctx, opening)
	default:
		return e.Store.Claimed(ctx, opening)
	}
}

func (e *Engine) disabled(of flow.Kind, name string) bool {
	inRoster := func(m flow.Method) bool { return m.ID == name && m.Door(of) != nil }
	return slices.Contains(kinds[of].methods, name) && !slices.ContainsFunc(e.Methods, inRoster)
}

// asking is what the first round trip of a submission is to bring, and what it
// pays for.
func (e *Engine) asking(of flow.Kind, sent submission) store.Ask {
	guard, aliases := e.claim(of, sent.plain)
	return store.Ask{Kind: of, Guard: guard, Aliases: aliases, Guesses: e.guesses(of, sent.plain)}
}

// guesses returns how often a submission of this kind may be made, 0 for as
// often as one likes.
func (e *Engine) guesses(of flow.Kind, form identity.Form) int {
	for _, method := range e.Methods {
		if door := method.Door(of); door != nil && door.Guesses != nil && door.Guesses(form) {
			return e.Config.Methods.Code.MaxSubmissions
		}
	}
	return 0
}

// claim names the identifier whose owner a submission claims to be, as its
// guard, and its aliases; "" when no method takes the submission or it names
// nobody.
func (e *Engine) claim(of flow.Kind, form identity.Form) (guard string, aliases []string) {
	for _, method := range e.Methods {
		door := method.Door(of)
		if door == nil || door.Claims == nil || !door.Answers(method.ID, form) {
			continue
		}
		if guard = door.Claims(form); guard != "" && door.Aliases != nil {
			aliases = door.Aliases(form)
		}
		return guard, aliases
	}
	return "", nil
}
