// Package signup builds the functions that judge traits: they link the JSON
// Schema validator, which takes some milliseconds to start.
package signup

import (
	"context"
	"net/http"

	"styx/internal/app"
	"styx/internal/app/flows"
	"styx/internal/config"
	"styx/internal/identity"
	"styx/internal/identity/schema"
)

// Registration builds the registration function.
func Registration(_ context.Context, getenv func(string) string) (http.Handler, error) {
	return flows.Function(getenv, Compile, func(a *app.App) http.Handler { return a.Public(a.Engine.Registration()) })
}

// Settings builds the settings function.
func Settings(_ context.Context, getenv func(string) string) (http.Handler, error) {
	return flows.Function(getenv, Compile, func(a *app.App) http.Handler { return a.Public(a.Engine.Settings()) })
}

// Compile makes the rules of identity schemas.
func Compile(c config.Security, fetch app.Fetch) identity.Compile {
	return func(ctx context.Context, s *identity.Schema) (identity.Rules, error) {
		return schema.Compile(s, schema.Options{
			DisallowRefs: c.DisallowSchemaRefs,
			Fetch:        func(url string) ([]byte, error) { return fetch(ctx, url) },
		})
	}
}
