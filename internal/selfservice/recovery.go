package selfservice

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/store"
	"styx/internal/ui"
	"styx/internal/web"
)

// Recovery returns the handlers of the recovery flow.
func (e *Engine) Recovery() Handlers {
	return Handlers{
		"GET /self-service/recovery/browser": e.starts(flow.Browser, e.startRecovery),
		"GET /self-service/recovery/api":     e.starts(flow.API, e.startRecovery),
		"GET /self-service/recovery/flows":   e.fetches(flow.Recovery),
		"GET /self-service/recovery":         e.submitRecovery,
		"POST /self-service/recovery":        e.submitRecovery,
	}
}

// startRecovery returns a new recovery flow, or why there is none.
func (e *Engine) startRecovery(r *http.Request, typ string) (*flow.Flow, error) {
	if !e.Config.Flows.Recovery.Enabled {
		return nil, fault.Bad("Recovery is not allowed because it was disabled.")
	}
	caller, err := e.caller(r)
	if err != nil {
		return nil, err
	}
	if caller != nil {
		return nil, e.alreadySignedIn(r, errRecoveryNeedless, http.StatusFound)
	}
	return e.newRecovery(r, typ)
}

// newRecovery returns a recovery flow at its beginning.
func (e *Engine) newRecovery(r *http.Request, typ string) (*flow.Flow, error) {
	f, err := e.newFlow(r, flow.Recovery, typ)
	if err != nil {
		return nil, err
	}
	f.Active = e.Config.Flows.Recovery.Use
	f.SkipSettings = typ == flow.Browser && r.URL.Query().Get("skip_settings") == "true"
	return f, e.fill(r.Context(), &flow.Step{Flow: f, Now: e.Now(), Rand: e.Rand})
}

// submitRecovery answers a submission to a recovery flow, and a link that leads
// into one.
func (e *Engine) submitRecovery(w http.ResponseWriter, r *http.Request) {
	sent, step, opening := e.beginProof(w, r, flow.Recovery)
	if step == nil {
		return
	}
	link := followed(r, sent.plain)
	if sent.err != nil {
		step.Flow.Active = e.lastMethod(flow.Recovery) // clients have seen it named there
		e.failFlow(w, r, step, sent.err)
		return
	}
	var done recovered
	outcome, err := e.settle(r, step, opening, e.judgeRecovery(r, opening, link), func(ctx context.Context, outcome flow.Outcome) (err error) {
		if outcome.Method.Method == "" {
			return e.storeAgain(ctx, r.Header, step, outcome)
		}
		done, err = e.recover(r, step, outcome)
		return err
	})
	refused, isRefused := errors.AsType[*hookError](err)
	switch {
	case errors.Is(err, errTooOften):
		e.retryRecovery(w, r, step, ui.Reason(errTooOften.Reason), errTooOften)
	case isRefused:
		e.retryRecovery(w, r, step, ui.Say(ui.RecoveryFailed), fault.As(refused.err))
	case errors.Is(err, flow.ErrLink), errors.Is(err, store.ErrConsumed) && link:
		invalid := ui.Say(ui.RecoveryTokenInvalid)
		e.retryRecovery(w, r, step, invalid, fault.Bad(invalid.Text))
	case errors.Is(err, store.ErrConsumed):
		e.retryRecovery(w, r, step, ui.Say(ui.RecoveryDone), fault.CodeUsed())
	case err != nil:
		e.failRecovery(w, r, step, err)
	case outcome.Method.Method == "":
		step.Flow.Transient = shownTransient(step.Form)
		e.answerRecovery(w, r, step, nil, e.page(step.Flow))
	default:
		e.finishRecovery(w, r, step, done)
	}
}

// judgeRecovery lets the flow's method judge. What was recovered by stays used.
func (e *Engine) judgeRecovery(r *http.Request, opening *store.Opening, link bool) judged {
	judge := e.judgeProof(r, opening, link)
	return func(ctx context.Context, step *flow.Step) (flow.Outcome, error) {
		if step.Flow.Done {
			return flow.Outcome{}, store.ErrConsumed
		}
		return judge(ctx, step)
	}
}

