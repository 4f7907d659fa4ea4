package selfservice

import (
	"context"
	"errors"
	"net/http"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/hook"
	"styx/internal/identity"
	"styx/internal/session"
	"styx/internal/store"
	"styx/internal/ui"
	"styx/internal/web"
)

// submitRegistration answers a submission to a registration flow.
func (e *Engine) submitRegistration(w http.ResponseWriter, r *http.Request) {
	sent := read(w, r)
	step, opening := e.begin(w, r, e.asking(flow.Registration, sent))
	if step == nil || e.replacedExpired(w, r, step) {
		return
	}
	if step.Session != nil {
		e.refuseLogin(w, r, step, errRegistrationNeedless)
		return
	}
	var err error
	if step.Form, err = sent.along(step.Schema); err != nil {
		e.failFlow(w, r, step, err)
		return
	}
	var done registered
	outcome, err := e.settle(r, step, opening, e.judgeRegistration(r), func(ctx context.Context, outcome flow.Outcome) (err error) {
		if outcome.Method.Method == "" {
			return e.nextScreen(ctx, r.Header, step, outcome)
		}
		active := step.Flow.Active
		if done, err = e.register(r, step, outcome); err != nil {
			step.Flow.Active, step.Flow.Transient = active, nil
		}
		return err
	})
	if err == nil && outcome.Method.Method != "" {
		// The account exists by now: who is told of a failure can log in.
		err = e.ask(r, hooksAfter(e.Config.Flows.Registration.After, step.Flow.Active, observing), told{flow: step.Flow, who: done.who}, nil)
	}
	switch {
	case err != nil:
		e.failFlow(w, r, step, e.refusedRegistration(r.Context(), step.Draft, err))
	case outcome.Method.Method == "":
		step.Flow.Transient = shownTransient(step.Form)
		e.answerAgain(w, r, step, http.StatusSeeOther)
	default:
		e.answerRegistration(w, r, step.Flow, done)
	}
}

// judgeRegistration lets the chosen method judge a submission.
func (e *Engine) judgeRegistration(r *http.Request) judged {
	return func(ctx context.Context, step *flow.Step) (flow.Outcome, error) {
		id, door, err := e.submitTo(r, step)
		if err != nil {
			return flow.Outcome{}, err
		}
		if step.Rules, err = e.Schemas.Rules(ctx, e.schemaOf(step)); err != nil {
			return flow.Outcome{}, err
		}
		step.Draft = identity.New(e.newID(), e.schemaOf(step), step.Now)
		step.Draft.Traits = step.Form.Traits
		step.Draft.OrganizationID = step.Flow.OrganizationID
		outcome, err := door.Submit(ctx, step)
		if err == nil && step.Flow.State == flow.SentEmail {
			step.Flow.Active = id
		}
		return outcome, err
	}
}

// nextScreen stores the screen that a submission led to.
func (e *Engine) nextScreen(ctx context.Context, headers http.Header, step *flow.Step, outcome flow.Outcome) error {
	f := step.Flow
	if f.State != flow.SentEmail {
		f.Active = ""
		f.UI.Hush()
		if step.Screen == flow.CredentialScreen {
			f.UI.Messages = []ui.Message{ui.Say(ui.ChooseCredential)}
		}
		if err := e.fill(ctx, step); err != nil {
			return err
		}
	}
	return e.storeAgain(ctx, headers, step, outcome)
}

// register stores a new identity, with a session that is handed out where a hook
// says so, and the verification of its first address.
func (e *Engine) register(r *http.Request, step *flow.Step, outcome flow.Outcome) (registered, error) {
	f, who, after := step.Flow, outcome.Who, e.Config.Flows.Registration.After
	f.Active, f.Transient = outcome.Method.Method, step.Form.Transient
	if outcome.Spent { // whatever comes of it
		f.State, f.Proofs = flow.ChallengePassed, nil
	}
	target, err := e.target(f, after)
	if err != nil {
		return registered{}, err
	}
	judges := only(after.Methods[f.Active].Hooks, blocking)
	err = e.ask(r, judges, told{flow: f, who: stranger(who)}, func(wanted *hook.Change) error { return e.change(step, who, wanted) })
	if err != nil {
		return registered{}, err
	}
	done := registered{
		signedIn: signedIn{who: who, target: target},
		handOut:  has(after.Methods[f.Active].Hooks, config.HookSession),
	}
	done.live, done.token = e.newSession(r, who, outcome.Method)
	step.Session = done.live
	change := store.Change{Flow: f, Consume: true, Same: !outcome.Spent, Who: who, Session: done.live}
	started, err := e.verify(r, f, who, unverified)
	if err != nil {
		return registered{}, err
	}
	hooks := hooksAfter(after, f.Active, observing)
	mail, err := e.post(r, hooks, told{flow: f, who: who})
	if err != nil {
		return registered{}, err
	}
	change.Mail = append(change.Mail, mail...)
	begun, err := e.commitVerifying(r.Context(), change, started)
	if err != nil {
		return registered{}, err
	}
	if has(hooks, config.HookShowVerificationUI) || e.Config.FeatureFlags.LegacyContinueVerificationUI {
		done.verifications = begun
	}
	done.verifies = len(begun) > 0
	return done, nil
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

	handOut  bool // whether the session is handed out
	verifies bool // whether an address is being verified
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
	answer.ContinueWith = append(answer.ContinueWith, e.showVerifications(done.verifications)...)
	switch {
	case f.Native():
	case done.handOut:
		e.give(w, r, done.signedIn)
	case done.verifies:
		e.Cookies.RotateCSRF(w, r)
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
	case len(done.verifications) > 0:
		web.Redirect(w, r, e.page(done.verifications[0]), http.StatusSeeOther)
	default:
		web.Redirect(w, r, done.target.String(), http.StatusSeeOther)
	}
}
