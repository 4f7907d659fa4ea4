package selfservice

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/store"
	"styx/internal/web"
)

// submitLogin answers a submission to a login flow. A submission that names an
// identifier costs the same reads, attempts and hashes whoever owns it.
func (e *Engine) submitLogin(w http.ResponseWriter, r *http.Request) {
	form, unreadable := readForm(w, r, nil)
	step, opening := e.begin(w, r, store.Ask{Kind: flow.Login, Guard: e.claim(flow.Login, form)})
	if step == nil {
		return
	}
	step.Form = form
	if err := e.mayLogin(step); err != nil {
		e.refuseLogin(w, r, step, err)
		return
	}
	if unreadable != nil {
		e.failFlow(w, r, step, unreadable)
		return
	}
	outcome, err := e.judgeLogin(r, step, opening)
	if err != nil {
		e.failFlow(w, r, step, err)
		return
	}
	e.finishLogin(w, r, step, outcome, opening.Bearer)
}

// mayLogin refuses a submission that the caller's session makes pointless.
func (e *Engine) mayLogin(step *flow.Step) error {
	switch f := step.Flow; {
	case step.Session == nil && f.RequestedAAL == session.AAL2:
		return errNoFirstFactor
	case step.Session != nil && !f.Refresh && f.RequestedAAL <= step.Session.AAL:
		return alreadySignedIn(loginImpossible)
	default:
		return nil
	}
}

// refuseLogin sends a browser that is signed in already on its way.
func (e *Engine) refuseLogin(w http.ResponseWriter, r *http.Request, step *flow.Step, err error) {
	if fault.HasID(err, "session_already_available") && !step.Flow.Native() && !web.WantsJSON(r) {
		web.Redirect(w, r, e.Config.SelfService.DefaultReturnURL.String(), http.StatusSeeOther)
		return
	}
	e.failFlow(w, r, step, err)
}

// judgeLogin lets the chosen method judge a submission.
func (e *Engine) judgeLogin(r *http.Request, step *flow.Step, opening *store.Opening) (flow.Outcome, error) {
	door, err := e.chosen(step.Flow, step.Form)
	if err != nil {
		return flow.Outcome{}, err
	}
	if err := e.guard(r, step.Flow, door, step.Form); err != nil {
		return flow.Outcome{}, err
	}
	if door.Claims != nil {
		if step.Claimed, err = e.Store.Claimed(r.Context(), opening); err != nil {
			return flow.Outcome{}, err
		}
	}
	return door.Submit(r.Context(), step)
}

// finishLogin signs in whoever passed: hooks that may refuse, one write, then
// the answer, which hands the session out.
func (e *Engine) finishLogin(w http.ResponseWriter, r *http.Request, step *flow.Step, outcome flow.Outcome, current *store.Bearer) {
	f, who := step.Flow, outcome.Who
	f.Active = outcome.Method.Method
	hooks := hooksAfter(e.Config.Flows.Login.After, f.Active, config.HookRequireVerified, config.HookRevokeSessions)
	target, err := e.target(f, e.Config.Flows.Login.After)
	if err == nil && !who.Active() {
		err = errDisabled
	}
	if err != nil {
		e.failFlow(w, r, step, err)
		return
	}
	if has(hooks, config.HookRequireVerified) {
		if blocked := e.requireVerified(w, r, step, who); blocked {
			return
		}
	}
	in := signedIn{who: who, live: step.Session, same: step.Session != nil && step.Session.IdentityID == who.ID}
	if in.same {
		in.token = current.Token
	} else {
		in.live, in.token = e.newSession(r, who, outcome.Method)
	}
	if err := e.signIn(r.Context(), in, outcome.Method, has(hooks, config.HookRevokeSessions)); err != nil {
		e.failFlow(w, r, step, err)
		return
	}
	if outcome.Upgrade != nil {
		if err := e.Store.Upgrade(r.Context(), who, outcome.Upgrade); err != nil {
			slog.WarnContext(r.Context(), "credential was not upgraded", "error", err)
		}
	}
	e.answerLogin(w, r, f, in, target)
}

// signIn stores what somebody signed in with: a new session, or one that goes
// on with one more method. Alone means that it ends all others.
func (e *Engine) signIn(ctx context.Context, in signedIn, by session.Method, alone bool) error {
	var goOn func(*session.Session)
	if in.same {
		goOn = func(live *session.Session) { live.Authenticated(by, e.Now(), e.Config.Session.Lifespan) }
	}
	switch {
	case alone:
		return e.Store.RevokeOthers(ctx, in.who, in.live, goOn)
	case in.same:
		return e.Store.Resume(ctx, in.who, in.live, goOn)
	default:
		return e.Store.SignIn(ctx, in.live)
	}
}

var errDisabled = &fault.Error{
	Kind: fault.BadRequest, ID: "identity_disabled", Message: "identity is disabled", Reason: "This account was disabled.",
}

// signedIn is who signed in and with what; same when the session went on.
type signedIn struct {
	who   *identity.Identity
	live  *session.Session
	token secret.Token
	same  bool
}

// loginAnswer is what an app gets for a login.
type loginAnswer struct {
	Token        string         `json:"session_token,omitempty"`
	Session      session.View   `json:"session"`
	ContinueWith []continuation `json:"continue_with"`
}

func (e *Engine) answerLogin(w http.ResponseWriter, r *http.Request, f *flow.Flow, in signedIn, target *url.URL) {
	enough := e.satisfies(in.live, in.who)
	if f.Native() {
		answer := loginAnswer{Token: in.token.String(), Session: e.showLogin(r, in)}
		if !enough {
			answer.Session.Identity = nil
		}
		web.JSON(w, http.StatusOK, answer)
		return
	}
	e.give(w, r, in)
	stepUp := e.stepUp(f.ReturnTo)
	switch json := web.AcceptsJSON(r); {
	case json && enough:
		web.JSON(w, http.StatusOK, loginAnswer{
			Session: e.showLogin(r, in), ContinueWith: []continuation{redirectTo(target)},
		})
	case json:
		web.Fail(w, r, mustNavigate(stepUp))
	case enough:
		web.Redirect(w, r, target.String(), http.StatusSeeOther)
	default:
		web.Redirect(w, r, stepUp, http.StatusSeeOther)
	}
}
