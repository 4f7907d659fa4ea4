//go:build dynamodb

package main

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"styx/internal/secret"
	"styx/internal/table/dynamo"
	"styx/test/dynamodb"
)

// TestDoctorOfARealTable finds nothing wrong with the table that Styx makes
// itself, but for what no development table has.
func TestDoctorOfARealTable(t *testing.T) {
	endpoint := dynamodb.Endpoint(t)
	credentials(t, keyID, secretKey)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
	name := "styx-" + secret.NewV7(time.Now(), rand.Reader).String()
	made, err := dynamo.New(dynamo.Options{Table: name, Region: region, Endpoint: endpoint, Getenv: os.Getenv, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = made.Drop(t.Context()) }()
	_, out, errs := ended(t, nil, "doctor", "--table", name, "--region", region)
	said := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{"ok table styx-", "ok table keys pk, sk", "ok index list is ACTIVE, keys gk, gs", "ok stream has NEW_IMAGE", "ok time to live is ENABLED ttl"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said:\n%s%s", want, out, errs)
		}
	}
}

// TestSettingsReachTheirSecret puts some into a real one, twice, and reads what
// a function would.
func TestSettingsReachTheirSecret(t *testing.T) {
	endpoint := dynamodb.Endpoint(t)
	manager := func(operation string, body map[string]string) (answer struct{ ARN, SecretString string }) {
		t.Helper()
		dynamodb.Ask(t, endpoint, region+"/secretsmanager", "secretsmanager."+operation, body, &answer)
		return answer
	}
	arn := manager("CreateSecret", map[string]string{"Name": "styx-" + rand.Text(), "SecretString": "{}"}).ARN
	credentials(t, keyID, secretKey)
	t.Setenv("AWS_ENDPOINT_URL", endpoint)
	for _, settings := range []string{`{"a.b": "hunter2"}`, `{"a.b": "hunter3", "c": "d"}`} {
		if code, out, errs := ended(t, nil, "settings", "put", "--secret", arn, file(t, settings)); code != 0 || !strings.Contains(out, "secret settings are in "+arn) || strings.Contains(out, "hunter") {
			t.Fatalf("exits with %d: %s%s", code, out, errs)
		}
		if got := manager("GetSecretValue", map[string]string{"SecretId": arn}).SecretString; got != settings {
			t.Errorf("the secret is %s, want %s", got, settings)
		}
	}
}
