// Command build makes what a deployment uploads: for each function and each
// architecture a static, stripped bootstrap and a zip around it, in dist/. The
// same sources give the same bytes.
//
//	go run ./build                        every function
//	go run ./build -config deploy         with the files under deploy/ in each zip
//	go run ./build -config deploy -apart  its secrets beside the zips, not in them
//	go run ./build login session          these functions only
//	go run ./build -config deploy -arch arm64 -unpacked folder login
//	                                      what login's zip would hold, for `sam build`
//
// Secrets do not belong into a zip: a file that holds one is refused. With -apart
// those of styx.yml are taken out of it, for the stack of infra/ to keep them in
// Secrets Manager, and so is what that stack has of its own: dsn and secrets.
package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	from := flag.String("functions", "functions", "the folder that holds a folder for each function")
	out := flag.String("out", "dist", "the folder to write to")
	config := flag.String("config", "", "the folder of configuration, schemas and templates to put into each zip")
	apart := flag.Bool("apart", false, "keep the secrets of styx.yml apart, in "+apartValues+" beside the zips")
	architectures := flag.String("arch", "arm64,amd64", "the architectures to build for")
	unpacked := flag.String("unpacked", "", "the folder to write one function to as it lies in a sandbox, without a zip")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	plan := plan{
		functions:     *from,
		only:          flag.Args(),
		out:           *out,
		config:        *config,
		apart:         *apart,
		architectures: strings.Split(*architectures, ","),
	}
	run := func() error { return plan.run(ctx, os.Stdout) }
	if *unpacked != "" {
		run = func() error { return plan.unpack(ctx, *unpacked) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// plan says what is built from what.
type plan struct {
	functions     string
	only          []string // names; all when empty
	out           string
	config        string // "" for none
	apart         bool   // whether secrets are taken out of it
	architectures []string
}

// run builds the plan and writes a line for each zip.
func (p plan) run(ctx context.Context, to io.Writer) error {
	names, err := p.names()
	if err != nil {
		return err
	}
	files, secrets, err := configFiles(p.config, p.apart)
	if err != nil {
		return err
	}
	if err := writeApart(p.out, secrets); err != nil {
		return err
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "function\tarchitecture\tbootstrap\tzip\tsha256")
	for _, name := range names {
		for _, architecture := range p.architectures {
			if err := p.one(ctx, table, name, architecture, files); err != nil {
				return err
			}
		}
	}
	return table.Flush()
}

// names are the functions to build: folders with a main.go.
func (p plan) names() ([]string, error) {
	mains, err := filepath.Glob(filepath.Join(p.functions, "*", "main.go"))
	if err != nil {
		return nil, fmt.Errorf("list functions: %w", err)
	}
	var all []string
	for _, file := range mains {
		all = append(all, filepath.Base(filepath.Dir(file)))
	}
	for _, name := range p.only {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("no function %q; there are: %s", name, strings.Join(all, " "))
		}
	}
	if len(p.only) > 0 {
		return p.only, nil
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no function under %s", p.functions)
	}
	return all, nil
}

// one makes dist/<name>-<architecture>/bootstrap and the zip beside it.
func (p plan) one(ctx context.Context, table io.Writer, name, architecture string, files []file) error {
	base := filepath.Join(p.out, name+"-"+architecture)
	bootstrap := filepath.Join(base, "bootstrap")
	if err := compile(ctx, filepath.Join(p.functions, name), bootstrap, architecture); err != nil {
		return err
	}
	binary, err := os.ReadFile(bootstrap)
	if err != nil {
		return fmt.Errorf("read bootstrap: %w", err)
	}
	packed, err := pack(append([]file{{"bootstrap", binary, 0o755}}, files...))
	if err != nil {
		return err
	}
	if err := os.WriteFile(base+".zip", packed, 0o600); err != nil {
		return fmt.Errorf("write zip: %w", err)
	}
	_, err = fmt.Fprintf(table, "%s\t%s\t%.2f MB\t%.2f MB\t%x\n", name, architecture, mega(len(binary)), mega(len(packed)), sha256.Sum256(packed))
	return err
}

// compile builds the package in folder for Lambda. Nothing of the machine, the
// folder or the commit it is built from gets into the binary.
func compile(ctx context.Context, folder, out, architecture string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("build %s: %w", folder, err)
	}
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags=-s -w -buildid=", "-o", out, ".")
	command.Dir = folder
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s for %s: %w\n%s", folder, architecture, err, output)
	}
	return nil
}

func mega(bytes int) float64 { return float64(bytes) / 1e6 }

// byName sorts files as they stand in the zip.
func byName(a, b file) int { return cmp.Compare(a.name, b.name) }
