// Package routes is the one table of routes of the public API. The local
// server, the stacks that deploy the functions and the function that answers
// what nobody owns read it; so it imports nothing.
package routes

import "strings"

// Route says which function answers a method and path. An empty method is any;
// GET answers HEAD as well. Paths are patterns of net/http's mux.
type Route struct {
	Function string
	Method   string
	Path     string
}

// All are the routes, those of a function together.
var All = []Route{
	{"login", "GET", "/self-service/login/browser"},
	{"login", "GET", "/self-service/login/api"},
	{"login", "GET", "/self-service/login/flows"},
	{"login", "GET", "/self-service/login"},
	{"login", "POST", "/self-service/login"},

	{"registration", "GET", "/self-service/registration/browser"},
	{"registration", "GET", "/self-service/registration/api"},
	{"registration", "GET", "/self-service/registration/flows"},
	{"registration", "GET", "/self-service/registration"},
	{"registration", "POST", "/self-service/registration"},

	{"settings", "GET", "/self-service/settings/browser"},
	{"settings", "GET", "/self-service/settings/api"},
	{"settings", "GET", "/self-service/settings/flows"},
	{"settings", "GET", "/self-service/settings"},
	{"settings", "POST", "/self-service/settings"},

	{"recovery", "GET", "/self-service/recovery/browser"},
	{"recovery", "GET", "/self-service/recovery/api"},
	{"recovery", "GET", "/self-service/recovery/flows"},
	{"recovery", "GET", "/self-service/recovery"},
	{"recovery", "POST", "/self-service/recovery"},

	{"verification", "GET", "/self-service/verification/browser"},
	{"verification", "GET", "/self-service/verification/api"},
	{"verification", "GET", "/self-service/verification/flows"},
	{"verification", "GET", "/self-service/verification"},
	{"verification", "POST", "/self-service/verification"},

	{"session", "GET", "/sessions/whoami"},
	{"session", "POST", "/sessions/whoami"},
	{"session", "PUT", "/sessions/whoami"},
	{"session", "PATCH", "/sessions/whoami"},
	{"session", "DELETE", "/sessions/whoami"},
	{"session", "GET", "/sessions"},
	{"session", "DELETE", "/sessions"},
	{"session", "DELETE", "/sessions/{id}"},
	{"session", "GET", "/sessions/token-exchange"},
	{"session", "GET", "/self-service/logout/browser"},
	{"session", "GET", "/self-service/logout"},
	{"session", "DELETE", "/self-service/logout/api"},

	{"meta", "GET", "/self-service/errors"},
	{"meta", "GET", "/schemas"},
	{"meta", "GET", "/schemas/{id}"},
	{"meta", "GET", "/health/alive"},
	{"meta", "GET", "/health/ready"},
	{"meta", "GET", "/.well-known/change-password"},
	{"meta", "GET", "/.well-known/ory/webauthn.js"},
	{"meta", "", "/identities"},
	{"meta", "", "/identities/"},
	{"meta", "", "/admin/identities"},
	{"meta", "", "/admin/identities/"},
	{"meta", "", "/admin/courier/messages"},
	{"meta", "POST", "/recovery/code"},
	{"meta", "POST", "/recovery/link"},
}

// Pages are the routes of the built-in pages, which are there only where somebody
// asks for them.
var Pages = []Route{
	{"ui", "GET", "/{$}"},
	{"ui", "GET", "/ui"},
	{"ui", "GET", "/ui/{page...}"},
	{"ui", "POST", "/ui/{page...}"},
}

// Pattern is the route as net/http's mux takes it.
func (r Route) Pattern() string {
	if r.Method == "" {
		return r.Path
	}
	return r.Method + " " + r.Path
}

// Keys are the route keys, "METHOD /path", by which an HTTP API of API Gateway
// finds the route's function. Those of meta are none: it is the API's default
// and gets whatever no other function does.
func (r Route) Keys() []string {
	if r.Function == "meta" {
		return nil
	}
	// {rest...} in net/http is {rest+} in an HTTP API, which has no {$}.
	path := strings.NewReplacer("...}", "+}", "{$}", "").Replace(r.Path)
	switch r.Method {
	case "":
		return []string{"ANY " + path}
	case "GET":
		// HTTP APIs do not answer HEAD with a GET route.
		return []string{"GET " + path, "HEAD " + path}
	}
	return []string{r.Method + " " + path}
}
