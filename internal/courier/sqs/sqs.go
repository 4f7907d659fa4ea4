package sqs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// longest is how long a queue holds a message back at most. What is due later
// comes early and is put back.
const longest = 15 * time.Minute

// patience is how long a call may take. A sweep finds what the queue did not
// take, and other messages wait meanwhile.
const patience = 5 * time.Second

// Options are what a Queue needs.
type Options struct {
	URL string // of the queue
	// Getenv looks up AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_SQS,
	// AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
	// AWS_SESSION_TOKEN, once.
	Getenv     func(string) string
	HTTPClient *http.Client // nil is the SDK's own
}

// Queue holds messages back. It is safe for concurrent use.
type Queue struct {
	client *sqs.Client
	url    string
}

// New returns a queue. It makes no call; it fails when something needed is not
// set.
func New(o Options) (*Queue, error) {
	region := cmp.Or(o.Getenv("AWS_REGION"), o.Getenv("AWS_DEFAULT_REGION"))
	who := aws.Credentials{
		AccessKeyID:     o.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: o.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    o.Getenv("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	switch {
	case o.URL == "":
		return nil, errors.New("sqs: no queue")
	case region == "":
		return nil, errors.New("sqs: no region; set AWS_REGION")
	case !who.HasKeys():
		return nil, errors.New("sqs: no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	cfg := aws.Config{
		Region:      region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return who, nil }),
	}
	if o.HTTPClient != nil {
		cfg.HTTPClient = o.HTTPClient
	}
	if endpoint := cmp.Or(o.Getenv("AWS_ENDPOINT_URL_SQS"), o.Getenv("AWS_ENDPOINT_URL")); endpoint != "" {
		cfg.BaseEndpoint = &endpoint
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
