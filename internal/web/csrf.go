package web

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"styx/internal/fault"
	"styx/internal/secret"
)

type csrfKey struct{}

// csrfState is the anti-CSRF token of one request's browser.
type csrfState struct {
	token  string
	next   string // what RotateCSRF will make of it, "" while nobody asked
	sent   bool   // by the browser
	cookie bool   // whether there was any Cookie header
}

// GuardCSRF gives browsers their anti-CSRF cookie and refuses requests that
// change something without its token. Paths that are not a browser's business,
// or that check for themselves, are exempt.
func (c *Cookies) GuardCSRF(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state := &csrfState{cookie: r.Header.Get("Cookie") != ""}
		if cookie, err := r.Cookie(c.csrf); err == nil && secret.ValidCSRF(cookie.Value) {
			state.token, state.sent = cookie.Value, true
		} else {
			state.token = secret.NewCSRF(c.Rand)
		}
		r = r.WithContext(context.WithValue(r.Context(), csrfKey{}, state))
		if !csrfExempt(r.URL.Path) {
			if !state.sent {
				c.giveCSRF(w, state.token)
			}
			if !safeMethod(r.Method) && !secret.MatchCSRF(state.token, r.Header.Get("X-CSRF-Token")) {
				Fail(w, r, csrfFault(r, state, true, true))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func safeMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	default:
		return false
	}
}

// csrfExempt tells whether a path has no need of the anti-CSRF cookie.
func csrfExempt(path string) bool {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if slices.Contains(parts, "") {
		return false
	}
	switch parts[0] {
	case "sessions", "health":
		return true
	case "admin", "identities", "recovery", "courier":
		return true
	case "version":
		return len(parts) == 1
	case "schemas":
		return len(parts) == 2
	case "self-service":
		switch len(parts) {
		case 2:
			return parts[1] != "logout" && parts[1] != "errors" && knownFlow(parts[1])
		case 3:
			return parts[2] == "api" && (knownFlow(parts[1]) || parts[1] == "logout")
		case 4, 5:
			return parts[1] == "methods" && parts[2] == "oidc"
		}
	}
	return false
}

func knownFlow(name string) bool {
	switch name {
	case "login", "registration", "settings", "recovery", "verification":
		return true
	default:
		return false
	}
}

func stateOf(r *http.Request) *csrfState {
	if state, ok := r.Context().Value(csrfKey{}).(*csrfState); ok {
		return state
	}
	return &csrfState{}
}

// Browser returns the MAC that ties a flow to the browser of this request.
func (c *Cookies) Browser(r *http.Request) string {
	return c.browser(stateOf(r).token)
}

// NextBrowser returns what Browser will be once [Cookies.RotateCSRF] was called.
func (c *Cookies) NextBrowser(r *http.Request) string {
	return c.browser(c.nextToken(stateOf(r)))
}

func (c *Cookies) browser(token string) string {
	return base64.RawURLEncoding.EncodeToString(c.Ring.MAC(secret.UseCSRF, token))
}

func (c *Cookies) nextToken(state *csrfState) string {
	if state.next == "" {
		state.next = secret.NewCSRF(c.Rand)
	}
	return state.next
}

// FormToken returns a fresh masking of the browser's anti-CSRF token.
func (c *Cookies) FormToken(r *http.Request) string {
	return secret.MaskCSRF(c.Rand, stateOf(r).token)
}

// EnsureCookie gives the browser its anti-CSRF cookie on a path that is exempt.
func (c *Cookies) EnsureCookie(w http.ResponseWriter, r *http.Request) {
	if state := stateOf(r); !state.sent {
		c.giveCSRF(w, state.token)
	}
}

// RepeatCSRF gives the browser its anti-CSRF cookie again.
func (c *Cookies) RepeatCSRF(w http.ResponseWriter, r *http.Request) { c.giveCSRF(w, stateOf(r).token) }

// RotateCSRF gives the browser a new anti-CSRF token: a form filled before the
// session changed hands is void afterwards.
func (c *Cookies) RotateCSRF(w http.ResponseWriter, r *http.Request) {
	state := stateOf(r)
	state.token, state.next = c.nextToken(state), ""
	c.giveCSRF(w, state.token)
}

// CheckReader refuses a browser that a flow does not belong to.
func (c *Cookies) CheckReader(r *http.Request, browser string) error {
	if c.belongs(r, browser) {
		return nil
	}
	return csrfFault(r, stateOf(r), true, true)
}

// CheckForm refuses a submission whose anti-CSRF token is missing, wrong or of
// a browser that the flow does not belong to.
func (c *Cookies) CheckForm(r *http.Request, browser, token string) error {
	state := stateOf(r)
	if c.belongs(r, browser) && secret.MatchCSRF(state.token, token) {
		return nil
	}
	return csrfFault(r, state, token != "", WantsJSON(r))
}

func (c *Cookies) belongs(r *http.Request, browser string) bool {
	state := stateOf(r)
	mac, err := base64.RawURLEncoding.DecodeString(browser)
	return err == nil && state.sent && c.Ring.MatchMAC(secret.UseCSRF, mac, state.token)
}

const (
	csrfReason   = "Please retry the flow and optionally clear your cookies. The request was rejected to protect you from Cross-Site-Request-Forgery (CSRF) which could cause account takeover, leaking personal information, and other serious security issues."
	csrfHint     = "We detected a regular browser or server-side call. To debug browser calls check your Browser's Network Tab to see what cookies are included or excluded. If you are calling from a server ensure that the appropriate cookies are being forwarded and that the SDK method is called correctly."
	csrfHintAJAX = "We detected an AJAX call, please ensure that CORS is enabled and configured correctly, and that your AJAX code sends cookies and has credentials enabled. For further debugging, check your Browser's Network Tab to see what cookies are included or excluded."
	csrfNotSent  = "The anti-CSRF cookie was found but the CSRF token was not included in the HTTP request body (csrf_token) nor in the HTTP Header (X-CSRF-Token)."
)

func csrfFault(r *http.Request, state *csrfState, tokenSent, json bool) error {
	details := map[string]any{"docs": "https://www.ory.com/docs/troubleshooting/csrf", "hint": csrfHint}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode == "cors" || mode == "same-origin" {
		details["hint"] = csrfHintAJAX
	}
	switch {
	case !state.cookie:
		details["reject_reason"] = "The HTTP Cookie Header is empty or not set."
	case !state.sent:
		details["reject_reason"] = "The HTTP Cookie Header was set but did not include the anti-CSRF cookie."
	case !tokenSent && !json:
		details["hint"] = csrfNotSent
	default:
		details["reject_reason"] = "The HTTP Cookie Header was set and a CSRF token was sent but they do not match. We recommend deleting all cookies for this domain and retrying the flow."
	}
	return &fault.Error{
		Kind:    fault.Forbidden,
		ID:      "security_csrf_violation",
		Message: "the request was rejected to protect you from Cross-Site-Request-Forgery",
		Reason:  csrfReason,
		Details: details,
	}
}
