package selfservice

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/store"
	"styx/internal/ui"
	"styx/internal/web"
)

// starts answers the creation of a flow of that type.
func (e *Engine) starts(kind string, start func(*http.Request, string) (*flow.Flow, error)) http.HandlerFunc {
	return e.begins(kind, func(r *http.Request, typ string) (*flow.Flow, lead, error) {
		f, err := start(r, typ)
		return f, nil, err
	})
}

// lead takes the first step of a flow that is about to be opened; nil takes none.
type lead func() (flow.Outcome, error)

// begins is starts for a flow that may take its first step at once.
func (e *Engine) begins(kind string, start func(*http.Request, string) (*flow.Flow, lead, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var f *flow.Flow
		var first lead
		err := error(nil)
		if kind == flow.API {
			err = web.CheckNative(r)
		}
		if err == nil {
			f, first, err = start(r, kind)
		}
		if err == nil {
			err = e.open(r, f, first)
		}
		switch {
		case err == nil && (kind == flow.API || web.AcceptsJSON(r)):
			web.JSON(w, http.StatusOK, e.show(r, f))
		case err == nil:
			web.Redirect(w, r, e.page(f), http.StatusSeeOther)
		case kind == flow.API:
			web.Fail(w, r, err)
		default:
			e.failBrowser(w, r, err)
		}
	}
}

// open calls the hooks before a flow and stores it. Nothing can be shown in the
// form of a flow that never was: what a hook refuses is an error. The first step
// is taken once the hooks let the flow be; where it would send too much, the form
// is shown as it is.
func (e *Engine) open(r *http.Request, f *flow.Flow, first lead) error {
	hooked, err := e.before(r, f)
	if err != nil {
		return err
	}
	if first != nil {
		still := *f
		if err = e.leadOff(r, f, first, hooked); !fault.Is(err, fault.TooMany) {
			return err
		}
		*f = still
	}
	if len(hooked) == 0 {
		return e.Store.SaveFlow(r.Context(), f)
	}
	return e.commit(r.Context(), store.Change{New: []*flow.Flow{f}, Mail: hooked})
}

// leadOff stores a flow with what its first step sends.
func (e *Engine) leadOff(r *http.Request, f *flow.Flow, first lead, mail []*courier.Message) error {
	outcome, err := first()
	if err != nil {
		return err
	}
	sent, err := e.press(r.Header, outcome)
	if err != nil {
		return err
	}
	return e.commit(r.Context(), store.Change{New: []*flow.Flow{f}, Mail: append(mail, sent...), To: addressees(outcome)})
}

// before calls the hooks before a flow, and returns what is to be stored with it.
func (e *Engine) before(r *http.Request, f *flow.Flow) ([]*courier.Message, error) {
	hooks, of := e.settings(f.Kind).Before, told{flow: f}
	if err := e.ask(r, hooks, of, nil); err != nil {
		return nil, unshown(err)
	}
	return e.post(r, hooks, of)
}

// newFlow returns a flow of that kind and type, its form still empty.
func (e *Engine) newFlow(r *http.Request, of flow.Kind, typ string) (*flow.Flow, error) {
	settings := e.settings(of)
	returnTo := r.URL.Query().Get("return_to")
	if _, err := e.Returns.Resolve(returnTo, settings.After.ReturnURL); err != nil {
		return nil, err
	}
	now := e.Now()
	f := &flow.Flow{
		ID: secret.NewV4(e.Rand).String(), Kind: of, Type: typ, State: flow.ChooseMethod,
		RequestURL: e.requestURL(r), ReturnTo: returnTo,
		IssuedAt: now, ExpiresAt: now.Add(settings.Lifespan), UpdatedAt: now,
	}
	e.bind(r, f)
	if organization, err := secret.ParseUUID(r.URL.Query().Get("organization")); err == nil {
		id := organization.String()
		f.OrganizationID = &id
	}
	return f, nil
}

// bind gives a flow its empty form, and ties a browser's flow to the browser.
func (e *Engine) bind(r *http.Request, f *flow.Flow) {
	f.UI = ui.Form{
		Action: e.url("/self-service/"+string(f.Kind), url.Values{"flow": {f.ID}}),
		Method: http.MethodPost,
		Nodes:  []ui.Node{ui.CSRF("")},
	}
	if f.Type == flow.Browser {
		f.Browser = e.Cookies.Browser(r)
	}
}

