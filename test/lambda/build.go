package lambda

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// Build compiles the package (an import path or a folder) into the file out as
// a deployment does: static, stripped, without the retired RPC mode. With race
// it is compiled with the race detector instead, which needs cgo.
func Build(ctx context.Context, pkg, out string, race bool) error {
	arguments := []string{"build", "-trimpath", "-tags", "lambda.norpc", "-o", out}
	cgo := "CGO_ENABLED=0"
	if race {
		arguments = append(arguments, "-race")
		cgo = "CGO_ENABLED=1"
	} else {
		arguments = append(arguments, "-ldflags=-s -w")
	}
	command := exec.CommandContext(ctx, "go", append(arguments, pkg)...)
	command.Env = append(os.Environ(), cgo)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, output)
	}
	return nil
}
