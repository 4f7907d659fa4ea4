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
)

// TestDoctorOfARealTable finds nothing wrong with the table that Styx makes
// itself, but for what no development table has.
func TestDoctorOfARealTable(t *testing.T) {
	endpoint := os.Getenv("STYX_TEST_DYNAMODB")
	if endpoint == "" {
		t.Fatal("STYX_TEST_DYNAMODB is not set: run this by test/dynamodb/with.sh")
	}
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
