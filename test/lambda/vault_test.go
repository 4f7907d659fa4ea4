//go:build dynamodb

package lambda_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"styx/internal/gateway/gatewaytest"
	"styx/test/dynamodb"
	"styx/test/lambda"
)

// manager calls the Secrets Manager beside the DynamoDB API of the tests.
func manager(t *testing.T, operation string, body any) {
	t.Helper()
	dynamodb.Ask(t, dynamodb.Endpoint(t), dynamodb.Region+"/secretsmanager", "secretsmanager."+operation, body, &struct{}{})
}

// TestAFunctionWaitsForItsSecretSettings starts one before anybody has put them
// into Secrets Manager: it is there, says to come back, and then serves.
func TestAFunctionWaitsForItsSecretSettings(t *testing.T) {
	const secret = "smtps://us:hunter2hunter2@mail.example.org:465/"
	folder, name := t.TempDir(), "styx-"+rand.Text()
	schema, err := os.ReadFile("../../examples/quickstart/identity.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string]string{
		"styx.yml":             strings.Replace(journeyConfig, "courier: {smtp: {", `courier: {smtp: {connection_uri: "smtps://kept-apart.invalid:465/", `, 1),
		"identity.schema.json": string(schema),
		"secret-settings.txt":  "courier.smtp.connection_uri\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := lambda.Start(t.Context(), lambda.Options{
		Binary: binary(t, "../../functions/session"), Dir: folder, Name: "session",
		Env: []string{
			"STYX_TABLE=" + name, "AWS_ENDPOINT_URL=" + dynamodb.Endpoint(t), "STYX_SECRET_SETTINGS=" + name,
			"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
			"SECRETS_DEFAULT=a-secret-of-the-tests", "SECRETS_CIPHER=a-secret-of-the-tests-32-letters",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	whoami := func(want int) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/sessions/whoami", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := (&gatewaytest.Transport{Route: gatewaytest.To(f)}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != want || (want == http.StatusServiceUnavailable) != (response.Header.Get("Retry-After") != "") {
			t.Errorf("%s, want %d\n%s", response.Status, want, f.Log())
		}
	}
	whoami(http.StatusServiceUnavailable)
	manager(t, "CreateSecret", map[string]string{"Name": name, "SecretString": "{}", "ClientRequestToken": rand.Text() + rand.Text()})
	whoami(http.StatusServiceUnavailable)
	if !strings.Contains(f.Log(), "courier.smtp.connection_uri is not among them") {
		t.Errorf("the log does not say what is missing: %s", f.Log())
	}
	settings, err := json.Marshal(map[string]string{"courier.smtp.connection_uri": secret})
	if err != nil {
		t.Fatal(err)
	}
	manager(t, "PutSecretValue", map[string]string{"SecretId": name, "SecretString": string(settings), "ClientRequestToken": rand.Text() + rand.Text()})
	whoami(http.StatusUnauthorized)
	if strings.Contains(f.Log(), "hunter2") {
		t.Errorf("the log has a secret: %s", f.Log())
	}
}
