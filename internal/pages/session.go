package pages

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// revokeBodyLimit is the most bytes the form that ends a session may have.
const revokeBodyLimit = 4 << 10

// sessionPage shows who is signed in here and where else.
type sessionPage struct {
	frame
	Traits  []detail
	Session []detail
	Others  []otherSession
}

// otherSession is a session of the same identity in another browser or app.
type otherSession struct {
	ID, Device, Place string
	Since             time.Time
}

// whoami asks whose session the browser has. When there is none to show, it has
// answered already and ok is false.
func (p *pages) whoami(w http.ResponseWriter, r *http.Request) (s sessionJSON, ok bool) {
	a, err := p.api.call(w, r, http.MethodGet, "/sessions/whoami", nil)
	if err == nil && a.status == http.StatusOK {
		err = a.into(&s)
	}
	switch {
	case err != nil:
		p.unreachable(w, r, err)
	case a.status == http.StatusOK:
		return s, true
	case a.status == http.StatusUnauthorized:
		page := noticePage{
			frame:      frame{Title: "Not signed in", Heading: "You are not signed in"},
			Paragraphs: []string{"Sign in to see your account."},
		}
		for _, kind := range []string{"login", "registration"} {
			if p.offers(kind) {
				page.Actions = append(page.Actions, Link{titles[kind], p.begin(kind, nil)})
			}
		}
		p.notice(w, r, http.StatusOK, page)
	case a.status == http.StatusForbidden && p.ours(a.fault().RedirectBrowserTo):
		page := noticePage{
			frame:      frame{Title: "One more step", Heading: "One more step"},
			Paragraphs: []string{"You are signed in with your first factor. Confirm with your second one to go on."},
			Actions:    []Link{{"Continue", a.fault().RedirectBrowserTo}},
		}
		if leave := p.logoutURL(w, r); leave != "" {
			page.Actions = append(page.Actions, Link{"Sign out", leave})
		}
		p.notice(w, r, http.StatusOK, page)
	default:
		p.refused(w, r, a)
	}
	return sessionJSON{}, false
}

// welcome is where a browser lands that was sent nowhere else.
func (p *pages) welcome(w http.ResponseWriter, r *http.Request) {
	s, ok := p.whoami(w, r)
	if !ok {
		return
	}
	page := noticePage{
		frame:      frame{Title: "Welcome", Heading: "You are signed in"},
		Paragraphs: []string{},
		Details:    traits(s.Identity.Traits),
		Actions:    []Link{{"Your sessions", p.base + "/ui/session"}},
	}
	if p.offers("settings") {
		page.Actions = append(page.Actions, Link{"Settings", p.begin("settings", nil)})
	}
	if leave := p.logoutURL(w, r); leave != "" {
		page.Actions = append(page.Actions, Link{"Sign out", leave})
	}
	p.notice(w, r, http.StatusOK, page)
}

// session shows the session of this browser and the others of its identity.
func (p *pages) session(w http.ResponseWriter, r *http.Request) {
	s, ok := p.whoami(w, r)
	if !ok {
		return
	}
	page := sessionPage{
		frame:  frame{Title: "Your session", Heading: "Your session", Base: p.base, Wide: true},
		Traits: traits(s.Identity.Traits),
	}
	var methods []string
	for _, m := range s.Methods {
		methods = append(methods, m.Method)
	}
	page.Session = []detail{
		{"Identity", s.Identity.ID},
		{"Session", s.ID},
		{"Signed in with", strings.Join(methods, ", ")},
		{"Assurance level", s.AAL},
		{"Signed in", moment(s.AuthenticatedAt)},
		{"Ends", moment(s.ExpiresAt)},
	}
	a, err := p.api.call(w, r, http.MethodGet, "/sessions", nil)
	var others []sessionJSON
	if err == nil && a.status == http.StatusOK {
		err = a.into(&others)
	}
	if err != nil {
		p.unreachable(w, r, err)
		return
	}
	for _, o := range others {
		other := otherSession{ID: o.ID, Device: "Unknown device", Since: o.AuthenticatedAt}
		if len(o.Devices) > 0 {
			last := o.Devices[len(o.Devices)-1]
			if last.UserAgent != "" {
				other.Device = last.UserAgent
			}
			other.Place = strings.Trim(last.IPAddress+", "+last.Location, ", ")
		}
		page.Others = append(page.Others, other)
	}
	if p.offers("settings") {
		page.Footer = append(page.Footer, Link{"Settings", p.begin("settings", nil)})
	}
	if leave := p.logoutURL(w, r); leave != "" {
		page.Footer = append(page.Footer, Link{"Sign out", leave})
	}
	p.show(w, r, http.StatusOK, "session", page)
}

// revoke ends another session, or all others, of the browser's identity: HTML
// forms have no DELETE. The form carries no token of its own; a post that the
// browser marks as coming from elsewhere is refused.
func (p *pages) revoke(w http.ResponseWriter, r *http.Request) {
	if p.origin.Check(r) != nil {
		p.notice(w, r, http.StatusForbidden, noticePage{
			frame:      frame{Title: "Not done", Heading: "Nothing was done"},
			Paragraphs: []string{"The request came from another site."},
			Actions:    p.home(),
		})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, revokeBodyLimit)
	path := "/sessions"
	if id := r.PostFormValue("session"); id != "" {
		path += "/" + url.PathEscape(id)
	} else if r.PostFormValue("others") != "all" {
		p.notice(w, r, http.StatusBadRequest, noticePage{
			frame:      frame{Title: "Not done", Heading: "Nothing was done"},
			Paragraphs: []string{"The form did not say which session to end."},
			Actions:    p.home(),
		})
		return
	}
	a, err := p.api.call(w, r, http.MethodDelete, path, nil)
	switch {
	case err != nil:
		p.unreachable(w, r, err)
	case a.status >= http.StatusBadRequest:
		p.refused(w, r, a)
	default:
		http.Redirect(w, r, p.base+"/ui/session", http.StatusSeeOther)
	}
}

// Moment is the time a session began, for a person.
func (o otherSession) Moment() string { return moment(o.Since) }

func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// traits lists the leaves of an identity's traits by their path, in the order of
// the paths.
func traits(tree map[string]any) []detail {
	var out []detail
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		switch value := tree[name].(type) {
		case map[string]any:
			for _, d := range traits(value) {
				out = append(out, detail{name + " " + d.Name, d.Value})
			}
		case nil:
		case bool:
			out = append(out, detail{name, map[bool]string{true: "yes", false: "no"}[value]})
		default:
			out = append(out, detail{name, fmt.Sprint(value)})
		}
	}
	return out
}
