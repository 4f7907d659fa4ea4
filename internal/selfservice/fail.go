package selfservice

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"styx/internal/audit"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/hook"
	"styx/internal/identity"
	"styx/internal/store"
	"styx/internal/ui"
	"styx/internal/web"
)

// elsewhere is an error for which a browser is sent somewhere; any other client
// is told it.
type elsewhere struct {
	error

	to     string
	status int // 302 where clients have it recorded so, else 303
}

func (e *elsewhere) Unwrap() error { return e.error }

// failBrowser answers a request of a browser that no flow can show the error
// of: as JSON where that is wanted, else by sending it elsewhere or to the page
// for errors.
func (e *Engine) failBrowser(w http.ResponseWriter, r *http.Request, err error) {
	if web.WantsJSON(r) {
		web.Fail(w, r, err)
		return
	}
	if away, ok := errors.AsType[*elsewhere](err); ok {
		web.Redirect(w, r, away.to, away.status)
		return
	}
	described, encodeErr := json.Marshal(web.Describe(r, err)["error"])
	if encodeErr != nil {
		web.Fail(w, r, encodeErr)
		return
	}
	id, keepErr := e.Store.KeepError(r.Context(), described)
	if keepErr != nil {
		web.Fail(w, r, keepErr)
		return
	}
	web.Redirect(w, r, withQuery(e.Config.Flows.Error.UIURL, "id", id).String(), http.StatusSeeOther)
}

// showError answers with an error that was kept for a page.
func (e *Engine) showError(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	if id == "" {
		id = r.URL.Query().Get("error")
	}
	if id == "stub:500" {
		web.JSON(w, http.StatusOK, e.stubError(r))
		return
	}
	shown, err := e.Store.ShownError(r.Context(), id)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.JSON(w, http.StatusOK, shown)
}

// messageOf is what a form says about an error, "" when no form shows it.
func messageOf(err error) (message ui.Message, shown bool) {
	known := fault.As(err)
	switch {
	case known == nil || known.Kind != fault.BadRequest:
		return ui.Message{}, false
	case known.ID == "identity_disabled":
		return ui.Say(ui.AccountDisabled), true
	default:
		return ui.Reason(known.Reason), true
	}
}

// failFlow answers a submission that went wrong: in the flow's form where the
// error belongs there, else like any other error of its client.
func (e *Engine) failFlow(w http.ResponseWriter, r *http.Request, step *flow.Step, err error) {
	f := step.Flow
	if errors.Is(err, identity.ErrGarbled) {
		// Clients have seen this one as a 400 that calls itself a 500.
		web.FailWith(w, r, http.StatusBadRequest, &fault.Error{Message: fault.As(err).Reason})
		return
	}
	if errors.Is(err, hook.ErrFailed) && (f.Native() || web.WantsJSON(r)) {
		slog.ErrorContext(r.Context(), "request failed", "request_id", audit.Request(r.Context()), "error", err)
		web.FailWith(w, r, http.StatusBadRequest, err) // and this one
		return
	}
	if !e.tell(step, err) {
		e.failSubmit(w, r, f, err)
		return
	}
	if err := e.save(r, f); err != nil {
		e.failSubmit(w, r, f, err)
		return
	}
	e.answerAgain(w, r, step, http.StatusFound)
}

// tell shows an error in the flow's form, and tells whether it belongs there.
func (e *Engine) tell(step *flow.Step, err error) bool {
	f := step.Flow
	var fields []fault.Field
	if known := fault.As(err); known != nil && len(known.Fields) > 0 {
		fields = known.Fields
	} else if message, shown := messageOf(err); shown {
		fields = []fault.Field{{Text: message}}
	} else {
		return false
	}
	e.hush(f, fields)
	for _, field := range fields {
		f.UI.Tell(field.At, field.Text)
	}
	e.sort(f, step.Schema)
	return true
}

// hush drops what earlier submissions were told. Clients have seen it stay in a
// verification, and in the settings the message above the form, until another
// takes its place.
func (e *Engine) hush(f *flow.Flow, fields []fault.Field) {
	switch f.Kind {
	case flow.Verification:
	case flow.Settings:
		above := f.UI.Messages
		f.UI.Hush()
		if !slices.ContainsFunc(fields, func(field fault.Field) bool { return field.At == "" }) {
			f.UI.Messages = above
		}
	case flow.Login, flow.Registration, flow.Recovery:
		f.UI.Hush()
	}
}

// failSubmit answers an error that no form shows.
func (e *Engine) failSubmit(w http.ResponseWriter, r *http.Request, f *flow.Flow, err error) {
	if f.Native() {
		web.Fail(w, r, err)
		return
	}
	e.failBrowser(w, r, err)
}

func (e *Engine) save(r *http.Request, f *flow.Flow) error {
	f.UpdatedAt = e.Now()
	return e.Store.SaveFlow(r.Context(), f)
}

