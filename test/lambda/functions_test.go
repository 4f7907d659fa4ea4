package lambda_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
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

// names are those of the functions there are.
func names(t *testing.T) []string {
	t.Helper()
	mains, err := filepath.Glob("../../functions/*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatalf("no functions: %v", err)
	}
	var all []string
	for _, file := range mains {
		all = append(all, filepath.Base(filepath.Dir(file)))
	}
	return all
}

// quickstart is the configuration a new project starts from.
func quickstart(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs("../../examples/quickstart")
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// credentials are what a sandbox has of AWS.
var credentials = []string{"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}

// nowhere refuses connections: its port is discard's.
const nowhere = "http://127.0.0.1:9"

// TestFunctionsStartWithoutTheirTable starts every function with the
// configuration a new project starts from and no table that answers: a start
// that opened a connection would fail or hang here. A sample event still gets
// an answer.
func TestFunctionsStartWithoutTheirTable(t *testing.T) {
	config := quickstart(t)
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			answersSample(t, name, lambda.Options{
				Binary: binary(t, "../../functions/"+name),
				Dir:    config,
				Env: append([]string{
					"STYX_TABLE=styx", "AWS_ENDPOINT_URL=" + nowhere, "SERVE_PUBLIC_BASE_URL=https://id.example/",
					"SECRETS_DEFAULT=a-secret-of-the-tests", "SECRETS_CIPHER=a-secret-of-the-tests-32-letters",
				}, credentials...),
			})
		})
	}
}

// answersSample starts the function, which reaches no table, and sends it its
// sample event.
func answersSample(t *testing.T, name string, options lambda.Options) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	options.Name, options.Timeout = name, 4*time.Second
	f, err := lambda.Start(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	event, err := os.ReadFile("../../functions/" + name + "/event.json")
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
}

// sampleEnvironment is what `sam local --env-vars functions/env.json` gives a
// function, but for the table's address.
func sampleEnvironment(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile("../../functions/env.json")
	if err != nil {
		t.Fatal(err)
	}
	var sample map[string]map[string]string
	if err := json.Unmarshal(data, &sample); err != nil {
		t.Fatal(err)
	}
	env := slices.Clone(credentials)
	for _, part := range []string{"Parameters", strings.ToUpper(name[:1]) + name[1:]} {
		for key, value := range sample[part] {
			env = append(env, key+"="+strings.Replace(value, "http://dynamodb:8000", nowhere, 1))
		}
	}
	return env
}

// TestSampleEnvironmentIsForThisMachineAlone: its secrets are everybody's, so a
// function takes them from sam local only.
func TestSampleEnvironmentIsForThisMachineAlone(t *testing.T) {
	config := quickstart(t)
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			options := lambda.Options{Binary: binary(t, "../../functions/"+name), Dir: config, Name: name, Env: sampleEnvironment(t, name)}
			f, err := lambda.Start(t.Context(), options)
			if err == nil {
				f.Stop()
				t.Fatal("it starts elsewhere")
			}
			for _, list := range []string{"default", "cookie", "cipher", "pagination"} {
				if !strings.Contains(err.Error(), "secrets."+list+".0: is an example") {
					t.Errorf("secrets.%s is not what keeps it from starting: %v", list, err)
				}
			}
			options.Env = append(options.Env, "AWS_SAM_LOCAL=true")
			if f, err = lambda.Start(t.Context(), options); err != nil {
				t.Fatal(err)
			}
			f.Stop()
		})
	}
}
