package test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"styx/test/program"
)

// TestWalkThrough runs the README's walk-through as printed, against a server
// that is started as the README says, and compares what each step prints. Only
// the ports differ, so that a server that already runs is left alone.
func TestWalkThrough(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	steps := regexp.MustCompile("(?ms)^```sh walk-through\n(.*?)^```\n\n```text\n(.*?)^```$").FindAllSubmatch(readme, -1)
	if len(steps) < 5 {
		t.Fatalf("the README has %d steps with their output, want 5 or more", len(steps))
	}
	public, admin := program.FreePorts(t)
	serve(t, public, admin)

	var script, want strings.Builder
	for i, step := range steps {
		title := fmt.Sprintf("== step %d\n", i+1)
		fmt.Fprintf(&script, "printf '%%s' '%s'\n%s", title, step[1])
		want.WriteString(title)
		want.Write(step[2])
	}
	printed := strings.ReplaceAll(script.String(), "127.0.0.1:4433", fmt.Sprintf("127.0.0.1:%d", public))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, err := exec.CommandContext(ctx, "bash", "-c", printed).CombinedOutput()
	if err != nil {
		t.Errorf("the walk-through ended with %v", err)
	}
	if string(got) != want.String() {
		t.Errorf("the walk-through printed\n%s\nwant\n%s", got, want.String())
	}
}

// serve does what "make run" does, with the quickstart's configuration, on the
// given ports until the test ends, and checks that it stops when asked to.
func serve(t *testing.T, public, admin int) {
	t.Helper()
	path, err := program.Build()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	server := exec.Command(path, "serve", "--dev", "-c", "styx.yml")
	server.Dir = "../examples/quickstart"
	server.Env = append(os.Environ(), "DSN=memory",
		fmt.Sprintf("SERVE_PUBLIC_PORT=%d", public),
		fmt.Sprintf("SERVE_PUBLIC_BASE_URL=http://127.0.0.1:%d/", public),
		fmt.Sprintf("SERVE_ADMIN_PORT=%d", admin),
		fmt.Sprintf("SERVE_ADMIN_BASE_URL=http://127.0.0.1:%d/", admin))
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("styx serve: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("styx serve did not stop within 10 s of SIGTERM")
			_ = server.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("its log:\n%s", log.String())
		}
	})

	for range 300 {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("styx serve ended at once: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/health/ready", public))
		if err != nil {
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatal("styx serve was not ready within 30 s")
}
