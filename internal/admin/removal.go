package admin

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"styx/internal/fault"
	"styx/internal/identity"
)

func (a *API) deleteCredential(w http.ResponseWriter, r *http.Request) error {
	kind, identifier := identity.CredentialType(r.PathValue("type")), r.URL.Query().Get("identifier")
	_, err := a.Store.Amend(r.Context(), r.PathValue("id"), func(who *identity.Identity) error {
		who.Touch(a.Now())
		return a.remove(who, kind, identifier)
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// remove takes a credential away. The last way to sign in stays, and what only
// follows from the traits can not be taken away.
func (a *API) remove(who *identity.Identity, kind identity.CredentialType, identifier string) error {
	if _, there := who.Credentials[kind]; !there {
		return &fault.Error{
			Kind: fault.NotFound, Reason: fmt.Sprintf("You tried to remove a %[1]s but this user have no %[1]s set up.", kind),
		}
	}
	switch kind {
	case identity.Password, identity.OIDC, identity.SAML:
		if who.Counts().FirstFactors(a.Engine.Policy) < 2 {
			return fault.Bad("You cannot remove the last first factor credential.")
		}
	default:
	}
	now := a.Now()
	switch kind {
	case identity.TOTP, identity.LookupSecret:
		delete(who.Credentials, kind)
		return nil
	case identity.Password:
		return who.RemovePassword(now)
	case identity.OIDC, identity.SAML:
		return unlink(who, kind, identifier, now)
	case identity.WebAuthn:
		return who.RemoveSecondKeys(now)
	default:
		return fault.Bad(fmt.Sprintf("Credentials type %s cannot be deleted.", kind))
	}
}

// unlink takes one subject away from those that are linked.
func unlink(who *identity.Identity, kind identity.CredentialType, identifier string, now time.Time) error {
	if identifier == "" {
		return fault.Bad("You must provide an identifier to delete this credential.")
	}
	linked, err := who.Providers(kind)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(linked), func(one identity.Provider) bool { return one.Identifier() == identifier })
	if len(left) == len(linked) {
		return &fault.Error{Kind: fault.NotFound, Reason: fmt.Sprintf("The identifier `%s` was not found among %s credentials.",
			identifier, strings.ToUpper(string(kind)))}
	}
	return who.SetProviders(kind, left, now)
}
