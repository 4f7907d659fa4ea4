// Package flows builds the functions that serve self-service flows: they link the
// methods and what calls web hooks.
package flows

import (
	"context"
	"net/http"

	"styx/internal/app"
	"styx/internal/app/programs"
	"styx/internal/hook"
	"styx/internal/jsonnet"
	"styx/internal/method"
)

// Wire gives an app's engine its methods and hooks.
func Wire(a *app.App) {
	e := a.Engine
	e.Methods = method.All(a.Config, a.Hash, a.Ring, a.Rand, a.Client)
	e.Hooks = Caller(a)
}

// Caller returns what calls the web hooks of an app.
func Caller(a *app.App) *hook.Caller {
	return &hook.Caller{
		Client: a.Client, Programs: programs.New(a.Client), HeaderAllowlist: a.Config.Clients.HeaderAllowlist,
		OwnCookies: []string{a.Config.Session.Cookie.Name, "ory_kratos_continuity"}, Rand: a.Rand,
	}
}

// Function assembles one function that serves flows.
func Function(getenv func(string) string, compiler app.Compiler, mount func(*app.App) http.Handler) (http.Handler, error) {
	jsonnet.Main() // the end of a process that was started to run a program
	return app.Function(getenv, app.Links{Compiler: compiler, Flows: Wire}, mount)
}

// Login builds the login function.
func Login(_ context.Context, getenv func(string) string) (http.Handler, error) {
	return Function(getenv, nil, func(a *app.App) http.Handler { return a.Public(a.Engine.Login()) })
}

// Recovery builds the recovery function.
func Recovery(_ context.Context, getenv func(string) string) (http.Handler, error) {
	return Function(getenv, nil, func(a *app.App) http.Handler { return a.Public(a.Engine.Recovery()) })
}

// Verification builds the verification function.
func Verification(_ context.Context, getenv func(string) string) (http.Handler, error) {
	return Function(getenv, nil, func(a *app.App) http.Handler { return a.Public(a.Engine.Verification()) })
}
