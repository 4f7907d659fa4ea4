package selfservice

import (
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
	"styx/internal/web"
)

// continuation is one step that a client is asked to take next.
type continuation struct {
	Action   string      `json:"action"`
	Flow     *flowTarget `json:"flow,omitempty"`
	Token    string      `json:"ory_session_token,omitempty"`
	Redirect string      `json:"redirect_browser_to,omitempty"`
}

type flowTarget struct {
	ID      string `json:"id"`
	Address string `json:"verifiable_address,omitempty"`
	URL     string `json:"url,omitempty"`
}

func redirectTo(target *url.URL) continuation {
	return continuation{Action: "redirect_browser_to", Redirect: target.String()}
}

func keepToken(token secret.Token) continuation {
	return continuation{Action: "set_ory_session_token", Token: token.String()}
}

// mustNavigate tells a script that the browser itself has to go somewhere.
func mustNavigate(target string) error {
	return &fault.Error{
		Kind: fault.Unprocessable, ID: "browser_location_change_required", Message: "browser location change required",
		Reason: "In order to complete this flow please redirect the browser to: " + target,
		Beside: map[string]any{"redirect_browser_to": target},
	}
}

// target is where a browser goes once the flow is done: where it asked to, else
// where the method's, the flow's or the general setting says.
func (e *Engine) target(f *flow.Flow, after config.After) (*url.URL, error) {
	fallback := after.Methods[f.Active].ReturnURL
	if fallback == nil {
		fallback = after.ReturnURL
	}
	return e.Returns.Resolve(f.ReturnTo, fallback)
}

// newSession begins a session; nothing is stored yet.
func (e *Engine) newSession(r *http.Request, who *identity.Identity, by session.Method) (*session.Session, secret.Token) {
	now := e.Now()
	owner, _ := secret.ParseUUID(who.ID) // ids are made by us
	token := secret.NewToken(e.Rand, owner, secret.NewV7(now, e.Rand))
	device := e.Proxies.Device(r)
	device.ID = e.newID()
	live := &session.Session{
		ID: token.Session.String(), IdentityID: who.ID, Hash: token.Hash(), Epoch: who.Epoch,
		IssuedAt: now, Devices: []session.Device{device},
	}
	live.Authenticated(by, now, e.Config.Session.Lifespan)
	return live, token
}

func (e *Engine) newID() string { return secret.NewV4(e.Rand).String() }

// showSession returns a session that is alive, with its owner.
func (e *Engine) showSession(live *session.Session, who *identity.Identity) session.View {
	return live.Show(true, who.Public(e.base()))
}

// showLogin returns the session that a login led to. One that went on shows
// also the device of this login, under the nil UUID: only the first is kept.
func (e *Engine) showLogin(r *http.Request, in signedIn) session.View {
	view := e.showSession(in.live, in.who)
	if in.same {
		device := e.Proxies.Device(r)
		device.ID = secret.UUID{}.String()
		view.Devices = append(slices.Clone(view.Devices), device)
	}
	return view
}

// give hands a browser its session. Unless the session merely went on, the
// anti-CSRF token changes with it.
func (e *Engine) give(w http.ResponseWriter, r *http.Request, in signedIn) {
	if !in.same {
		e.Cookies.RotateCSRF(w, r)
	}
	e.Cookies.GiveSession(w, in.token, e.Now(), in.live.ExpiresAt)
}

// unverifiedError holds somebody back until they have proved an address, by a
// verification flow that was begun for it.
type unverifiedError struct {
	verification *flow.Flow
	address      string
}

func (e *unverifiedError) Error() string { return "no address is verified" }

// requireVerified holds back who has no verified address.
func (e *Engine) requireVerified(r *http.Request, step *flow.Step, who *identity.Identity) error {
	if len(who.VerifiableAddresses) == 0 {
		return &fault.Error{
			ID: "invalid_configuration", Message: "Invalid configuration",
			Reason: "A verified address is required, but the identity schema marks none as verifiable.",
		}
	}
	if slices.ContainsFunc(who.VerifiableAddresses, func(a identity.VerifiableAddress) bool { return a.Verified }) {
		return nil
	}
	if e.Config.FeatureFlags.LegacyRequireVerifiedError {
		return errNotVerified
	}
	started, err := e.verify(r, step.Flow, who, unverified)
	var begun []*flow.Flow
	if err == nil && len(started.begun) > 0 {
		begun, err = e.commitVerifying(r.Context(), store.Change{Flow: step.Flow}, started)
	}
	if err != nil {
		return err
	}
	if len(begun) == 0 {
		return errNotVerified // nothing can be sent
	}
	return &unverifiedError{begun[0], who.VerifiableAddresses[0].Value}
}

// answerUnverified leads to the verification that has to come first.
func (e *Engine) answerUnverified(w http.ResponseWriter, r *http.Request, f *flow.Flow, held *unverifiedError) {
	if !f.Native() && !web.WantsJSON(r) {
		web.Redirect(w, r, e.page(held.verification), http.StatusSeeOther)
		return
	}
	next := continuation{Action: "show_verification_ui", Flow: &flowTarget{
		ID: held.verification.ID, Address: held.address, URL: e.page(held.verification),
	}}
	web.FailWith(w, r, http.StatusForbidden, &fault.Error{
		Kind: fault.BadRequest, ID: "session_verified_address_required", Message: "your email or phone address is not yet verified",
		Reason:  "Your account's email or phone address are not verified yet. Please check your email or phone inbox or re-request verification.",
		Details: map[string]any{"continue_with": []continuation{next}},
	})
}
