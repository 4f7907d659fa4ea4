// Command styx runs Styx on one machine.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"styx/internal/jsonnet"
)

// version is set by the linker.
var version string

const usage = `Styx: serverless identity.

Usage:

  styx serve [-c styx.yml]... [--dev] [--watch-courier]
        serve the public and the admin API, with everything in this process
  styx courier retry [--endpoint URL] MESSAGE-ID
        queue an abandoned message again, while what it says still holds
  styx version
        print the version

Serve reads configuration files of Ory Kratos' format, later ones over earlier
ones, and over them environment variables such as SESSION_LIFESPAN. --dev
relaxes checks that production needs: cookies over plain http, cheap hashes,
missing secrets. Courier speaks to the admin API at --endpoint, by default
http://127.0.0.1:4434 or what STYX_ADMIN_URL says.
`

func main() {
	jsonnet.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes a command line and returns the exit code: 0 done, 1 failed, 2
// not understood.
func run(ctx context.Context, args, environ []string, out, errs io.Writer) int {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch command {
	case "serve":
		return serve(ctx, args[1:], environ, out, errs)
	case "courier":
		return courierCommand(ctx, args[1:], environ, out, errs)
	case "version":
		_, _ = fmt.Fprintln(out, "styx", versionText())
		return 0
	case "help", "-h", "--help":
		_, _ = fmt.Fprint(out, usage)
		return 0
	case "":
		_, _ = fmt.Fprint(errs, usage)
	default:
		_, _ = fmt.Fprintf(errs, "styx: there is no command %q\n\n%s", command, usage)
	}
	return 2
}
