package admin

import (
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

// sessionID reads the id of a path.
func sessionID(r *http.Request) (string, error) { return uuidOf(r.PathValue("id")) }

// uuidOf reads a UUID where another text is a mistake rather than nobody's id.
func uuidOf(text string) (string, error) {
	id, err := secret.ParseUUID(text)
	if err != nil {
		return "", malformed("uuid: incorrect UUID " + strconv.Quote(text))
	}
	return id.String(), nil
}

func (a *API) live(one *session.Session, who *identity.Identity) bool {
	return who != nil && one.Active(who, a.Now(), a.Config.Styx.NotBefore)
}

// administered is an identity as it stands within a session, nil for nobody.
func (a *API) administered(who *identity.Identity) (any, error) {
	if who == nil {
		return nil, nil
	}
	view, err := who.Admin(a.publicURL(), a.Ring)
	view.Credentials = nil
	return view, err
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
	views := []session.View{}
	for _, one := range page.Sessions {
		who := page.Owners[one.IdentityID]
		live := a.live(one, who)
		if active != nil && live != *active {
			continue
		}
		view := one.Show(live, nil)
		if asked.identity {
			if view.Identity, err = a.administered(who); err != nil {
				return err
			}
		}
		if !asked.devices {
			view.Devices = nil
		}
		views = append(views, view)
	}
	w.Header().Set("Link", a.cursorLinks(r.URL, use, at.size, page.Next))
	web.JSON(w, http.StatusOK, views)
	return nil
}

func (a *API) getSession(w http.ResponseWriter, r *http.Request) error {
	id, err := sessionID(r)
	if err != nil {
		return err
	}
	asked, err := readExpansion(r)
	if err != nil {
		return err
	}
	one, who, err := a.Store.Session(r.Context(), id)
	if err != nil {
		return err
	}
	view := one.Show(a.live(one, who), nil)
	if asked.identity {
		if view.Identity, err = a.administered(who); err != nil {
			return err
		}
	}
	if !asked.devices {
		view.Devices = []session.Device{}
	}
	web.JSON(w, http.StatusOK, view)
	return nil
}

func (a *API) disableSession(w http.ResponseWriter, r *http.Request) error {
	id, err := sessionID(r)
	if err != nil {
		return err
	}
	one, who, err := a.Store.Session(r.Context(), id)
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
	id, err := sessionID(r)
	if err != nil {
		return err
	}
	one, who, err := a.Store.Session(r.Context(), id)
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
