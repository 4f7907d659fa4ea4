package sqs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"styx/internal/service"
)

// longest is how long a queue holds a message back at most. What is due later
// comes early and is put back.
const longest = 15 * time.Minute

// patience is how long a call may take. A sweep finds what the queue did not
// take, and other messages wait meanwhile.
const patience = 5 * time.Second

// Options are what a Queue needs.
type Options struct {
	URL        string              // of the queue
	Getenv     func(string) string // as [service.Environment] has it
	HTTPClient *http.Client        // nil is the SDK's own
}

// Queue holds messages back. It is safe for concurrent use.
type Queue struct {
	client *sqs.Client
	url    string
}

// New returns a queue. It makes no call; it fails when something needed is not
// set.
func New(o Options) (*Queue, error) {
	if o.URL == "" {
		return nil, errors.New("sqs: no queue")
	}
	cfg, err := service.Environment(o.Getenv, "SQS").Config(o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("sqs: %w", err)
	}
	return &Queue{client: sqs.NewFromConfig(cfg), url: o.URL}, nil
}

// Put has the queue hand over the id of a message after a while.
func (q *Queue) Put(ctx context.Context, id string, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &q.url, MessageBody: &id, DelaySeconds: seconds(wait),
	})
	if err != nil {
		return fmt.Errorf("put message on the queue: %w", err)
	}
	return nil
}

// seconds is a wait as a queue takes it, never less than what was asked for
// while the queue can hold that.
func seconds(wait time.Duration) int32 {
	return int32(math.Ceil(min(max(wait, 0), longest).Seconds()))
}
