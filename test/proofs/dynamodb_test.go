//go:build dynamodb

package proofs

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"

	"styx/internal/table"
	"styx/internal/table/dynamo"
	"styx/test/dynamodb"
)

// backends are all.
func backends() []backend { return append(embedded(), backend{"dynamodb", openDynamoDB}) }

func openDynamoDB(t *testing.T) kept {
	t.Helper()
	name, proxy := dynamodb.CreateTable(t), dynamodb.NewProxy(t, dynamodb.Endpoint(t))
	wire := &wire{next: &http.Transport{MaxIdleConnsPerHost: 256}}
	t.Cleanup(wire.next.CloseIdleConnections)
	connect := func(address string) table.Table {
		opened, err := dynamo.New(dynamo.Options{
			Table: name, Endpoint: address, Getenv: dynamodb.Getenv, Rand: rand.Reader, HTTPClient: &http.Client{Transport: wire},
		})
		if err != nil {
			t.Fatal(err)
		}
		return opened
	}
	return kept{
		Table: connect(dynamodb.Endpoint(t)), behind: connect(proxy.URL), proxy: proxy,
		rest: func() []byte { return slices.Concat(wire.all(), scan(t, name), stream(t, name)) },
	}
}

// wire keeps the body of every request to DynamoDB.
type wire struct {
	next *http.Transport

	mu   sync.Mutex
	sent bytes.Buffer
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.sent.Write(body)
	w.mu.Unlock()
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return w.next.RoundTrip(again)
}

func (w *wire) all() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.sent.Bytes())
}

// scan returns the text of every attribute of every item of a table.
func scan(t *testing.T, name string) []byte {
	t.Helper()
	var text bytes.Buffer
	for _, item := range dynamodb.Items(t, dynamodb.Endpoint(t), name) {
		note(&text, item)
	}
	return text.Bytes()
}

// stream returns the text of every attribute in every image that the stream of a
// table holds.
func stream(t *testing.T, name string) []byte {
	t.Helper()
	var text bytes.Buffer
	for _, record := range dynamodb.Stream(t, dynamodb.Endpoint(t), name) {
		note(&text, record.Image)
	}
	if text.Len() == 0 {
		t.Fatal("the stream says nothing")
	}
	return text.Bytes()
}

func note(text *bytes.Buffer, item dynamodb.Item) {
	for _, value := range item {
		text.WriteString(value.S + "\n")
		text.Write(value.B)
	}
}

// across are two processes over one table, with more of their environment.
func across(t *testing.T, environ ...string) (one, other *client) {
	t.Helper()
	dsn := "dynamodb://" + dynamodb.CreateTable(t) + "?region=" + dynamodb.Region + "&endpoint=" + dynamodb.Endpoint(t)
	environ = append(environ, "AWS_ACCESS_KEY_ID="+dynamodb.Key, "AWS_SECRET_ACCESS_KEY="+dynamodb.Key)
	return serve(t, dsn, environ...).client, serve(t, dsn, environ...).client
}

// TestOneNameHasOneOwnerAcrossProcesses lets two processes race over one table.
func TestOneNameHasOneOwnerAcrossProcesses(t *testing.T) {
	one, other := across(t)
	race(t, one, other)
}

// TestCodeIsSpentOnceAcrossProcesses, as within one.
func TestCodeIsSpentOnceAcrossProcesses(t *testing.T) {
	one, other := across(t, "SELFSERVICE_METHODS_CODE_CONFIG_MAX_SUBMISSIONS=200")
	spendOnce(t, one, other)
}
