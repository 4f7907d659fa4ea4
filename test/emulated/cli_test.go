//go:build emulated

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"styx/test/program"
)

// styx is the program with the credentials of the account's root. The emulator's
// endpoint is its proxy, so that the APIs have their own names.
func (d *deployment) styx(t *testing.T, arguments ...string) *exec.Cmd {
	t.Helper()
	path, err := program.Build()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), path, arguments...)
	command.Env = append(rootEnvironment(d.Endpoint), "HTTP_PROXY="+d.Endpoint, "HOME="+t.TempDir())
	return command
}

// prints runs a command that must succeed and returns what it prints.
func (d *deployment) prints(t *testing.T, arguments ...string) string {
	t.Helper()
	said, err := d.styx(t, arguments...).Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("styx %s: %v: %s%s", strings.Join(arguments, " "), err, said, failed.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

// TestTheCommandLineSigns types what an operator does. That the endpoint is an
// API Gateway's, the program sees by itself.
func TestTheCommandLineSigns(t *testing.T) {
	d := deployed(t)
	endpoint := "http://" + d.Admin
	email := somebody("imported")
	file := filepath.Join(t.TempDir(), "people.json")
	people := `{"schema_id":"person","traits":{"email":"` + email + `"},"credentials":{"password":{"config":{"password":"` + password + `"}}}}`
	if err := os.WriteFile(file, []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	d.prints(t, "identities", "import", file, "--endpoint", endpoint)
	var list struct{ Identities []struct{ ID string } }
	if err := json.Unmarshal([]byte(d.prints(t, "identities", "list", "--identifier", email, "--format", "json", "--endpoint", endpoint)), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Identities) != 1 {
		t.Fatalf("%d identities", len(list.Identities))
	}
	id := list.Identities[0].ID
	a := d.app(t)
	flow := a.starts("login", "")
	session := a.wants(http.StatusOK, http.MethodPost, flow.UI.Action, map[string]string{"method": "password", "identifier": email, "password": password})
	flow = a.starts("recovery", "")
	a.wants(http.StatusOK, http.MethodPost, flow.UI.Action, map[string]string{"method": "code", "email": email})
	d.mail(t, email, 1)
	for command, want := range map[string]string{
		"identities get " + id:               email,
		"sessions list --identity " + id:     session.Session.ID,
		"sessions get " + session.Session.ID: id,
		"courier list --recipient " + email:  "recovery_code_valid",
		"sessions revoke --identity " + id:   id,
		"export":                             email,
	} {
		if said := d.prints(t, append(strings.Fields(command), "--endpoint", endpoint)...); !strings.Contains(said, want) {
			t.Errorf("styx %s does not say %s: %s", command, want, said)
		}
	}
	a.with("X-Session-Token", session.Token).wants(http.StatusUnauthorized, http.MethodGet, "/sessions/whoami", nil)
	d.prints(t, "identities", "delete", id, "--endpoint", endpoint)

	unsigned := d.styx(t, "identities", "list", "--endpoint", endpoint)
	unsigned.Env = append(unsigned.Env, "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=of-nobody")
	if said, err := unsigned.CombinedOutput(); err == nil || !strings.Contains(string(said), "403") {
		t.Errorf("credentials of nobody: %v: %s", err, said)
	}
}

// TestTheProxySignsForOthers is styx proxy before a client that can not sign.
func TestTheProxySignsForOthers(t *testing.T) {
	d := deployed(t)
	proxy := d.styx(t, "proxy", "--endpoint", "http://"+d.Admin, "--listen", "127.0.0.1:0")
	proxy.Cancel = func() error { return proxy.Process.Signal(syscall.SIGTERM) }
	said, err := proxy.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	at, _, _ := strings.Cut(line, " ")
	if err != nil {
		t.Fatal(err)
	}
	newClient(t, at, http.DefaultTransport).wants(http.StatusOK, http.MethodGet, "/admin/identities", nil)
	if err := proxy.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := proxy.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("the proxy ends with %v", err)
	}
}

// TestTheDoctorKnowsTheStack: all is well but the public URL, whose domain has
// no server here.
func TestTheDoctorKnowsTheStack(t *testing.T) {
	d := deployed(t)
	said, err := d.styx(t, "doctor", "--stack", stackName, "-c", "deploy/styx.yml").CombinedOutput()
	if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != 1 {
		t.Fatalf("%v: %s", err, said)
	}
	problems := regexp.MustCompile(`(?m)^(problem|warning) .*$`).FindAllString(string(said), -1)
	if len(problems) != 1 || !strings.Contains(problems[0], "public URL") {
		t.Errorf("%s", said)
	}
	for _, want := range []string{
		"styx-emulated is CREATE_COMPLETE", "10 can run", "time to live", "point-in-time recovery",
		"the stream's reader is Enabled", "admin URL",
	} {
		if !strings.Contains(string(said), want) {
			t.Errorf("it says nothing of %q: %s", want, said)
		}
	}
}
