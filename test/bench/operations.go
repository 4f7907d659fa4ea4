package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// How long the operations are measured. Other processes of the machine disturb
// some rounds more than others, so the best one counts.
const (
	rounds   = 3
	duration = 400 * time.Millisecond // of one operation in one round
)

// setting is where operations run.
type setting struct {
	name     string
	dsn      string
	hash     hash
	people   int
	prepared int // submissions at most in one round, each to a flow made before
	of       []operation
}

// operations measures each operation of the server on each kind of table.
func (b *bench) operations(ctx context.Context) error {
	every := []operation{health, startLogin, whoami, registration, login, adminGet, adminList}
	settings := []setting{
		{"memory", "memory", cheap, 250, 500, every},
		{"file", "file://" + filepath.Join(b.out, "styx.db"), cheap, 250, 500, every},
	}
	if b.dynamo != "" {
		settings = append(settings, setting{"DynamoDB emulator", "dynamodb://bench?endpoint=" + b.dynamo, cheap, 250, 60, every})
	}
	settings = append(settings, setting{"memory", "memory", sound, 8, 40, []operation{registration, login}})
	for _, s := range settings {
		if err := b.measure(ctx, s); err != nil {
			return err
		}
	}
	if b.dynamo == "" {
		fmt.Println("\nNot on DynamoDB: STYX_TEST_DYNAMODB names no endpoint (test/dynamodb/with.sh does).")
	}
	return nil
}

// measure runs the operations against one server, round by round, and prints
// them as a table.
func (b *bench) measure(ctx context.Context, where setting) error {
	server, err := b.serve(ctx, where.hash, where.dsn)
	if err != nil {
		return err
	}
	defer server.stop()
	if err := server.settle(ctx, where.people); err != nil {
		return err
	}
	concurrencies := []int{1, 8}
	measured := make([]figures, len(where.of)*len(concurrencies))
	for range rounds {
		for i := range measured {
			one := where.of[i/len(concurrencies)]
			if err := server.round(ctx, one, concurrencies[i%len(concurrencies)], where.prepared, &measured[i]); err != nil {
				return fmt.Errorf("%s: %w", one.name, err)
			}
		}
	}
	resident, err := server.resident()
	if err != nil {
		return err
	}
	fmt.Printf("\nOperations, table: %s, password hash: %s (best of %d rounds; the server then holds %.0f MB)\n\n",
		where.name, where.hash.name, rounds, float64(resident)/1e6)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "operation\tat once\tper second\tp50 ms\tp90 ms\tp99 ms\tCPU ms\t")
	for i, f := range measured {
		fmt.Fprintf(table, "%s\t%d\t%.0f\t%s\t%s\t%s\t%s\t\n",
			where.of[i/len(concurrencies)].name, concurrencies[i%len(concurrencies)], f.throughput,
			ms(at(f.latencies, 50)), ms(at(f.latencies, 90)), ms(at(f.latencies, 99)), ms(f.cpu/time.Duration(f.requests)))
	}
	return table.Flush()
}

// figures are those of one operation at one concurrency.
type figures struct {
	throughput float64         // requests per second of the best round
	latencies  []time.Duration // of that round, sorted
	cpu        time.Duration   // the server's, over all rounds
	requests   int             // of all rounds
}

// round sends requests for a while, or until all that were prepared are sent.
func (i *instance) round(ctx context.Context, one operation, concurrency, prepared int, into *figures) error {
	var requests []*http.Request
	if one.submits {
		var err error
		if requests, err = i.prepare(ctx, one, prepared); err != nil {
			return err
		}
	}
	before, err := i.cpu()
	if err != nil {
		return err
	}
	var next atomic.Int64
	latencies := make([][]time.Duration, concurrency)
	began := time.Now()
	err = together(concurrency, func(worker int) error {
		for time.Since(began) < duration {
			n := int(next.Add(1)) - 1
			var r *http.Request
			switch {
			case n < len(requests):
				r = requests[n]
			case one.submits:
				return nil
			default:
				var err error
				if r, err = one.request(ctx, &i.site, n); err != nil {
					return err
				}
			}
			sent := time.Now()
			if _, err := i.succeed(r); err != nil {
				return err
			}
			latencies[worker] = append(latencies[worker], time.Since(sent))
		}
		return nil
	})
	took := time.Since(began)
	if err != nil {
		return err
	}
	after, err := i.cpu()
	if err != nil {
		return err
	}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	into.cpu += after - before
	into.requests += len(all)
	if throughput := float64(len(all)) / took.Seconds(); throughput > into.throughput {
		into.throughput, into.latencies = throughput, all
	}
	return nil
}

// prepare makes requests, so that what they need is there before the clock
// starts.
func (s *site) prepare(ctx context.Context, one operation, n int) ([]*http.Request, error) {
	requests := make([]*http.Request, n)
	return requests, each(n, func(i int) (err error) {
		requests[i], err = one.request(ctx, s, i)
		return err
	})
}

// each calls do for 0 to n-1, eight at a time.
func each(n int, do func(i int) error) error {
	var next atomic.Int64
	return together(8, func(int) error {
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return nil
			}
			if err := do(i); err != nil {
				return err
			}
		}
	})
}

// together runs so many workers and waits for all.
func together(workers int, work func(worker int) error) error {
	errs := make([]error, workers)
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() { errs[worker] = work(worker) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// at is a percentile of sorted times.
func at(sorted []time.Duration, percent int) time.Duration {
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)]
}

// ms prints a time in milliseconds, as precisely as it means something.
func ms(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.2f", float64(d)/1e6)
	}
	return fmt.Sprintf("%.1f", float64(d)/1e6)
}
