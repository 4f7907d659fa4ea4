package app

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"styx/internal/app/routes"
	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/identity"
	"styx/internal/outbound"
	"styx/internal/secret"
	"styx/internal/selfservice"
	"styx/internal/store"
	"styx/internal/table"
	"styx/internal/web"
)

// maxSchema bounds an identity schema.
const maxSchema = 1 << 20

// Parts are what an app is made of.
type Parts struct {
	Config *config.Config
	Table  table.Table
	Now    func() time.Time
	Rand   io.Reader
	Client *http.Client // for outgoing calls
	// RuntimeAPI is where a function gets its events from, "" elsewhere.
	RuntimeAPI string

	Links
}

// Links is what only some functions link.
type Links struct {
	// Compiler makes the rules of identity schemas; nil where no function
	// judges traits.
	Compiler Compiler
	// Flows gives the engine its methods and hooks; nil where no flow is served.
	Flows func(*App)
}

// Compiler returns what compiles identity schemas; fetch reads the documents
// that they refer to, unless the configuration forbids that.
type Compiler func(c config.Security, fetch Fetch) identity.Compile

// Fetch reads the document of a URL.
type Fetch func(ctx context.Context, url string) ([]byte, error)

// App is everything wired up.
type App struct {
	Parts
	Engine *selfservice.Engine
	Hash   *secret.Hasher
	Ring   *secret.Ring
}

// New wires an app. It opens no connection; its errors are the operator's.
func New(p Parts) (*App, error) {
	p.Config = withPages(p.Config)
	now := p.Now
	p.Now = func() time.Time { return now().UTC().Truncate(time.Microsecond) }
	secrets, err := p.Config.Secrets.Complete(p.Rand)
	if err != nil {
		return nil, err
	}
	ring, err := secret.New(secret.Lists{
		Default: reveal(secrets.Default), Cookie: reveal(secrets.Cookie),
		Cipher: reveal(secrets.Cipher), Pagination: reveal(secrets.Pagination),
	}, p.Rand)
	if err != nil {
		return nil, err
	}
	hashers := p.Config.Hashers
	hash, err := secret.NewHasher(secret.HasherConfig{
		Algorithm:  hashers.Algorithm,
		BcryptCost: hashers.Bcrypt.Cost,
		Argon2:     secret.Argon2(hashers.Argon2),
	}, p.Rand)
	if err != nil {
		return nil, err
	}
	fetch := func(ctx context.Context, uri string) ([]byte, error) {
		return outbound.Fetch(ctx, p.Client, "", uri, maxSchema)
	}
	c := p.Config
	var compile identity.Compile
	if p.Compiler != nil {
		compile = p.Compiler(c.Security, fetch)
	}
	a := &App{
		Parts: p, Hash: hash, Ring: ring,
		Engine: &selfservice.Engine{
			Config:  c,
			Store:   &store.Store{Table: p.Table, Ring: ring, Now: p.Now, Rand: p.Rand},
			Schemas: identity.NewCatalog(c.Identity.Schemas, fetch, compile),
			Policy:  identity.PolicyOf(c.Methods),
			Cookies: web.NewCookies(c, ring, p.Rand),
			Returns: returns(c),
			Proxies: web.Proxies(c.Styx.TrustedProxies),
			Press:   &courier.Press{Ring: ring, Now: p.Now, Rand: p.Rand},
			Now:     p.Now, Rand: p.Rand,
		},
	}
	if p.Flows != nil {
		p.Flows(a)
	}
	return a, nil
}

func reveal(list []config.Secret) []string {
	revealed := make([]string, len(list))
	for i, one := range list {
		revealed[i] = one.Reveal()
	}
	return revealed
}

func returns(c *config.Config) web.Returns {
	own := *c.Serve.Public.BaseURL
	own.Path = strings.TrimSuffix(own.Path, "/") + "/self-service"
	return web.Returns{
		Default: c.SelfService.DefaultReturnURL,
		Allowed: append(slices.Clone(c.SelfService.AllowedReturns), &own),
	}
}

