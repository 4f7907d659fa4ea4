package selfservice

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/store"
	"styx/internal/table"
	"styx/internal/ui"
	"styx/internal/web"
)

// submitLogin answers a submission to a login flow. A submission that names an
// identifier costs the same reads, attempts and hashes whoever owns it.
func (e *Engine) submitLogin(w http.ResponseWriter, r *http.Request) {
	sent := read(w, r)
	step, opening := e.begin(w, r, e.asking(flow.Login, sent))
	if step == nil || e.replacedExpired(w, r, step) {
		return
	}
	step.Form = sent.plain
	if err := e.mayLogin(step); err != nil {
		e.refuseLogin(w, r, step, err)
		return
	}
	if sent.err != nil {
		e.failFlow(w, r, step, sent.err)
		return
	}
	var in signedIn
	outcome, err := e.settle(r, step, opening, e.judgeLogin(r, opening), func(ctx context.Context, outcome flow.Outcome) (err error) {
		if outcome.Method.Method == "" {
			return e.storeAgain(ctx, r.Header, step, outcome)
		}
		in, err = e.admit(r, step, outcome, opening.Bearer)
		return err
	})
	held, isHeld := errors.AsType[*unverifiedError](err)
	switch {
	case isHeld:
		e.answerUnverified(w, r, step.Flow, held)
	case err != nil:
		e.failFlow(w, r, step, err)
	case outcome.Navigates && (step.Flow.Native() || web.WantsJSON(r)):
		web.Fail(w, r, mustNavigate(e.page(step.Flow)))
	case outcome.Method.Method == "":
		if outcome.Refused == nil {
			step.Flow.Transient = shownTransient(step.Form)
		}
		e.answerAgain(w, r, step, http.StatusSeeOther)
	default:
		if outcome.Upgrade != nil {
			if err := e.Store.Upgrade(r.Context(), outcome.Who, outcome.Upgrade); err != nil {
				slog.WarnContext(r.Context(), "credential was not upgraded", "error", err)
			}
		}
		e.answerLogin(w, r, step.Flow, in)
	}
}

// errTooOften says that a flow's code was guessed at too often.
var errTooOften = fault.Bad("The request was submitted too often. Please request another code.")

