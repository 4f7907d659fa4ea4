package selfservice

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"styx/internal/identity"
	"styx/internal/store"
	"styx/internal/ui"
)

// signsInWith is what a person calls the ways to sign in, in the order in which
// they are told.
var signsInWith = []struct {
	kind identity.CredentialType
	name string
}{
	{identity.Password, "your password"},
	{identity.OIDC, "social sign in"},
	{identity.WebAuthn, "your passkey or a security key"},
	{identity.Passkey, "your passkey"},
}

// taken says that an account exists already; where the configuration wants it,
// also how its owner can sign in.
func (e *Engine) taken(ctx context.Context, draft *identity.Identity, by *store.TakenError) (ui.Message, error) {
	if !e.Config.Flows.Registration.LoginHints {
		return ui.Say(ui.AccountExists), nil
	}
	owner, err := e.Store.Owner(ctx, by.Guard)
	if err != nil {
		return ui.Message{}, err
	}
	return hinted(identifierOf(draft, by.Guard), owner.Factors()), nil
}

// identifierOf is the identifier or address of the draft that a guard stands for.
func identifierOf(draft *identity.Identity, guard string) string {
	for kind, credential := range draft.Credentials {
		for _, identifier := range credential.Identifiers {
			if identity.CredentialGuard(kind, identifier) == guard {
				return identifier
			}
		}
	}
	for _, address := range draft.VerifiableAddresses {
		if identity.VerifiableGuard(address.Via, address.Value) == guard {
			return address.Value
		}
	}
	for _, address := range draft.RecoveryAddresses {
		if identity.RecoveryGuard(address.Via, address.Value) == guard {
			return address.Value
		}
	}
	return ""
}

func hinted(identifier string, kinds []identity.CredentialType) ui.Message {
	who := identifier
	if who == "" {
		who = "an email, phone, or username"
	}
	text := fmt.Sprintf("You tried signing in with %s which is already in use by another account.", who)
	names := []string{}
	for _, way := range signsInWith {
		if slices.Contains(kinds, way.kind) && !slices.Contains(names, way.name) {
			names = append(names, way.name)
		}
	}
	types := []string{}
	for _, kind := range kinds {
		types = append(types, string(kind))
	}
	if len(names) == 0 {
		names = slices.Clone(types)
	}
	if last := len(names) - 1; last > 0 {
		names[last] = "or " + names[last]
	}
	if len(names) > 0 {
		text += " You can sign in using " + strings.Join(names, ", ") + "."
	}
	message := ui.Say(ui.AccountExistsHints, ui.Context{
		"available_credential_types": types, "available_oidc_providers": []string{}, "credential_identifier_hint": identifier,
	})
	message.Text = text
	return message
}
