//go:build emulated

package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// TestADeploymentWithoutAChangeChangesNothing: what was deployed is what the
// source makes, byte for byte.
func TestADeploymentWithoutAChangeChangesNothing(t *testing.T) {
	d := deployed(t)
	if err := d.build(t.Context(), "test/emulated/deploy"); err != nil {
		t.Fatal(err)
	}
	said, err := d.push(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said, "no changes") {
		t.Errorf("something changed: %s", said)
	}
}

// TestADeploymentBringsConfigurationAndSecrets changes the one and rotates the
// others, as infra/README.md says: who is signed in stays so, and new cookies
// are sealed by the new secret.
func TestADeploymentBringsConfigurationAndSecrets(t *testing.T) {
	d := deployed(t)
	email := somebody("rotated")
	before := d.browser(t)
	before.sends(before.opens("registration", ""), map[string]string{"method": "password", "password": password, "traits.email": email})
	token, _ := d.registers(t, somebody("rotated"))
	seal := before.seal()

	configuration := changed(t, "        - https://shop.example.test\n", "        - https://new.example.test\n        - https://shop.example.test\n")
	arn := d.physical(t, "Secrets")
	var is struct{ SecretString, VersionID string }
	d.asks(t, "secretsmanager", "secretsmanager.GetSecretValue", map[string]string{"SecretId": arn}, &is)
	var lists map[string]string
	if err := json.Unmarshal([]byte(is.SecretString), &lists); err != nil {
		t.Fatal(err)
	}
	lists["default"] = (rand.Text() + rand.Text())[:32] + "," + lists["default"]
	next, err := json.Marshal(lists)
	if err != nil {
		t.Fatal(err)
	}
	d.asks(t, "secretsmanager", "secretsmanager.PutSecretValue",
		map[string]string{"SecretId": arn, "SecretString": string(next), "ClientRequestToken": rand.Text() + rand.Text()}, &is)
	if err := d.build(t.Context(), configuration); err != nil {
		t.Fatal(err)
	}
	if _, err := d.push(t.Context(), "-c", "secrets-version="+is.VersionID); err != nil {
		t.Fatal(err)
	}

	asked := d.app(t).with("Origin", "https://new.example.test").do(http.MethodGet, "/self-service/login/api", nil)
	if asked.header.Get("Access-Control-Allow-Origin") != "https://new.example.test" {
		t.Errorf("the functions have not the new configuration: %v", asked.header)
	}
	d.app(t).with("X-Session-Token", token).wants(http.StatusOK, http.MethodGet, "/sessions/whoami", nil)
	before.with("Accept", "application/json").wants(http.StatusOK, http.MethodGet, "/sessions/whoami", nil)
	after := d.browser(t)
	after.sends(after.opens("login", ""), map[string]string{"method": "password", "identifier": email, "password": password})
	after.with("Accept", "application/json").wants(http.StatusOK, http.MethodGet, "/sessions/whoami", nil)
	if seal == "" || after.seal() == seal {
		t.Errorf("the cookie is sealed by %q, as before", seal)
	}
}

