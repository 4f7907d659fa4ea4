// Package full builds the one process that serves all of Styx.
package full

import (
	"log/slog"
	"net/http"
	"net/url"

	"styx/internal/app"
	"styx/internal/app/adminapi"
	"styx/internal/app/signup"
	"styx/internal/config"
	"styx/internal/pages"
)

// Server is both APIs in one process.
type Server struct {
	App    *app.App
	Public http.Handler
	Admin  http.Handler
}

// Local returns both APIs, with the built-in pages where a flow has no page of
// its own.
func Local(p app.Parts, version string, log *slog.Logger) (*Server, error) {
	configured := p.Config
	p.Compiler = signup.Compile
	a, err := app.New(p)
	if err != nil {
		return nil, err
	}
	e := a.Engine
	public := a.Public(e.Login(), e.Registration(), e.Sessions(), e.Errors(), e.Meta(), a.Elsewhere())
	if builtIn(configured.Flows) {
		public = withPages(a.Config, public, version, log)
	}
	return &Server{App: a, Public: public, Admin: adminapi.Handler(a, version)}, nil
}

// builtIn tells whether any flow that is offered lacks a page of its own.
func builtIn(f config.Flows) bool {
	return f.Login.UIURL == nil || f.Registration.UIURL == nil || f.Error.UIURL == nil
}

func withPages(c *config.Config, api http.Handler, version string, log *slog.Logger) http.Handler {
	own := pages.New(pages.Options{
		API:        api,
		PublicURL:  c.Serve.Public.BaseURL.String(),
		ReturnURLs: returnURLs(c),
		Flows:      flows(c),
		Version:    app.Version(version),
		Log:        log,
	})
	mux := http.NewServeMux()
	mux.Handle("/", api)
	for _, pattern := range pages.Patterns() {
		mux.Handle(pattern, own)
	}
	return mux
}

// flows are the kinds of flow that pages link to.
func flows(c *config.Config) []string {
	kinds := []string{"login"}
	if c.Flows.Registration.Enabled {
		kinds = append(kinds, "registration")
	}
	return kinds
}

// returnURLs is where the post of a form may end.
func returnURLs(c *config.Config) []string {
	all := []*url.URL{c.SelfService.DefaultReturnURL, c.Flows.Logout.ReturnURL}
	all = append(all, c.SelfService.AllowedReturns...)
	for _, f := range []config.Flow{c.Flows.Login.Flow, c.Flows.Registration.Flow, c.Flows.Verification.Flow} {
		all = append(all, f.UIURL, f.After.ReturnURL)
		for _, m := range f.After.Methods {
			all = append(all, m.ReturnURL)
		}
	}
	all = append(all, c.Flows.Error.UIURL)
	var list []string
	for _, u := range all {
		if u != nil {
			list = append(list, u.String())
		}
	}
	return list
}
