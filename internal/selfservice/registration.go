package selfservice

import (
	"context"
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
	step, _ := e.begin(w, r, store.Ask{Kind: flow.Registration})
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
	f.Transient = shownTransient(step.Form)
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
	f.Transient = step.Form.Transient
	verification, mail, err := e.sendVerification(r, f, who)
	if err != nil {
		e.failFlow(w, r, step, err)
		return
	}
	if verification != nil && !f.Native() {
		verification.Browser = e.Cookies.NextBrowser(r)
	}
	live, token := e.newSession(r, who, outcome.Method)
	if err := e.Store.Register(r.Context(), f, who, live, verification, mail); err != nil {
		f.Active = ""
		e.failFlow(w, r, step, e.refusedRegistration(r.Context(), who, err))
		return
	}
	e.posted(mail)
	hooks := hooksAfter(after, f.Active, config.HookSession, config.HookShowVerificationUI)
	done := registered{
		signedIn: signedIn{who: who, live: live, token: token},
		handOut:  has(after.Methods[f.Active].Hooks, config.HookSession),
		target:   target,
	}
	if verification != nil && (has(hooks, config.HookShowVerificationUI) || e.Config.FeatureFlags.LegacyContinueVerificationUI) {
		done.verification = verification
	}
	if verification != nil && !f.Native() && !done.handOut {
		e.Cookies.RotateCSRF(w, r)
	}
	e.answerRegistration(w, r, f, done)
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

// registered is how a registration ended.
type registered struct {
	signedIn

	handOut      bool       // whether the session is handed out
	verification *flow.Flow // to be shown next, if any
	target       *url.URL
}

func (e *Engine) answerRegistration(w http.ResponseWriter, r *http.Request, f *flow.Flow, done registered) {
	public := done.who.Public(e.base())
	answer := registrationAnswer{Identity: &public}
	if done.handOut {
		view := e.showSession(done.live, done.who)
		answer.Session = &view
	}
	script := !f.Native() && web.AcceptsJSON(r)
	if script {
		answer.ContinueWith = append(answer.ContinueWith, redirectTo(done.target))
	}
	if done.verification != nil {
		answer.ContinueWith = append(answer.ContinueWith, e.showVerification(done.verification, done.verification.Proof.Address))
	}
	if !f.Native() && done.handOut {
		e.give(w, r, done.signedIn)
	}
	switch {
	case f.Native():
		if done.handOut {
			answer.Token = done.token.String()
			answer.ContinueWith = append(answer.ContinueWith, keepToken(done.token))
		}
		web.JSON(w, http.StatusOK, answer)
	case script:
		web.JSON(w, http.StatusOK, answer)
	case done.verification != nil:
		web.Redirect(w, r, e.page(done.verification), http.StatusSeeOther)
	default:
		web.Redirect(w, r, done.target.String(), http.StatusSeeOther)
	}
}
