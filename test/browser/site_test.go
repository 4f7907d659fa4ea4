//go:build browser

package browser

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"styx/test/program"
)

// serve starts "styx serve" on ports of its own, with an empty table, and
// returns its public URL. It answers to the name localhost, since keys belong to
// a name and not to an address. More settings, as environment variables, go over
// those of testdata/styx.yml.
func serve(t *testing.T, environ ...string) string {
	t.Helper()
	path, err := program.Build()
	if err != nil {
		t.Fatal(err)
	}
	public, admin := program.FreePorts(t)
	base := fmt.Sprintf("http://localhost:%d", public)
	var said bytes.Buffer
	command := exec.Command(path, "serve", "--dev", "-c", "styx.yml")
	command.Dir = "testdata"
	command.Env = append([]string{
		"PATH=" + os.Getenv("PATH"),
		fmt.Sprintf("SERVE_PUBLIC_PORT=%d", public), "SERVE_PUBLIC_BASE_URL=" + base + "/",
		fmt.Sprintf("SERVE_ADMIN_PORT=%d", admin), fmt.Sprintf("SERVE_ADMIN_BASE_URL=http://localhost:%d/", admin),
		"SELFSERVICE_DEFAULT_BROWSER_RETURN_URL=" + base + "/ui/welcome",
		"SELFSERVICE_METHODS_WEBAUTHN_CONFIG_RP_ORIGINS=" + base, "SELFSERVICE_METHODS_PASSKEY_CONFIG_RP_ORIGINS=" + base,
	}, environ...)
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil {
			t.Errorf("styx serve: %v", err)
		}
		if t.Failed() {
			t.Logf("styx serve said:\n%s", said.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		if a, err := http.Get(base + "/health/ready"); err == nil {
			_ = a.Body.Close()
			return base
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("styx serve did not start: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal(errors.New("styx serve did not get ready"))
		}
	}
}
