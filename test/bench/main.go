package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// bench is one run.
type bench struct {
	out    string // scratch folder
	styx   string // the server's binary
	dynamo string // endpoint of a DynamoDB API, "" for none
}

func main() {
	profile := flag.String("profile", "", "write a CPU profile of each operation's handlers to this `folder`, and measure nothing else")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *profile, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures the named sections, all when none is named.
func run(ctx context.Context, profile string, only []string) (err error) {
	if profile != "" {
		return profiles(ctx, profile)
	}
	folder, err := os.MkdirTemp("", "styx-bench-")
	if err != nil {
		return fmt.Errorf("scratch folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	b := &bench{out: folder, styx: filepath.Join(folder, "styx"), dynamo: os.Getenv("STYX_TEST_DYNAMODB")}
	if err := goRun(ctx, "build", "-trimpath", "-o", b.styx, "./cmd/styx"); err != nil {
		return err
	}
	describeMachine()
	for _, section := range []struct {
		name    string
		measure func(context.Context) error
	}{
		{"operations", b.operations},
		{"handlers", handlers},
		{"strangers", b.strangers},
		{"functions", b.functions},
		{"boot", b.boot},
		{"population", b.population},
	} {
		if len(only) > 0 && !slices.Contains(only, section.name) {
			continue
		}
		if err := section.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", section.name, err)
		}
	}
	return nil
}

// goRun runs the go command without cgo, as a release is built.
func goRun(ctx context.Context, arguments ...string) error {
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(arguments, " "), err, output)
	}
	return nil
}

// describeMachine prints what the figures depend on. The load tells whether
// somebody else was at work: then wall times say little, and CPU times more.
func describeMachine() {
	model := "unknown processor"
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("%s: %d × %s, %s/%s, %s, load %s\n", time.Now().Format(time.DateOnly),
		runtime.NumCPU(), model, runtime.GOOS, runtime.GOARCH, runtime.Version(), strings.Join(strings.Fields(string(load))[:3], " "))
}
