//go:build dynamodb

package dynamo_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"styx/internal/table"
	"styx/internal/table/dynamo"
	"styx/internal/table/tabletest"
	"styx/test/dynamodb"
)

func api(t *testing.T) string {
	t.Helper()
	endpoint := os.Getenv("STYX_TEST_DYNAMODB")
	if endpoint == "" {
		t.Fatal("STYX_TEST_DYNAMODB is not set: run this by test/dynamodb/with.sh")
	}
	return endpoint
}

func env(name string) string {
	return map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}[name]
}

func connect(t *testing.T, name, endpoint string) *dynamo.Table {
	t.Helper()
	tab, err := dynamo.New(dynamo.Options{Table: name, Endpoint: endpoint, Getenv: env, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// create makes a table of its own for the test and returns its name.
func create(t *testing.T) string {
	t.Helper()
	name := "styx-" + rand.Text()
	tab := connect(t, name, api(t))
	if err := tab.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tab.Drop(context.Background()); err != nil { // the test's own is over
			t.Error(err)
		}
	})
	return name
}

func open(t *testing.T) table.Table {
	t.Helper()
	return connect(t, create(t), api(t))
}

func TestTable(t *testing.T) { tabletest.Run(t, open) }

func TestFaults(t *testing.T) {
	tabletest.RunFaults(t, func(t *testing.T, script tabletest.Script) table.Table {
		t.Helper()
		proxy := dynamodb.NewProxy(t, api(t))
		proxy.Script(func(c dynamodb.Call) dynamodb.Answer {
			switch script(verb(c)) {
			case tabletest.Throttle:
				return dynamodb.Throttle
			case tabletest.Conflict:
				return dynamodb.Conflict
			case tabletest.LostAnswer:
				return dynamodb.Drop
			case tabletest.Unprocessed:
				return dynamodb.Unprocessed
			default:
				return dynamodb.Forward
			}
		})
		return connect(t, create(t), proxy.URL)
	})
}

func verb(c dynamodb.Call) table.Verb {
	switch {
	case c.Writes():
		return table.VerbWrite
	case c.Verb == "Query":
		return table.VerbQuery
	default:
		return table.VerbGet
	}
}

func TestAgree(t *testing.T) {
	for seed := range uint64(4) {
		tabletest.Agree(t, open(t), seed, 300)
	}
}

// The whole suite, with the first answer to every write lost.
func TestEveryFirstAnswerLost(t *testing.T) {
	for seed := range uint64(2) {
		proxy := dynamodb.NewProxy(t, api(t))
		proxy.Script(dynamodb.DropFirst)
		tabletest.Agree(t, connect(t, create(t), proxy.URL), seed, 150)
		drops := 0
		for _, c := range proxy.Calls() {
			if c.Repeat && c.Writes() {
				drops++
			}
		}
		if drops == 0 {
			t.Error("no write was sent again")
		}
	}
}

// A connection refused or cut before DynamoDB sees the call, and a failing server, are no outcome either.
func TestPassingFailures(t *testing.T) {
	for name, answer := range map[string]dynamodb.Answer{"cut": dynamodb.Refuse, "500": dynamodb.Fail} {
		t.Run(name, func(t *testing.T) {
			proxy := dynamodb.NewProxy(t, api(t))
			var n atomic.Int64
			proxy.Script(func(dynamodb.Call) dynamodb.Answer {
				if n.Add(1)%3 != 0 {
					return answer
				}
				return dynamodb.Forward
			})
			tab := connect(t, create(t), proxy.URL)
			k := table.Key{PK: "0.T#1", SK: "#"}
			for range 5 {
				if err := tab.Write(t.Context(), table.Update(k, []table.Change{table.Add(table.AttrN, 1)})); err != nil {
					t.Fatal(err)
				}
			}
			got, err := tab.Get(t.Context(), k, table.Key{PK: "0.T#2", SK: "#"})
			if err != nil || got[0] == nil || got[0].N != 5 || got[1] != nil {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestOutOfReach(t *testing.T) {
	tab, err := dynamo.New(dynamo.Options{
		Table: "nowhere", Endpoint: "http://127.0.0.1:1", Getenv: env, Rand: rand.Reader, Patience: 200 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = tab.Get(t.Context(), table.Key{PK: "0.T", SK: "#"})
	if !errors.Is(err, table.ErrBusy) || errors.Is(err, context.DeadlineExceeded) && t.Context().Err() != nil {
		t.Errorf("got %v", err)
	}
}

func TestNoTable(t *testing.T) {
	tab := connect(t, "styx-missing", api(t))
	k := table.Key{PK: "0.T", SK: "#"}
	other := table.Key{PK: "0.T", SK: "##"}
	_, one := tab.Get(t.Context(), k)
	_, many := tab.Get(t.Context(), k, other)
	_, query := tab.Query(t.Context(), table.Query{PK: "0.T"})
	for name, err := range map[string]error{
		"get": one, "batch": many, "query": query,
		"put":         tab.Write(t.Context(), table.Put(table.Item{Key: k})),
		"delete":      tab.Write(t.Context(), table.Delete(k)),
		"transaction": tab.Write(t.Context(), table.Delete(k), table.Delete(other)),
	} {
		if !errors.Is(err, table.ErrNoTable) || !strings.Contains(err.Error(), `"styx-missing"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCreateTwice(t *testing.T) {
	name := create(t)
	if err := connect(t, name, api(t)).Create(t.Context()); err != nil {
		t.Error(err)
	}
}

// The proxy's count of round trips and the tally's agree.
func TestRoundTrips(t *testing.T) {
	proxy := dynamodb.NewProxy(t, api(t))
	tab := connect(t, create(t), proxy.URL)
	k := func(n int) table.Key { return table.Key{PK: fmt.Sprint("0.T#", n), SK: "#"} }
	ctx, tally := table.WithTally(t.Context())
	run := func(fns ...func(context.Context) error) {
		t.Helper()
		if err := table.Together(ctx, fns...); err != nil {
			t.Fatal(err)
		}
	}
	getN := func(n int) func(context.Context) error {
		keys := make([]table.Key, n)
		for i := range keys {
			keys[i] = k(i)
		}
		return func(ctx context.Context) error { _, err := tab.Get(ctx, keys...); return err }
	}
	put := func(n int) func(context.Context) error {
		return func(ctx context.Context) error { return tab.Write(ctx, table.Put(table.Item{Key: k(n)})) }
	}
	run(getN(1), getN(2), put(1)) // 1
	run(getN(250))                // 1, three batches at once
	run(put(2), func(ctx context.Context) error {
		if err := put(3)(ctx); err != nil {
			return err
		}
		return getN(1)(ctx)
	}) // 2
	run(func(ctx context.Context) error {
		return tab.Write(ctx, table.Delete(k(1), table.Exists()), table.Put(table.Item{Key: k(4)}))
	}) // 1
	if p, s := proxy.RoundTrips(), tally.RoundTrips(); p != 5 || s != 5 {
		t.Errorf("the proxy counts %d round trips, the tally %d, want 5", p, s)
	}
	var verbs []string
	for _, c := range proxy.Calls() {
		verbs = append(verbs, fmt.Sprint(c.Verb, " ", c.Items))
	}
	slices.Sort(verbs)
	wanted := []string{
		"BatchGetItem 100", "BatchGetItem 100", "BatchGetItem 2", "BatchGetItem 50", "GetItem 1", "GetItem 1",
		"TransactWriteItems 2", "UpdateItem 1", "UpdateItem 1", "UpdateItem 1",
	}
	if !slices.Equal(verbs, wanted) {
		t.Errorf("calls:\n got %q\nwant %q", verbs, wanted)
	}
}
