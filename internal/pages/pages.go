package pages

import (
	"bytes"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"styx/internal/courier/inbox"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// kinds are the self-service flows, in the order the root page lists them.
var kinds = []string{"registration", "login", "settings", "recovery", "verification"}

// Options says what the pages show and which API they are a client of.
type Options struct {
	// API is the public API, called in this process. Without it, BaseURL is
	// called through Client.
	API     http.Handler
	BaseURL string       // of the public API as seen from here; "" = PublicURL
	Client  *http.Client // nil = http.DefaultClient; redirects are never followed

	// PublicURL is serve.public.base_url: where browsers reach API and pages.
	PublicURL string
	// ReturnURLs are the URLs a browser may be sent to after it posted a form:
	// selfservice.allowed_return_urls, every default return URL and every
	// ui_url set elsewhere. Chromium refuses a redirect after a post to any
	// other origin. A wildcard host (https://*.example.com) is fine.
	ReturnURLs []string
	// Flows are the kinds of flow the pages link to; nil = all five.
	Flows []string
	// Links are more links for the root page.
	Links []Link
	// Inbox is mail to show to who sits at this machine; nil = none.
	Inbox *inbox.Inbox
	// Version is shown on the root page; "" = not shown.
	Version string
	Log     *slog.Logger
}

// Link is a link with its text.
type Link struct{ Text, URL string }

// Patterns are the http.ServeMux patterns the handler of New answers. They are
// apart from New because the contract gives the API's root a 404: only a
// process that shows the pages mounts them.
func Patterns() []string { return []string{"/{$}", "/ui", "/ui/"} }

// UIURLs gives the page of each flow kind, and of "error", "session" and
// "welcome", under the public base URL. "welcome" fits as a default return URL.
func UIURLs(publicURL string) map[string]string {
	urls := map[string]string{}
	for _, page := range append([]string{"error", "session", "welcome"}, kinds...) {
		urls[page] = strings.TrimRight(publicURL, "/") + "/ui/" + page
	}
	return urls
}

// New makes the handler of all pages. It serves the paths of Patterns and
// answers 404 to any other.
func New(o Options) http.Handler {
	if o.Flows == nil {
		o.Flows = kinds
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	base := strings.TrimRight(o.PublicURL, "/")
	p := &pages{
		base:      base,
		flows:     o.Flows,
		links:     o.Links,
		inbox:     o.Inbox,
		version:   o.Version,
		log:       o.Log,
		api:       newClient(o, base),
		policy:    newPolicy(base, o.ReturnURLs),
		templates: template.Must(template.ParseFS(templateFiles, "templates/*.html")),
		origin:    http.NewCrossOriginProtection(),
	}
	if u, err := url.Parse(base); err == nil && u.Host != "" {
		// The browser's origin is the public one, whatever Host a proxy sends.
		_ = p.origin.AddTrustedOrigin(u.Scheme + "://" + u.Host) // refuses only a URL with a path
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.root)
	for _, kind := range kinds {
		mux.HandleFunc("GET /ui/"+kind, p.flow(kind))
	}
	mux.HandleFunc("GET /ui/error", p.errorPage)
	mux.HandleFunc("GET /ui/welcome", p.welcome)
	mux.HandleFunc("GET /ui/session", p.session)
	mux.HandleFunc("POST /ui/session", p.revoke)
	for _, bare := range []string{"GET /ui", "GET /ui/{$}"} {
		mux.HandleFunc(bare, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, base+"/", http.StatusSeeOther)
		})
	}
	for file, contentType := range map[string]string{
		"styx.css": "text/css; charset=utf-8",
		"styx.svg": "image/svg+xml",
		"styx.js":  "text/javascript; charset=utf-8",
	} {
		mux.HandleFunc("GET /ui/"+file, asset(file, contentType))
	}
	if o.Inbox != nil {
		mux.HandleFunc("GET /ui/inbox", byHand(p.inboxList))
		mux.HandleFunc("GET /ui/inbox/{id}", byHand(p.inboxMail))
		mux.HandleFunc("GET /ui/inbox/{id}/html", byHand(p.inboxHTML))
	}
	mux.HandleFunc("/ui/", p.missing)
	return secured(p.policy.plain(), mux)
}

// pages holds what every page needs; none of it changes after New.
type pages struct {
	base      string // public base URL without a trailing slash
	flows     []string
	links     []Link
	inbox     *inbox.Inbox
	version   string
	log       *slog.Logger
	api       client
	policy    policy
	templates *template.Template
	origin    *http.CrossOriginProtection
}

// offers says whether the pages may link to flows of a kind.
func (p *pages) offers(kind string) bool { return slices.Contains(p.flows, kind) }

// begin is the URL that starts a flow of a kind with the given parameters.
func (p *pages) begin(kind string, with url.Values) string {
	target := p.base + "/self-service/" + kind + "/browser"
	if len(with) > 0 {
		target += "?" + with.Encode()
	}
	return target
}

func asset(file, contentType string) http.HandlerFunc {
	content, err := assetFiles.ReadFile("assets/" + file)
	if err != nil {
		panic(err) // embedded at build time, so it cannot be missing
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		// An hour is short enough that a new release needs no versioned names.
		w.Header().Set("Cache-Control", "public, max-age=3600")
		_, _ = w.Write(content) // the browser went away: nothing to do
	}
}

// frame is what the layout shows around every page.
type frame struct {
	Base    string // public base URL
	Title   string
	Heading string
	Failed  bool // the form came back with errors: the title says so first
	Wide    bool // a page of lists rather than of one form
	Scripts []script
	OwnJS   bool
	Footer  []Link
}

// show renders a page. Nothing is sent before the whole of it is there.
func (p *pages) show(w http.ResponseWriter, r *http.Request, status int, page string, data any) {
	var out bytes.Buffer
	if err := p.templates.ExecuteTemplate(&out, page, data); err != nil {
		p.log.ErrorContext(r.Context(), "render page", "page", page, "err", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser went away: nothing to do
}
