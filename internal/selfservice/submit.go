package selfservice

import (
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

// readForm reads a submission along a schema, nil where it has no traits.
func readForm(w http.ResponseWriter, r *http.Request, schema *identity.Schema) (identity.Form, error) {
	if r.Method != http.MethodPost {
		return identity.Form{}, nil
	}
	limit := int64(maxForm)
	if web.WantsJSON(r) {
		limit = maxJSON
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return identity.Form{}, fault.Bad("The request body is too large.")
	}
	if err != nil {
		return identity.Form{}, fault.Bad("The request body could not be read.")
	}
	return identity.ReadForm(r.Header.Get("Content-Type"), body, schema)
}

// chosen returns the door of the method that a submission is meant for. A method
// that is known and switched off is a NotFound fault.
func (e *Engine) chosen(f *flow.Flow, form identity.Form) (*flow.Door, error) {
	for _, method := range e.offered(f) {
		door := method.Door(f.Kind)
		if door.Submit != nil && door.Answers(method.ID, form) {
			return door, nil
		}
	}
	if e.disabled(f.Kind, form.Get("method")) {
		return nil, &fault.Error{
			Kind:   fault.NotFound,
			Reason: "This endpoint was disabled by system administrator. Please check your url or contact the system administrator to enable it.",
		}
	}
	return nil, fault.InvalidField("", ui.Say(kinds[f.Kind].nobody))
}

// guard refuses a submission that did not come from where the flow belongs.
func (e *Engine) guard(r *http.Request, f *flow.Flow, door *flow.Door, form identity.Form) error {
	if door.Unguarded != nil && door.Unguarded(form) {
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
		e.failBrowser(w, r, err)
		return nil, nil
	}
	step := &flow.Step{Flow: opening.Flow, Screen: e.firstScreen(), Now: e.Now(), Rand: e.Rand}
	if e.alive(opening.Bearer) {
		step.Session, step.Owner = opening.Bearer.Session, opening.Bearer.Owner
	}
	if step.Schema, err = e.Schemas.Schema(r.Context(), e.schemaOf(step.Flow)); err != nil {
		e.failSubmit(w, r, step.Flow, err)
		return nil, nil
	}
	if step.Flow.Expired(step.Now) {
		e.replaceExpired(w, r, step)
		return nil, nil
	}
	return step, opening
}

func (e *Engine) disabled(of flow.Kind, name string) bool {
	inRoster := func(m flow.Method) bool { return m.ID == name && m.Door(of) != nil }
	return slices.Contains(kinds[of].methods, name) && !slices.ContainsFunc(e.Methods, inRoster)
}

// claim names the identifier whose owner a submission claims to be, as its
// guard; "" when no method takes the submission or it names nobody.
func (e *Engine) claim(of flow.Kind, form identity.Form) string {
	for _, method := range e.Methods {
		door := method.Door(of)
		if door == nil || door.Claims == nil || !door.Answers(method.ID, form) {
			continue
		}
		return door.Claims(form)
	}
	return ""
}
