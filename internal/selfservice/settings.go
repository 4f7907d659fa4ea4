package selfservice

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"

	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/hook"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/store"
	"styx/internal/ui"
	"styx/internal/web"
)

// Settings returns the handlers of the settings flow.
func (e *Engine) Settings() Handlers {
	return Handlers{
		"GET /self-service/settings/browser": e.starts(flow.Browser, e.startSettings),
		"GET /self-service/settings/api":     e.starts(flow.API, e.startSettings),
		"GET /self-service/settings/flows":   e.fetchSettings,
		"GET /self-service/settings":         e.submitSettings,
		"POST /self-service/settings":        e.submitSettings,
	}
}

var (
	errNoSettingsSession = &fault.Error{
		Kind: fault.Unauthorized, Reason: "A valid Ory Session Cookie or Ory Session Token is missing.",
	}
	errStrangersSettings = &fault.Error{
		Kind: fault.Forbidden, ID: "security_identity_mismatch",
		Reason: "The request was made for another identity and has been blocked for security reasons.",
	}
	errStrangersSubmission = &fault.Error{
		Kind: fault.Forbidden, ID: "security_identity_mismatch",
		Reason: "The request was initiated by someone else and has been blocked for security reasons. Please go back and try again.",
	}
)

// startSettings returns a new settings flow of the caller's, or why there is
// none.
func (e *Engine) startSettings(r *http.Request, typ string) (*flow.Flow, error) {
	caller, err := e.caller(r)
	if err != nil {
		return nil, err
	}
	if caller == nil {
		query := url.Values{}
		if returnTo := r.URL.Query().Get("return_to"); returnTo != "" {
			query.Set("return_to", returnTo)
		}
		return nil, &elsewhere{settingsNobody(typ), e.url("/self-service/login/browser", query), http.StatusSeeOther}
	}
	if !e.enoughForSettings(caller.Session, caller.Owner) {
		target := e.settingsStepUp(r)
		return nil, &elsewhere{aalTooLow(target), target, http.StatusSeeOther}
	}
	f, err := e.newFlow(r, flow.Settings, typ)
	if err != nil {
		return nil, err
	}
	return f, e.fillSettings(r.Context(), f, caller.Owner, caller.Session)
}

func settingsNobody(typ string) error {
	nobody := *errNobody
	if typ == flow.API {
		nobody.Reason = "This endpoint can only be accessed with a valid session. Please log in and try again."
	} else {
		nobody.Beside = map[string]any{"CredentialsMissing": false}
	}
	return &nobody
}

// fillSettings makes a flow's form the settings of who.
func (e *Engine) fillSettings(ctx context.Context, f *flow.Flow, who *identity.Identity, live *session.Session) error {
	f.Identity, f.State = who.ID, flow.ShowForm
	f.Kept, f.Private, f.Owner = nil, false, who
	return e.fill(ctx, &flow.Step{Flow: f, Owner: who, Session: live, Now: e.Now(), Rand: e.Rand})
}

// enoughForSettings tells whether a session may see and change settings.
func (e *Engine) enoughForSettings(live *session.Session, who *identity.Identity) bool {
	return e.reaches(e.Config.Flows.Settings.RequiredAAL, live, who)
}

// settingsStepUp is where a browser proves its second factor before it comes
// back to its settings.
func (e *Engine) settingsStepUp(r *http.Request) string {
	if r.URL.Query().Get("return_to") == "" {
		return e.stepUp("")
	}
	return e.stepUp(e.requestURL(r))
}

