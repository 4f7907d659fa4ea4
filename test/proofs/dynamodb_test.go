//go:build dynamodb

package proofs

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"styx/internal/table"
	"styx/internal/table/dynamo"
	"styx/test/dynamodb"
)

// backends are all.
func backends() []backend { return append(embedded(), backend{"dynamodb", openDynamoDB}) }

func endpoint(t *testing.T) string {
	t.Helper()
	endpoint := os.Getenv("STYX_TEST_DYNAMODB")
	if endpoint == "" {
		t.Fatal("STYX_TEST_DYNAMODB is not set: run this by test/dynamodb/with.sh")
	}
	return endpoint
}

// region and key of an API that asks for any.
const (
	region = "us-east-1"
	key    = "test"
)

func environ(name string) string {
	return map[string]string{"AWS_REGION": region, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": key}[name]
}

// createTable makes a table of the test's own and returns its name.
func createTable(t *testing.T) string {
	t.Helper()
	name := "styx-" + rand.Text()
	own, err := dynamo.New(dynamo.Options{Table: name, Endpoint: endpoint(t), Getenv: environ, Rand: rand.Reader})
	if err == nil {
		err = own.Create(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := own.Drop(context.Background()); err != nil { // the test's own is over
			t.Error(err)
		}
	})
	return name
}

func openDynamoDB(t *testing.T) kept {
	t.Helper()
	name, proxy := createTable(t), dynamodb.NewProxy(t, endpoint(t))
	wire := &wire{next: &http.Transport{MaxIdleConnsPerHost: 256}}
	t.Cleanup(wire.next.CloseIdleConnections)
	connect := func(address string) table.Table {
		opened, err := dynamo.New(dynamo.Options{
			Table: name, Endpoint: address, Getenv: environ, Rand: rand.Reader, HTTPClient: &http.Client{Transport: wire},
		})
		if err != nil {
			t.Fatal(err)
		}
		return opened
	}
	return kept{
		Table: connect(endpoint(t)), behind: connect(proxy.URL), proxy: proxy,
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
	address := endpoint(t)
	api := awsdynamodb.New(awsdynamodb.Options{
		Region: region, BaseEndpoint: &address,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key, SecretAccessKey: key}, nil
		}),
	})
	var text bytes.Buffer
	in := &awsdynamodb.ScanInput{TableName: &name, ConsistentRead: aws.Bool(true)}
	for {
		page, err := api.Scan(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			for _, value := range item {
				switch value := value.(type) {
				case *types.AttributeValueMemberS:
					text.WriteString(value.Value + "\n")
				case *types.AttributeValueMemberB:
					text.Write(value.Value)
				case *types.AttributeValueMemberN:
				default:
					t.Fatalf("an attribute of type %T", value)
				}
			}
		}
		if in.ExclusiveStartKey = page.LastEvaluatedKey; in.ExclusiveStartKey == nil {
			return text.Bytes()
		}
	}
}

// attribute is what a stream says of one: a text or bytes.
type attribute struct {
	S string
	B []byte
}

// stream returns the text of every attribute in every image that the stream of a
// table holds.
func stream(t *testing.T, name string) []byte {
	t.Helper()
	var streams struct{ Streams []struct{ StreamArn string } }
	askStreams(t, "ListStreams", map[string]any{"TableName": name}, &streams)
	if len(streams.Streams) != 1 {
		t.Fatalf("the table has %d streams", len(streams.Streams))
	}
	arn := streams.Streams[0].StreamArn
	var described struct {
		StreamDescription struct{ Shards []struct{ ShardId string } }
	}
	askStreams(t, "DescribeStream", map[string]any{"StreamArn": arn}, &described)
	var text bytes.Buffer
	for _, shard := range described.StreamDescription.Shards {
		var at struct{ ShardIterator string }
		askStreams(t, "GetShardIterator", map[string]any{"StreamArn": arn, "ShardId": shard.ShardId, "ShardIteratorType": "TRIM_HORIZON"}, &at)
		for next := at.ShardIterator; next != ""; {
			var page struct {
				NextShardIterator string
				Records           []struct {
					Dynamodb struct {
						NewImage, OldImage map[string]attribute
					}
				}
			}
			askStreams(t, "GetRecords", map[string]any{"ShardIterator": next}, &page)
			for _, record := range page.Records {
				for _, image := range []map[string]attribute{record.Dynamodb.NewImage, record.Dynamodb.OldImage} {
					for _, value := range image {
						text.WriteString(value.S + "\n")
						text.Write(value.B)
					}
				}
			}
			if next = page.NextShardIterator; len(page.Records) == 0 {
				break // a shard that is open has no end
			}
		}
	}
	if text.Len() == 0 {
		t.Fatal("the stream says nothing")
	}
	return text.Bytes()
}

// askStreams calls the streams API, for which no client is linked.
func askStreams(t *testing.T, operation string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint(t), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810."+operation)
	// The emulators look at the names in it alone.
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20260701/"+region+"/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(response.Body)
		t.Fatalf("%s: %s %.200s", operation, response.Status, said)
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		t.Fatal(err)
	}
}

// across are two processes over one table, with more of their environment.
func across(t *testing.T, environ ...string) (one, other *client) {
	t.Helper()
	dsn := "dynamodb://" + createTable(t) + "?region=" + region + "&endpoint=" + endpoint(t)
	environ = append(environ, "AWS_ACCESS_KEY_ID="+key, "AWS_SECRET_ACCESS_KEY="+key)
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
