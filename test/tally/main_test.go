package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     counts
		shows    string // part of what is shown; empty means nothing is
		wrong    string // part of the error; empty means none
	}{
		{
			name: "passed with a subtest",
			in: `{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"TestX"}
{"Action":"output","Package":"a","Test":"TestX","Output":"quiet\n"}
{"Action":"pass","Package":"a","Test":"TestX/one"}
{"Action":"pass","Package":"a","Test":"TestX"}
{"Action":"output","Package":"a","Output":"PASS\n"}
{"Action":"output","Package":"a","Output":"ok a 0.1s\n"}
{"Action":"pass","Package":"a"}`,
			want: counts{passed: 2}, shows: "ok a 0.1s\n",
		},
		{
			name: "failed",
			in: `{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Test":"TestX","Output":"loud\n"}
{"Action":"fail","Package":"a","Test":"TestX"}
{"Action":"fail","Package":"a"}`,
			want: counts{failed: 1}, shows: "loud",
		},
		{
			name: "skipped",
			in: `{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Test":"TestX","Output":"needs rain\n"}
{"Action":"skip","Package":"a","Test":"TestX"}
{"Action":"pass","Package":"a"}`,
			want: counts{skipped: 1}, shows: "needs rain",
		},
		{
			name: "package without tests",
			in: `{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Output":"?   a [no test files]\n"}
{"Action":"skip","Package":"a"}`,
		},
		{
			name: "did not build",
			in: `{"ImportPath":"a","Action":"build-output","Output":"a.go:1: undefined: x\n"}
{"ImportPath":"a","Action":"build-fail"}
{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Output":"FAIL a [build failed]\n"}
{"Action":"fail","Package":"a","FailedBuild":"a"}`,
			want: counts{failed: 1}, shows: "undefined: x",
		},
		{
			name: "died after its tests",
			in: `{"Action":"start","Package":"a"}
{"Action":"pass","Package":"a","Test":"TestX"}
{"Action":"output","Package":"a","Output":"panic: goodbye\n"}
{"Action":"fail","Package":"a"}`,
			want: counts{passed: 1, failed: 1}, shows: "panic: goodbye",
		},
		{name: "cut off", in: `{"Action":"start","Package":"a"}`, wrong: "no end of a"},
		{name: "noise", in: "go: downloading", wrong: "not a line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			got, err := read(strings.NewReader(c.in), &out)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Fatalf("error %v, want %q", err, c.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("counted %v, want %v", got, c.want)
			}
			if strings.Contains(out.String(), "quiet") || c.shows == "" && out.Len() > 0 || !strings.Contains(out.String(), c.shows) {
				t.Errorf("showed %q, want %q", out.String(), c.shows)
			}
		})
	}
}

func TestGood(t *testing.T) {
	for c, want := range map[counts]bool{
		{passed: 1}:             true,
		{}:                      false,
		{passed: 1, failed: 1}:  false,
		{passed: 1, skipped: 1}: false,
	} {
		if c.good() != want {
			t.Errorf("%v good: %v, want %v", c, !want, want)
		}
	}
}

func TestAddUp(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "unit"), counts{3, 0, 1}.String()+"\n")
	write(t, filepath.Join(dir, "wire"), "40 passed, 2 failed\n")
	got, err := addUp(dir)
	if want := (counts{43, 2, 1}); err != nil || got != want {
		t.Errorf("added up to %v, %v; want %v", got, err, want)
	}
	write(t, filepath.Join(dir, "broken"), "all fine\n")
	if _, err := addUp(dir); err == nil {
		t.Error("a file without counts was added up")
	}
}

// TestRealRun reads what the installed go command prints, of a module with one
// test of each ending and a package that does not build.
func TestRealRun(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module lab\n\ngo 1.26\n")
	write(t, filepath.Join(dir, "ends/ends_test.go"), `package ends

import "testing"

func TestPass(t *testing.T) { t.Run("sub", func(t *testing.T) {}) }
func TestFail(t *testing.T) { t.Error("loud") }
func TestSkip(t *testing.T) { t.Skip("needs rain") }
`)
	write(t, filepath.Join(dir, "broken/broken_test.go"), "package broken\n\nvar _ = missing\n")
	cmd := exec.Command("go", "test", "-json", "./...")
	cmd.Dir = dir
	run, err := cmd.Output()
	if err == nil {
		t.Fatal("go test passed")
	}
	var out bytes.Buffer
	got, err := read(bytes.NewReader(run), &out)
	if want := (counts{passed: 2, failed: 2, skipped: 1}); err != nil || got != want {
		t.Errorf("counted %v, %v; want %v", got, err, want)
	}
	for _, want := range []string{"loud", "needs rain", "undefined: missing"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("did not show %q in:\n%s", want, out.String())
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
