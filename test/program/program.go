// Package program builds the styx program for tests that run it.
package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// Build returns the path of the program, built once for all tests of a package.
// It lies beside their own program, and "go test" removes both.
var Build = sync.OnceValues(func() (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("where am I: %w", err)
	}
	path := filepath.Join(filepath.Dir(own), "styx")
	said, err := exec.Command("go", "build", "-o", path, "styx/cmd/styx").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build styx: %w\n%s", err, said)
	}
	return path, nil
})
