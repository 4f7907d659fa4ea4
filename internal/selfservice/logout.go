package selfservice

import (
	"encoding/json"
	"net/http"
	"net/url"

	"styx/internal/audit"
	"styx/internal/fault"
	"styx/internal/secret"
	"styx/internal/store"
	"styx/internal/web"
)

// maxLogout bounds the body of a native logout, which holds one token.
const maxLogout = 4 << 10

var errNobody = &fault.Error{
	Kind: fault.Unauthorized, ID: "session_inactive",
	Message: "request does not have a valid authentication session",
	Reason:  "No active session was found in this request.",
}

// byCookie returns whose browser asks; only a cookie counts.
func (e *Engine) byCookie(r *http.Request) (*store.Bearer, error) {
	token, _, found := e.Cookies.Session(r)
	if !found {
		return nil, errNobody
	}
	caller, err := e.Store.Bearer(r.Context(), token)
	if err == nil && !e.alive(caller) {
		err = errNobody
	}
	return caller, err
}

// offerLogout answers with the link by which this browser signs out.
func (e *Engine) offerLogout(w http.ResponseWriter, r *http.Request) {
	caller, err := e.byCookie(r)
	asked := r.URL.Query().Get("return_to")
	if err == nil {
		_, err = e.Returns.Resolve(asked, e.Config.Flows.Logout.ReturnURL)
	}
	if err != nil {
		e.failBrowser(w, r, err)
		return
	}
	token := secret.LogoutToken(e.Cookies.Ring, caller.Token.Session)
	query := url.Values{"token": {token}}
	if asked != "" {
		query.Set("return_to", asked)
	}
	web.JSON(w, http.StatusOK, map[string]string{
		"logout_url": e.url("/self-service/logout", query), "logout_token": token,
	})
}

// logout signs a browser out; the token shows that its page asked for it.
func (e *Engine) logout(w http.ResponseWriter, r *http.Request) {
	target, err := e.endByLink(r)
	if err != nil {
		e.failBrowser(w, r, err)
		return
	}
	e.Cookies.DropSession(w)
	e.Cookies.RotateCSRF(w, r)
	if e.Config.Flows.Logout.ClearBrowserData && e.Config.Serve.Public.BaseURL.Scheme == "https" {
		w.Header().Set("Clear-Site-Data", `"cookies", "storage", "cache"`)
	}
	if web.WantsJSON(r) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	web.Redirect(w, r, target.String(), http.StatusSeeOther)
}

func (e *Engine) endByLink(r *http.Request) (*url.URL, error) {
	query := r.URL.Query()
	given := query.Get("token")
	if given == "" {
		return nil, fault.Bad("Please include a token in the URL query.")
	}
	caller, err := e.byCookie(r)
	if err != nil {
		return nil, err
	}
	if !secret.MatchLogoutToken(e.Cookies.Ring, given, caller.Token.Session) {
		return nil, &fault.Error{
			Kind:   fault.Forbidden,
			Reason: "Unable to log out because the logout token in the URL query does not match the session cookie.",
		}
	}
	target, err := e.Returns.Resolve(query.Get("return_to"), e.Config.Flows.Logout.ReturnURL)
	if err != nil {
		return nil, err
	}
	if err := e.Store.Revoke(r.Context(), caller.Owner.ID, caller.Session.ID); err != nil {
		return nil, err
	}
	e.ended(r, audit.Logout, caller.Session)
	return target, nil
}

// logoutNative ends the session of a token. A token that was good once is as
// good as any: the session is over either way.
func (e *Engine) logoutNative(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Token string `json:"session_token"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxLogout)).Decode(&body); err != nil {
		web.Fail(w, r, fault.Bad("error decoding body: it has to be a JSON object with a session_token"))
		return
	}
	unknown := &fault.Error{
		Kind:   fault.Forbidden,
		Reason: "The provided Ory Session Token could not be found, is invalid, or otherwise malformed.",
	}
	token, ok := parseToken(body.Token)
	if !ok {
		web.Fail(w, r, unknown)
		return
	}
	caller, err := e.Store.Bearer(r.Context(), token)
	if err == nil && caller == nil {
		err = unknown
	}
	if err == nil {
		err = e.Store.Revoke(r.Context(), caller.Owner.ID, caller.Session.ID)
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	e.ended(r, audit.Logout, caller.Session)
	w.WriteHeader(http.StatusNoContent)
}
