package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/identity/ordered"
	"styx/internal/identity/schema"
	"styx/internal/secret"
	"styx/internal/store"
	"styx/internal/table"
)

// Bounds of what is stored as it was sent. The item as a whole is bounded by
// the table.
const (
	maxMetadataDepth  = 64
	maxMetadataValues = 10_000
	maxAddresses      = 100
)

// creation is the body that makes an identity.
type creation struct {
	SchemaID            string              `json:"schema_id"` // "" is the default schema
	Traits              json.RawMessage     `json:"traits"`
	Credentials         *credentials        `json:"credentials"`
	VerifiableAddresses []verifiableAddress `json:"verifiable_addresses"`
	RecoveryAddresses   []recoveryAddress   `json:"recovery_addresses"`
	MetadataPublic      json.RawMessage     `json:"metadata_public"`
	MetadataAdmin       json.RawMessage     `json:"metadata_admin"`
	State               identity.State      `json:"state"` // "" is active
	OrganizationID      *string             `json:"organization_id"`
	ExternalID          string              `json:"external_id"`
}

// verifiableAddress is a verifiable address as the API shows it, so that an
// export can be sent back. It counts where a trait holds its value; id and
// times of the row are made anew, as Kratos does for an address without them.
type verifiableAddress struct {
	ID         string          `json:"id"`
	Value      string          `json:"value"`
	Verified   bool            `json:"verified"`
	Via        identity.Via    `json:"via"`
	Status     identity.Status `json:"status"`
	VerifiedAt *time.Time      `json:"verified_at"`
	CreatedAt  *time.Time      `json:"created_at"`
	UpdatedAt  *time.Time      `json:"updated_at"`
}

// recoveryAddress is a recovery address as the API shows it.
type recoveryAddress struct {
	ID        string       `json:"id"`
	Value     string       `json:"value"`
	Via       identity.Via `json:"via"`
	CreatedAt *time.Time   `json:"created_at"`
	UpdatedAt *time.Time   `json:"updated_at"`
}

func (a *API) create(w http.ResponseWriter, r *http.Request) error {
	var body creation
	if err := read(w, r, &body); err != nil {
		return err
	}
	who, err := a.draft(r.Context(), body)
	if err != nil {
		return refused(err)
	}
	if err := a.Store.Create(r.Context(), who); err != nil {
		return refused(err)
	}
	w.Header().Set("Location", a.location(who.ID))
	return a.answer(w, http.StatusCreated, who)
}

// draft makes the identity that a body describes. Nothing costly happens
// before the body was found to be right.
func (a *API) draft(ctx context.Context, body creation) (*identity.Identity, error) {
	if err := body.check(); err != nil {
		return nil, err
	}
	schemaID := cmp.Or(body.SchemaID, a.Config.Identity.DefaultSchemaID)
	rules, err := a.Schemas.Rules(ctx, schemaID)
	if err != nil {
		return nil, err
	}
	now := a.Now()
	who := identity.New(secret.NewV4(a.Rand).String(), schemaID, now)
	who.State = cmp.Or(body.State, identity.Active)
	who.Traits = body.Traits
	who.ExternalID, who.OrganizationID = body.ExternalID, body.OrganizationID
	who.MetadataPublic, who.MetadataAdmin = body.MetadataPublic, body.MetadataAdmin
	body.address(who)
	if err := rules.Apply(who, now, a.Rand); err != nil {
		return nil, err
	}
	if body.Credentials != nil {
		if err := a.importCredentials(ctx, who, *body.Credentials, now); err != nil {
			return nil, err
		}
	}
	return who, nil
}

// check refuses what no schema has a say in, and puts the organization's id
// into its one form.
func (c *creation) check() error {
	if c.State != "" && !c.State.Valid() {
		return fault.Bad("identity state is not valid")
	}
	if len(c.VerifiableAddresses) > maxAddresses || len(c.RecoveryAddresses) > maxAddresses {
		return fault.Bad(fmt.Sprintf("An identity can not have more than %d addresses.", maxAddresses))
	}
	for name, metadata := range map[string]json.RawMessage{
		"metadata_public": c.MetadataPublic, "metadata_admin": c.MetadataAdmin,
	} {
		if len(metadata) == 0 {
			continue
		}
		limits := ordered.Limits{Depth: maxMetadataDepth, Values: maxMetadataValues}
		if _, err := ordered.Parse(metadata, limits); err != nil {
			return fault.Bad(fmt.Sprintf("%s is out of bounds: at most %d values, %d levels, and numbers that fit 64 bits.",
				name, maxMetadataValues, maxMetadataDepth))
		}
	}
	if c.OrganizationID != nil {
		id, err := secret.ParseUUID(*c.OrganizationID)
		if err != nil {
			return badParameter("organization_id", *c.OrganizationID)
		}
		*c.OrganizationID = id.String()
	}
	return nil
}

// address hands the addresses over as rows without an id, of which the schema's
// rules keep those that a trait holds.
func (c *creation) address(who *identity.Identity) {
	for _, sent := range c.VerifiableAddresses {
		row := identity.VerifiableAddress{Via: sent.Via, Value: sent.Value, Verified: sent.Verified, Status: sent.Status}
		if sent.VerifiedAt != nil {
			row.VerifiedAt = *sent.VerifiedAt
		}
		who.VerifiableAddresses = append(who.VerifiableAddresses, row)
	}
	for _, sent := range c.RecoveryAddresses {
		who.RecoveryAddresses = append(who.RecoveryAddresses, identity.RecoveryAddress{Via: sent.Via, Value: sent.Value})
	}
}

// refused says why an identity was not stored, in the words of the admin API.
func refused(err error) error {
	if _, taken := errors.AsType[*store.TakenError](err); taken {
		return &fault.Error{Kind: fault.Conflict, Reason: "This identity conflicts with another identity that already exists."}
	}
	if errors.Is(err, table.ErrTooLarge) {
		return fault.Bad(fmt.Sprintf("The identity is too large: at most %d KB with its credentials.", table.MaxItem>>10))
	}
	if found := fault.As(err); found != nil && len(found.Fields) > 0 {
		return fault.Bad(schema.Report(found))
	}
	return err
}
