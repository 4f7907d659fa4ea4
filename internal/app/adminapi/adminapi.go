// Package adminapi builds the admin API, which no public function links.
package adminapi

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"styx/internal/admin"
	"styx/internal/app"
	"styx/internal/app/flows"
	"styx/internal/app/signup"
	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/web"
)

// Admin builds the admin function.
func Admin(_ context.Context, getenv func(string) string) (http.Handler, error) {
	return flows.Function(getenv, signup.Compile, func(a *app.App) http.Handler {
		return Handler(a, getenv("STYX_VERSION"), nil)
	})
}

// Preview renders a message that was not sent yet.
type Preview func(context.Context, *courier.Message) (courier.Content, error)

// Handler returns the admin API.
func Handler(a *app.App, version string, preview Preview) http.Handler {
	e := a.Engine
	api := &admin.API{
		Config: a.Config, Store: e.Store, Schemas: e.Schemas, Engine: e, Posted: e.Posted, Hash: a.Hash, Ring: a.Ring, Now: a.Now, Rand: a.Rand, Preview: preview,
	}
	mux := http.NewServeMux()
	for pattern, handler := range api.Handlers() {
		mux.HandleFunc(pattern, handler)
	}
	health := e.Meta()
	for _, prefix := range []string{"", "/admin"} {
		mux.HandleFunc("GET "+prefix+"/health/alive", health["GET /health/alive"])
		mux.HandleFunc("GET "+prefix+"/health/ready", health["GET /health/ready"])
		mux.HandleFunc("GET "+prefix+"/version", func(w http.ResponseWriter, _ *http.Request) {
			web.JSON(w, http.StatusOK, map[string]string{"version": app.Version(version)})
		})
		mux.HandleFunc("GET "+prefix+"/health/config", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = io.WriteString(w, fingerprint(a.Config))
		})
	}
	for pattern, handler := range a.Publicly() {
		mux.HandleFunc(pattern, handler)
	}
	return web.Admin(mux)
}

// fingerprint names a configuration, so that whoever runs several instances can
// see whether they run the same: its revision or, without one, a hash of what it
// says. Secrets do not show in it.
func fingerprint(c *config.Config) string {
	if c.Revision != "" {
		return c.Revision
	}
	said, err := json.Marshal(c)
	if err != nil {
		return "" // it is made of texts and numbers
	}
	return fmt.Sprintf("%x", sha256.Sum256(said))
}