// failRecovery answers a submission that went wrong. A flow that was sent what no
// method takes belongs to none afterwards.
func (e *Engine) failRecovery(w http.ResponseWriter, r *http.Request, step *flow.Step, err error) {
	if known := fault.As(err); known != nil && len(known.Fields) == 1 && known.Fields[0].Text.ID == ui.NoRecoveryMethod {
		step.Flow.Active = string(ui.Default)
	}
	if fault.Is(err, fault.Forbidden) && !step.Flow.Native() {
		e.Cookies.RepeatCSRF(w, r)
	}
	e.failFlow(w, r, step, err)
}

// lastMethod is the last in the roster that takes part in a kind of flow.
func (e *Engine) lastMethod(of flow.Kind) string {
	last := ""
	for _, method := range e.Methods {
		if method.Door(of) != nil {
			last = method.ID
		}
	}
	return last
}

// recovered is how a recovery ended.
type recovered struct {
	signedIn

	settings *flow.Flow // where a new way to sign in is set up; nil where it is skipped
}

// hookError says that a web hook did not let a recovery end.
type hookError struct{ err error }

func (e *hookError) Error() string { return e.err.Error() }
func (e *hookError) Unwrap() error { return e.err }

// recover signs in whoever proved that an account is theirs, and begins their
// settings. It proves a first factor: where a second one is set up, it is still
// asked for (ASVS 5.0, 6.4.3).
func (e *Engine) recover(r *http.Request, step *flow.Step, outcome flow.Outcome) (recovered, error) {
	f, who, after := step.Flow, outcome.Who, e.Config.Flows.Recovery.After
	if !who.Active() {
		return recovered{}, errDisabled
	}
	target, err := e.Returns.Resolve(f.ReturnTo, after.ReturnURL)
	if err != nil {
		return recovered{}, err
	}
	f.State, f.Proofs, f.Transient = flow.ChallengePassed, nil, step.Form.Transient
	f.UI.Messages = nil
	if !f.Native() {
		f.UI.Upsert(ui.CSRF("")) // an administrator's flow has none until now
	}
	done := recovered{signedIn: signedIn{who: who, target: target}}
	done.live, done.token = e.newSession(r, who, outcome.Method)
	step.Session = done.live
	change := store.Change{
		Flow: f, Consume: true, Session: done.live, Alone: has(after.Hooks, config.HookRevokeSessions),
	}
	if outcome.Changed || change.Alone {
		change.Who = who
	}
	of := told{flow: f, who: who, session: done.live}
	if err := e.ask(r, after.Hooks, of, nil); err != nil {
		return recovered{}, &hookError{unshown(err)}
	}
	if change.Mail, err = e.post(r, after.Hooks, of); err != nil {
		return recovered{}, err
	}
	if !f.SkipSettings {
		if done.settings, err = e.settingsAfter(r, f, done); err != nil {
			return recovered{}, err
		}
		mail, err := e.before(r, done.settings)
		if err != nil {
			return recovered{}, err
		}
		change.New, change.Mail = append(change.New, done.settings), append(change.Mail, mail...)
	}
	return done, e.commit(r.Context(), change)
}

