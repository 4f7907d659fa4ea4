package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"styx/internal/gateway/gatewaytest"
	"styx/test/lambda"
)

// How often a function starts, answers a first event, and answers one warm.
const (
	starts = 20
	firsts = 5
	warms  = 100
)

// Bars for the time from the start of the process to its first call of /next;
// the JSON Schema validator takes some milliseconds of its own.
const (
	bar       = 20 * time.Millisecond
	barSchema = 30 * time.Millisecond
)

// function is a Lambda function and the event it is measured with.
type function struct {
	name string
	bar  time.Duration
	of   operation
}

// functions measures the binaries that a deployment uploads.
func (b *bench) functions(ctx context.Context) error {
	dist := filepath.Join(b.out, "dist")
	architectures := []string{"arm64"}
	if runtime.GOARCH != "arm64" {
		architectures = append(architectures, runtime.GOARCH)
	}
	if err := goRun(ctx, "run", "./build", "-out", dist, "-arch", strings.Join(architectures, ",")); err != nil {
		return err
	}
	inhabited, err := b.inhabited(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\nFunctions on %s, file cache warm: %d starts until the first call of /next; the first event (mean of %d); warm events (median of %d)\n\n",
		runtime.GOARCH, starts, firsts, warms)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "function\tMB\tzip\tarm64 zip\tstart p50 ms\tp95\tmin\tbar\tCPU\tfirst ms\tCPU\twarm ms\tCPU\tRSS MB\tevent\t")
	for _, f := range []function{
		{"login", bar, startLogin},
		{"registration", barSchema, startRegistration},
		{"settings", barSchema, startSettings},
		{"recovery", bar, startRecovery},
		{"verification", bar, startVerification},
		{"session", bar, whoami},
		{"admin", barSchema, adminGet},
		{"meta", bar, health},
		// Starts alone: the one reads what session reads, in another event, the
		// other asks an API that is not there.
		{"authorizer", bar, operation{}},
		{"ui", bar, operation{}},
	} {
		base := filepath.Join(dist, f.name+"-"+runtime.GOARCH)
		binary, zip := size(filepath.Join(base, "bootstrap")), size(base+".zip")
		fmt.Fprintf(out, "%s\t%.1f\t%.1f\t%.1f", f.name, binary, zip, size(filepath.Join(dist, f.name+"-arm64.zip")))
		options := b.options(f.name, filepath.Join(base, "bootstrap"))
		if err := printStarts(ctx, out, f, options); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if inhabited != nil && f.of.request != nil {
			if err := printEvents(ctx, out, f, options, inhabited); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
		fmt.Fprintln(out)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	fmt.Println("\nCPU is the user and system time in ms of the process for that start or event.")
	if inhabited == nil {
		fmt.Println("No events: STYX_TEST_DYNAMODB names no endpoint (test/dynamodb/with.sh does).")
	}
	return nil
}

// functionTable is the table that the functions read.
const functionTable = "bench-functions"

// inhabited is a site on that table with one person in it, whose client is yet
// to be given; nil without a DynamoDB API.
func (b *bench) inhabited(ctx context.Context) (*site, error) {
	if b.dynamo == "" {
		return nil, nil
	}
	server, err := b.serve(ctx, cheap, "dynamodb://"+functionTable+"?endpoint="+b.dynamo)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	if err := server.settle(ctx, 1); err != nil {
		return nil, err
	}
	return &site{public: "https://id.example", admin: "https://admin.example", people: server.people, token: server.token}, nil
}

// options are those of a function as it is deployed, next to an emulator.
func (b *bench) options(name, bootstrap string) lambda.Options {
	return lambda.Options{
		Binary: bootstrap, Dir: quickstart, Name: name,
		Env: append(sound.environment("dynamodb://"+functionTable),
			"AWS_ENDPOINT_URL="+b.dynamo, "SERVE_PUBLIC_BASE_URL=https://id.example/", "SELFSERVICE_FLOWS_RECOVERY_ENABLED=true",
			"SECRETS_DEFAULT=a-secret-of-the-benchmark", "SECRETS_CIPHER=a-secret-of-the-bench-32-letters"),
	}
}

// printStarts starts the function again and again.
func printStarts(ctx context.Context, out io.Writer, f function, options lambda.Options) error {
	var took []time.Duration
	used, err := childrenCPU(func() error {
		for range starts {
			started, err := lambda.Start(ctx, options)
			if err != nil {
				return err
			}
			took = append(took, started.Measures()[0].Start)
			started.Stop()
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(took)
	mark := ""
	if at(took, 50) > f.bar {
		mark = " over"
	}
	fmt.Fprintf(out, "\t%s\t%s\t%s\t%d%s\t%s", ms(at(took, 50)), ms(at(took, 95)), ms(took[0]), f.bar.Milliseconds(), mark, ms(used/starts))
	return nil
}

// printEvents has the function answer events. What they cost is the difference
// between processes that answered so many and processes that answered fewer.
func printEvents(ctx context.Context, out io.Writer, f function, options lambda.Options, s *site) error {
	none, _, _, err := answer(ctx, f, options, s, firsts, 0)
	if err != nil {
		return err
	}
	one, first, _, err := answer(ctx, f, options, s, firsts, 1)
	if err != nil {
		return err
	}
	many, warm, resident, err := answer(ctx, f, options, s, 1, 1+warms)
	if err != nil {
		return err
	}
	var sum time.Duration
	for _, took := range first {
		sum += took
	}
	warm = warm[1:]
	slices.Sort(warm)
	fmt.Fprintf(out, "\t%s\t%s\t%s\t%s\t%.0f\t%s\t", ms(sum/firsts), ms((one-none)/firsts), ms(at(warm, 50)), ms((many-one/firsts)/warms), float64(resident)/1e6, f.of.name)
	return nil
}

// answer starts the function so many times, sends it events each time, and
// returns the processor time of all that, how long each event took, and the
// memory that the last process held in the end.
func answer(ctx context.Context, f function, options lambda.Options, s *site, times, events int) (cpu time.Duration, took []time.Duration, resident int64, err error) {
	cpu, err = childrenCPU(func() error {
		for range times {
			started, err := lambda.Start(ctx, options)
			if err != nil {
				return err
			}
			here := *s
			here.client = &http.Client{Transport: &gatewaytest.Transport{
				API: gatewaytest.API{IAM: gatewaytest.Signed()}, Route: gatewaytest.To(started),
			}}
			for i := range events {
				r, err := f.of.request(ctx, &here, i)
				if err == nil {
					sent := time.Now()
					_, err = here.succeed(r)
					took = append(took, time.Since(sent))
				}
				if err != nil {
					started.Stop()
					return fmt.Errorf("%w\n%s", err, started.Log())
				}
			}
			resident = started.Measures()[0].Resident
			started.Stop()
		}
		return nil
	})
	return cpu, took, resident, err
}

// childrenCPU is the processor time of the processes that do starts and waits
// for. Nothing else may end meanwhile.
func childrenCPU(do func() error) (time.Duration, error) {
	used := func() (time.Duration, error) {
		var usage syscall.Rusage
		err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage)
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), err
	}
	before, err := used()
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	after, err := used()
	return after - before, err
}

// size of a file in MB.
func size(file string) float64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return float64(info.Size()) / 1e6
}
