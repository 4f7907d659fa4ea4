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

// files is a flag that may be repeated.
type files []string

func (f *files) String() string { return strings.Join(*f, ",") }

func (f *files) Set(name string) error {
	*f = append(*f, name)
	return nil
}

// serve runs both APIs until ctx ends.
func serve(ctx context.Context, args, environ []string, out, errs io.Writer) int {
	var names files
	flags := flag.NewFlagSet("styx serve", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Var(&names, "c", "configuration `file`; may be repeated")
	flags.Var(&names, "config", "the same as -c")
	dev := flags.Bool("dev", false, "relax what production needs")
	flags.Bool("watch-courier", false, "accepted for Kratos' sake: the courier always runs here")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		_, _ = fmt.Fprintf(errs, "styx serve: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	c, notices, err := load(names, environ, *dev)
	if err != nil {
		_, _ = fmt.Fprintln(errs, err)
		return 1
	}
	log := logger(c.Log, errs)
	slog.SetDefault(log)
	for _, notice := range notices {
		if notice.Kind != config.Local { // those are what this very server reads
			log.LogAttrs(ctx, notice.Level(), "configuration", slog.String("notice", notice.String()))
		}
	}
	if err := serveUntil(ctx, c, environ, log, out); err != nil {
		_, _ = fmt.Fprintln(errs, "styx:", err)
		return 1
	}
	return 0
}

// load reads and checks the configuration. Its error tells every mistake, each
// with its place.
func load(names, environ []string, dev bool) (*config.Config, []config.Notice, error) {
	var sources []config.Source
	for _, name := range names {
		data, err := os.ReadFile(name) //nolint:gosec // the operator names it
		if err != nil {
			return nil, nil, fmt.Errorf("styx: %w", err)
		}
		sources = append(sources, config.Source{Name: name, Data: data})
	}
	overrides := map[string]any{}
	if dev {
		overrides["dev"] = true
	}
	if mistakes := check.Validate(sources, environ, overrides); len(mistakes) > 0 {
		return nil, nil, config.Mistakes(mistakes)
	}
	return config.Load(sources, environ, overrides)
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