// settingsAfter is the settings flow that a recovery leads to.
func (e *Engine) settingsAfter(r *http.Request, from *flow.Flow, done recovered) (*flow.Flow, error) {
	asked := r.URL.Query()
	returnTo := from.ReturnTo
	if fallback := e.Config.Flows.Recovery.After.ReturnURL; returnTo == "" && fallback != nil {
		returnTo = fallback.String()
	}
	if returnTo != "" {
		asked.Set("return_to", returnTo)
	}
	now := e.Now()
	f := &flow.Flow{
		ID: e.newID(), Kind: flow.Settings, Type: from.Type, RequestURL: e.url("/self-service/recovery", asked), ReturnTo: returnTo,
		IssuedAt: now, ExpiresAt: now.Add(e.settings(flow.Settings).Lifespan), UpdatedAt: now,
	}
	e.bind(r, f)
	if !f.Native() {
		f.Browser = e.Cookies.NextBrowser(r) // the browser gets another token with its session
	}
	if err := e.fillSettings(r.Context(), f, done.who, done.live); err != nil {
		return nil, err
	}
	f.UI.Messages = []ui.Message{recoveredMessage(done.live.AuthenticatedAt.Add(e.Config.Flows.Settings.PrivilegedMaxAge), now)}
	return f, nil
}

// recoveredMessage says until when the settings can be changed without proving
// again who one is.
func recoveredMessage(until, now time.Time) ui.Message {
	message := ui.Say(ui.Recovered, ui.Context{"minutes": fmt.Sprintf("%.2f", until.Sub(now).Minutes())})
	message.Context = ui.Context{
		"privilegedSessionExpiresAt": until, "privileged_session_expires_at": until, "privileged_session_expires_at_unix": until.Unix(),
	}
	return message
}

