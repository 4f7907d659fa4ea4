// Package full builds the one process that serves all of Styx.
package full

import (
	"log/slog"
	"net/http"
	"strings"

	"styx/internal/app"
	"styx/internal/app/adminapi"
	"styx/internal/app/builtin"
	"styx/internal/app/flows"
	"styx/internal/app/mail"
	"styx/internal/app/signup"
	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/courier/inbox"
	"styx/internal/pages"
)

// Server is both APIs in one process.
type Server struct {
	App    *app.App
	Public http.Handler
	Admin  http.Handler
	Worker *courier.Worker // delivers mail while it runs
	// HasInbox tells that mail stays here, to be read at [InboxPath] below the
	// public URL.
	HasInbox bool
}

// Local returns both APIs, with the built-in pages where a flow has no page of
// its own.
func Local(p app.Parts, version string, log *slog.Logger) (*Server, error) {
	configured := p.Config
	p.Links = app.Links{Compiler: signup.Compile, Flows: flows.Wire}
	a, err := app.New(p)
	if err != nil {
		return nil, err
	}
	// The inbox takes the mail when no server is configured to.
	var kept *inbox.Inbox
	delivery, err := mail.New(a, a.Engine.Hooks.Programs, log, func(config.SMTP) (courier.Send, error) {
		kept = inbox.New(a.Now)
		return kept.Send, nil
	})
	if err != nil {
		return nil, err
	}
	worker := courier.NewWorker(delivery)
	e := a.Engine
	e.Posted = worker.Wake
	public := a.Public(e.Login(), e.Registration(), e.Settings(), e.Recovery(), e.Verification(), e.Sessions(), e.Errors(), e.Meta(), a.Elsewhere())
	if builtIn(configured.Flows) {
		public = withPages(a.Config, public, kept, version, log)
	}
	return &Server{
		App: a, Public: public, Admin: adminapi.Handler(a, version, delivery.Preview), Worker: worker,
		HasInbox: kept != nil && builtIn(configured.Flows),
	}, nil
}

// builtIn tells whether any flow that is offered lacks a page of its own.
func builtIn(f config.Flows) bool {
	return f.Login.UIURL == nil || f.Registration.UIURL == nil || f.Settings.UIURL == nil || f.Error.UIURL == nil
}

// InboxPath is where the pages show mail that stays here.
const InboxPath = "/ui/inbox"

func withPages(c *config.Config, api http.Handler, kept *inbox.Inbox, version string, log *slog.Logger) http.Handler {
	shown := builtin.Options(c)
	shown.API, shown.Inbox, shown.Version, shown.Log = api, kept, app.Version(version), log
	if kept != nil {
		shown.Links = []pages.Link{{Text: "Mail that stayed on this machine", URL: strings.TrimSuffix(shown.PublicURL, "/") + InboxPath}}
	}
	own := pages.New(shown)
	mux := http.NewServeMux()
	mux.Handle("/", api)
	for _, pattern := range pages.Patterns() {
		mux.Handle(pattern, own)
	}
	return mux
}