// alreadySignedIn says that a flow is of no use to the caller. A browser goes to
// where it asked to return to.
func (e *Engine) alreadySignedIn(r *http.Request, why *fault.Error, status int) error {
	target, err := e.Returns.Resolve(r.URL.Query().Get("return_to"), nil)
	if err != nil {
		return why
	}
	return &elsewhere{why, target.String(), status}
}

func needless(message, reason string) *fault.Error {
	return &fault.Error{Kind: fault.BadRequest, ID: "session_already_available", Message: message, Reason: reason}
}

var (
	errLoginNeedless = needless("you are already logged in",
		"A valid session was detected and thus login is not possible. Did you forget to set `?refresh=true`?")
	errRegistrationNeedless = needless("you are already logged in",
		"A valid session was detected and thus registration is not possible.")
	errRecoveryNeedless = needless("", "A valid session was detected and thus recovery is not possible.")
)

func aalOf(asked string) (session.AAL, error) {
	switch level := session.AAL(asked); level {
	case "":
		return session.AAL1, nil
	case session.AAL1, session.AAL2:
		return level, nil
	default:
		return "", fault.Bad("Unable to parse AuthenticationMethod Assurance Level (AAL): expected one of [aal1, aal2] but got " + asked)
	}
}

// startLogin returns a new login flow, or why there is none.
func (e *Engine) startLogin(r *http.Request, typ string) (*flow.Flow, lead, error) {
	level, err := aalOf(r.URL.Query().Get("aal"))
	if err != nil {
		return nil, nil, err
	}
	f, err := e.newFlow(r, flow.Login, typ)
	if err != nil {
		return nil, nil, err
	}
	if f.Schema, err = e.chosenSchema(r); err != nil {
		return nil, nil, err
	}
	f.RequestedAAL = level
	step := &flow.Step{Flow: f, Now: e.Now(), Rand: e.Rand}
	caller, err := e.caller(r)
	switch {
	case err != nil:
		return nil, nil, err
	case caller == nil && level == session.AAL2:
		return nil, nil, errNoFirstFactor
	case caller != nil:
		f.Refresh = r.URL.Query().Get("refresh") == "true"
		if !f.Refresh && level <= caller.Session.AAL {
			return nil, nil, e.alreadySignedIn(r, errLoginNeedless, http.StatusSeeOther)
		}
		step.Session, step.Owner = caller.Session, caller.Owner
		if f.Refresh {
			f.UI.Messages = append(f.UI.Messages, ui.Say(ui.ConfirmItIsYou))
		}
		if level > caller.Session.AAL {
			f.UI.Messages = append(f.UI.Messages, ui.Say(ui.CompleteSecond))
		}
	}
	step.Screen = e.firstScreen(f)
	adding, err := e.add(r.Context(), step)
	if err != nil {
		return nil, nil, err
	}
	e.sort(f, step.Schema)
	if level == session.AAL2 {
		return f, leader(step, adding), nil
	}
	return f, nil, nil
}

// leader returns the first step of a login with which only one method could do
// anything, nil where that one takes none.
func leader(step *flow.Step, adding []flow.Method) lead {
	if len(adding) != 1 || adding[0].Login.Alone == nil {
		return nil
	}
	return func() (flow.Outcome, error) {
		outcome, err := adding[0].Login.Alone(step)
		if len(outcome.Mail) > 0 {
			step.Flow.Active = adding[0].ID
		}
		return outcome, err
	}
}

var errNoFirstFactor = &fault.Error{
	Kind: fault.Unauthorized, ID: "session_aal1_required",
	Message: "aal2 and aal3 can only be requested if a session exists already",
	Reason:  "You can not requested a higher AAL (AAL2/AAL3) without an active session.",
}