// withPages points every flow without a page of its own at the built-in one.
func withPages(configured *config.Config) *config.Config {
	c := *configured
	for name, page := range map[string]**url.URL{
		"error":        &c.Flows.Error.UIURL,
		"login":        &c.Flows.Login.UIURL,
		"registration": &c.Flows.Registration.UIURL,
		"settings":     &c.Flows.Settings.UIURL,
		"recovery":     &c.Flows.Recovery.UIURL,
		"verification": &c.Flows.Verification.UIURL,
	} {
		if *page == nil {
			own := *c.Serve.Public.BaseURL
			own.Path = strings.TrimSuffix(own.Path, "/") + "/ui/" + name
			*page = &own
		}
	}
	return &c
}

// Outgoing returns the client for calls to elsewhere, as the configuration
// allows them. In a function the machine itself is out of bounds.
func Outgoing(c *config.Config, runtimeAPI string) *http.Client {
	return outbound.New(outbound.Policy{
		AllowPrivate: !c.Clients.HTTP.NoPrivate,
		Lambda:       runtimeAPI != "", RuntimeAPI: runtimeAPI,
		Exceptions: c.Clients.HTTP.Exceptions,
	})
}

// mux mounts handlers. A pattern of another function has no handler here and
// answers 404; it is there so that its path knows its methods.
func mux(handlers ...selfservice.Handlers) *http.ServeMux {
	m := http.NewServeMux()
	mounted := map[string]bool{}
	for _, some := range handlers {
		for pattern, handler := range some {
			m.HandleFunc(pattern, handler)
			mounted[pattern] = true
		}
	}
	for _, route := range routes.All {
		if pattern := route.Pattern(); !mounted[pattern] {
			m.Handle(pattern, http.NotFoundHandler())
		}
	}
	return m
}

// Public returns the public API of those handlers.
func (a *App) Public(handlers ...selfservice.Handlers) http.Handler {
	return web.Public(a.Config.Serve.Public.CORS, a.Engine.Cookies, mux(handlers...))
}

// Elsewhere returns the handlers that send callers of the public API to the
// admin API, where what they ask for is.
func (a *App) Elsewhere() selfservice.Handlers {
	handlers := selfservice.Handlers{}
	for _, route := range routes.All {
		if route.Function == "meta" && isAdmin(route.Path) {
			handlers[route.Pattern()] = redirect(a.Config.Serve.Admin.BaseURL, "/admin")
		}
	}
	return handlers
}

func isAdmin(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first == "admin" || first == "identities" || first == "recovery"
}

// redirect sends a request to the same path under another base URL, below a
// prefix that it may have already.
func redirect(base *url.URL, prefix string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		if !strings.HasPrefix(path, prefix+"/") {
			path = prefix + path
		}
		target := strings.TrimSuffix(base.String(), "/") + path
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		web.Redirect(w, r, target, http.StatusTemporaryRedirect)
	}
}

// Version is what this build calls itself.
func Version(linked string) string { return cmp.Or(linked, "dev") }

// Publicly returns the handlers that send callers of the admin API to the
// public one, where what they ask for is.
func (a *App) Publicly() selfservice.Handlers {
	back := func(w http.ResponseWriter, r *http.Request) {
		target := strings.TrimSuffix(a.Config.Serve.Public.BaseURL.String(), "/") + strings.TrimPrefix(r.URL.EscapedPath(), "/admin")
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		web.Redirect(w, r, target, http.StatusTemporaryRedirect)
	}
	handlers := selfservice.Handlers{}
	for _, path := range []string{"/admin/schemas", "/admin/schemas/{id}", "/admin/self-service/"} {
		handlers[path] = back
	}
	// Verb by verb: the admin API has sessions of its own beside it.
	for _, verb := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		handlers[verb+" /admin/sessions/whoami"] = back
	}
	return handlers
}
