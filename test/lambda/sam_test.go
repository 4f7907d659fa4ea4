//go:build sam

package lambda_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"styx/test/lambda"
)

// samConfig is the least that a function needs.
const samConfig = `
serve: {admin: {base_url: "https://admin.example/"}}
selfservice:
  default_browser_return_url: https://app.example/
  flows: {registration: {after: {password: {hooks: [{hook: session}]}}}}
  methods: {password: {config: {haveibeenpwned_enabled: false}}}
identity:
  default_schema_id: person
  schemas: [{id: person, url: "file://./identity.schema.json"}]
`

// hosts is Lambda's name for this machine's architecture.
var hosts = map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]

// samProgram is the sam of this test run.
func samProgram(t *testing.T) string {
	t.Helper()
	file := os.Getenv("STYX_SAM")
	if file == "" {
		t.Fatal("STYX_SAM names no sam: run this by make test")
	}
	return file
}

// sam runs it in the folder of template.yaml, as a developer does.
func sam(t *testing.T, environment []string, arguments ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), samProgram(t), arguments...)
	command.Dir = "../.."
	command.Env = append(os.Environ(), append([]string{"ARCHITECTURE=" + hosts, "SAM_CLI_TELEMETRY=0", "AWS_DEFAULT_REGION=us-east-1"}, environment...)...)
	output, err := command.CombinedOutput()
	return string(output), err
}

// builtBySAM is the folder of what sam built, and that of the configuration in
// it: once in a test run.
func builtBySAM(t *testing.T) (artifacts, config string) {
	t.Helper()
	built.mu.Lock()
	defer built.mu.Unlock()
	artifacts, config = filepath.Join(built.folder, "sam"), filepath.Join(built.folder, "config")
	if _, err := os.Stat(artifacts); err == nil {
		return artifacts, config
	}
	schema, err := os.ReadFile(filepath.Join(quickstart(t), "identity.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(config, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"styx.yml": []byte(samConfig), "identity.schema.json": schema} {
		if err := os.WriteFile(filepath.Join(config, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if output, err := sam(t, []string{"CONFIG=" + config}, "build", "--build-dir", artifacts); err != nil {
		t.Fatalf("sam build: %v\n%s", err, output)
	}
	return artifacts, config
}

// TestWhatSAMBuildsStarts builds every function as `sam build` does, holds each
// to be what `go run ./build` makes, and has it answer its sample event in the
// sample environment.
func TestWhatSAMBuildsStarts(t *testing.T) {
	artifacts, config := builtBySAM(t)
	zips := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "run", "./build", "-config", config, "-arch", runtime.GOARCH, "-out", zips)
	build.Dir = "../.."
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(artifacts, strings.ToUpper(name[:1])+name[1:])
			for file, want := range map[string]string{
				"bootstrap":            filepath.Join(zips, name+"-"+runtime.GOARCH, "bootstrap"),
				"styx.yml":             filepath.Join(config, "styx.yml"),
				"identity.schema.json": filepath.Join(config, "identity.schema.json"),
			} {
				got, err := os.ReadFile(filepath.Join(folder, file))
				if err != nil {
					t.Fatal(err)
				}
				wanted, err := os.ReadFile(want)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, wanted) {
					t.Errorf("%s is not what build makes", file)
				}
			}
			answersSample(t, name, lambda.Options{
				Binary: filepath.Join(folder, "bootstrap"), Dir: folder,
				Env: append(sampleEnvironment(t, name), "AWS_SAM_LOCAL=true"),
			})
		})
	}
}

// TestSAMRefusesSecrets: sam build packs no configuration that holds one.
func TestSAMRefusesSecrets(t *testing.T) {
	output, err := sam(t, []string{"CONFIG=examples/quickstart"}, "build", "--build-dir", t.TempDir(), "Meta")
	if err == nil || !strings.Contains(output, "styx.yml holds a secret: secrets.default.0") {
		t.Errorf("sam build of the quickstart: %v\n%s", err, output)
	}
}
