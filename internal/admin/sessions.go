package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/web"
)

// Sizes of a page of sessions.
const (
	defaultSessions = 250
	mostSessions    = 1000
)

// expansion says what is shown of a session beside itself.
type expansion struct{ identity, devices bool }

func readExpansion(r *http.Request) (expansion, error) {
	var asked expansion
	for _, name := range r.URL.Query()["expand"] {
		switch strings.ToLower(name) {
		case "identity":
			asked.identity = true
		case "devices":
			asked.devices = true
		default:
			return expansion{}, fault.Bad("Could not parse expand option: " + name)
		}
	}
	return asked, nil
}

// readActive reads whether live or dead sessions are asked for, nil for both.
func readActive(r *http.Request) (*bool, error) {
	text := r.URL.Query().Get("active")
	if text == "" {
		return nil, nil
	}
	active, err := strconv.ParseBool(text)
	if err != nil {
		return nil, malformed("could not parse parameter active")
	}
	return &active, nil
}

// uuidOf reads a UUID where another text is a mistake rather than nobody's id.
func uuidOf(text string) (string, error) {
	id, err := secret.ParseUUID(text)
	switch {
	case err == nil:
		return id.String(), nil
	case len(text) != len(id.String()):
		return "", malformed(fmt.Sprintf("uuid: incorrect UUID length %d in string %q", len(text), echo(text)))
	default:
		return "", malformed(fmt.Sprintf("uuid: incorrect UUID format in string %q", text))
	}
}

// session returns the session that a path names, and its owner.
func (a *API) session(r *http.Request) (*session.Session, *identity.Identity, error) {
	id, err := uuidOf(r.PathValue("id"))
	if err != nil {
		return nil, nil, err
	}
	return a.Store.Session(r.Context(), id)
}

func (a *API) live(one *session.Session, who *identity.Identity) bool {
	return who != nil && one.Active(who, a.Now(), a.Config.Styx.NotBefore)
}

// show shows a session as it was asked for; devices stand for those that were not.
func (a *API) show(one *session.Session, who *identity.Identity, asked expansion, devices []session.Device) (session.View, error) {
	view := one.Show(a.live(one, who), nil)
	if asked.identity && who != nil {
		owner, err := who.Admin(a.publicURL(), a.Ring)
		if err != nil {
			return session.View{}, err
		}
		owner.Credentials = nil
		view.Identity = owner
	}
	if !asked.devices {
		view.Devices = devices
	}
	return view, nil
}

func (a *API) listSessions(w http.ResponseWriter, r *http.Request) error {
	active, err := readActive(r)
	if err != nil {
		return err
	}
	asked, err := readExpansion(r)
	if err != nil {
		return err
	}
	use := "GET /admin/sessions?active=" + r.URL.Query().Get("active")
	at, err := a.readCursor(r, use, defaultSessions, mostSessions)
	if err != nil {
		return malformed("could not parse parameter page_size")
	}
	page, err := a.Store.AllSessions(r.Context(), at.before, at.size)
	if err != nil {
		return err
	}
	rows, next := []json.RawMessage{}, page.Next
	weight := 0
	for n, one := range page.Sessions {
		who := page.Owners[one.IdentityID]
		if active != nil && a.live(one, who) != *active {
			continue
		}
		view, err := a.show(one, who, asked, nil)
		if err != nil {
			return err
		}
		row, err := json.Marshal(view)
		if err != nil {
			return fmt.Errorf("show session %s: %w", one.ID, err)
		}
		if weight += len(row); weight > maxAnswer && n > 0 {
			next = page.Sessions[n-1].ID
			break
		}
		rows = append(rows, row)
	}
	w.Header().Set("Link", a.cursorLinks(r.URL, use, at.size, next))
	web.JSON(w, http.StatusOK, rows)
	return nil
}

func (a *API) getSession(w http.ResponseWriter, r *http.Request) error {
	asked, err := readExpansion(r)
	if err != nil {
		return err
	}
	one, who, err := a.session(r)
	if err != nil {
		return err
	}
	view, err := a.show(one, who, asked, []session.Device{})
	if err != nil {
		return err
	}
	web.JSON(w, http.StatusOK, view)
	return nil
}

func (a *API) disableSession(w http.ResponseWriter, r *http.Request) error {
	one, who, err := a.session(r)
	if err != nil {
		return err
	}
	if err := a.Store.Revoke(r.Context(), who.ID, one.ID); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// extendSession lets a session begin its life anew, once it is old enough. One
// that was ended stays ended.
func (a *API) extendSession(w http.ResponseWriter, r *http.Request) error {
	one, who, err := a.session(r)
	if err != nil {
		return err
	}
	settings, now := a.Config.Session, a.Now()
	due := func(one *session.Session) bool { return one.ExpiresAt.Add(-settings.EarliestExtend).Before(now) }
	if !one.Revoked && one.Epoch == who.Epoch && due(one) {
		err := a.Store.Resume(r.Context(), who, one, func(one *session.Session) {
			if due(one) {
				one.ExpiresAt = now.Add(settings.Lifespan)
			}
		})
		if err != nil && !fault.Is(err, fault.Unauthorized) { // it was ended meanwhile
			return err
		}
	}
	if a.Config.FeatureFlags.FasterSessionExtend {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	view := one.Show(a.live(one, who), who.Public(a.publicURL()))
	view.Devices = []session.Device{}
	web.JSON(w, http.StatusOK, view)
	return nil
}

// listIdentitySessions shows the newest sessions of an identity; of nobody there
// are none.
func (a *API) listIdentitySessions(w http.ResponseWriter, r *http.Request) error {
	id, err := uuidOf(r.PathValue("id"))
	if err != nil {
		return err
	}
	active, err := readActive(r)
	if err != nil {
		return err
	}
	page, err := web.OffsetPage(r)
	if err != nil {
		return err
	}
	who, err := a.Store.Identity(r.Context(), id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	all := []*session.Session{}
	if who != nil {
		if all, err = a.Store.Sessions(r.Context(), id); err != nil {
			return err
		}
	}
	all = slices.DeleteFunc(all, func(one *session.Session) bool { return active != nil && a.live(one, who) != *active })
	views := []session.View{}
	for _, one := range web.Slice(page, all, w, r) {
		// Kratos leaves out here what it reads from other tables.
		owner, err := who.Admin("", a.Ring)
		if err != nil {
			return err
		}
		owner.Credentials, owner.SchemaURL, owner.VerifiableAddresses, owner.RecoveryAddresses = nil, "", nil, nil
		views = append(views, one.Show(a.live(one, who), owner))
	}
	web.JSON(w, http.StatusOK, views)
	return nil
}

func (a *API) deleteIdentitySessions(w http.ResponseWriter, r *http.Request) error {
	id, err := uuidOf(r.PathValue("id"))
	if err != nil {
		return err
	}
	count, err := a.Store.DeleteOf(r.Context(), id)
	if err != nil {
		return err
	}
	if count == 0 {
		return fault.Missing()
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
