package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"styx/internal/app"
	"styx/internal/app/full"
	"styx/internal/config"
	"styx/internal/config/check"
	"styx/internal/table"
	"styx/internal/table/dynamo"
	"styx/internal/table/local"
)

// Bounds of the local server. Headers are as large as API Gateway takes them.
const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 10 << 10
	grace         = 10 * time.Second
)

func serveCommand() *command {
	return &command{
		name: "serve", does: "serve the public and the admin API, with everything in this process",
		about: `Reads configuration files of Ory Kratos' format, later ones over earlier ones,
and over them environment variables such as SESSION_LIFESPAN. --dev relaxes
checks that production needs: cookies over plain http, cheap hashes, missing
secrets.`,
		examples: []string{
			"styx serve --dev -c styx.yml",
			"DSN=dynamodb://styx styx serve -c styx.yml -c production.yml",
		},
		prepare: func(flags *flag.FlagSet) action {
			var names list
			flags.Var(&names, "c", "configuration `FILE`; may be repeated")
			flags.Var(&names, "config", "the same as -c")
			dev := flags.Bool("dev", false, "relax what production needs")
			flags.Bool("watch-courier", false, "accepted for Kratos' sake: the courier always runs here")
			return func(ctx context.Context, c *call) error {
				if err := c.none(); err != nil {
					return err
				}
				return serve(ctx, c, names, *dev)
			}
		},
	}
}

// serve runs both APIs until ctx ends.
func serve(ctx context.Context, c *call, names []string, dev bool) error {
	sources, err := read(names)
	if err != nil {
		return err
	}
	configured, notices, err := load(sources, c.environ, relaxed(dev))
	if err != nil {
		return err
	}
	log := logger(configured.Log, c.errs)
	slog.SetDefault(log)
	for _, notice := range notices {
		if notice.Kind != config.Local { // those are what this very server reads
			log.LogAttrs(ctx, notice.Level(), "configuration", slog.String("notice", notice.String()))
		}
	}
	return serveUntil(ctx, configured, c.environ, log, c.out)
}

// relaxed are the overrides that --dev stands for.
func relaxed(dev bool) map[string]any {
	overrides := map[string]any{}
	if dev {
		overrides["dev"] = true
	}
	return overrides
}

// load checks the configuration. Its error tells every mistake, each with its
// place.
func load(sources []config.Source, environ []string, overrides map[string]any) (*config.Config, []config.Notice, error) {
	if mistakes := check.Validate(sources, environ, overrides); len(mistakes) > 0 {
		return nil, nil, config.Mistakes(mistakes)
	}
	return config.Load(sources, environ, overrides)
}

// read reads configuration files.
func read(names []string) (sources []config.Source, err error) {
	for _, name := range names {
		data, err := os.ReadFile(name) //nolint:gosec // the operator names it
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		sources = append(sources, config.Source{Name: name, Data: data})
	}
	return sources, nil
}

func logger(c config.Log, to io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.Level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

// open opens the table that the configuration names.
func open(ctx context.Context, dsn config.DSN, environ []string, dev bool) (table.Table, func() error, error) {
	switch dsn.Kind {
	case config.DynamoDB:
		t, err := dynamo.New(dynamo.Options{
			Table: dsn.Table, Region: dsn.Region, Endpoint: dsn.Endpoint, Getenv: lookup(environ), Rand: rand.Reader,
		})
		if err != nil {
			return nil, nil, err
		}
		// Next to an emulator nobody deploys the table: this process makes it.
		if dev && dsn.Endpoint != "" {
			err = t.Create(ctx)
		}
		return t, func() error { return nil }, err
	case config.File:
		t, err := local.Open(dsn.Path, local.Options{Now: time.Now, Rand: rand.Reader})
		if err != nil {
			return nil, nil, err
		}
		return t, t.Close, nil
	default:
		t, err := local.Memory(local.Options{Now: time.Now, Rand: rand.Reader})
		if err != nil {
			return nil, nil, err
		}
		return t, t.Close, nil
	}
}

func lookup(environ []string) func(string) string {
	return func(name string) string {
		for _, entry := range environ {
			if value, found := strings.CutPrefix(entry, name+"="); found {
				return value
			}
		}
		return ""
	}
}

func serveUntil(ctx context.Context, c *config.Config, environ []string, log *slog.Logger, out io.Writer) error {
	t, closeTable, err := open(ctx, c.DSN, environ, c.Dev)
	if err != nil {
		return err
	}
	served, err := full.Local(app.Parts{
		Config: c, Table: t, Now: time.Now, Rand: rand.Reader, Client: app.Outgoing(c, ""),
	}, versionText(), log)
	if err == nil {
		err = served.App.Engine.Schemas.Check(ctx)
	}
	if err == nil {
		err = listenUntil(ctx, c, served, log, out)
	}
	return errors.Join(err, closeTable())
}

// listenUntil serves until ctx ends, then lets requests finish.
func listenUntil(ctx context.Context, c *config.Config, served *full.Server, log *slog.Logger, out io.Writer) error {
	public, err := listen(ctx, "public", c.Serve.Public.Server)
	if err != nil {
		return err
	}
	admin, err := listen(ctx, "admin", c.Serve.Admin)
	if err != nil {
		return errors.Join(err, public.Close())
	}
	servers := []*http.Server{
		newServer(logged(log, "public", c.Serve.Public.SkipHealthLog, served.Public), log),
		newServer(logged(log, "admin", c.Serve.Admin.SkipHealthLog, served.Admin), log),
	}
	working, rest := context.WithCancel(ctx)
	var workers sync.WaitGroup
	workers.Go(func() { served.Worker.Run(working) })
	defer workers.Wait()
	defer rest()
	failed := make(chan error, len(servers))
	for i, listener := range []net.Listener{public, admin} {
		go func() { failed <- servers[i].Serve(listener) }()
	}
	_, _ = fmt.Fprintf(out, "Styx %s\n  public API and pages  %s\n  admin API             %s\n",
		versionText(), served.App.Config.Serve.Public.BaseURL, served.App.Config.Serve.Admin.BaseURL)
	if served.HasInbox {
		_, _ = fmt.Fprintf(out, "  mail inbox            %s%s\n", strings.TrimSuffix(served.App.Config.Serve.Public.BaseURL.String(), "/"), full.InboxPath)
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("shutting down")
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	ended := make(chan error, len(servers))
	for _, server := range servers {
		go func() { ended <- server.Shutdown(ending) }()
	}
	for range servers {
		if stop := <-ended; stop != nil {
			err = errors.Join(err, fmt.Errorf("a request did not end within %v: %w", grace, stop))
		}
	}
	return err
}

func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}
}

// listen opens a port and says clearly when somebody else has it.
func listen(ctx context.Context, name string, s config.Server) (net.Listener, error) {
	address := net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the %s API can not listen on %s: another process does; stop it, or set serve.%s.port", name, address, name)
	}
	if err != nil {
		return nil, fmt.Errorf("the %s API can not listen on %s: %w", name, address, err)
	}
	return listener, nil
}

func versionText() string {
	if version == "" {
		if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
			return info.Main.Version
		}
	}
	return cmp.Or(version, "dev")
}
