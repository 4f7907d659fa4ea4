package dynamodb

import (
	"context"
	"crypto/rand"
	"os"
	"testing"

	"styx/internal/table/dynamo"
)

// Region and Key, which is a key's id and its secret, are what the API is called with. It takes any.
const (
	Region = "us-east-1"
	Key    = "test"
)

// Getenv tells them by the names that AWS has for them.
func Getenv(name string) string {
	return map[string]string{"AWS_REGION": Region, "AWS_ACCESS_KEY_ID": Key, "AWS_SECRET_ACCESS_KEY": Key}[name]
}

// Endpoint is that of the API under the tests.
func Endpoint(tb testing.TB) string {
	tb.Helper()
	endpoint := os.Getenv("STYX_TEST_DYNAMODB")
	if endpoint == "" {
		tb.Fatal("STYX_TEST_DYNAMODB is not set: run this by test/dynamodb/with.sh")
	}
	return endpoint
}

// CreateTable makes a table of the test's own and returns its name.
func CreateTable(tb testing.TB) string {
	tb.Helper()
	name := "styx-" + rand.Text()
	own, err := dynamo.New(dynamo.Options{Table: name, Endpoint: Endpoint(tb), Getenv: Getenv, Rand: rand.Reader})
	if err == nil {
		err = own.Create(tb.Context())
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := own.Drop(context.Background()); err != nil { // the test's own is over
			tb.Error(err)
		}
	})
	return name
}
