package selfservice

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/session"
	"styx/internal/store"
	"styx/internal/ui"
	"styx/internal/web"
)

// submitRegistration answers a submission to a registration flow.
func (e *Engine) submitRegistration(w http.ResponseWriter, r *http.Request) {
	step, _ := e.begin(w, r, flow.Registration, "")
	if step == nil {
		return
	}
	if step.Session != nil {
		e.refuseLogin(w, r, step, alreadySignedIn(registrationImpossible))
		return
	}
	var err error
	if step.Form, err = readForm(w, r, step.Schema); err != nil {
		e.failFlow(w, r, step, err)
		return
	}
	outcome, err := e.judgeRegistration(r, step)
	switch {
	case err != nil:
		e.failFlow(w, r, step, err)
	case outcome.Who == nil:
		e.nextScreen(w, r, step)
	default:
		e.finishRegistration(w, r, step, outcome)
	}
}

// judgeRegistration lets the chosen method judge a submission.
func (e *Engine) judgeRegistration(r *http.Request, step *flow.Step) (flow.Outcome, error) {
	door, err := e.chosen(step.Flow, step.Form)
	if err != nil {
		return flow.Outcome{}, err
	}
	if err := e.guard(r, step.Flow, door, step.Form); err != nil {
		return flow.Outcome{}, err
	}
	rules, err := e.Schemas.Rules(r.Context(), e.schemaOf(step.Flow))
	if err != nil {
		return flow.Outcome{}, err
	}
	step.Draft = identity.New(e.newID(), e.schemaOf(step.Flow), step.Now)
	step.Draft.Traits = step.Form.Traits
	step.Draft.OrganizationID = step.Flow.OrganizationID
	step.Rules = rules
	return door.Submit(r.Context(), step)
}

// nextScreen shows the screen that a submission led to.
func (e *Engine) nextScreen(w http.ResponseWriter, r *http.Request, step *flow.Step) {
	f := step.Flow
	f.Active = ""
	f.UI.Hush()
	if step.Screen == flow.CredentialScreen {
		f.UI.Messages = []ui.Message{ui.Say(ui.ChooseCredential)}
	}
	err := e.fill(r.Context(), step)
	if err == nil {
		err = e.save(r, f)
	}
	if err != nil {
		e.failSubmit(w, r, f, err)
		return
	}
	f.Transient = step.Form.Transient
	if f.Transient == nil {
		f.Transient = json.RawMessage("{}")
	}
	e.answerAgain(w, r, f, http.StatusSeeOther)
}

// finishRegistration stores a new identity and signs it in where a hook says so.
func (e *Engine) finishRegistration(w http.ResponseWriter, r *http.Request, step *flow.Step, outcome flow.Outcome) {
	f, who := step.Flow, outcome.Who
	f.Active = outcome.Method.Method
	after := e.Config.Flows.Registration.After
	target, err := e.target(f, after)
	if err != nil {
		e.failFlow(w, r, step, err)
		return
	}
	live, token := e.newSession(r, who, outcome.Method)
	if err := e.Store.Register(r.Context(), f, who, live); err != nil {
		f.Active = ""
		e.failFlow(w, r, step, e.refusedRegistration(r.Context(), who, err))
		return
	}
	in := signedIn{who: who, live: live, token: token}
	e.answerRegistration(w, r, f, in, has(after.Methods[f.Active].Hooks, config.HookSession), target)
}

// refusedRegistration says why an identity was not stored.
func (e *Engine) refusedRegistration(ctx context.Context, draft *identity.Identity, err error) error {
	if by, taken := errors.AsType[*store.TakenError](err); taken {
		message, err := e.taken(ctx, draft, by)
		if err != nil {
			return err
		}
		return fault.InvalidField("", message)
	}
	if errors.Is(err, store.ErrConsumed) {
		return fault.InvalidField("", ui.Say(ui.RegistrationDone))
	}
	return err
}

// registrationAnswer is what an app gets for a registration.
type registrationAnswer struct {
	Token        string                   `json:"session_token,omitempty"`
	Session      *session.View            `json:"session,omitempty"`
	Identity     *identity.PublicIdentity `json:"identity"`
	ContinueWith []continuation           `json:"continue_with"`
}

func (e *Engine) answerRegistration(w http.ResponseWriter, r *http.Request, f *flow.Flow, in signedIn, handOut bool, target *url.URL) {
	public := in.who.Public(e.base())
	answer := registrationAnswer{Identity: &public}
	if handOut {
		view := e.showSession(in.live, in.who)
		answer.Session = &view
	}
	if f.Native() {
		if handOut {
			answer.Token = in.token.String()
			answer.ContinueWith = append(answer.ContinueWith, keepToken(in.token))
		}
		web.JSON(w, http.StatusOK, answer)
		return
	}
	if handOut {
		e.give(w, r, in)
	}
	if web.AcceptsJSON(r) {
		answer.ContinueWith = append(answer.ContinueWith, redirectTo(target))
		web.JSON(w, http.StatusOK, answer)
		return
	}
	web.Redirect(w, r, target.String(), http.StatusSeeOther)
}
