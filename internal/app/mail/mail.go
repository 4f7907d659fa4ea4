// Package mail assembles what delivers messages, for the functions that do.
package mail

import (
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"os"

	"styx/internal/app"
	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/courier/httpchannel"
	"styx/internal/courier/smtp"
	"styx/internal/courier/template"
	"styx/internal/hook"
	"styx/internal/jsonnet"
	"styx/internal/outbound"
)

// maxTemplate bounds the source of a message template.
const maxTemplate = 1 << 20

// Serverless makes the sender of mail where the configuration names no server.
type Serverless func(c config.SMTP) (courier.Send, error)

// New returns what delivers the messages of an app. It opens no connection.
func New(a *app.App, programs *jsonnet.Catalog, log *slog.Logger, serverless Serverless) (*courier.Courier, error) {
	c := a.Config
	sending, err := channels(a, programs, serverless)
	if err != nil {
		return nil, err
	}
	return &courier.Courier{
		Outbox: a.Engine.Store, Press: a.Engine.Press, Render: renderer(a).Render, Channels: sending,
		Hook:    calls(a),
		Retries: c.Courier.MessageRetries, Keep: c.Dev, Log: log, Now: a.Now, Rand: a.Rand,
	}, nil
}

// calls makes the calls of web hooks that nobody waited for.
func calls(a *app.App) func(context.Context, json.RawMessage) error {
	caller := &hook.Caller{Client: a.Client, Rand: a.Rand}
	return func(ctx context.Context, content json.RawMessage) error {
		var call hook.Request
		if err := json.Unmarshal(content, &call); err != nil {
			return &courier.RefusedError{Err: err}
		}
		return caller.Send(ctx, call)
	}
}

// renderer makes the text of messages, from the operator's templates where
// there are some.
func renderer(a *app.App) *template.Renderer {
	var folder fs.FS
	if path := a.Config.Courier.TemplatePath; path != "" {
		folder = os.DirFS(path)
	}
	return template.New(template.Options{
		Templates: a.Config.Courier.Templates, Folder: folder,
		Fetch: func(ctx context.Context, uri string) ([]byte, error) {
			return outbound.Fetch(ctx, a.Client, "", uri, maxTemplate)
		},
	})
}

// channels are the ways to send, by the id of the channel.
func channels(a *app.App, programs *jsonnet.Catalog, serverless Serverless) (map[string]courier.Send, error) {
	c := a.Config.Courier
	over := func(request config.Request) courier.Send {
		return httpchannel.New(httpchannel.Options{Request: request, Client: a.Client, Eval: evaluate(programs)}).Send
	}
	all := map[string]courier.Send{}
	for _, channel := range c.Channels {
		all[channel.ID] = over(channel.Request)
	}
	if c.Strategy == "http" {
		all["email"] = over(c.HTTP)
		return all, nil
	}
	send, err := email(a, serverless)
	all["email"] = send
	return all, err
}

// email sends mail by the configured server.
func email(a *app.App, serverless Serverless) (courier.Send, error) {
	c := a.Config.Courier.SMTP
	if c.URI == "" {
		return serverless(c)
	}
	dial := outbound.Dialer(outbound.Policy{
		AllowPrivate: !a.Config.Clients.SMTPNoPrivate, Lambda: a.RuntimeAPI != "", RuntimeAPI: a.RuntimeAPI,
	})
	sender, err := smtp.New(smtp.Options{Config: c, Dial: dial, Now: a.Now})
	if err != nil {
		return nil, err
	}
	return sender.Send, nil
}

// evaluate runs the program at a URI over what a channel says.
func evaluate(programs *jsonnet.Catalog) func(context.Context, string, []byte) ([]byte, error) {
	return func(ctx context.Context, uri string, argument []byte) ([]byte, error) {
		program, err := programs.Program(ctx, uri)
		if err != nil {
			return nil, err
		}
		return program.Eval(ctx, jsonnet.Arguments{Top: map[string]any{"ctx": json.RawMessage(argument)}})
	}
}
