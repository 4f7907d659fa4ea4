package selfservice

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/store"
	"styx/internal/ui"
)

// heldChange is a change of traits that waits in a verification flow until the
// address it brings is proved. It counts while the session that asked for it
// lives and nobody changed the traits meanwhile.
type heldChange struct {
	Session string             `json:"session"`
	Before  json.RawMessage    `json:"before"` // traits
	After   *identity.Identity `json:"after"`
}

// holds is the id under which a verification flow keeps a change.
const holds = config.HookVerifyNewAddress

// newAddresses are the verifiable addresses that a change brings.
func newAddresses(before, after *identity.Identity) []*identity.VerifiableAddress {
	var fresh []*identity.VerifiableAddress
	for at := range after.VerifiableAddresses {
		if address := &after.VerifiableAddresses[at]; before.Verifiable(address.Via, address.Value) == nil {
			fresh = append(fresh, address)
		}
	}
	return fresh
}

// hold lets a change of one address wait until the address is proved, instead of
// storing it. It reports whether it did.
func (e *Engine) hold(r *http.Request, step *flow.Step, before, after *identity.Identity) (changed, bool, error) {
	f, fresh := step.Flow, newAddresses(before, after)
	switch {
	case len(fresh) == 0 || !e.Config.Flows.Verification.Enabled:
		return changed{}, false, nil
	case len(fresh) > 1:
		f.UI.Messages = []ui.Message{ui.Say(ui.OneAddressAtATime)}
		return changed{flow: f, held: true}, true, e.Store.SaveFlow(r.Context(), f)
	}
	guards, err := identity.Guards(after)
	if err != nil {
		return changed{}, true, err
	}
	owners, err := e.Store.Owners(r.Context(), guards...)
	if err != nil {
		return changed{}, true, err
	}
	for _, owner := range owners {
		if owner != after.ID {
			return changed{}, true, fault.InvalidField("", ui.Say(ui.AccountExists))
		}
	}
	verification, mail, err := e.beginVerification(r, f, after, fresh[0])
	if err != nil || verification == nil {
		return changed{}, err != nil, err // nothing can be sent: there is no way to wait
	}
	kept := &flow.Step{Flow: verification}
	if err := kept.Keep(holds, heldChange{Session: step.Session.ID, Before: before.Traits, After: after}); err != nil {
		return changed{}, true, err
	}
	done := changed{flow: f, held: true, verifications: []*flow.Flow{verification}}
	return done, true, e.commit(r.Context(), store.Change{
		Flow: f, New: []*flow.Flow{verification}, Mail: mail, Unasked: []identity.Address{{Via: fresh[0].Via, Value: fresh[0].Value}},
	})
}

// release lets the verification of a step see a change that waits for it, as if
// it had been stored, and tells whether there is one. One that no longer counts
// leaves nobody to verify, and so does a submission that names another address:
// it is the new one that has to be proved.
func (e *Engine) release(ctx context.Context, step *flow.Step, door *flow.Door) (bool, error) {
	var held heldChange
	if found, err := step.Recall(holds, &held); err != nil || !found {
		return false, err
	}
	who, live, err := e.Store.Holder(ctx, held.After.ID, held.Session)
	if err != nil {
		return true, err
	}
	step.Claimed = nil
	if who == nil || live == nil || !live.Active(who, step.Now, e.Config.Styx.NotBefore) || !bytes.Equal(who.Traits, held.Before) {
		return true, nil
	}
	named := door.Claims(step.Form)
	isNew := func(a *identity.VerifiableAddress) bool { return identity.VerifiableGuard(a.Via, a.Value) == named }
	if named == "" || slices.ContainsFunc(newAddresses(who, held.After), isNew) {
		who.Adopt(held.After, step.Now)
		step.Claimed = who
	}
	return true, nil
}
