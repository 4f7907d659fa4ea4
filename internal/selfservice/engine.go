package selfservice

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/hook"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/store"
	"styx/internal/web"
)

// Engine answers the self-service API.
type Engine struct {
	Config  *config.Config
	Store   *store.Store
	Schemas *identity.Catalog
	Methods []flow.Method
	Policy  identity.Policy
	Cookies *web.Cookies
	Returns web.Returns
	Proxies web.Proxies
	Press   *courier.Press
	Hooks   *hook.Caller
	// Posted is told the id of each message that was written; nil where the
	// table's stream tells.
	Posted func(id string)
	Now    func() time.Time
	Rand   io.Reader
}

// Handlers maps patterns of net/http's mux to what answers them.
type Handlers map[string]http.HandlerFunc

// Login returns the handlers of the login flow.
func (e *Engine) Login() Handlers {
	return Handlers{
		"GET /self-service/login/browser": e.begins(flow.Browser, e.startLogin),
		"GET /self-service/login/api":     e.begins(flow.API, e.startLogin),
		"GET /self-service/login/flows":   e.fetches(flow.Login),
		"GET /self-service/login":         e.submitLogin,
		"POST /self-service/login":        e.submitLogin,
	}
}

// Registration returns the handlers of the registration flow.
func (e *Engine) Registration() Handlers {
	return Handlers{
		"GET /self-service/registration/browser": e.starts(flow.Browser, e.startRegistration),
		"GET /self-service/registration/api":     e.starts(flow.API, e.startRegistration),
		"GET /self-service/registration/flows":   e.fetches(flow.Registration),
		"GET /self-service/registration":         e.submitRegistration,
		"POST /self-service/registration":        e.submitRegistration,
	}
}

// Sessions returns the handlers of sessions and of signing out.
func (e *Engine) Sessions() Handlers {
	return Handlers{
		// Whoami answers to every method; gateways of old used what they liked.
		"GET /sessions/whoami":             e.whoami,
		"POST /sessions/whoami":            e.whoami,
		"PUT /sessions/whoami":             e.whoami,
		"PATCH /sessions/whoami":           e.whoami,
		"DELETE /sessions/whoami":          e.whoami,
		"GET /sessions":                    e.listSessions,
		"DELETE /sessions":                 e.revokeOthers,
		"DELETE /sessions/{id}":            e.revokeSession,
		"GET /sessions/token-exchange":     e.exchangeToken,
		"GET /self-service/logout/browser": e.offerLogout,
		"GET /self-service/logout":         e.logout,
		"DELETE /self-service/logout/api":  e.logoutNative,
	}
}

// Errors returns the handler of the errors that pages show.
func (e *Engine) Errors() Handlers {
	return Handlers{"GET /self-service/errors": e.showError}
}

// base is the public URL without a trailing slash.
func (e *Engine) base() string {
	return strings.TrimSuffix(e.Config.Serve.Public.BaseURL.String(), "/")
}

func (e *Engine) url(path string, query url.Values) string {
	if len(query) == 0 {
		return e.base() + path
	}
	return e.base() + path + "?" + query.Encode()
}

// requestURL is the request's own URL under the configured base: neither Host
// nor a forwarded header reaches a stored flow.
func (e *Engine) requestURL(r *http.Request) string {
	asked := e.base() + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		asked += "?" + r.URL.RawQuery
	}
	return asked
}

// token returns the session token of a request: X-Session-Token, else the
// cookie, else a bearer. What is there and wrong is not made up for by the next.
func (e *Engine) token(r *http.Request) (secret.Token, bool) {
	if given := r.Header.Get("X-Session-Token"); given != "" {
		return parseToken(given)
	}
	if token, _, found := e.Cookies.Session(r); found {
		return token, true
	}
	if scheme, given, found := strings.Cut(r.Header.Get("Authorization"), " "); found && strings.EqualFold(scheme, "bearer") {
		return parseToken(given)
	}
	return secret.Token{}, false
}

func parseToken(given string) (secret.Token, bool) {
	token, err := secret.ParseToken(strings.TrimSpace(given))
	return token, err == nil
}

// alive tells whether somebody is signed in by what a token named.
func (e *Engine) alive(b *store.Bearer) bool {
	return b != nil && b.Session.Active(b.Owner, e.Now(), e.Config.Styx.NotBefore)
}

// caller returns who is signed in by a request, nil for nobody.
func (e *Engine) caller(r *http.Request) (*store.Bearer, error) {
	token, found := e.token(r)
	if !found {
		return nil, nil
	}
	b, err := e.Store.Bearer(r.Context(), token)
	if err != nil || !e.alive(b) {
		return nil, err
	}
	return b, nil
}

// satisfies tells whether a session meets the level that whoami demands.
func (e *Engine) satisfies(s *session.Session, who *identity.Identity) bool {
	return e.reaches(e.Config.Session.WhoAmI.RequiredAAL, s, who)
}

// reaches tells whether a session meets a configured level. What is available is
// computed from the credentials as they are now (CVE-2024-45042).
func (e *Engine) reaches(required string, s *session.Session, who *identity.Identity) bool {
	return required != config.HighestAvailable || s.AAL >= who.AvailableAAL(e.Policy)
}

// aalTooLow says that a session needs a second factor, and where it proves one.
func aalTooLow(target string) error {
	return &fault.Error{
		Kind: fault.Forbidden, ID: "session_aal2_required",
		Message: "Session does not fulfill the requested Authenticator Assurance Level",
		Reason:  "An active session was found but it does not fulfill the requested Authenticator Assurance Level. Please verify yourself with a second factor to resolve this issue.",
		Details: map[string]any{"redirect_browser_to": target},
		Beside:  map[string]any{"redirect_browser_to": target},
	}
}

// stepUp is where a browser proves its second factor.
func (e *Engine) stepUp(returnTo string) string {
	query := url.Values{"aal": {"aal2"}}
	if returnTo != "" {
		query.Set("return_to", returnTo)
	}
	return e.url("/self-service/login/browser", query)
}
