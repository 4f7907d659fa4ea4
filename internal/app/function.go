package app

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"styx/internal/app/environment"
	"styx/internal/config"
	"styx/internal/table/dynamo"
)

// Boot wires the app of one function from its environment: its configuration,
// and the table named by STYX_TABLE or by the dsn.
func Boot(getenv func(string) string, links Links) (*App, error) {
	overrides, err := config.Apart(getenv(config.ApartVariable))
	if err != nil {
		return nil, err
	}
	if table := getenv("STYX_TABLE"); table != "" {
		overrides["dsn"] = "dynamodb://" + table
	}
	c, err := environment.Configuration(getenv, overrides)
	if err != nil {
		return nil, err
	}
	if c.DSN.Kind != config.DynamoDB {
		return nil, errors.New("a function needs a table: set STYX_TABLE")
	}
	table, err := dynamo.New(dynamo.Options{
		Table: c.DSN.Table, Region: c.DSN.Region, Endpoint: c.DSN.Endpoint, Getenv: getenv, Rand: rand.Reader,
	})
	if err != nil {
		return nil, err
	}
	runtimeAPI := getenv("AWS_LAMBDA_RUNTIME_API")
	return New(Parts{
		Config: c, Table: table, Now: time.Now, Rand: rand.Reader,
		Client: Outgoing(c, runtimeAPI), RuntimeAPI: runtimeAPI, Links: links,
	})
}

// Function assembles one function from its environment, as Boot does.
func Function(getenv func(string) string, links Links, mount func(*App) http.Handler) (http.Handler, error) {
	a, err := Boot(getenv, links)
	if err != nil {
		return nil, err
	}
	return mount(a), nil
}

// Session builds the session function.
func Session(_ context.Context, getenv func(string) string) (http.Handler, error) {
	return Function(getenv, Links{}, func(a *App) http.Handler { return a.Public(a.Engine.Sessions()) })
}

// Authorizer builds what the authorizer of somebody else's API asks.
func Authorizer(_ context.Context, getenv func(string) string) (func(*http.Request) (map[string]string, error), error) {
	a, err := Boot(getenv, Links{})
	if err != nil {
		return nil, err
	}
	return a.Engine.Authorize, nil
}

// Meta builds the function that answers what no other owns.
func Meta(_ context.Context, getenv func(string) string) (http.Handler, error) {
	return Function(getenv, Links{}, func(a *App) http.Handler {
		return a.Public(a.Engine.Meta(), a.Engine.Errors(), a.Elsewhere())
	})
}
