// Command styx runs Styx on one machine, and administers one wherever it runs.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"styx/internal/jsonnet"
)

// version is set by the linker.
var version string

func main() {
	jsonnet.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes a command line and returns the exit code: 0 done, 1 failed, 2
// not understood.
func run(ctx context.Context, args, environ []string, in io.Reader, out, errs io.Writer) int {
	return execute(ctx, commands(), args, &call{environ: environ, in: in, out: out, errs: errs})
}

// commands is the whole command line.
func commands() *command {
	root := &command{
		name: "styx",
		does: "Styx: serverless identity.",
		about: `Commands that administer speak to the admin API of --endpoint, by default
http://127.0.0.1:4434 or what STYX_ADMIN_URL says. Requests to an API Gateway
are signed with the AWS credentials at hand.

Exit codes: 0 done, 1 failed (in part, too), 2 not understood.`,
		examples: []string{
			"styx serve --dev -c styx.yml",
			"styx identities list --all",
			"styx help import kratos",
		},
	}
	root.parts = []*command{
		serveCommand(), identitiesCommand(), sessionsCommand(), courierCommand(), settingsCommand(), importCommand(), exportCommand(),
		hashersCommand(), lintCommand(), doctorCommand(), proxyCommand(), versionCommand(),
		completionCommand(root), helpCommand(root),
	}
	return root
}
