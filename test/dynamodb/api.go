package dynamodb

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"testing"
)

// Attribute is the value of one attribute of an item; Styx stores no other types.
type Attribute struct {
	S string `json:",omitempty"`
	N string `json:",omitempty"`
	B []byte `json:",omitempty"`
}

// Item is an item as it is stored, past all that Styx makes of it.
type Item map[string]Attribute

// Items returns all that a table holds.
func Items(tb testing.TB, endpoint, table string) []Item {
	tb.Helper()
	var all []Item
	in := map[string]any{"TableName": table, "ConsistentRead": true}
	for {
		var page struct {
			Items            []Item
			LastEvaluatedKey json.RawMessage
		}
		call(tb, endpoint, "DynamoDB_20120810.Scan", in, &page)
		all = append(all, page.Items...)
		if page.LastEvaluatedKey == nil {
			return all
		}
		in["ExclusiveStartKey"] = page.LastEvaluatedKey
	}
}

// SetNumber changes one number of an item, past all that Styx checks.
func SetNumber(tb testing.TB, endpoint, table, pk, sk, name string, value int64) {
	tb.Helper()
	call(tb, endpoint, "DynamoDB_20120810.UpdateItem", map[string]any{
		"TableName":                 table,
		"Key":                       Item{"pk": {S: pk}, "sk": {S: sk}},
		"ConditionExpression":       "attribute_exists(pk)",
		"UpdateExpression":          "SET #name = :value",
		"ExpressionAttributeNames":  map[string]string{"#name": name},
		"ExpressionAttributeValues": Item{":value": {N: strconv.FormatInt(value, 10)}},
	}, &struct{}{})
}

// Record is one of a stream, as the API tells it, with what Styx reads of it.
type Record struct {
	Raw      json.RawMessage
	Sequence string
	Image    Item // the new one
}

// Stream returns the records of a table's stream, shard after shard, the oldest first.
func Stream(tb testing.TB, endpoint, table string) []Record {
	tb.Helper()
	const api = "DynamoDBStreams_20120810."
	var streams struct{ Streams []struct{ StreamArn string } }
	call(tb, endpoint, api+"ListStreams", map[string]any{"TableName": table}, &streams)
	if len(streams.Streams) != 1 {
		tb.Fatalf("the table has %d streams", len(streams.Streams))
	}
	arn := streams.Streams[0].StreamArn
	var described struct {
		StreamDescription struct{ Shards []struct{ ShardId string } }
	}
	call(tb, endpoint, api+"DescribeStream", map[string]any{"StreamArn": arn}, &described)
	var all []Record
	for _, shard := range described.StreamDescription.Shards {
		var at struct{ ShardIterator string }
		call(tb, endpoint, api+"GetShardIterator", map[string]any{"StreamArn": arn, "ShardId": shard.ShardId, "ShardIteratorType": "TRIM_HORIZON"}, &at)
		for next := at.ShardIterator; next != ""; {
			var page struct {
				NextShardIterator string
				Records           []json.RawMessage
			}
			call(tb, endpoint, api+"GetRecords", map[string]any{"ShardIterator": next}, &page)
			for _, raw := range page.Records {
				all = append(all, readRecord(tb, raw))
			}
			if next = page.NextShardIterator; len(page.Records) == 0 {
				break // a shard that is open has no end
			}
		}
	}
	return all
}

func readRecord(tb testing.TB, raw json.RawMessage) Record {
	tb.Helper()
	var told struct {
		Dynamodb struct {
			SequenceNumber string
			NewImage       Item
		}
	}
	if err := json.Unmarshal(raw, &told); err != nil {
		tb.Fatal(err)
	}
	return Record{raw, told.Dynamodb.SequenceNumber, told.Dynamodb.NewImage}
}

// call makes one call of the API.
func call(tb testing.TB, endpoint, target string, in, out any) {
	tb.Helper()
	Ask(tb, endpoint, Region+"/dynamodb", target, in, out)
}

// Ask makes one call of the API, or of another that stands beside it in the emulator and speaks JSON: their clients are
// not linked. scope is what a request is signed for, as us-east-1/secretsmanager, target the operation, as
// secretsmanager.GetSecretValue.
func Ask(tb testing.TB, endpoint, scope, target string, in, out any) {
	tb.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", target)
	// The emulators look at the names in it alone.
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+Key+"/20260701/"+scope+"/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(response.Body)
		tb.Fatalf("%s: %s %.200s", target, response.Status, said)
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		tb.Fatal(err)
	}
}
