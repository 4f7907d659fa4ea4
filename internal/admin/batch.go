package admin

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/table"
	"styx/internal/web"
)

// Bounds of a batch.
const (
	maxBatch      = 1000
	maxBatchPlain = 200 // with passwords that have to be hashed
	batchAtOnce   = 16
)

// batchBody is the body that makes many identities.
type batchBody struct {
	Identities []batchEntry `json:"identities"`
}

type batchEntry struct {
	PatchID *secret.UUID `json:"patch_id"`
	Create  *creation    `json:"create"`
}

// keptBody is a batch whose identities bring along the ids they had elsewhere,
// for who asks with keep_ids=true: they stay known by them, and a batch that is
// sent twice makes nobody twice. Without the parameter an id is, as in Kratos, an
// unknown field.
type keptBody struct {
	Identities []struct {
		PatchID *secret.UUID `json:"patch_id"`
		Create  *struct {
			creation

			ID string `json:"id"`
		} `json:"create"`
	} `json:"identities"`
}

// batchResult is what became of one of them.
type batchResult struct {
	Action   string       `json:"action"` // "create" or "error"
	Identity string       `json:"identity,omitempty"`
	PatchID  *secret.UUID `json:"patch_id,omitempty"`
	Error    any          `json:"error,omitempty"`
}

// createMany makes identities; one that fails leaves the others alone.
func (a *API) createMany(w http.ResponseWriter, r *http.Request) error {
	body, err := readBatch(w, r)
	if err != nil {
		return err
	}
	if err := body.check(); err != nil {
		return err
	}
	made, failed := a.makeMany(r.Context(), body)
	results := make([]*batchResult, len(body.Identities))
	for at, one := range body.Identities {
		switch {
		case failed[at] != nil:
			results[at] = &batchResult{Action: "error", PatchID: one.PatchID, Error: describe(r, failed[at])}
		case made[at] != nil:
			results[at] = &batchResult{Action: "create", PatchID: one.PatchID, Identity: made[at].ID}
		}
	}
	web.JSON(w, http.StatusOK, map[string]any{"identities": results})
	return nil
}

func readBatch(w http.ResponseWriter, r *http.Request) (batchBody, error) {
	var body batchBody
	if r.URL.Query().Get("keep_ids") != "true" {
		return body, read(w, r, &body)
	}
	var kept keptBody
	if err := read(w, r, &kept); err != nil {
		return body, err
	}
	for at, one := range kept.Identities {
		entry := batchEntry{PatchID: one.PatchID}
		if one.Create != nil {
			id, err := secret.ParseUUID(one.Create.ID)
			if err != nil || id == (secret.UUID{}) {
				return body, fault.Bad(fmt.Sprintf("identities.%d.create.id is not a UUID.", at))
			}
			entry.Create = &one.Create.creation
			entry.Create.id = id.String()
		}
		body.Identities = append(body.Identities, entry)
	}
	return body, nil
}

// makeMany drafts and stores what each entry describes, many at once. Those that
// want the same name are stored in their order, so that the first one has it.
func (a *API) makeMany(ctx context.Context, body batchBody) (drafts []*identity.Identity, failed []error) {
	drafts, failed = make([]*identity.Identity, len(body.Identities)), make([]error, len(body.Identities))
	each := func(ctx context.Context, atOnce int, places []int, do func(ctx context.Context, at int) error) {
		_ = table.Spread(ctx, atOnce, len(places), func(ctx context.Context, n int) error {
			failed[places[n]] = do(ctx, places[n])
			return nil // the others go on
		})
	}
	var asked []int
	for at, one := range body.Identities {
		if one.Create != nil {
			asked = append(asked, at)
		}
	}
	each(ctx, batchAtOnce, asked, func(ctx context.Context, at int) (err error) {
		drafts[at], err = a.draft(ctx, *body.Identities[at].Create)
		return err
	})
	store := func(ctx context.Context, at int) error { return a.Store.Create(ctx, drafts[at]) }
	free, later := apart(drafts, failed)
	each(ctx, batchAtOnce, free, store)
	each(ctx, 1, later, store)
	return drafts, failed
}

func (b batchBody) check() error {
	if len(b.Identities) > maxBatch {
		return fault.Bad(fmt.Sprintf(
			"The maximum number of identities per request that can be created or deleted at once is %d.", maxBatch))
	}
	plain := 0
	for _, one := range b.Identities {
		if one.Create != nil && one.Create.Credentials.plain() {
			plain++
		}
	}
	if plain > maxBatchPlain {
		return fault.Bad(fmt.Sprintf(
			"The maximum number of identities per request that can be created with a plaintext password is %d.", maxBatchPlain))
	}
	return nil
}

// apart parts the drafts into those that no earlier one stands in the way of, and
// the rest. A draft that has failed is in neither.
func apart(drafts []*identity.Identity, failed []error) (free, later []int) {
	wanted := map[string]bool{}
	for at, who := range drafts {
		if who == nil || failed[at] != nil {
			continue
		}
		guards, err := identity.Guards(who)
		if err != nil {
			failed[at] = err
			continue
		}
		if slices.ContainsFunc(guards, func(guard string) bool { return wanted[guard] }) {
			later = append(later, at)
		} else {
			free = append(free, at)
		}
		for _, guard := range guards {
			wanted[guard] = true
		}
	}
	return free, later
}

// describe is an error as it stands within an answer that is none. What the
// caller may not see is logged.
func describe(r *http.Request, err error) any {
	err = refused(err, taken())
	if web.Status(err) >= http.StatusInternalServerError {
		slog.ErrorContext(r.Context(), "one of a batch failed", "error", err)
	}
	return web.Describe(r, err)["error"]
}