// changed is a folder with what run.sh deployed, but for texts of its
// configuration, each followed by what is in its place.
func changed(t *testing.T, texts ...string) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"styx.yml", "identity.schema.json"} {
		content, err := os.ReadFile(filepath.Join("deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer(texts...).Replace(string(content))
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// TestSecretSettingsReachWhoNeedsThem deploys web hooks with their keys, as make
// deploy does: what needs them answers once they are there, nothing else waits,
// and each receiver is called with its own. Then it deploys none.
func TestSecretSettingsReachWhoNeedsThem(t *testing.T) {
	d := deployed(t)
	calls, hooks, allowed := receiver(t)
	configuration := changed(t, "            - hook: session\n", hooks+"            - hook: session\n", "courier:\n", allowed+"courier:\n")
	deploy := func(configuration string) {
		t.Helper()
		if err := d.build(t.Context(), configuration); err != nil {
			t.Fatal(err)
		}
		if _, err := d.push(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	deploy(configuration)
	secret := d.physical(t, "SecretSettings")
	if said := d.app(t).wants(http.StatusServiceUnavailable, http.MethodGet, "/self-service/registration/api", nil); said.header.Get("Retry-After") == "" {
		t.Errorf("nobody is told to come back: %v", said.header)
	}
	d.app(t).wants(http.StatusUnauthorized, http.MethodGet, "/sessions/whoami", nil)

	d.prints(t, "settings", "put", "--secret", secret, "--region", region, filepath.Join(d.zips(), "secret-settings.json"))
	d.registers(t, somebody("hooked"))
	for range 2 {
		select {
		case got := <-calls:
			if want := "key-" + got.path; got.key != want {
				t.Errorf("%s was called with %q, want %q", got.path, got.key, want)
			}
		case <-time.After(4 * patience):
			t.Fatal("a hook was not called")
		}
	}

	deploy("test/emulated/deploy")
	d.registers(t, somebody("unhooked"))
	function := d.Functions["registration"]
	is, err := lambda.NewFromConfig(d.config()).GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		t.Fatal(err)
	}
	if named, there := is.Environment.Variables["STYX_SECRET_SETTINGS"]; there {
		t.Errorf("without secret settings the function is told of %q", named)
	}
}

// call is one of a web hook.
type call struct{ path, key string }

// receiver is one of two web hooks, one that a registration waits for and one that
// the courier calls, and their parts of a configuration.
func receiver(t *testing.T) (calls chan call, hooks, allowed string) {
	t.Helper()
	address, err := ownAddress()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	calls = make(chan call, 2)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		calls <- call{r.URL.Path[1:], r.Header.Get("X-Key")}
	}))
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	allowed = "clients: {http: {private_ip_exception_urls: [" + server.URL + "/now, " + server.URL + "/later]}}\n"
	for _, path := range []string{"now", "later"} {
		hooks += fmt.Sprintf("            - hook: web_hook\n              config: {url: %s/%s, method: POST, response: {ignore: %t}, "+
			"auth: {type: api_key, config: {name: X-Key, value: key-%s, in: header}}}\n", server.URL, path, path == "later", path)
	}
	return calls, hooks, allowed
}

// seal is the id of the key that the session's cookie is sealed by.
func (c *client) seal() string {
	c.t.Helper()
	at, err := url.Parse(c.base)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, cookie := range c.http.Jar.Cookies(at) {
		if strings.HasSuffix(cookie.Name, "session") {
			version, rest, _ := strings.Cut(cookie.Value, ".")
			id, _, _ := strings.Cut(rest, ".")
			return version + "." + id
		}
	}
	c.t.Fatal("no session's cookie")
	return ""
}

// TestWhatIsWorthSomethingOutlivesTheStack: the last of all, it takes the stack
// down. The table, the secret and the key stay, as make destroy says.
func TestWhatIsWorthSomethingOutlivesTheStack(t *testing.T) {
	d := deployed(t)
	secret, key := d.physical(t, "Secrets"), d.physical(t, "SecretsKey")
	if _, err := d.cdk(t.Context(), "destroy", "--force"); err != nil {
		t.Fatal(err)
	}
	if said := d.app(t).do(http.MethodGet, "/health/ready", nil); said.status == http.StatusOK {
		t.Error("the public API answers still")
	}
	client := dynamodb.NewFromConfig(d.config())
	described, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &d.Table})
	if err != nil || !*described.Table.DeletionProtectionEnabled {
		t.Fatalf("the table: %+v, %v", described, err)
	}
	if _, err := client.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &d.Table}); err == nil {
		t.Error("the table can be deleted by one call")
	}
	d.asks(t, "secretsmanager", "secretsmanager.GetSecretValue", map[string]string{"SecretId": secret}, nil)
	d.asks(t, "kms", "TrentService.DescribeKey", map[string]string{"KeyId": key}, nil)
}
