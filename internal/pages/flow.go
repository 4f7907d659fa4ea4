package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// parameters are what may follow a browser from a page to the start of a flow.
var parameters = map[string][]string{
	"login":        {"return_to", "refresh", "aal", "via", "login_challenge", "organization", "identity_schema"},
	"registration": {"return_to", "after_verification_return_to", "login_challenge", "organization", "identity_schema"},
	"settings":     {"return_to"},
	"recovery":     {"return_to", "skip_settings"},
	"verification": {"return_to"},
}

var titles = map[string]string{
	"login":        "Sign in",
	"registration": "Create an account",
	"settings":     "Settings",
	"recovery":     "Recover your account",
	"verification": "Verify your address",
}

// script is the API's script for security keys and passkeys.
type script struct{ Src, Integrity, CrossOrigin, ReferrerPolicy string }

// flowPage is a flow, ready for its template.
type flowPage struct {
	frame
	Who      string    // whose account it is about, where that is not asked any more
	Problems []problem // the error summary
	Notices  []note    // info and success
	Sections []section
	Nothing  bool // no section has anything to do
}

// problem is one line of the error summary; Field is the id it leads to.
type problem struct{ Field, Text string }

// flow shows a flow of one kind, or sends the browser to start one.
func (p *pages) flow(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		id := query.Get("flow")
		if id == "" {
			http.Redirect(w, r, p.begin(kind, carried(kind, query)), http.StatusSeeOther)
			return
		}
		a, err := p.api.call(w, r, http.MethodGet, "/self-service/"+kind+"/flows", url.Values{"id": {id}})
		if err != nil {
			p.unreachable(w, r, err)
			return
		}
		switch a.status {
		case http.StatusOK:
			var f flowJSON
			if err := a.into(&f); err != nil {
				p.unreachable(w, r, err)
				return
			}
			p.forgetRestarts(w, r)
			p.showFlow(w, r, kind, f)
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
			p.restart(w, r, kind, a)
		default:
			p.refused(w, r, a)
		}
	}
}

// carried are the parameters of a page's query that the start of a flow takes.
func carried(kind string, query url.Values) url.Values {
	out := url.Values{}
	for _, name := range parameters[kind] {
		if values := query[name]; len(values) > 0 {
			out[name] = values
		}
	}
	return out
}

func (p *pages) showFlow(w http.ResponseWriter, r *http.Request, kind string, f flowJSON) {
	l := newLayout(kind, f)
	page := flowPage{frame: frame{Title: titles[kind], Base: p.base}, Sections: l.sections()}
	switch {
	case kind == "login" && f.RequestedAAL == "aal2":
		page.Title = "Confirm it is you"
	case kind == "login" && f.Refresh:
		page.Title = "Sign in again"
	}
	page.Heading = page.Title

	page.Who = f.who()
	page.gather(f)
	for _, n := range f.UI.Nodes {
		if n.Type == "script" && p.loadable(n.Attributes) {
			a := n.Attributes
			page.Scripts = append(page.Scripts, script{a.Src, a.Integrity, a.CrossOrigin, a.ReferrerPolicy})
		}
	}
	page.OwnJS = len(page.Scripts) > 0 || slices.ContainsFunc(f.UI.Nodes, func(n node) bool { return n.Type == "text" || n.Attributes.Type == "password" })
	away := slices.ContainsFunc(f.UI.Nodes, func(n node) bool { return n.Group == "oidc" && n.submits() })
	page.Nothing = !slices.ContainsFunc(page.Sections, func(s section) bool { return len(s.Forms)+len(s.Loose) > 0 })
	page.Footer = p.ways(w, r, kind, f)

	w.Header().Set("Content-Security-Policy", p.policy.page(page.Scripts, page.OwnJS, away))
	page.Failed = len(page.Problems) > 0
	p.show(w, r, http.StatusOK, "flow", page)
}

// who is the identifier a login is about: the one that went before this step.
func (f flowJSON) who() string {
	var known []string
	for _, n := range f.UI.Nodes {
		if n.hidden() && n.Attributes.Name == "identifier" && n.Attributes.Value != "" {
			known = append(known, string(n.Attributes.Value))
		}
	}
	if len(known) != 1 {
		return "" // a code may go to one of several addresses
	}
	return known[0]
}

// gather collects the messages for the head of the page: the flow's own, the
// errors of fields, and those of nodes that cannot show theirs.
func (f *flowPage) gather(flow flowJSON) {
	head := func(m message) {
		if m.Type == "error" {
			f.Problems = append(f.Problems, problem{Text: m.Text})
		} else {
			f.Notices = append(f.Notices, note{Type: m.Type, Text: m.Text})
		}
	}
	for _, m := range flow.UI.Messages {
		head(m)
	}
	for _, n := range flow.UI.Nodes {
		if n.Type != "input" || n.hidden() {
			for _, m := range n.Messages {
				head(m)
			}
		}
	}
	each := func(controls []control) {
		for _, c := range controls {
			for _, n := range c.Notes {
				if n.Type == "error" {
					f.Problems = append(f.Problems, problem{Field: c.ID, Text: c.Label + ": " + n.Text})
				}
			}
		}
	}
	for _, s := range f.Sections {
		each(s.Loose)
		for _, form := range s.Forms {
			each(form.Controls)
		}
	}
}

