package admin

import (
	"cmp"
	"encoding/json"
	"net/http"

	"styx/internal/fault"
	"styx/internal/identity"
)

// taken is the answer to a change whose outcome another identity stands in the
// way of.
func taken() *fault.Error {
	return &fault.Error{
		Kind:    fault.Conflict,
		Message: "Unable to insert or update resource because a resource with that value exists already",
	}
}

// replacement is the body that replaces what an identity is. What is left out is
// cleared, save schema, state and credentials; members that are unknown do not
// matter, so that an identity can be sent back as it was shown.
type replacement struct {
	SchemaID       string          `json:"schema_id"`
	Traits         json.RawMessage `json:"traits"`
	Credentials    credentials     `json:"credentials"`
	MetadataPublic json.RawMessage `json:"metadata_public"`
	MetadataAdmin  json.RawMessage `json:"metadata_admin"`
	State          identity.State  `json:"state"`
	ExternalID     string          `json:"external_id"`
}

func (a *API) update(w http.ResponseWriter, r *http.Request) error {
	raw, err := readRaw(w, r)
	if err != nil {
		return err
	}
	var body replacement
	if err := decode(raw, &body, lenient); err != nil {
		return err
	}
	return a.change(w, r, func(who *identity.Identity) error {
		made := creation{
			SchemaID: cmp.Or(body.SchemaID, who.SchemaID), State: cmp.Or(body.State, who.State),
			Traits: body.Traits, ExternalID: body.ExternalID, OrganizationID: who.OrganizationID,
			MetadataPublic: body.MetadataPublic, MetadataAdmin: body.MetadataAdmin,
			Credentials: body.Credentials,
		}
		return a.fill(r.Context(), who, &made)
	})
}

// change changes the identity that a path names and shows it.
func (a *API) change(w http.ResponseWriter, r *http.Request, change func(*identity.Identity) error) error {
	who, err := a.Store.Amend(r.Context(), r.PathValue("id"), change)
	if err != nil {
		return refused(err, taken())
	}
	return a.answer(w, http.StatusOK, who)
}
