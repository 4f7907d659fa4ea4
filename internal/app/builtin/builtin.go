// Package builtin builds the built-in pages. They know the configuration and are
// a client of the public API: no table, no secret.
package builtin

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"styx/internal/app/environment"
	"styx/internal/config"
	"styx/internal/outbound"
	"styx/internal/pages"
)

// UI builds the function of the pages, which calls the public API where browsers
// do.
func UI(_ context.Context, getenv func(string) string) (http.Handler, error) {
	// They keep nothing and seal nothing, so they are given nothing for it.
	c, err := environment.Configuration(getenv, map[string]any{"dsn": "memory", "ciphers.algorithm": "noop"})
	if err != nil {
		return nil, err
	}
	shown := Options(c)
	// The one host that is called is the operator's own, wherever it is, and no
	// redirect leads on from it. What is inside a Lambda is called only where the
	// URL says so itself, as an emulator's does: a name may be made to lead there.
	runtimeAPI := getenv("AWS_LAMBDA_RUNTIME_API")
	shown.Client = outbound.New(outbound.Policy{
		AllowPrivate: true, Lambda: runtimeAPI != "" && !local(c.Serve.Public.BaseURL.Hostname()), RuntimeAPI: runtimeAPI,
	})
	shown.Log = slog.Default()
	return pages.New(shown), nil
}

// local tells whether a host names the machine it is asked for on.
func local(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Unmap().IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// Options are what a configuration tells the pages.
func Options(c *config.Config) pages.Options {
	return pages.Options{PublicURL: c.Serve.Public.BaseURL.String(), ReturnURLs: returnURLs(c), Flows: linked(c)}
}

// linked are the kinds of flow that pages link to.
func linked(c *config.Config) []string {
	kinds := []string{"login", "settings"}
	if c.Flows.Registration.Enabled {
		kinds = append(kinds, "registration")
	}
	if c.Flows.Recovery.Enabled {
		kinds = append(kinds, "recovery")
	}
	if c.Flows.Verification.Enabled {
		kinds = append(kinds, "verification")
	}
	return kinds
}

// returnURLs is where the post of a form may end.
func returnURLs(c *config.Config) []string {
	all := []*url.URL{c.SelfService.DefaultReturnURL, c.Flows.Logout.ReturnURL}
	all = append(all, c.SelfService.AllowedReturns...)
	for _, f := range []config.Flow{
		c.Flows.Login.Flow, c.Flows.Registration.Flow, c.Flows.Settings.Flow, c.Flows.Recovery.Flow, c.Flows.Verification.Flow,
	} {
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
