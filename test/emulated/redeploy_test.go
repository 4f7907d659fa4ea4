//go:build emulated

package main

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
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

	configuration := t.TempDir()
	for _, name := range []string{"styx.yml", "identity.schema.json"} {
		content, err := os.ReadFile(filepath.Join("deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.ReplaceAll(string(content), "        - https://shop.example.test\n", "        - https://new.example.test\n        - https://shop.example.test\n")
		if err := os.WriteFile(filepath.Join(configuration, name), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
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
