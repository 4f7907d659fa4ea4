package sdk

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNode runs node/admin.mjs, with the API and with what signs for it. Each of
// its steps is a test.
func TestNode(t *testing.T) {
	script := packages(t)
	t.Run("the API itself", func(t *testing.T) { runNode(t, script, start(t)) })
	t.Run("through styx proxy", func(t *testing.T) {
		s := start(t)
		s.admin = proxy(t, s)
		runNode(t, script, s)
	})
}

func runNode(t *testing.T, script string, s server) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "node", script, s.admin, s.public)
	var errs bytes.Buffer
	command.Stderr = &errs
	out, err := command.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s%s", err, out, errs.String())
	}
	steps, ended := 0, false
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		line := lines.Text()
		if line == "done" {
			ended = true
			continue
		}
		name, why, failed := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(line, "not "), "ok "), ": ")
		steps++
		t.Run(name, func(t *testing.T) {
			if failed || strings.HasPrefix(line, "not ") {
				t.Error(why)
			}
		})
	}
	if steps == 0 || !ended {
		t.Errorf("the script did not come to its end:\n%s%s", out, errs.String())
	}
}

// packages installs what the script imports into .cache/, once for each lock
// file, and puts the script beside it.
func packages(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join("node", "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join("..", "..", ".cache", "sdk", fmt.Sprintf("%.6x", sha256.Sum256(lock)))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "package-lock.json", "admin.mjs"} {
		text, err := os.ReadFile(filepath.Join("node", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	// npm writes this file last.
	if _, err := os.Stat(filepath.Join(folder, "node_modules", ".package-lock.json")); err != nil {
		install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder)
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("npm: %v\n%s", err, out)
		}
	}
	return filepath.Join(folder, "admin.mjs")
}