// fetchSettings answers the reading of a settings flow by its owner.
func (e *Engine) fetchSettings(w http.ResponseWriter, r *http.Request) {
	opening, err := e.settingsOf(r, store.Ask{Kind: flow.Settings, Flow: r.URL.Query().Get("id")}, errStrangersSettings)
	if err == nil && opening.Flow.Expired(e.Now()) {
		err = e.overFault(opening.Flow)
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	opening.Flow.Owner = opening.Bearer.Owner
	web.JSON(w, http.StatusOK, e.show(r, opening.Flow))
}

// settingsOf reads a settings flow and its owner. That nobody is signed in is
// said before anything about the flow; a stranger's error is the caller's.
func (e *Engine) settingsOf(r *http.Request, ask store.Ask, stranger error) (*store.Opening, error) {
	nobody := &elsewhere{errNoSettingsSession, e.Config.Flows.Login.UIURL.String(), http.StatusFound}
	token, found := e.token(r)
	if !found {
		return nil, nobody
	}
	ask.Token = &token
	opening, err := e.Store.Open(r.Context(), ask)
	if fault.Is(err, fault.NotFound) {
		if caller, denied := e.caller(r); denied != nil || caller == nil {
			return nil, nobody
		}
	}
	switch {
	case err != nil:
		return nil, err
	case !e.alive(opening.Bearer):
		return nil, nobody
	case !e.enoughForSettings(opening.Bearer.Session, opening.Bearer.Owner):
		return nil, &elsewhere{aalTooLow(e.stepUp("")), e.stepUp(""), http.StatusSeeOther}
	case opening.Flow.Identity != opening.Bearer.Owner.ID:
		return nil, stranger
	}
	return opening, nil
}

// submitSettings answers a submission to a settings flow. A browser that proved
// again who it is comes back by GET, and goes on with what it had submitted.
func (e *Engine) submitSettings(w http.ResponseWriter, r *http.Request) {
	sent := read(w, r)
	ask := store.Ask{Kind: flow.Settings}
	if r.Method != http.MethodPost {
		ask.Parked = e.Cookies.Continuity(r)
	}
	step, opening := e.beginSettings(w, r, ask)
	if step == nil || e.replacedExpired(w, r, step) {
		return
	}
	var err error
	resumed := opening.Parked != nil && opening.Parked.Identity == step.Owner.ID
	if resumed {
		step.Form = opening.Parked.Form
		e.Cookies.DropContinuity(w, r)
	} else {
		step.Form, err = sent.along(step.Schema)
	}
	if err != nil {
		e.failFlow(w, r, step, err)
		return
	}
	var done changed
	method := ""
	outcome, err := e.settle(r, step, opening, e.judgeSettings(r, resumed, &method), func(ctx context.Context, outcome flow.Outcome) (err error) {
		if outcome.Who == nil {
			return e.storeAgain(ctx, r.Header, step, outcome)
		}
		done, err = e.saveSettings(r, step, opening, outcome, method)
		return err
	})
	if errors.Is(err, errTooOld) || errors.Is(err, errProtected) {
		// An app has nothing to come back with; clients have seen it told to keep a
		// change of its addresses all the same.
		e.refresh(w, r, step, !step.Flow.Native() || errors.Is(err, errProtected))
		return
	}
	if err == nil && outcome.Who != nil {
		err = e.ask(r, done.hooks, told{flow: done.flow, who: outcome.Who, session: done.live}, nil)
	}
	switch {
	case err != nil:
		e.failFlow(w, r, step, err)
	case outcome.Who == nil:
		step.Flow.Transient = shownTransient(step.Form)
		e.answerSettings(w, r, step.Flow, nil, e.page(step.Flow))
	default:
		e.finishSettings(w, r, done)
	}
}

// beginSettings is begin for settings: what comes first is that somebody is
// signed in.
func (e *Engine) beginSettings(w http.ResponseWriter, r *http.Request, ask store.Ask) (*flow.Step, *store.Opening) {
	ask.Flow = r.URL.Query().Get("flow")
	opening, err := e.settingsOf(r, ask, errStrangersSubmission)
	if _, wrong := secret.ParseUUID(ask.Flow); wrong != nil && !errors.Is(err, errNoSettingsSession) {
		err = errNoFlow
	} else if fault.Is(err, fault.NotFound) {
		err = &fault.Error{Kind: fault.NotFound, Reason: kinds[flow.Settings].missing}
	}
	if err != nil {
		e.overrun(r, ask.Kind, err)
		e.failBrowser(w, r, err)
		return nil, nil
	}
	return e.prepare(w, r, opening)
}

// The caller has to prove again who they are: for what a method changes always,
// or because credentials or addresses did change.
var (
	errTooOld    = errors.New("session is too old for this method")
	errProtected = errors.New("session is too old for this change")
)

// judgeSettings lets the chosen method change the settings. A submission that
// was parked passed its guard when it was sent.
func (e *Engine) judgeSettings(r *http.Request, resumed bool, method *string) judged {
	return func(ctx context.Context, step *flow.Step) (flow.Outcome, error) {
		if step.Session == nil {
			return flow.Outcome{}, errNoSettingsSession // it ended meanwhile
		}
		submit := e.submitTo
		if resumed {
			submit = func(_ *http.Request, step *flow.Step) (string, *flow.Door, error) {
				return e.chosen(step.Flow, step.Form)
			}
		}
		id, door, err := submit(r, step)
		if err != nil {
			return flow.Outcome{}, err
		}
		fresh := step.Session.Fresh(step.Now, e.Config.Flows.Settings.PrivilegedMaxAge)
		if !fresh && door.Fresh != nil && door.Fresh(step.Form) {
			return flow.Outcome{}, errTooOld
		}
		if step.Rules, err = e.Schemas.Rules(ctx, e.schemaOf(step)); err != nil {
			return flow.Outcome{}, err
		}
		before := step.Owner.Clone()
		outcome, err := door.Submit(ctx, step)
		if err == nil && outcome.Who != nil {
			if !fresh && !identity.SameAccess(before, outcome.Who) {
				err = errProtected // whatever the method says of itself
			}
		}
		*method = id
		return outcome, err
	}
}

// changed is how a submission to the settings ended.
type changed struct {
	flow          *flow.Flow // with the settings as they are now
	method        string
	live          *session.Session
	verifications []*flow.Flow
	hooks         []config.Hook // those that run on what is stored
	held          bool          // nothing is stored until an address is proved
}

// saveSettings stores changed settings: hooks that may refuse, then one write.
func (e *Engine) saveSettings(r *http.Request, step *flow.Step, opening *store.Opening, outcome flow.Outcome, method string) (changed, error) {
	f, who, after := step.Flow, outcome.Who, e.Config.Flows.Settings.After
	f.Transient = step.Form.Transient
	of := told{flow: f, who: who, session: step.Session}
	err := e.ask(r, only(after.Methods[method].Hooks, blocking), of, func(wanted *hook.Change) error { return e.change(step, who, wanted) })
	if err != nil {
		return changed{}, err
	}
	if has(after.Methods[method].Hooks, config.HookVerifyNewAddress) {
		if done, held, err := e.hold(r, step, opening.Bearer.Owner, who); held || err != nil {
			return done, err
		}
	}
	who.Touch(step.Now)
	done := changed{method: method, live: step.Session, hooks: hooksAfter(after, method, observing)}
	change := store.Change{Who: who, Once: outcome.Once, Alone: has(done.hooks, config.HookRevokeSessions)}
	if outcome.Method.Method != "" {
		done.live.Authenticated(outcome.Method, step.Now, e.Config.Session.Lifespan)
	}
	if outcome.Method.Method != "" || change.Alone {
		change.Session = done.live
	}
	if opening.Parked != nil {
		change.Parked = opening.Parked.ID
	}
	started, err := e.verify(r, f, who, pending)
	if err != nil {
		return changed{}, err
	}
	mail, err := e.settingsMail(r, step, opening.Bearer.Owner, who, done.hooks, of)
	if err != nil {
		return changed{}, err
	}
	change.Mail = append(change.Mail, mail...)
	if err := e.renewSettings(r, step, who, &done, &change); err != nil {
		return changed{}, err
	}
	begun, err := e.commitVerifying(r.Context(), change, started)
	if isTaken(err) {
		return changed{}, fault.InvalidField("", ui.Say(ui.AccountExists))
	}
	if has(done.hooks, config.HookShowVerificationUI) || e.Config.FeatureFlags.LegacyContinueVerificationUI {
		done.verifications = begun
	}
	return done, err
}

// renewSettings makes the flow's form anew from what the settings are now. As in
// Kratos it leads to a flow of its own, which begins with the change.
func (e *Engine) renewSettings(r *http.Request, step *flow.Step, who *identity.Identity, done *changed, change *store.Change) error {
	next, fresh := *step.Flow, *step.Flow
	next.ID, next.V, next.Stored = e.newID(), 0, nil
	next.IssuedAt, next.UpdatedAt, next.ExpiresAt = step.Now, step.Now, step.Now.Add(e.settings(flow.Settings).Lifespan)
	e.bind(r, &next)
	next.Browser = step.Flow.Browser
	mail, err := e.before(r, &next)
	if err != nil {
		return err
	}
	if err := e.fillSettings(r.Context(), &next, who, done.live); err != nil {
		return err
	}
	fresh.UI, fresh.Kept, fresh.Private = next.UI, next.Kept, next.Private
	fresh.UI.Messages = []ui.Message{ui.Say(ui.ChangesSaved)}
	fresh.State, fresh.Owner = flow.Saved, who
	done.flow = &fresh
	change.Flow, change.New, change.Mail = &fresh, append(change.New, &next), append(change.Mail, mail...)
	return nil
}

// pending tells whether an address is new: nothing was sent there yet.
func pending(a identity.VerifiableAddress) bool { return !a.Verified && a.Status == identity.Pending }

// settingsMail returns what goes out with a change of settings: what previous
// addresses are told, and web hooks that nobody waits for.
func (e *Engine) settingsMail(
	r *http.Request, step *flow.Step, before, after *identity.Identity, hooks []config.Hook, of told,
) ([]*courier.Message, error) {
	mail, err := e.post(r, hooks, of)
	if err != nil {
		return nil, err
	}
	for _, h := range hooks {
		if h.Name != config.HookNotifyPrevious {
			continue
		}
		notices, err := e.press(nil, flow.Outcome{Mail: e.addressNotices(h.Recipients(), step, before, after)})
		if err != nil {
			return nil, err
		}
		mail = append(mail, notices...)
	}
	return mail, nil
}

// addressNotices tell the addresses an identity had that one of them changed.
func (e *Engine) addressNotices(recipients string, step *flow.Step, before, after *identity.Identity) []courier.Draft {
	var notices []courier.Draft
	removed := false
	for _, address := range before.VerifiableAddresses {
		gone := after.Verifiable(address.Via, address.Value) == nil
		removed = removed || gone
		switch {
		case recipients == config.RecipientsRemoved && !gone,
			recipients == config.RecipientsAllVerified && !address.Verified:
			continue
		}
		draft := courier.Draft{
			Template: courier.AddressChanged, Via: address.Via, To: address.Value,
			Data: map[string]any{courier.Identity: after.Public(e.base()), courier.ChangedAt: step.Now},
		}
		if step.Form.Transient != nil {
			draft.Data[courier.TransientPayload] = step.Form.Transient
		}
		notices = append(notices, draft)
	}
	if !removed {
		return nil
	}
	return notices
}

// finishSettings answers that the settings were changed.
func (e *Engine) finishSettings(w http.ResponseWriter, r *http.Request, done changed) {
	f, after := done.flow, e.Config.Flows.Settings.After
	target, err := e.Returns.Resolve(f.ReturnTo, cmp.Or(after.Methods[done.method].ReturnURL, after.ReturnURL, e.pageURL(f)))
	if err != nil {
		e.failSubmit(w, r, f, err)
		return
	}
	next := e.showVerifications(done.verifications)
	if !f.Native() && !done.held {
		if token, _, found := e.Cookies.Session(r); found {
			e.Cookies.GiveSession(w, token, e.Now(), done.live.ExpiresAt)
		}
		next = append([]continuation{redirectTo(target)}, next...)
	}
	to := target.String()
	if done.held {
		to = e.page(f)
	}
	if len(done.verifications) > 0 {
		to = e.page(done.verifications[0])
	}
	f.Transient = nil
	e.answerSettings(w, r, f, next, to)
}

// answerSettings shows the settings as they are now.
func (e *Engine) answerSettings(w http.ResponseWriter, r *http.Request, f *flow.Flow, next []continuation, to string) {
	if !f.Native() && !web.WantsJSON(r) {
		web.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	web.JSON(w, http.StatusOK, e.show(r, f, next...))
}

// refresh sends the caller to prove again who they are. What was submitted waits
// for it where it is to be kept.
func (e *Engine) refresh(w http.ResponseWriter, r *http.Request, step *flow.Step, keep bool) {
	if keep {
		waiting := &store.Parked{Flow: step.Flow.ID, Identity: step.Owner.ID, Form: step.Form}
		if err := e.Store.Park(r.Context(), waiting); err != nil {
			e.failSubmit(w, r, step.Flow, err)
			return
		}
		e.Cookies.GiveContinuity(w, waiting.ID, e.Now())
	}
	target := e.url("/self-service/login/browser", url.Values{"refresh": {"true"}, "return_to": {e.requestURL(r)}})
	if !step.Flow.Native() && !web.WantsJSON(r) {
		web.Redirect(w, r, target, http.StatusSeeOther)
		return
	}
	web.Fail(w, r, &fault.Error{
		Kind: fault.Forbidden, ID: "session_refresh_required",
		Reason: "The login session is too old and thus not allowed to update these fields. Please re-authenticate.",
		Beside: map[string]any{"redirect_browser_to": target},
	})
}
