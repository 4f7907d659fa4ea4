package selfservice

import (
	"errors"
	"io"
	"net/http"
	"slices"

	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/ui"
	"styx/internal/web"
)

// Upper bounds of a submission's body. Lambda takes 6 MB, and a form arrives
// there in base64.
const (
	maxForm = 4 << 20
	maxJSON = 5 << 20
)

// readForm reads a submission along a schema, nil where it has no traits.
func readForm(w http.ResponseWriter, r *http.Request, schema *identity.Schema) (identity.Form, error) {
	if r.Method != http.MethodPost {
		return identity.Form{}, nil
	}
	limit := int64(maxForm)
	if web.WantsJSON(r) {
		limit = maxJSON
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return identity.Form{}, fault.Bad("The request body is too large.")
	}
	if err != nil {
		return identity.Form{}, fault.Bad("The request body could not be read.")
	}
	return identity.ReadForm(r.Header.Get("Content-Type"), body, schema)
}

// chosen returns the door of the method that a submission is meant for. A method that is
// known and switched off is a NotFound fault.
func (e *Engine) chosen(f *flow.Flow, form identity.Form, none ui.ID) (*flow.Door, error) {
	for _, method := range e.offered(f) {
		door := method.Door(f.Kind)
		if door.Submit != nil && door.Answers(method.ID, form) {
			return door, nil
		}
	}
	if e.disabled(f.Kind, form.Get("method")) {
		return nil, &fault.Error{
			Kind:   fault.NotFound,
			Reason: "This endpoint was disabled by system administrator. Please check your url or contact the system administrator to enable it.",
		}
	}
	return nil, fault.InvalidField("", ui.Say(none))
}

// guard refuses a submission that did not come from where the flow belongs.
func (e *Engine) guard(r *http.Request, f *flow.Flow, door *flow.Door, form identity.Form) error {
	if door.Unguarded != nil && door.Unguarded(form) {
		return nil
	}
	if f.Native() {
		return web.CheckNative(r)
	}
	return e.Cookies.CheckForm(r, f.Browser, form.Get("csrf_token"))
}

var errNoFlow = fault.Bad("The flow query parameter is missing or malformed.")

// everyMethod are the methods that clients may name; one that is not in the
// roster is switched off.
var everyMethod = map[flow.Kind][]string{
	flow.Login:        {"password", "oidc", "code", "totp", "webauthn", "passkey", "lookup_secret"},
	flow.Registration: {"password", "oidc", "code", "webauthn", "passkey"},
}

func (e *Engine) disabled(kind flow.Kind, name string) bool {
	inRoster := func(m flow.Method) bool { return m.ID == name && m.Door(kind) != nil }
	return slices.Contains(everyMethod[kind], name) && !slices.ContainsFunc(e.Methods, inRoster)
}

// claim names the identifier whose owner a login submission claims to be, as
// its guard; "" when no method takes the submission or it names nobody.
func (e *Engine) claim(form identity.Form) string {
	for _, method := range e.Methods {
		door := method.Login
		if door == nil || door.Claims == nil || !door.Answers(method.ID, form) {
			continue
		}
		if kind, identifier := door.Claims(form); identifier != "" {
			return identity.CredentialGuard(kind, identity.Normalize(identifier))
		}
	}
	return ""
}
