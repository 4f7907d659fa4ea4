package selfservice

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/store"
	"styx/internal/ui"
	"styx/internal/web"
)

// failBrowser answers a request of a browser that no flow can show the error
// of: as JSON where that is wanted, else on the page for errors. Somebody who is
// signed in already is sent on instead.
func (e *Engine) failBrowser(w http.ResponseWriter, r *http.Request, err error) {
	if web.WantsJSON(r) {
		web.Fail(w, r, err)
		return
	}
	if fault.HasID(err, "session_already_available") {
		if target, denied := e.Returns.Resolve(r.URL.Query().Get("return_to"), nil); denied == nil {
			web.Redirect(w, r, target.String(), http.StatusSeeOther)
			return
		}
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
	web.Redirect(w, r, withQuery(e.Config.Flows.Error.UIURL, "id", id), http.StatusSeeOther)
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
	known := fault.As(err)
	hush := f.UI.Hush
	if f.Kind == flow.Verification {
		hush = func() {} // clients have seen earlier messages stay
	}
	if known != nil && len(known.Fields) > 0 {
		hush()
		for _, field := range known.Fields {
			f.UI.Tell(field.At, field.Text)
		}
	} else if message, shown := messageOf(err); shown {
		hush()
		f.UI.Tell("", message)
	} else {
		e.failSubmit(w, r, f, err)
		return
	}
	e.sort(f, step.Schema)
	if err := e.save(r, f); err != nil {
		e.failSubmit(w, r, f, err)
		return
	}
	e.answerAgain(w, r, f, http.StatusFound)
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
func (e *Engine) answerAgain(w http.ResponseWriter, r *http.Request, f *flow.Flow, afterError int) {
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

// replaceExpired answers a submission to an expired flow with a fresh one of
// the same kind that says so.
func (e *Engine) replaceExpired(w http.ResponseWriter, r *http.Request, step *flow.Step) {
	old, now := step.Flow, e.Now()
	if old.Kind == flow.Verification {
		e.replaceExpiredVerification(w, r, old)
		return
	}
	fresh := *old
	fresh.ID, fresh.V, fresh.Stored, fresh.Active = e.newID(), 0, nil, ""
	fresh.IssuedAt, fresh.UpdatedAt, fresh.ExpiresAt = now, now, now.Add(e.settings(old.Kind).Lifespan)
	fresh.Refresh = old.Refresh && step.Session != nil // nobody is left to confirm who they are
	e.bind(r, &fresh)
	fresh.UI.Messages = []ui.Message{ui.Expired(kinds[old.Kind].expired, old.ExpiresAt, now)}
	step.Flow = &fresh
	err := e.fill(r.Context(), step)
	if err == nil {
		err = e.Store.SaveFlow(r.Context(), &fresh)
	}
	if err != nil {
		e.failSubmit(w, r, old, err)
		return
	}
	if !fresh.Native() && !web.WantsJSON(r) {
		web.Redirect(w, r, e.page(&fresh), http.StatusSeeOther)
		return
	}
	since := now.Sub(old.ExpiresAt)
	web.Fail(w, r, &fault.Error{
		Kind: fault.Gone, ID: "self_service_flow_expired", Message: "self-service flow expired",
		Reason: fmt.Sprintf("The self-service flow expired %.2f minutes ago, initialize a new one.", since.Minutes()),
		Beside: map[string]any{"expired_at": old.ExpiresAt, "since": since, "use_flow_id": fresh.ID},
	})
}

// fetches answers the reading of a flow of that kind.
func (e *Engine) fetches(kind flow.Kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f, err := e.Store.Flow(r.Context(), kind, r.URL.Query().Get("id"))
		if err == nil && f.Type == flow.Browser {
			err = e.Cookies.CheckReader(r, f.Browser)
		}
		if err == nil && f.Expired(e.Now()) {
			err = e.expiredFault(f)
		}
		if err != nil {
			web.Fail(w, r, err)
			return
		}
		web.JSON(w, http.StatusOK, e.show(r, f))
	}
}

// expiredFault says where a new flow comes from.
func (e *Engine) expiredFault(f *flow.Flow) error {
	start := "/self-service/" + string(f.Kind) + "/"
	if f.Native() {
		return &fault.Error{
			Kind: fault.Gone, ID: "self_service_flow_expired",
			Reason:  fmt.Sprintf("The %s flow has expired. Call the %s flow init API endpoint to initialize a new %s flow.", f.Kind, f.Kind, f.Kind),
			Details: map[string]any{"api": e.url(start+"api", nil)},
		}
	}
	query := url.Values{}
	if f.ReturnTo != "" {
		query.Set("return_to", f.ReturnTo)
	}
	return &fault.Error{
		Kind: fault.Gone, ID: "self_service_flow_expired",
		Reason:  fmt.Sprintf("The %s flow has expired. Redirect the user to the %s flow init endpoint to initialize a new %s flow.", f.Kind, f.Kind, f.Kind),
		Details: map[string]any{"redirect_to": e.url(start+"browser", query), "return_to": f.ReturnTo},
	}
}

// stubError is the sample that pages are developed against.
func (e *Engine) stubError(r *http.Request) store.Shown {
	described, _ := json.Marshal(web.Describe(r, &fault.Error{Reason: "This is a stub error."})["error"]) // plain strings
	return store.Shown{ID: e.newID(), Error: described}
}