// ways are the other things a person may want instead of this flow.
func (p *pages) ways(w http.ResponseWriter, r *http.Request, kind string, f flowJSON) []Link {
	with := url.Values{}
	if f.ReturnTo != "" {
		with.Set("return_to", f.ReturnTo)
	}
	var out []Link
	add := func(kind, text string, with url.Values) {
		if p.offers(kind) {
			out = append(out, Link{text, p.begin(kind, with)})
		}
	}
	again := with
	if f.LoginChallenge != "" && (kind == "login" || kind == "registration") {
		again = url.Values{"login_challenge": {f.LoginChallenge}}
	}
	switch {
	case kind == "login" && (f.Refresh || f.RequestedAAL == "aal2"):
		// Signed in already, but perhaps as somebody else.
		if leave := p.logoutURL(w, r); leave != "" {
			out = append(out, Link{"Sign out", leave})
		}
		add("recovery", "Recover your account", with)
	case kind == "login":
		if f.who() != "" {
			add("login", "Use another account", again)
		}
		add("registration", "Create an account", again)
		add("recovery", "Forgot your password?", with)
	case kind == "registration":
		add("login", "Sign in instead", again)
	case kind == "recovery":
		add("login", "Back to sign in", with)
	case kind == "settings":
		out = append(out, Link{"Your sessions", p.base + "/ui/session"})
		if leave := p.logoutURL(w, r); leave != "" {
			out = append(out, Link{"Sign out", leave})
		}
	case kind == "verification":
		out = append(out, Link{"Your account", p.base + "/ui/welcome"})
	}
	return out
}

// logoutURL is the URL that signs this browser out; "" without a session.
func (p *pages) logoutURL(w http.ResponseWriter, r *http.Request) string {
	a, err := p.api.call(w, r, http.MethodGet, "/self-service/logout/browser", nil)
	if err != nil || a.status != http.StatusOK {
		return ""
	}
	var out struct {
		URL string `json:"logout_url"`
	}
	if a.into(&out) != nil {
		return ""
	}
	return href(out.URL)
}

// restartCookie counts how often a browser was sent to a fresh flow without
// then seeing one.
const (
	restartCookie  = "styx_ui_restarts"
	restartSeconds = 30
	restartsMost   = 2
)

// restart sends the browser on when its flow is gone, expired or another
// browser's: where the API says, or else to a fresh flow.
//
// A browser that keeps no cookies would go in circles, since it is never shown
// the flow it started. So restarts are counted in a cookie, and a browser
// without a cookie of the API is first asked, with a mark in the URL, whether it
// sends that one back.
func (p *pages) restart(w http.ResponseWriter, r *http.Request, kind string, a answer) {
	query := r.URL.Query()
	count, keeps := 0, slices.ContainsFunc(r.Cookies(), func(c *http.Cookie) bool { return strings.Contains(c.Name, "csrf_token_") })
	if c, err := r.Cookie(restartCookie); err == nil {
		count, _ = strconv.Atoi(c.Value) // a forged one is a 0
		keeps = true
	}
	if count >= restartsMost || !keeps && query.Has("cookies") {
		p.notice(w, r, http.StatusForbidden, noticePage{
			frame: frame{Title: titles[kind], Heading: "This page cannot be opened"},
			Paragraphs: []string{
				"Your browser did not send back the cookie this page needs. Please allow cookies for this site, then try again.",
			},
			Actions: []Link{{"Try again", p.begin(kind, carried(kind, query))}},
		})
		return
	}
	p.countRestart(w, strconv.Itoa(count+1), restartSeconds)
	if !keeps {
		query.Set("cookies", "")
		http.Redirect(w, r, p.base+"/ui/"+kind+"?"+query.Encode(), http.StatusSeeOther) //nolint:gosec // below our own URL
		return
	}
	target := p.begin(kind, carried(kind, query))
	fault := a.fault()
	for _, told := range []string{fault.RedirectBrowserTo, fault.Error.Details.RedirectTo} {
		if p.ours(told) {
			target = told
			break
		}
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

func (p *pages) forgetRestarts(w http.ResponseWriter, r *http.Request) {
	if _, err := r.Cookie(restartCookie); err == nil {
		p.countRestart(w, "", -1)
	}
}

func (p *pages) countRestart(w http.ResponseWriter, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: restartCookie, Value: value, Path: p.path() + "/ui/", MaxAge: seconds,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(p.base, "https:"),
	})
}

// path is the path of the public base URL, without a trailing slash.
func (p *pages) path() string {
	u, err := url.Parse(p.base)
	if err != nil {
		return ""
	}
	return u.Path
}

// ours says whether a URL is one below the public base URL.
func (p *pages) ours(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.User == nil && strings.HasPrefix(raw, p.base+"/")
}

// loadable says whether a script node may be loaded: the API's own script, at a
// URL that can stand in a policy, with a hash the browser checks it by.
func (p *pages) loadable(a attributes) bool {
	return p.ours(a.Src) && a.Integrity != "" && !strings.ContainsAny(a.Src, " ;,'\"?#")
}
