package lambda_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/gateway/gatewaytest"
	"styx/test/lambda"
)

// built holds the binaries of this test run: each package is compiled once,
// when a test first asks for it.
var built struct {
	folder string
	mu     sync.Mutex
	file   map[string]string
}

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "styx-functions-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built.folder, built.file = folder, map[string]string{}
	code := m.Run()
	if err := os.RemoveAll(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// binary is the compiled package, with the race detector in a run with it.
func binary(t testing.TB, pkg string) string {
	t.Helper()
	built.mu.Lock()
	defer built.mu.Unlock()
	if file, ok := built.file[pkg]; ok {
		return file
	}
	file := filepath.Join(built.folder, strings.Trim(strings.ReplaceAll(pkg, "/", "-"), ".-"))
	if err := lambda.Build(t.Context(), pkg, file, raced); err != nil {
		t.Fatal(err)
	}
	built.file[pkg] = file
	return file
}

// TestFunctionsStartWithoutTheirTable starts every function with the
// configuration a new project starts from and no table that answers: a start
// that opened a connection would fail or hang here. A sample event still gets
// an answer.
func TestFunctionsStartWithoutTheirTable(t *testing.T) {
	mains, err := filepath.Glob("../../functions/*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatalf("no functions: %v", err)
	}
	config, err := filepath.Abs("../../examples/quickstart")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range mains {
		name := filepath.Base(filepath.Dir(file))
		t.Run(name, func(t *testing.T) {
			bootstrap := binary(t, "../../functions/"+name)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			f, err := lambda.Start(ctx, lambda.Options{
				Binary:  bootstrap,
				Dir:     config,
				Name:    name,
				Timeout: 4 * time.Second,
				Env: []string{
					"STYX_TABLE=styx", "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b",
					"AWS_ENDPOINT_URL=http://127.0.0.1:9", // discard: refuses connections
					"SERVE_PUBLIC_BASE_URL=https://id.example/",
					"SECRETS_DEFAULT=a-secret-of-the-tests", "SECRETS_CIPHER=a-secret-of-the-tests-32-letters",
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(f.Stop)
			event, err := os.ReadFile(filepath.Join(filepath.Dir(file), "event.json"))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := f.Invoke(ctx, event)
			if err != nil {
				t.Fatalf("%v\n%s", err, f.Log())
			}
			if name == "courier" {
				// No API calls it: it has the stream bring the record again.
				if got := string(answer); !strings.HasPrefix(got, `{"batchItemFailures":[{"itemIdentifier":`) {
					t.Errorf("answers %s\n%s", got, f.Log())
				}
				return
			}
			response, err := gatewaytest.Response(answer)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusMethodNotAllowed {
				t.Errorf("status %s: the function does not own its sample event\n%s", response.Status, f.Log())
			}
			t.Logf("start to first /next %v, resident %.1f MB, sample event %s", f.Measures()[0].Start, float64(f.Measures()[0].Resident)/1e6, response.Status)
		})
	}
}