// finishRecovery hands out the session and leads to the settings.
func (e *Engine) finishRecovery(w http.ResponseWriter, r *http.Request, step *flow.Step, done recovered) {
	f := step.Flow
	link := followed(r, step.Form)
	if !f.Native() || link {
		e.give(w, r, done.signedIn)
	}
	to := done.target.String()
	if done.settings != nil {
		to = e.page(done.settings)
	}
	if !web.WantsJSON(r) && (!f.Native() || link) {
		web.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	if !e.Config.FeatureFlags.ContinueWithTransitions {
		e.navigate(w, r, to)
		return
	}
	var next []continuation
	if f.Native() {
		next = append(next, keepToken(done.token))
	}
	if done.settings != nil {
		next = append(next, continuation{Action: "show_settings_ui", Flow: &flowTarget{ID: done.settings.ID, URL: to}})
	} else {
		next = append(next, redirectTo(done.target))
	}
	if !e.Config.FeatureFlags.ChooseRecoveryAddress {
		f.Transient = shownTransient(step.Form)
	}
	e.answerRecovery(w, r, step, next, to)
}

// navigate sends a client to another page: by a redirect, or by telling a script.
func (e *Engine) navigate(w http.ResponseWriter, r *http.Request, to string) {
	if web.WantsJSON(r) {
		web.Fail(w, r, mustNavigate(to))
		return
	}
	web.Redirect(w, r, to, http.StatusSeeOther)
}

// answerRecovery shows the flow as it is now.
func (e *Engine) answerRecovery(w http.ResponseWriter, r *http.Request, step *flow.Step, next []continuation, to string) {
	if !step.Flow.Native() && !web.WantsJSON(r) || followed(r, step.Form) {
		web.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	web.JSON(w, http.StatusOK, e.show(r, step.Flow, next...))
}

// retryRecovery answers that a flow is over with a new one that says why; an app
// gets an error that names it.
func (e *Engine) retryRecovery(w http.ResponseWriter, r *http.Request, step *flow.Step, why ui.Message, err *fault.Error) {
	old, said, link := step.Flow, *err, followed(r, step.Form)
	e.Cookies.RotateCSRF(w, r)
	typ := old.Type
	if link {
		typ = flow.Browser // whoever follows a link is in one
	}
	fresh, failed := e.newRecovery(r, typ)
	if failed == nil {
		fresh.RequestURL, fresh.ReturnTo = old.RequestURL, old.ReturnTo
		fresh.UI.Messages = []ui.Message{why}
		failed = e.open(r, fresh, nil)
	}
	if failed != nil {
		e.failSubmit(w, r, old, failed)
		return
	}
	if e.Config.FeatureFlags.ContinueWithTransitions && (old.Native() || web.WantsJSON(r)) && !link {
		said.Details = map[string]any{"continue_with": []continuation{e.showRecovery(fresh)}}
		web.Fail(w, r, &said)
		return
	}
	e.leadTo(w, r, fresh)
}

func (e *Engine) showRecovery(f *flow.Flow) continuation {
	target := &flowTarget{ID: f.ID}
	if !f.Native() {
		target.URL = e.page(f)
	}
	return continuation{Action: "show_recovery_ui", Flow: target}
}

// leadTo sends a client to a flow that takes another's place.
func (e *Engine) leadTo(w http.ResponseWriter, r *http.Request, f *flow.Flow) {
	if f.Native() || web.WantsJSON(r) {
		web.Redirect(w, r, e.url("/self-service/"+string(f.Kind)+"/flows", url.Values{"id": {f.ID}}), http.StatusSeeOther)
		return
	}
	web.Redirect(w, r, e.page(f), http.StatusSeeOther)
}

// replaceExpiredRecovery leads to a fresh flow.
func (e *Engine) replaceExpiredRecovery(w http.ResponseWriter, r *http.Request, old *flow.Flow) {
	now := e.Now()
	fresh, err := e.newRecovery(r, old.Type)
	if err == nil {
		fresh.RequestURL, fresh.ReturnTo = old.RequestURL, old.ReturnTo
		fresh.UI.Messages = []ui.Message{ui.Expired(ui.RecoveryExpired, old.ExpiresAt, now)}
		err = e.open(r, fresh, nil)
	}
	if err != nil {
		e.failSubmit(w, r, old, err)
		return
	}
	if e.Config.FeatureFlags.ContinueWithTransitions && old.Native() {
		expired := expiredFault(old, fresh.ID, now)
		expired.Details = map[string]any{"continue_with": []continuation{e.showRecovery(fresh)}}
		web.Fail(w, r, expired)
		return
	}
	e.leadTo(w, r, fresh)
}

// HandOver is a recovery that is begun in place of the identity's owner.
type HandOver struct {
	By         string // the method: config.UseCode, config.UseLink
	Type       string // of the flow
	Who        *identity.Identity
	Life       time.Duration
	RequestURL string
}

// Handed is what an administrator hands over for somebody to recover by.
type Handed struct {
	Flow   *flow.Flow
	Secret string // the code, or the token of a link
}

// HandOver begins a recovery by a code or a link that nobody is sent. A method
// that is switched off is a NotFound fault.
func (e *Engine) HandOver(r *http.Request, over HandOver) (*Handed, error) {
	if !e.Config.Flows.Recovery.Enabled {
		return nil, fault.Bad("Recovery is not allowed because it was disabled.")
	}
	at := slices.IndexFunc(e.Methods, func(m flow.Method) bool { return m.ID == over.By })
	if at < 0 {
		return nil, errSwitchedOff
	}
	now := e.Now()
	f := &flow.Flow{
		ID: e.newID(), Kind: flow.Recovery, Type: over.Type, Active: over.By, Unbound: true, RequestURL: over.RequestURL,
		ReturnTo: r.URL.Query().Get("return_to"), IssuedAt: now, ExpiresAt: now.Add(over.Life), UpdatedAt: now,
	}
	if _, err := e.Returns.Resolve(f.ReturnTo, e.Config.Flows.Recovery.After.ReturnURL); err != nil {
		return nil, err
	}
	e.bind(r, f)
	issued, err := e.Methods[at].Recovery.Issue(&flow.Step{Flow: f, Claimed: over.Who, Now: now, Rand: e.Rand}, over.Life)
	if err != nil {
		return nil, err
	}
	return &Handed{Flow: f, Secret: issued}, e.Store.SaveFlow(r.Context(), f)
}

// Page is where a browser finds the form of a flow.
func (e *Engine) Page(f *flow.Flow) string { return e.page(f) }
