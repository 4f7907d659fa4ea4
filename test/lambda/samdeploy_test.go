//go:build dynamodb && sam

package lambda_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"styx/test/program"
)

// emulated starts an AWS on this machine and returns its address. It expands
// SAM's templates by the library that comes with sam.
func emulated(t *testing.T) string {
	t.Helper()
	port, _ := program.FreePorts(t)
	endpoint := fmt.Sprintf("http://127.0.0.1:%d", port)
	command := exec.CommandContext(t.Context(), "../dynamodb/start.sh", strconv.Itoa(port))
	// Functions get its environment: where AWS is, and the level of its log.
	command.Env = append(os.Environ(), "SERVICES=", "AUTH=true", "STYX_DYNAMODB=ministack",
		"AWS_ENDPOINT_URL="+endpoint, "LOG_LEVEL=warning",
		"PATH="+filepath.Dir(samProgram(t))+":"+os.Getenv("PATH"))
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
	command.Stderr = os.Stderr
	said, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait() // it was told to end
	})
	if line, err := bufio.NewReader(said).ReadString('\n'); err != nil || strings.TrimSpace(line) != endpoint {
		t.Fatalf("the emulator did not start: %q %v", line, err)
	}
	return endpoint
}

// TestSAMDeploysTheWholeSystem: one sam build and one sam deploy, with no
// parameter but the machine's architecture, and people sign up.
func TestSAMDeploysTheWholeSystem(t *testing.T) {
	artifacts, _ := builtBySAM(t)
	endpoint := emulated(t)
	account := []string{"AWS_ENDPOINT_URL=" + endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true"}
	settings, err := filepath.Abs("../../samconfig.toml")
	if err != nil {
		t.Fatal(err)
	}
	if output, err := sam(t, account, "deploy", "--template-file", filepath.Join(artifacts, "template.yaml"), "--config-file", settings,
		"--no-confirm-changeset", "--no-progressbar", "--parameter-overrides", "Architecture="+hosts); err != nil {
		t.Fatalf("sam deploy: %v\n%s", err, output)
	}
	listed, err := sam(t, account, "list", "stack-outputs", "--output", "json")
	if err != nil {
		t.Fatalf("sam list: %v\n%s", err, listed)
	}
	var outputs []struct{ OutputKey, OutputValue string }
	if err := json.Unmarshal([]byte(listed[strings.IndexByte(listed, '['):]), &outputs); err != nil {
		t.Fatalf("%v\n%s", err, listed)
	}
	at := map[string]string{}
	for _, one := range outputs {
		at[one.OutputKey] = one.OutputValue
	}

	// The APIs' hosts have no address: the emulator answers for them.
	emulator, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: toward(emulator.Host)}}
	status, flow, err := ask(client, http.MethodGet, at["PublicUrl"]+"/self-service/registration/api", "", nil)
	if err != nil || status != http.StatusOK {
		t.Fatalf("start registration: %d %v %v\n%s", status, flow, err, listed)
	}
	action := flow["ui"].(map[string]any)["action"].(string)
	if !strings.HasPrefix(action, at["PublicUrl"]) {
		t.Errorf("the form leads to %s, the API is at %s", action, at["PublicUrl"])
	}
	status, made, err := ask(client, http.MethodPost, action, "", map[string]any{
		"method": "password", "password": "lantern tide orbit maple", "traits": map[string]string{"email": "ann@example.com"},
	})
	if err != nil || status != http.StatusOK || made["session_token"] == nil {
		t.Fatalf("register: %d %v %v", status, made, err)
	}
	status, _, err = ask(client, http.MethodGet, at["PublicUrl"]+"/sessions/whoami", made["session_token"].(string), nil)
	if err != nil || status != http.StatusOK {
		t.Errorf("whoami: %d %v", status, err)
	}
	status, _, err = ask(client, http.MethodGet, at["PublicUrl"]+"/nowhere", "", nil)
	if status != http.StatusNotFound {
		t.Errorf("what nobody owns: %d %v", status, err)
	}
}

// toward dials one address whatever the host.
func toward(address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}