// mayLogin refuses a submission that the caller's session makes pointless.
func (e *Engine) mayLogin(step *flow.Step) error {
	switch f := step.Flow; {
	case step.Session == nil && f.RequestedAAL == session.AAL2:
		return errNoFirstFactor
	case step.Session != nil && !f.Refresh && f.RequestedAAL <= step.Session.AAL:
		return errLoginNeedless
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
func (e *Engine) judgeLogin(r *http.Request, opening *store.Opening) judged {
	return func(ctx context.Context, step *flow.Step) (flow.Outcome, error) {
		if err := e.mayLogin(step); err != nil {
			return flow.Outcome{}, err // the session ended meanwhile
		}
		id, door, err := e.submitTo(r, step)
		if err != nil {
			return flow.Outcome{}, err
		}
		if step.Claimed, err = e.claimed(ctx, door, opening); err != nil {
			return flow.Outcome{}, err
		}
		step.Known = e.known(r, step.Flow, step.Claimed)
		outcome, err := door.Submit(ctx, step)
		if err == nil && step.Screen == flow.CredentialScreen {
			id, outcome, err = e.askCredential(ctx, step, id)
		}
		switch {
		case err != nil || outcome.Method.Method != "":
		case outcome.Refused != nil:
			e.tell(step, outcome.Refused)
		case step.Flow.State == flow.SentEmail || step.Screen == flow.CredentialScreen:
			step.Flow.Active = id
		}
		return outcome, err
	}
}

// known asks the older system that people move in from about their password.
func (e *Engine) known(r *http.Request, f *flow.Flow, who *identity.Identity) func(context.Context, string, string) (bool, error) {
	return func(ctx context.Context, identifier, password string) (bool, error) {
		if !e.Config.Methods.Password.MigrateHook.Enabled {
			return false, &fault.Error{
				ID: "invalid_configuration", Message: "Invalid configuration",
				Reason: "Password migration hook is not enabled but password migration is requested.",
			}
		}
		return e.Hooks.Known(ctx, e.Config.Methods.Password.MigrateHook, e.hookContext(r, told{flow: f, who: who}), identifier, password)
	}
}

// askCredential asks whoever said who they are for what they have. Where nobody is
// to learn who has an account, it asks everybody for everything. Where a single
// method is left, it takes its first step at once; its id is returned in place of
// the one that was submitted to.
func (e *Engine) askCredential(ctx context.Context, step *flow.Step, id string) (string, flow.Outcome, error) {
	f, alike := step.Flow, e.Config.Security.MitigateEnumeration
	f.Active, f.State, f.Proofs = "", flow.ChooseMethod, nil
	f.UI.Messages, f.UI.Nodes = nil, []ui.Node{ui.CSRF("")}
	step.Screen = flow.IdentifierScreen
	if err := e.fill(ctx, step); err != nil {
		return "", flow.Outcome{}, err
	}
	f.UI.SetValue("identifier", step.Form.Get("identifier"))
	switch {
	case alike && !step.Form.Has("identifier"):
		return "", flow.Outcome{}, fault.InvalidField("identifier", ui.Missing("identifier"))
	case alike:
		step.Claimed = nil
	case step.Claimed == nil:
		return "", flow.Outcome{}, errNoMethod
	}
	step.Screen = flow.CredentialScreen
	asked := slices.Clone(f.UI.Nodes)
	adding, err := e.add(ctx, step)
	if err == nil && len(adding) == 0 && !alike {
		f.UI.Nodes, err = asked, errNoMethod
	}
	if err != nil {
		return "", flow.Outcome{}, err
	}
	if first := leader(step, adding); first != nil && !alike {
		outcome, err := first()
		return cmp.Or(f.Active, id), outcome, err
	}
	return id, flow.Again(), nil
}

var errNoMethod = fault.InvalidField("identifier", ui.Say(ui.NoMethodAccount))

// admit signs in whoever passed: hooks that may refuse, then one write.
func (e *Engine) admit(r *http.Request, step *flow.Step, outcome flow.Outcome, current *store.Bearer) (signedIn, error) {
	f, who, after := step.Flow, outcome.Who, e.Config.Flows.Login.After
	change, anew := store.Change{Once: outcome.Once}, f.Active != outcome.Method.Method
	f.Active, f.Transient = outcome.Method.Method, step.Form.Transient
	if outcome.Spent { // whatever comes of it
		if f.State == flow.SentEmail {
			f.State, f.Proofs = flow.ChallengePassed, nil
		}
		change.Flow, change.Consume = f, true
	}
	target, err := e.target(f, after)
	if err == nil && !who.Active() {
		err = errDisabled
	}
	if err != nil {
		return signedIn{}, err
	}
	in := signedIn{who: who, live: step.Session, same: step.Session != nil && step.Session.IdentityID == who.ID, target: target}
	if in.same {
		in.token = current.Token
		in.live.Authenticated(outcome.Method, e.Now(), e.Config.Session.Lifespan)
	} else {
		in.live, in.token = e.newSession(r, who, outcome.Method)
	}
	change.Session, step.Session = in.live, in.live
	if outcome.Changed {
		change.Who = who
	}
	if err := e.afterLogin(r, step, &in, &change); err != nil {
		return signedIn{}, err
	}
	commit := func(ctx context.Context) error {
		begun, err := e.commitVerifying(ctx, change, in.started)
		if has(hooksAfter(after, f.Active, anyHook), config.HookShowVerificationUI) {
			in.verifications = begun
		}
		return err
	}
	if !anew || outcome.Spent {
		err := commit(r.Context())
		return in, err
	}
	// The flow tells by which method somebody passed, should it be submitted again.
	// It does not matter where that is lost.
	note := func(ctx context.Context) error {
		if err := e.Store.SaveFlow(ctx, f); err != nil {
			slog.WarnContext(ctx, "flow does not tell its method", "error", err)
		}
		return nil
	}
	err = table.Together(r.Context(), commit, note)
	return in, err
}

// afterLogin runs the hooks of a login, in their order, before the session is
// handed out: one that refuses prevents it.
func (e *Engine) afterLogin(r *http.Request, step *flow.Step, in *signedIn, change *store.Change) error {
	f, who := step.Flow, in.who
	of := told{flow: f, who: who, session: in.live}
	hooks := hooksAfter(e.Config.Flows.Login.After, f.Active, anyHook)
	for _, h := range hooks {
		switch h.Name {
		case config.HookWeb:
			if err := e.ask(r, []config.Hook{h}, of, nil); err != nil {
				return err
			}
		case config.HookRequireVerified:
			if err := e.requireVerified(r, step, who); err != nil {
				return err
			}
		case config.HookRevokeSessions:
			change.Who, change.Alone = who, true
		case config.HookVerification:
			started, err := e.verify(r, f, who, unverified)
			if err != nil {
				return err
			}
			for _, one := range started.begun {
				if !one.Native() && !in.same {
					one.Browser = e.Cookies.NextBrowser(r) // the browser gets another token with its session
				}
			}
			in.started = started
		}
	}
	mail, err := e.post(r, hooks, of)
	change.Mail = append(change.Mail, mail...)
	return err
}

// commit stores a change and wakes whoever delivers its messages.
func (e *Engine) commit(ctx context.Context, change store.Change) error {
	err := e.Store.Commit(ctx, change)
	if err == nil {
		e.posted(change.Mail)
	}
	return err
}

// storeAgain stores the flow that leads to a further screen, with what is sent.
func (e *Engine) storeAgain(ctx context.Context, headers http.Header, step *flow.Step, outcome flow.Outcome) error {
	mail, err := e.press(headers, outcome)
	if err != nil {
		return err
	}
	change := store.Change{Flow: step.Flow, Fresh: len(mail) > 0, Mail: mail, To: addressees(outcome)}
	if outcome.Changed {
		change.Who = outcome.Who
	}
	return e.commit(ctx, change)
}

// addressees are the addresses that an outcome sends something to.
func addressees(outcome flow.Outcome) []identity.Address {
	var to []identity.Address
	for _, draft := range outcome.Mail {
		to = append(to, identity.Address{Via: draft.Via, Value: draft.To})
	}
	return to
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

	started       verifying    // what begins with it
	verifications []*flow.Flow // to be shown next, if any
	target        *url.URL
}

// loginAnswer is what an app gets for a login.
type loginAnswer struct {
	Token        string         `json:"session_token,omitempty"`
	Session      session.View   `json:"session"`
	ContinueWith []continuation `json:"continue_with"`
}

func (e *Engine) answerLogin(w http.ResponseWriter, r *http.Request, f *flow.Flow, in signedIn) {
	enough := e.satisfies(in.live, in.who)
	next := e.showVerifications(in.verifications)
	if f.Native() {
		answer := loginAnswer{Token: in.token.String(), Session: e.showLogin(r, in), ContinueWith: next}
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
			Session: e.showLogin(r, in), ContinueWith: append([]continuation{redirectTo(in.target)}, next...),
		})
	case json:
		web.Fail(w, r, mustNavigate(stepUp))
	case !enough:
		web.Redirect(w, r, stepUp, http.StatusSeeOther)
	case len(in.verifications) > 0:
		web.Redirect(w, r, e.page(in.verifications[0]), http.StatusSeeOther)
	default:
		web.Redirect(w, r, in.target.String(), http.StatusSeeOther)
	}
}
