package admin

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"styx/internal/fault"
	"styx/internal/identity"
)

// Bounds of a patch. A path that does not exist is made, and a list that is made
// for one is as long as its index says: all indexes together have a bound.
const (
	maxOperations = 1000
	maxIndexes    = 100_000
)

func (a *API) patch(w http.ResponseWriter, r *http.Request) error {
	raw, err := readRaw(w, r)
	if err != nil {
		return err
	}
	return a.change(w, r, func(who *identity.Identity) error {
		made, err := a.patched(who, raw)
		if err != nil {
			return err
		}
		return a.fill(r.Context(), who, made)
	})
}

// patched returns what an identity is to be after a JSON patch (RFC 6902). Only
// members that may change are read back, by their exact names, so that no
// spelling of a path changes another one.
func (a *API) patched(who *identity.Identity, raw []byte) (*creation, error) {
	patch, err := readPatch(raw)
	if err != nil {
		return nil, err
	}
	view, err := who.Admin(a.publicURL(), a.Ring)
	if err != nil {
		return nil, err
	}
	view.Credentials = nil
	before, err := json.Marshal(view)
	if err != nil {
		return nil, fmt.Errorf("show what to patch: %w", err)
	}
	options := jsonpatch.NewApplyOptions()
	options.EnsurePathExistsOnAdd = true
	after, err := patch.ApplyWithOptions(before, options)
	if err != nil {
		return nil, unpatched(err.Error())
	}
	made, err := readPatched(after)
	if err != nil {
		return nil, err
	}
	if made.State != who.State && !made.State.Valid() {
		return nil, fault.Bad(fmt.Sprintf("The supplied state ('%s') was not valid. Valid states are ('%s', '%s').",
			echo(string(made.State)), identity.Active, identity.Inactive))
	}
	made.SchemaID = cmp.Or(made.SchemaID, a.Config.Identity.DefaultSchemaID)
	return made, nil
}

func unpatched(why string) error {
	return &fault.Error{Kind: fault.BadRequest, Reason: "failed to apply JSON patch", Message: echo(why)}
}

// readPatch reads the operations and refuses those that must not be. Replacing
// what is not there adds it, as in Kratos.
func readPatch(raw []byte) (jsonpatch.Patch, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, &fault.Error{Kind: fault.BadRequest, Reason: "failed to unmarshal JSON patch", Message: mistake(err, "a patch must be an array")}
	}
	if len(list) > maxOperations {
		return nil, unpatched(fmt.Sprintf("a patch has at most %d operations", maxOperations))
	}
	patch, err := jsonpatch.DecodePatch(raw)
	if err != nil {
		return nil, unpatched(err.Error())
	}
	add := json.RawMessage(`"add"`)
	indexes := 0
	for _, operation := range patch {
		kind := operation.Kind()
		if kind != "add" && kind != "remove" && kind != "replace" {
			return nil, unpatched("unsupported operation: " + kind)
		}
		path, err := operation.Path()
		if err != nil {
			return nil, unpatched("error parsing patch operations: " + err.Error())
		}
		if denied(path) {
			return nil, unpatched("patch includes denied path: " + path)
		}
		sum, last := places(path)
		if indexes += sum; indexes > maxIndexes {
			return nil, unpatched(fmt.Sprintf("the indexes of a patch exceed %d", maxIndexes))
		}
		if kind == "replace" && !last {
			operation["op"] = &add
		}
	}
	return patch, nil
}

// denied tells whether a path leads to what a patch must not change: the whole,
// the id, when the state changed, and everything about credentials.
func denied(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(path), "/"), "/")
	switch first {
	case "", "id", "statechangedat", "state_changed_at", "credentials":
		return true
	default:
		return false
	}
}

// places adds up the places in lists that a path names, and tells whether it ends
// at one.
func places(path string) (sum int, last bool) {
	for part := range strings.SplitSeq(path, "/") {
		index, err := strconv.Atoi(part)
		last = err == nil || part == "-"
		sum = min(sum+max(0, index), maxIndexes+1) // out of an int's bounds, it is its bound
	}
	return sum, last
}

// readPatched reads an identity as it stands after a patch.
func readPatched(raw []byte) (*creation, error) {
	var document map[string]json.RawMessage
	if err := json.Unmarshal(raw, &document); err != nil {
		return nil, unpatched(mistake(err, "an identity must be an object"))
	}
	made := &creation{VerifiableAddresses: []verifiableAddress{}, RecoveryAddresses: []recoveryAddress{}}
	for name, into := range map[string]any{
		"schema_id": &made.SchemaID, "state": &made.State, "traits": &made.Traits,
		"metadata_public": &made.MetadataPublic, "metadata_admin": &made.MetadataAdmin,
		"external_id": &made.ExternalID, "organization_id": &made.OrganizationID,
		"verifiable_addresses": &made.VerifiableAddresses, "recovery_addresses": &made.RecoveryAddresses,
	} {
		value, there := document[name]
		if !there {
			continue
		}
		if err := json.Unmarshal(value, into); err != nil {
			return nil, unpatched(mistake(err, name+" must be of its type"))
		}
	}
	return made, nil
}
