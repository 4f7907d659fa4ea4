package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"text/tabwriter"
	"time"

	"styx/internal/app"
	"styx/internal/app/full"
	"styx/internal/config"
	"styx/internal/table"
	"styx/internal/table/local"
)

// counted is how many requests allocations are counted over, profiled how many
// a profile is taken over.
const (
	counted  = 500
	profiled = 20_000
)

// inProcess is a site whose handlers run in this process over a table in
// memory: without a network, what is counted is theirs.
func inProcess(ctx context.Context) (*site, error) {
	folder, err := filepath.Abs(quickstart)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(folder, "styx.yml"))
	if err != nil {
		return nil, err
	}
	environ := append(cheap.environment("memory"),
		"IDENTITY_SCHEMAS_0_URL=file://"+filepath.Join(folder, "identity.schema.json"))
	c, _, err := config.Load([]config.Source{{Name: "styx.yml", Data: data}}, environ, map[string]any{"dev": true})
	if err != nil {
		return nil, err
	}
	memory, err := local.Memory(local.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return nil, err
	}
	server, err := full.Local(app.Parts{
		Config: c, Table: memory, Now: time.Now, Rand: rand.Reader, Client: app.Outgoing(c, ""),
	}, "", slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	s := &site{public: "http://public", admin: "http://admin", client: &http.Client{Transport: direct(func(r *http.Request) http.Handler {
		if r.URL.Host == "admin" {
			return server.Admin
		}
		return server.Public
	})}}
	return s, s.settle(ctx, 250)
}

// direct calls a handler as if it were a server.
type direct func(r *http.Request) http.Handler

// RoundTrip answers from the handler.
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	d.serve(answer, r)
	return answer.Result(), nil
}

func (d direct) serve(w http.ResponseWriter, r *http.Request) {
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "192.0.2.1:1"
	if r.Body == nil {
		r.Body = http.NoBody
	}
	d(r).ServeHTTP(w, r)
}

// discard takes an answer and keeps nothing of it but the status.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// handlers counts what a request allocates and asks of the table.
func handlers(ctx context.Context) error {
	s, err := inProcess(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\nHandlers in process, table: memory, password hash: %s (mean of %d requests)\n\n", cheap.name, counted)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "operation\tallocations\tkB\ttable round trips\ttable calls\t")
	for _, one := range []operation{startLogin, startRegistration, whoami, registration, login, adminGet, adminList} {
		allocations, bytes, tally, err := s.count(ctx, one)
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		var calls []string
		for _, call := range tally.Calls() {
			calls = append(calls, fmt.Sprintf("%s %d", call.Verb, call.Items))
		}
		if len(calls) > 4 {
			calls = append(calls[:1], "…", fmt.Sprintf("%d in all", len(calls)))
		}
		fmt.Fprintf(out, "%s\t%d\t%.1f\t%d\t%s\t\n", one.name, allocations, float64(bytes)/1e3, tally.RoundTrips(), strings.Join(calls, ", "))
	}
	return out.Flush()
}

// count returns allocations and bytes of one request, and what it asked of the
// table. Others' allocations do not count: this process does nothing else.
func (s *site) count(ctx context.Context, one operation) (allocations, bytes uint64, tally *table.Tally, err error) {
	// One more than counted: the first pays for what is made once.
	requests, err := s.prepare(ctx, one, counted+1)
	if err != nil {
		return 0, 0, nil, err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var before, after runtime.MemStats
	for i, r := range requests {
		if i == 1 {
			runtime.ReadMemStats(&before)
		}
		var tallied context.Context
		tallied, tally = table.WithTally(ctx)
		if err := s.serve(r.WithContext(tallied)); err != nil {
			return 0, 0, nil, err
		}
	}
	runtime.ReadMemStats(&after)
	return (after.Mallocs - before.Mallocs) / counted, (after.TotalAlloc - before.TotalAlloc) / counted, tally, nil
}

// serve hands a request to its handler and drops the answer.
func (s *site) serve(r *http.Request) error {
	handler, ok := s.client.Transport.(direct)
	if !ok {
		return errors.New("not a site in this process")
	}
	answer := &discard{header: http.Header{}, status: http.StatusOK}
	handler.serve(answer, r)
	if answer.status >= http.StatusMultipleChoices {
		return fmt.Errorf("status %d", answer.status)
	}
	return nil
}

// profiles writes a CPU profile for each operation that ought to cost little.
func profiles(ctx context.Context, folder string) error {
	s, err := inProcess(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, one := range map[string]operation{
		"whoami": whoami, "start-login": startLogin, "start-registration": startRegistration, "login": login, "admin-get": adminGet,
	} {
		requests, err := s.prepare(ctx, one, profiled)
		if err != nil {
			return err
		}
		file, err := os.Create(filepath.Join(folder, name+".pprof"))
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return errors.Join(err, file.Close())
		}
		began := time.Now()
		for _, r := range requests {
			err = errors.Join(err, s.serve(r))
		}
		took := time.Since(began)
		pprof.StopCPUProfile()
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
		fmt.Printf("%s: %v for each of %d requests\n", file.Name(), took/profiled, profiled)
	}
	return nil
}
