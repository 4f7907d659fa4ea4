package selfservice

import (
	"net/http"

	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/ui"
)

var errNotVerified = fault.InvalidField("", ui.Say(ui.AddressNotVerified))

// newVerification returns a verification flow of the same client as another
// flow, in which a code can be asked for.
func (e *Engine) newVerification(r *http.Request, from *flow.Flow) *flow.Flow {
	now := e.Now()
	f := &flow.Flow{
		ID: e.newID(), Kind: flow.Verification, Type: from.Type, State: flow.ChooseMethod,
		RequestURL: from.RequestURL, ReturnTo: from.ReturnTo,
		IssuedAt: now, ExpiresAt: now.Add(e.Config.Flows.Verification.Lifespan), UpdatedAt: now,
	}
	e.bind(r, f)
	f.UI.Append(
		ui.Input(ui.Code, "email", "email", nil).Needed().Labelled(ui.Say(ui.LabelEmail)),
		ui.Submit(ui.Code, "method", "code", ui.Continue),
	)
	return f
}
