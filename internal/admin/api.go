package admin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/selfservice"
	"styx/internal/store"
	"styx/internal/web"
)

// API answers the admin API.
type API struct {
	Config  *config.Config
	Store   *store.Store
	Schemas *identity.Catalog
	Engine  *selfservice.Engine // begins recoveries, and knows which credentials count
	Hash    *secret.Hasher
	Ring    *secret.Ring
	Now     func() time.Time
	Rand    io.Reader
	// Posted is told the id of each message that was queued; nil where the table's
	// stream tells.
	Posted func(id string)
	// Preview renders a message that was not sent yet, in development; nil shows
	// those that were.
	Preview func(context.Context, *courier.Message) (courier.Content, error)
}

// Handlers maps patterns of net/http's mux to what answers them.
func (a *API) Handlers() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /admin/identities":                            answered(a.list),
		"POST /admin/identities":                           answered(a.create),
		"PATCH /admin/identities":                          answered(a.createMany),
		"GET /admin/identities/{id}":                       answered(a.get),
		"PUT /admin/identities/{id}":                       answered(a.update),
		"PATCH /admin/identities/{id}":                     answered(a.patch),
		"DELETE /admin/identities/{id}":                    answered(a.delete),
		"GET /admin/identities/by/external/{external_id}":  answered(a.getByExternalID),
		"DELETE /admin/identities/{id}/credentials/{type}": answered(a.deleteCredential),
		"GET /admin/identities/{id}/sessions":              answered(a.listIdentitySessions),
		"DELETE /admin/identities/{id}/sessions":           answered(a.deleteIdentitySessions),
		"GET /admin/sessions":                              answered(a.listSessions),
		"POST /admin/sessions":                             answered(a.manageSessions),
		"GET /admin/sessions/{id}":                         answered(a.getSession),
		"DELETE /admin/sessions/{id}":                      answered(a.disableSession),
		"PATCH /admin/sessions/{id}/extend":                answered(a.extendSession),
		"POST /admin/recovery/code":                        answered(a.recoveryCode),
		"POST /admin/recovery/link":                        answered(a.recoveryLink),
		"GET /admin/courier/messages":                      answered(a.listMessages),
		"GET /admin/courier/messages/{id}":                 answered(a.getMessage),
		"POST /admin/courier/messages/{id}/retry":          answered(a.retryMessage),
	}
}

// answered makes a handler of a function whose error is still to be answered.
func answered(serve func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := serve(w, r); err != nil {
			web.Fail(w, r, err)
		}
	}
}

func (a *API) get(w http.ResponseWriter, r *http.Request) error {
	who, err := a.Store.Identity(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return a.showAsked(w, r, who)
}

func (a *API) getByExternalID(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("external_id")
	owners, err := a.Store.Owners(r.Context(), identity.ExternalGuard(id))
	if err != nil {
		return err
	}
	found, err := a.Store.IdentitiesByID(r.Context(), owners)
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].ExternalID != id {
		return fault.Missing()
	}
	return a.showAsked(w, r, found[0])
}

// showAsked shows an identity with the configs that the request asks for.
func (a *API) showAsked(w http.ResponseWriter, r *http.Request, who *identity.Identity) error {
	include, bad := included(r)
	if bad != "" {
		// Kratos names here the types it did recognise, and clients have that on record.
		return badParameter("include_credential", fmt.Sprint(include))
	}
	return a.answer(w, http.StatusOK, who, include...)
}

// answer shows an identity with its credentials.
func (a *API) answer(w http.ResponseWriter, status int, who *identity.Identity, include ...identity.CredentialType) error {
	view, err := who.Admin(a.publicURL(), a.Ring, include...)
	if err != nil {
		return err
	}
	web.JSON(w, status, view)
	return nil
}

func (a *API) delete(w http.ResponseWriter, r *http.Request) error {
	if err := a.Store.Delete(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// included reads the types of credential whose config is asked for, up to the
// first that is none, which is bad.
func included(r *http.Request) (include []identity.CredentialType, bad string) {
	for _, name := range r.URL.Query()["include_credential"] {
		kind := identity.CredentialType(name)
		if !kind.Known() {
			return include, name
		}
		include = append(include, kind)
	}
	return include, ""
}

func badParameter(name, value string) error {
	return fault.Bad(fmt.Sprintf("Invalid value `%s` for parameter `%s`.", value, name))
}

func (a *API) publicURL() string { return a.Config.Serve.Public.BaseURL.String() }

// location is where the admin API shows an identity.
func (a *API) location(id string) string {
	return strings.TrimSuffix(a.Config.Serve.Admin.BaseURL.String(), "/") + "/identities/" + id
}
