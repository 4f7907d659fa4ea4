package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/secret"
)

// maxIDs is how many identities can be asked for by id.
const maxIDs = 500

// The filters of a list, by the name of their query parameter.
const (
	byID           = "ids"
	byIdentifier   = "credentials_identifier"
	bySimilar      = "preview_credentials_identifier_similar"
	byOrganization = "organization_id"
)

// filter says whom a list is to hold. The zero filter says everybody.
type filter struct {
	name   string
	values []string
}

// readFilter reads the one filter of a request. An empty id is a bad one: to
// read it as no filter would answer with everybody.
func readFilter(r *http.Request) (filter, error) {
	query := r.URL.Query()
	var asked []filter
	for _, name := range []string{byID, byOrganization, byIdentifier, bySimilar} {
		values := query[name]
		if name != byID {
			if query.Get(name) == "" {
				continue
			}
			values = values[:1]
		}
		if len(values) == 0 {
			continue
		}
		if name == byID || name == byOrganization {
			if err := canonical(name, values); err != nil {
				return filter{}, err
			}
		}
		asked = append(asked, filter{name, values})
	}
	switch len(asked) {
	case 0:
		return filter{}, nil
	case 1:
		return asked[0], nil
	default:
		return filter{}, fault.Bad("You cannot combine multiple filters in this API")
	}
}

// canonical puts UUIDs into their one form.
func canonical(name string, values []string) error {
	if len(values) > maxIDs {
		return fault.Bad(fmt.Sprintf("The number of `%s` to filter by must not exceed %d.", name, maxIDs))
	}
	for at, value := range values {
		id, err := secret.ParseUUID(value)
		if err != nil {
			return fault.Bad(fmt.Sprintf("Invalid UUID value `%s` for parameter `%s`.", value, name))
		}
		values[at] = id.String()
	}
	return nil
}

// binding names the filter for what must not be used with another one.
func (f filter) binding() string {
	if f.name == "" {
		return ""
	}
	return url.Values{f.name: slices.Sorted(slices.Values(f.values))}.Encode()
}

// showsCredentials tells whether the filter brings credentials into the list.
func (f filter) showsCredentials() bool { return f.name == byIdentifier || f.name == bySimilar }

// source hands out identities in the order of their ids: up to limit of those
// that follow after, and whether there are more.
type source func(ctx context.Context, after string, limit int) ([]*identity.Identity, bool, error)

// selection is what a filter makes of the identities.
type selection struct {
	source source
	// matches picks from the source, nil for all of it.
	matches func(*identity.Identity) bool
	// total is how many the source has in all, -1 if nobody counted.
	total int
}

// choose reads whom the filter names, or prepares to go through all identities.
func (a *API) choose(ctx context.Context, f filter) (selection, error) {
	switch f.name {
	case byID:
		found, err := a.Store.IdentitiesByID(ctx, f.values)
		return among(found), err
	case byIdentifier:
		found, err := a.identified(ctx, f.values[0])
		return among(found), err
	case bySimilar:
		return selection{a.Store.Identities, resembles(f.values[0]), -1}, nil
	case byOrganization:
		return selection{a.Store.Identities, func(who *identity.Identity) bool {
			return who.OrganizationID != nil && *who.OrganizationID == f.values[0]
		}, -1}, nil
	default:
		return selection{a.Store.Identities, nil, -1}, nil
	}
}

// among selects from a list that is in the order of ids.
func among(found []*identity.Identity) selection {
	return selection{source: func(_ context.Context, after string, limit int) ([]*identity.Identity, bool, error) {
		from := slices.IndexFunc(found, func(who *identity.Identity) bool { return who.ID > after })
		if from < 0 {
			return nil, false, nil
		}
		rest := found[from:]
		return rest[:min(limit, len(rest))], len(rest) > limit, nil
	}, total: len(found)}
}

// identified returns who has a credential with that identifier: one that comes
// from a trait is compared in normal form, any other as it is. Identities that
// were written a moment ago are found, and those that changed theirs are not.
func (a *API) identified(ctx context.Context, identifier string) ([]*identity.Identity, error) {
	normal := identity.Normalize(identifier)
	spelled := func(kind identity.CredentialType) string {
		switch kind {
		case identity.Password, identity.Code, identity.WebAuthn:
			return normal
		default:
			return identifier
		}
	}
	var guards []string
	for _, kind := range []identity.CredentialType{
		identity.Password, identity.Code, identity.WebAuthn, identity.Passkey, identity.OIDC, identity.SAML,
	} {
		guards = append(guards, identity.CredentialGuard(kind, spelled(kind)))
	}
	owners, err := a.Store.Owners(ctx, guards...)
	if err != nil {
		return nil, err
	}
	// A second factor's identifier is the identity's own id, which needs no guard.
	found, err := a.Store.IdentitiesByID(ctx, append(owners, identifier))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(who *identity.Identity) bool {
		for kind, credential := range who.Credentials {
			if slices.Contains(credential.Identifiers, spelled(kind)) {
				return false
			}
		}
		return true
	}), nil
}

// resembles matches identities with an identifier that has the text in it.
func resembles(text string) func(*identity.Identity) bool {
	text = identity.Normalize(text)
	return func(who *identity.Identity) bool {
		for _, credential := range who.Credentials {
			for _, identifier := range credential.Identifiers {
				if text != "" && strings.Contains(identity.Normalize(identifier), text) {
					return true
				}
			}
		}
		return false
	}
}
