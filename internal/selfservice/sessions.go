package selfservice

import (
	"net/http"
	"slices"

	"styx/internal/fault"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/store"
	"styx/internal/web"
)

var (
	errNoCredentials = &fault.Error{Kind: fault.Unauthorized, Reason: "No valid session credentials found in the request."}
	errNoSession     = &fault.Error{Kind: fault.Unauthorized, Reason: "No valid session cookie found."}
)

// signedIn returns the caller at the level that whoami demands; nobody is the
// given fault.
func (e *Engine) signedIn(r *http.Request, nobody error) (*store.Bearer, error) {
	caller, err := e.caller(r)
	if err != nil {
		return nil, err
	}
	if caller == nil {
		return nil, nobody
	}
	if !e.satisfies(caller.Session, caller.Owner) {
		return nil, aalTooLow(e.stepUp(r.URL.Query().Get("return_to")))
	}
	return caller, nil
}

// whoami answers with the caller's session.
func (e *Engine) whoami(w http.ResponseWriter, r *http.Request) {
	caller, err := e.signedIn(r, errNoCredentials)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	if token, promised, found := e.Cookies.Session(r); found && token == caller.Token && caller.Session.ExpiresAt.After(promised) {
		e.Cookies.GiveSession(w, token, e.Now(), caller.Session.ExpiresAt)
	}
	w.Header().Set("X-Kratos-Authenticated-Identity-Id", caller.Owner.ID)
	web.JSON(w, http.StatusOK, e.showSession(caller.Session, caller.Owner))
}

// listSessions answers with the caller's other live sessions.
func (e *Engine) listSessions(w http.ResponseWriter, r *http.Request) {
	caller, err := e.signedIn(r, errNoSession)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	page, err := web.OffsetPage(r)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	all, err := e.Store.Sessions(r.Context(), caller.Owner.ID)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	now := e.Now()
	live := slices.DeleteFunc(all, func(s *session.Session) bool {
		return s.ID == caller.Session.ID || !s.Active(caller.Owner, now, e.Config.Styx.NotBefore)
	})
	who := caller.Owner.Public("")
	who.SchemaURL, who.VerifiableAddresses, who.RecoveryAddresses = "", nil, nil
	views := []session.View{}
	for _, one := range web.Slice(page, live, w, r) {
		views = append(views, one.Show(true, who))
	}
	web.JSON(w, http.StatusOK, views)
}

// revokeOthers ends all sessions of the caller but the one that asks.
func (e *Engine) revokeOthers(w http.ResponseWriter, r *http.Request) {
	caller, err := e.signedIn(r, errNoSession)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	all, err := e.Store.Sessions(r.Context(), caller.Owner.ID)
	if err == nil {
		err = e.Store.RevokeOthers(r.Context(), caller.Owner, caller.Session, nil)
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.JSON(w, http.StatusOK, map[string]int{"count": max(0, len(all)-1)})
}

// revokeSession ends one other session of the caller.
func (e *Engine) revokeSession(w http.ResponseWriter, r *http.Request) {
	caller, err := e.signedIn(r, errNoSession)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	asked, err := secret.ParseUUID(r.PathValue("id"))
	if err != nil {
		web.Fail(w, r, &fault.Error{Kind: fault.BadRequest, Message: "uuid: the session id is not a UUID"})
		return
	}
	id := asked.String()
	if id == caller.Session.ID {
		web.Fail(w, r, &fault.Error{Kind: fault.BadRequest, Message: "cannot revoke current session"})
		return
	}
	if err := e.Store.Revoke(r.Context(), caller.Owner.ID, id); err != nil {
		web.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNoContent)
}

// exchangeToken trades two codes for a session token. Codes are given out by
// flows that leave for a sign-in provider; until one did, there is no session.
func (e *Engine) exchangeToken(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Get("init_code") == "" || query.Get("return_to_code") == "" {
		web.Fail(w, r, fault.Bad(`"init_code" and "return_to_code" query params must be set`))
		return
	}
	web.Fail(w, r, &fault.Error{Kind: fault.NotFound, Reason: `no session yet for this "code"`})
}
