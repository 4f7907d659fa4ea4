//go:build dynamodb

package store

import (
	"crypto/rand"
	"strconv"
	"testing"
	"time"

	"styx/internal/table/dynamo"
	"styx/test/dynamodb"
)

// TestOutboxOnDynamoDB holds the outbox to its rules on the other backend.
func TestOutboxOnDynamoDB(t *testing.T) {
	endpoint := dynamodb.Endpoint(t)
	set := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
	for name, test := range map[string]func(*testing.T, post){
		"claimHasOneWinner": claimHasOneWinner, "killedBetweenSendAndNote": killedBetweenSendAndNote,
		"messagesInPages": messagesInPages, "remarkOvertakesTheYes": remarkOvertakesTheYes,
		"requeue": requeue, "sentIsForgotten": sentIsForgotten,
	} {
		t.Run(name, func(t *testing.T) {
			on, err := dynamo.New(dynamo.Options{
				Table:    "outbox-" + strconv.FormatInt(time.Now().UnixNano(), 36),
				Endpoint: endpoint, Getenv: func(name string) string { return set[name] }, Rand: rand.Reader,
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := on.Create(t.Context()); err != nil {
				t.Fatal(err)
			}
			// The API deletes what has expired by its own clock.
			test(t, postOn(t, on, clockAt(time.Now())))
		})
	}
}
