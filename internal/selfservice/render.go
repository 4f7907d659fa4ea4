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

// loginView is a login flow as clients see it.
type loginView struct {
	ID             string          `json:"id"`
	OrganizationID *string         `json:"organization_id"`
	Type           string          `json:"type"`
	ExpiresAt      time.Time       `json:"expires_at"`
	IssuedAt       time.Time       `json:"issued_at"`
	RequestURL     string          `json:"request_url"`
	ReturnTo       string          `json:"return_to,omitempty"`
	Active         string          `json:"active,omitempty"`
	UI             ui.Form         `json:"ui"`
	CreatedAt      time.Time       `json:"created_at"`
	UpdatedAt      time.Time       `json:"updated_at"`
	Refresh        bool            `json:"refresh"`
	RequestedAAL   session.AAL     `json:"requested_aal"`
	IdentitySchema string          `json:"identity_schema,omitempty"`
	Transient      json.RawMessage `json:"transient_payload,omitempty"`
	State          string          `json:"state"`
}

// registrationView is a registration flow as clients see it.
type registrationView struct {
	ID             string          `json:"id"`
	Type           string          `json:"type"`
	ExpiresAt      time.Time       `json:"expires_at"`
	IssuedAt       time.Time       `json:"issued_at"`
	RequestURL     string          `json:"request_url"`
	ReturnTo       string          `json:"return_to,omitempty"`
	Active         string          `json:"active,omitempty"`
	UI             ui.Form         `json:"ui"`
	OrganizationID *string         `json:"organization_id"`
	IdentitySchema string          `json:"identity_schema,omitempty"`
	Transient      json.RawMessage `json:"transient_payload,omitempty"`
	State          string          `json:"state"`
}

// verificationView is a verification flow as clients see it.
type verificationView struct {
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

// show returns a flow as clients see it, with a fresh anti-CSRF token for the
// browser it belongs to.
func (e *Engine) show(r *http.Request, f *flow.Flow) any {
	form := f.UI
	if f.Type == flow.Browser {
		form.Nodes = slices.Clone(form.Nodes)
		if node := form.Find("csrf_token"); node != nil {
			node.Attributes.Value = e.Cookies.FormToken(r)
		}
	}
	if f.Kind == flow.Verification {
		return verificationView{
			ID: f.ID, Type: f.Type, ExpiresAt: f.ExpiresAt, IssuedAt: f.IssuedAt, RequestURL: f.RequestURL,
			ReturnTo: f.ReturnTo, Active: f.Active, UI: form, State: f.State, Transient: f.Transient,
		}
	}
	if f.Kind == flow.Registration {
		return registrationView{
			ID: f.ID, Type: f.Type, ExpiresAt: f.ExpiresAt, IssuedAt: f.IssuedAt, RequestURL: f.RequestURL,
			ReturnTo: f.ReturnTo, Active: f.Active, UI: form, OrganizationID: f.OrganizationID,
			IdentitySchema: f.Schema, Transient: f.Transient, State: f.State,
		}
	}
	return loginView{
		ID: f.ID, OrganizationID: f.OrganizationID, Type: f.Type, ExpiresAt: f.ExpiresAt, IssuedAt: f.IssuedAt,
		RequestURL: f.RequestURL, ReturnTo: f.ReturnTo, Active: f.Active, UI: form,
		CreatedAt: f.IssuedAt, UpdatedAt: f.UpdatedAt, Refresh: f.Refresh, RequestedAAL: f.RequestedAAL,
		IdentitySchema: f.Schema, Transient: f.Transient, State: f.State,
	}
}

// page is where the browser finds the form of a flow.
func (e *Engine) page(f *flow.Flow) string { return withQuery(e.settings(f.Kind).UIURL, "flow", f.ID) }

func withQuery(page *url.URL, name, value string) string {
	target := *page
	query := target.Query()
	query.Set(name, value)
	target.RawQuery = query.Encode()
	return target.String()
}

var loginOrder = ui.Order{
	Groups: []ui.Group{ui.OIDC, ui.Default, ui.WebAuthn, ui.Passkey, ui.Code, ui.Password, ui.TOTP, ui.LookupSecret},
	Names:  []string{"csrf_token", "identifier", "password"},
}

var registrationGroups = []ui.Group{
	ui.OIDC, "saml", ui.Default, ui.WebAuthn, ui.Passkey, ui.Code, ui.Password, "captcha", ui.Profile,
}

// sort puts a flow's nodes in the order that clients rely on.
func (e *Engine) sort(f *flow.Flow, schema *identity.Schema) {
	switch f.Kind {
	case flow.Login:
		f.UI.Sort(loginOrder)
		return
	case flow.Verification:
		return
	case flow.Registration:
	}
	names := []string{"csrf_token"}
	for i, name := range schema.Names() {
		names = append(names, name)
		if i == 0 {
			names = append(names, "password")
		}
	}
	names = append(names, "webauthn_remove", "webauthn_register_displayname", "webauthn_register")
	f.UI.Sort(ui.Order{Groups: registrationGroups, Names: names})
}
