package admin

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"

	"styx/internal/fault"
	"styx/internal/session"
	"styx/internal/table"
	"styx/internal/web"
)

// Bounds of a bulk of sessions.
const (
	maxBulk     = 500  // ids
	maxWildcard = 5000 // sessions of whomever, a call
	bulkAtOnce  = 8    // identities
)

// What a bulk may do, and the id that stands for every identity.
const (
	disableThem = "disable"
	deleteThem  = "delete"
	everybody   = "*"
)

// bulkBody is the body that ends or removes many sessions.
type bulkBody struct {
	Action     string   `json:"action"`
	Identities []string `json:"identities"`
	Sessions   []string `json:"sessions"`
}

// bulkResult says how many sessions it came to; More, that there may be others.
type bulkResult struct {
	Processed int  `json:"processed"`
	More      bool `json:"more"`
}

func (a *API) manageSessions(w http.ResponseWriter, r *http.Request) error {
	raw, err := readRaw(w, r)
	if err != nil {
		return err
	}
	var body bulkBody
	if err := decode(raw, &body, lenient); err != nil {
		found := fault.As(err)
		return &fault.Error{Kind: found.Kind, Message: found.Message, Reason: "Invalid JSON body."}
	}
	if body.Action != disableThem && body.Action != deleteThem {
		return fault.Bad(fmt.Sprintf("The 'action' field must be one of '%s' or '%s'.", disableThem, deleteThem))
	}
	if len(body.Identities) > 0 == (len(body.Sessions) > 0) {
		return fault.Bad("Exactly one of 'identities' or 'sessions' must be a non-empty array.")
	}
	result, err := a.manage(r.Context(), body)
	if err != nil {
		return err
	}
	web.JSON(w, http.StatusOK, result)
	return nil
}

func (a *API) manage(ctx context.Context, body bulkBody) (bulkResult, error) {
	if len(body.Identities) == 1 && body.Identities[0] == everybody {
		return a.manageAll(ctx, body.Action)
	}
	if len(body.Identities) > 0 {
		ids, err := bulkIDs("identities", body.Identities)
		if err != nil {
			return bulkResult{}, err
		}
		return a.manageOf(ctx, body.Action, ids)
	}
	ids, err := bulkIDs("sessions", body.Sessions)
	if err != nil {
		return bulkResult{}, err
	}
	found, err := a.Store.SessionsByID(ctx, ids)
	if err != nil {
		return bulkResult{}, err
	}
	return a.manageThese(ctx, body.Action, found)
}

// manageOf ends or removes the sessions of identities.
func (a *API) manageOf(ctx context.Context, action string, ids []string) (bulkResult, error) {
	end := a.Store.RevokeOf
	if action == deleteThem {
		end = a.Store.DeleteOf
	}
	var count atomic.Int64
	err := table.Spread(ctx, bulkAtOnce, len(ids), func(ctx context.Context, at int) error {
		ended, err := end(ctx, ids[at])
		count.Add(int64(ended))
		return err
	})
	return bulkResult{Processed: int(count.Load())}, err
}

func (a *API) manageThese(ctx context.Context, action string, found []*session.Session) (bulkResult, error) {
	if action == deleteThem {
		return bulkResult{Processed: len(found)}, a.Store.DeleteAll(ctx, found)
	}
	count, err := a.Store.RevokeAll(ctx, found)
	return bulkResult{Processed: count}, err
}

// manageAll ends or removes sessions of whomever, so many a call. More is true
// as well where it was just so many: to know costs as much as to ask again.
func (a *API) manageAll(ctx context.Context, action string) (bulkResult, error) {
	now := a.Now()
	found, err := a.Store.SomeSessions(ctx, maxWildcard, func(one *session.Session) bool {
		return action == deleteThem || !one.Revoked && one.ExpiresAt.After(now)
	})
	if err != nil {
		return bulkResult{}, err
	}
	result, err := a.manageThese(ctx, action, found)
	result.More = len(found) == maxWildcard
	return result, err
}

// bulkIDs puts ids into their one form, each once.
func bulkIDs(field string, raw []string) ([]string, error) {
	amiss := func(why string) error { return fault.Bad(fmt.Sprintf("Could not parse '%s' field: %s", field, why)) }
	if len(raw) > maxBulk {
		return nil, amiss(fmt.Sprintf("at most %d IDs may be provided per call", maxBulk))
	}
	seen := map[string]bool{}
	var ids []string
	for _, text := range raw {
		if text == everybody {
			return nil, amiss("the wildcard '*' is not accepted here")
		}
		id, err := uuidOf(text)
		if err != nil {
			return nil, amiss(fmt.Sprintf("could not parse %s as UUID", strconv.Quote(echo(text))))
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}
