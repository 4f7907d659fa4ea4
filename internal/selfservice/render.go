package selfservice

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/session"
	"styx/internal/ui"
)

// flowView is what clients see of every flow.
type flowView struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	ExpiresAt  time.Time       `json:"expires_at"`
	IssuedAt   time.Time       `json:"issued_at"`
	RequestURL string          `json:"request_url"`
	ReturnTo   string          `json:"return_to,omitempty"`
	Active     string          `json:"active,omitempty"`
	UI         ui.Form         `json:"ui"`
	State      string          `json:"state"`
	Transient  json.RawMessage `json:"transient_payload,omitempty"`
}

type loginView struct {
	flowView

	OrganizationID *string     `json:"organization_id"`
	CreatedAt      time.Time   `json:"created_at"`
	UpdatedAt      time.Time   `json:"updated_at"`
	Refresh        bool        `json:"refresh"`
	RequestedAAL   session.AAL `json:"requested_aal"`
	IdentitySchema string      `json:"identity_schema,omitempty"`
}

type registrationView struct {
	flowView

	OrganizationID *string `json:"organization_id"`
	IdentitySchema string  `json:"identity_schema,omitempty"`
}

type settingsView struct {
	flowView

	OrganizationID *string                  `json:"organization_id"`
	Identity       *identity.PublicIdentity `json:"identity"`
	ContinueWith   []continuation           `json:"continue_with,omitempty"`
}

type recoveryView struct {
	flowView

	ContinueWith []continuation `json:"continue_with,omitempty"`
}

// show returns a flow as clients see it, with a fresh anti-CSRF token for the
// browser it belongs to, and what the client is asked to do next.
func (e *Engine) show(r *http.Request, f *flow.Flow, next ...continuation) any {
	form := f.UI
	if f.Type == flow.Browser {
		form.Nodes = slices.Clone(form.Nodes)
		if node := form.Find("csrf_token"); node != nil {
			node.Attributes.Value = e.Cookies.FormToken(r)
		}
	}
	view := flowView{
		ID: f.ID, Type: f.Type, ExpiresAt: f.ExpiresAt, IssuedAt: f.IssuedAt, RequestURL: f.RequestURL,
		ReturnTo: f.ReturnTo, Active: f.Active, UI: form, State: f.State, Transient: f.Transient,
	}
	switch f.Kind {
	case flow.Login:
		return loginView{
			flowView: view, OrganizationID: f.OrganizationID, CreatedAt: f.IssuedAt, UpdatedAt: f.UpdatedAt,
			Refresh: f.Refresh, RequestedAAL: f.RequestedAAL, IdentitySchema: f.Schema,
		}
	case flow.Registration:
		return registrationView{flowView: view, OrganizationID: f.OrganizationID, IdentitySchema: f.Schema}
	case flow.Settings:
		settings := settingsView{flowView: view, OrganizationID: f.OrganizationID, ContinueWith: next}
		if f.Owner != nil {
			public := f.Owner.Public(e.base())
			settings.Identity = &public
		}
		return settings
	case flow.Recovery:
		return recoveryView{flowView: view, ContinueWith: next}
	case flow.Verification:
	}
	return view
}

// page is where the browser finds the form of a flow.
func (e *Engine) page(f *flow.Flow) string { return e.pageURL(f).String() }

func (e *Engine) pageURL(f *flow.Flow) *url.URL {
	return withQuery(e.settings(f.Kind).UIURL, "flow", f.ID)
}

func withQuery(page *url.URL, name, value string) *url.URL {
	target := *page
	query := target.Query()
	query.Set(name, value)
	target.RawQuery = query.Encode()
	return &target
}

var loginOrder = ui.Order{
	Groups: []ui.Group{ui.OIDC, ui.Default, ui.WebAuthn, ui.Passkey, ui.Code, ui.Password, ui.TOTP, ui.LookupSecret},
	Names:  []string{"csrf_token", "identifier", "password"},
}

var registrationGroups = []ui.Group{
	ui.OIDC, "saml", ui.Default, ui.WebAuthn, ui.Passkey, ui.Code, ui.Password, "captcha", ui.Profile,
}

var settingsGroups = []ui.Group{
	ui.Default, ui.Profile, ui.Password, ui.OIDC, ui.LookupSecret, ui.WebAuthn, ui.Passkey, ui.TOTP,
}

// settingsNames follow the traits in the order of a settings form.
var settingsNames = []string{
	"lookup_secret_reveal", "lookup_secret_regenerate", "lookup_secret_codes", "lookup_secret_confirm",
	"webauthn_remove", "webauthn_register_displayname", "webauthn_register", "passkey_remove", "passkey_register",
	"totp_qr", "totp_secret_key", "totp_unlink", "totp_code",
}

// sort puts a flow's nodes in the order that clients rely on. Recovery and
// verification keep the order in which their nodes were added.
func (e *Engine) sort(f *flow.Flow, schema *identity.Schema) {
	switch f.Kind {
	case flow.Login:
		f.UI.Sort(loginOrder)
	case flow.Registration:
		names := []string{"csrf_token"}
		for i, name := range schema.Names() {
			names = append(names, name)
			if i == 0 {
				names = append(names, "password")
			}
		}
		names = append(names, "webauthn_remove", "webauthn_register_displayname", "webauthn_register")
		f.UI.Sort(ui.Order{Groups: registrationGroups, Names: names})
	case flow.Settings:
		f.UI.Sort(ui.Order{Groups: settingsGroups, Names: append(slices.Clone(schema.Names()), settingsNames...)})
	case flow.Recovery, flow.Verification:
	}
}
