// Package program builds the styx program for tests that run it, and finds it
// ports.
package program

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
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

// FreePorts returns two ports of the loopback address that nobody listens on.
func FreePorts(tb testing.TB) (public, admin int) {
	tb.Helper()
	for _, port := range []*int{&public, &admin} {
		listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		defer func() { _ = listener.Close() }() // of both together: else the second could be the first
		*port = int(netip.MustParseAddrPort(listener.Addr().String()).Port())
	}
	return public, admin
}
