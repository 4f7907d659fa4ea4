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

// creation is the body that makes an identity. Those that change one are put
// into the same form.
type creation struct {
	SchemaID            string              `json:"schema_id"` // "" is the default schema
	Traits              json.RawMessage     `json:"traits"`
	Credentials         credentials         `json:"credentials"`
	VerifiableAddresses []verifiableAddress `json:"verifiable_addresses"`
	RecoveryAddresses   []recoveryAddress   `json:"recovery_addresses"`
	MetadataPublic      json.RawMessage     `json:"metadata_public"`
	MetadataAdmin       json.RawMessage     `json:"metadata_admin"`
	State               identity.State      `json:"state"` // "" is active
	OrganizationID      *string             `json:"organization_id"`
	ExternalID          string              `json:"external_id"`

	id string // "" has one made
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
	if err == nil {
		err = a.Store.Create(r.Context(), who)
	}
	if err != nil {
		return refused(err, &fault.Error{Kind: fault.Conflict, Reason: "This identity conflicts with another identity that already exists."})
	}
	w.Header().Set("Location", a.location(who.ID))
	return a.answer(w, http.StatusCreated, who)
}

// draft makes the identity that a body describes.
func (a *API) draft(ctx context.Context, body creation) (*identity.Identity, error) {
	body.SchemaID = cmp.Or(body.SchemaID, a.Config.Identity.DefaultSchemaID)
	body.State = cmp.Or(body.State, identity.Active)
	who := identity.New(cmp.Or(body.id, secret.NewV4(a.Rand).String()), body.SchemaID, a.Now())
	return who, a.fill(ctx, who, &body)
}

// fill gives an identity what a body says. Nothing costly happens before the
// body was found to be right; a password is hashed once, however often it fills.
func (a *API) fill(ctx context.Context, who *identity.Identity, body *creation) error {
	if err := body.check(); err != nil {
		return err
	}
	rules, err := a.Schemas.Rules(ctx, body.SchemaID)
	if err != nil {
		return err
	}
	now := a.Now()
	who.SchemaID = body.SchemaID
	who.SetState(body.State, now)
	who.Traits = body.Traits
	who.ExternalID, who.OrganizationID = body.ExternalID, body.OrganizationID
	who.MetadataPublic, who.MetadataAdmin = body.MetadataPublic, body.MetadataAdmin
	body.address(who, now)
	if err := rules.Apply(who, now, a.Rand); err != nil {
		return err
	}
	return a.importCredentials(ctx, who, body.Credentials, now)
}

// check refuses what no schema has a say in, and puts the organization's id
// into its one form.
func (c *creation) check() error {
	if !c.State.Valid() { // "" was made what it stands for
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

// address hands the addresses over as rows, of which the schema's rules keep
// those that a trait holds. A row that exists stays the one it is, any other has
// no id yet. Addresses that were not sent stay as they are.
func (c *creation) address(who *identity.Identity, now time.Time) {
	if c.VerifiableAddresses != nil {
		rows := []identity.VerifiableAddress{}
		for _, sent := range c.VerifiableAddresses {
			rows = append(rows, sent.row(who, now))
		}
		who.VerifiableAddresses = rows
	}
	if c.RecoveryAddresses != nil {
		rows := []identity.RecoveryAddress{}
		for _, sent := range c.RecoveryAddresses {
			row := identity.RecoveryAddress{Via: sent.Via, Value: sent.Value}
			if known := who.Recovery(sent.Via, sent.Value); known != nil {
				row = *known
			}
			rows = append(rows, row)
		}
		who.RecoveryAddresses = rows
	}
}

func (a verifiableAddress) row(who *identity.Identity, now time.Time) identity.VerifiableAddress {
	row := identity.VerifiableAddress{Via: a.Via, Value: a.Value}
	if known := who.Verifiable(a.Via, a.Value); known != nil {
		row = *known
		if row.Verified != a.Verified || row.Status != a.Status {
			row.UpdatedAt = now
		}
	}
	row.Verified, row.Status, row.VerifiedAt = a.Verified, a.Status, time.Time{}
	if a.VerifiedAt != nil {
		row.VerifiedAt = *a.VerifiedAt
	}
	return row
}

// refused says why an identity was not stored, in the words of the admin API;
// conflict is the answer when another one holds what this one needs.
func refused(err error, conflict *fault.Error) error {
	if _, taken := errors.AsType[*store.TakenError](err); taken {
		return conflict
	}
	if errors.Is(err, table.ErrTooLarge) {
		return fault.Bad(fmt.Sprintf("The identity is too large: at most %d KB with its credentials.", table.MaxItem>>10))
	}
	if found := fault.As(err); found != nil && len(found.Fields) > 0 {
		return fault.Bad(schema.Report(found))
	}
	return err
}