// answerAgain shows the form again. A browser's registration is redirected by
// 302 after an error, as clients have it recorded; every other redirect is 303.
func (e *Engine) answerAgain(w http.ResponseWriter, r *http.Request, step *flow.Step, afterError int) {
	f := step.Flow
	if f.Native() || web.WantsJSON(r) {
		web.JSON(w, http.StatusBadRequest, e.show(r, f))
		return
	}
	status := http.StatusSeeOther
	if f.Kind == flow.Registration {
		status = afterError
	}
	web.Redirect(w, r, e.page(f), status)
}

// replacedExpired answers a submission to an expired flow with a fresh one of
// the same kind that says so, and reports that it did.
func (e *Engine) replacedExpired(w http.ResponseWriter, r *http.Request, step *flow.Step) bool {
	if !step.Flow.Expired(step.Now) {
		return false
	}
	switch step.Flow.Kind {
	case flow.Verification:
		e.replaceExpiredVerification(w, r, step.Flow)
	case flow.Recovery:
		e.replaceExpiredRecovery(w, r, step.Flow)
	case flow.Login, flow.Registration, flow.Settings:
		e.replaceExpired(w, r, step)
	}
	return true
}

func (e *Engine) replaceExpired(w http.ResponseWriter, r *http.Request, step *flow.Step) {
	old, now := step.Flow, e.Now()
	fresh := *old
	fresh.ID, fresh.V, fresh.Stored, fresh.Active = e.newID(), 0, nil, ""
	fresh.Kept, fresh.Private, fresh.Proofs = nil, false, nil
	if fresh.State = flow.ChooseMethod; fresh.Kind == flow.Settings {
		fresh.State = flow.ShowForm
	}
	fresh.IssuedAt, fresh.UpdatedAt, fresh.ExpiresAt = now, now, now.Add(e.settings(old.Kind).Lifespan)
	fresh.Refresh = old.Refresh && step.Session != nil // nobody is left to confirm who they are
	e.bind(r, &fresh)
	fresh.UI.Messages = []ui.Message{ui.Expired(kinds[old.Kind].expired, old.ExpiresAt, now)}
	step.Flow, step.Screen = &fresh, e.firstScreen(&fresh)
	err := e.fill(r.Context(), step)
	if err == nil {
		err = e.open(r, &fresh, nil)
	}
	if err != nil {
		e.failSubmit(w, r, old, err)
		return
	}
	if !fresh.Native() && !web.WantsJSON(r) {
		web.Redirect(w, r, e.page(&fresh), http.StatusSeeOther)
		return
	}
	web.Fail(w, r, expiredFault(old, fresh.ID, now))
}

// expiredFault tells a script that a flow was replaced because it had expired.
func expiredFault(old *flow.Flow, replacement string, now time.Time) *fault.Error {
	since := now.Sub(old.ExpiresAt)
	return &fault.Error{
		Kind: fault.Gone, ID: "self_service_flow_expired", Message: "self-service flow expired",
		Reason: fmt.Sprintf("The self-service flow expired %.2f minutes ago, initialize a new one.", since.Minutes()),
		Beside: map[string]any{"expired_at": old.ExpiresAt, "since": since, "use_flow_id": replacement},
	}
}

// fetches answers the reading of a flow of that kind.
func (e *Engine) fetches(kind flow.Kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f, err := e.Store.Flow(r.Context(), kind, r.URL.Query().Get("id"))
		if err == nil && f.Type == flow.Browser && !f.Unbound {
			err = e.Cookies.CheckReader(r, f.Browser)
		}
		if err == nil && f.Expired(e.Now()) {
			err = e.overFault(f)
		}
		if err != nil {
			web.Fail(w, r, err)
			return
		}
		web.JSON(w, http.StatusOK, e.show(r, f))
	}
}

// overFault says where a new flow comes from in place of one that expired.
func (e *Engine) overFault(f *flow.Flow) error {
	id := ""
	if f.Kind == flow.Login || f.Kind == flow.Registration {
		id = "self_service_flow_expired"
	}
	start := "/self-service/" + string(f.Kind) + "/"
	if f.Native() {
		return &fault.Error{
			Kind: fault.Gone, ID: id,
			Reason:  fmt.Sprintf("The %s flow has expired. Call the %s flow init API endpoint to initialize a new %s flow.", f.Kind, f.Kind, f.Kind),
			Details: map[string]any{"api": e.url(start+"api", nil)},
		}
	}
	query := url.Values{}
	if f.ReturnTo != "" {
		query.Set("return_to", f.ReturnTo)
	}
	return &fault.Error{
		Kind: fault.Gone, ID: id,
		Reason:  fmt.Sprintf("The %s flow has expired. Redirect the user to the %s flow init endpoint to initialize a new %s flow.", f.Kind, f.Kind, f.Kind),
		Details: map[string]any{"redirect_to": e.url(start+"browser", query), "return_to": f.ReturnTo},
	}
}

// stubError is the sample that pages are developed against.
func (e *Engine) stubError(r *http.Request) store.Shown {
	described, _ := json.Marshal(web.Describe(r, &fault.Error{Reason: "This is a stub error."})["error"]) // plain strings
	return store.Shown{ID: e.newID(), Error: described}
}