// startRegistration returns a new registration flow, or why there is none.
func (e *Engine) startRegistration(r *http.Request, typ string) (*flow.Flow, error) {
	if !e.Config.Flows.Registration.Enabled {
		return nil, &fault.Error{
			Kind: fault.BadRequest, ID: "self_service_flow_disabled",
			Message: "registration flow disabled", Reason: "Registration is not allowed because it was disabled.",
		}
	}
	f, err := e.newFlow(r, flow.Registration, typ)
	if err != nil {
		return nil, err
	}
	if f.Schema, err = e.chosenSchema(r); err != nil {
		return nil, err
	}
	caller, err := e.caller(r)
	if err != nil {
		return nil, err
	}
	if caller != nil {
		return nil, e.alreadySignedIn(r, errRegistrationNeedless, http.StatusSeeOther)
	}
	return f, e.fill(r.Context(), &flow.Step{Flow: f, Screen: e.firstScreen(f), Now: e.Now(), Rand: e.Rand})
}

// firstScreen is the screen that a flow begins with. Whoever confirms a session or
// adds a factor is known already.
func (e *Engine) firstScreen(f *flow.Flow) flow.Screen {
	flows := e.Config.Flows
	switch {
	case f.Kind == flow.Registration && flows.Registration.Style == config.StyleProfileFirst:
		return flow.ProfileScreen
	case f.Kind == flow.Login && flows.Login.Style == config.StyleIdentifierFirst && !f.Refresh && f.RequestedAAL == session.AAL1:
		return flow.IdentifierScreen
	default:
		return flow.Unified
	}
}

// chosenSchema returns the identity schema that a request asks for, "" for the
// default one.
func (e *Engine) chosenSchema(r *http.Request) (string, error) {
	asked := r.URL.Query().Get("identity_schema")
	if asked == "" {
		return "", nil
	}
	for _, schema := range e.Config.Identity.Schemas {
		if schema.ID != asked {
			continue
		}
		if schema.Selectable || asked == e.Config.Identity.DefaultSchemaID {
			return asked, nil
		}
		return "", fault.Bad(fmt.Sprintf("Requested identity schema %q is not enabled for self-service flows.", asked))
	}
	return "", fault.Bad(fmt.Sprintf("Requested identity schema %q does not exist.", asked))
}

// schemaOf is the id of the schema that a step's identity follows.
func (e *Engine) schemaOf(step *flow.Step) string {
	switch {
	case step.Flow.Kind == flow.Settings && step.Owner != nil:
		return step.Owner.SchemaID
	case step.Flow.Schema != "":
		return step.Flow.Schema
	default:
		return e.Config.Identity.DefaultSchemaID
	}
}

// fill lets every method that the flow offers add its nodes, and sorts them.
func (e *Engine) fill(ctx context.Context, step *flow.Step) error {
	_, err := e.add(ctx, step)
	if err == nil {
		e.sort(step.Flow, step.Schema)
	}
	return err
}

// add is fill without an order. It returns the methods that had something to add.
func (e *Engine) add(ctx context.Context, step *flow.Step) ([]flow.Method, error) {
	var err error
	if step.Schema == nil {
		if step.Schema, err = e.Schemas.Schema(ctx, e.schemaOf(step)); err != nil {
			return nil, err
		}
	}
	var adding []flow.Method
	for _, method := range e.offered(step.Flow) {
		door := method.Door(step.Flow.Kind)
		if door.Form == nil {
			continue
		}
		before := len(step.Flow.UI.Nodes)
		if err := door.Form(ctx, step); err != nil {
			return nil, fmt.Errorf("fill form of %s: %w", method.ID, err)
		}
		if len(step.Flow.UI.Nodes) > before {
			adding = append(adding, method)
		}
	}
	if nodes := step.Flow.UI.Nodes; step.Flow.Native() && len(nodes) == 1 && nodes[0].Name() == "csrf_token" {
		step.Flow.UI.Nodes = nil // nothing can be submitted
	}
	return adding, nil
}

// offered are the methods that take part in a flow at the level it asks for.
func (e *Engine) offered(f *flow.Flow) []flow.Method {
	var offered []flow.Method
	for _, method := range e.Methods {
		if method.Door(f.Kind) == nil {
			continue
		}
		switch f.Kind {
		case flow.Login:
			if method.AAL != f.RequestedAAL {
				continue
			}
		case flow.Recovery, flow.Verification: // belong to the method that they began with
			if method.ID != f.Active {
				continue
			}
		case flow.Registration, flow.Settings:
		}
		offered = append(offered, method)
	}
	return offered
}
