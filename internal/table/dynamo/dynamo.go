package dynamo

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"styx/internal/table"
)

// attemptTime bounds one attempt, so that a connection that died silently leaves time for another.
const attemptTime = 5 * time.Second

// Options say which table, where, and as whom.
type Options struct {
	Table    string
	Region   string // "" = AWS_REGION, then AWS_DEFAULT_REGION
	Endpoint string // "" = AWS_ENDPOINT_URL_DYNAMODB, then AWS_ENDPOINT_URL, then AWS' own

	// Getenv looks up the variables above and AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, once.
	Getenv func(string) string
	// Rand makes write ids, tokens and jitter. It must be safe for concurrent use.
	Rand io.Reader
	// HTTPClient is nil for one that keeps its connections.
	HTTPClient *http.Client
	// Patience is how long a refused call is tried again when its context has no deadline; 0 = 10 s.
	Patience time.Duration
}

// Table is a DynamoDB table. It implements table.Table.
type Table struct {
	client *dynamodb.Client
	name   string
	where  string // region, and endpoint if one is set; for error texts
	rand   io.Reader
	retry  table.Retry
}

// New returns the table that opts describe. It makes no call; it fails when something needed is not set.
func New(opts Options) (*Table, error) {
	if opts.Getenv == nil || opts.Rand == nil {
		return nil, errors.New("dynamodb: Getenv and Rand are required")
	}
	region := cmp.Or(opts.Region, opts.Getenv("AWS_REGION"), opts.Getenv("AWS_DEFAULT_REGION"))
	endpoint := cmp.Or(opts.Endpoint, opts.Getenv("AWS_ENDPOINT_URL_DYNAMODB"), opts.Getenv("AWS_ENDPOINT_URL"))
	who := aws.Credentials{
		AccessKeyID:     opts.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: opts.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    opts.Getenv("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	switch {
	case opts.Table == "":
		return nil, errors.New("dynamodb: no table name")
	case region == "":
		return nil, errors.New("dynamodb: no region; set AWS_REGION")
	case !who.HasKeys():
		return nil, errors.New("dynamodb: no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	client := opts.HTTPClient
	if client == nil {
		client = keepingClient()
	}
	cfg := aws.Config{
		Region:      region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return who, nil }),
		HTTPClient:  client,
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
	where := region
	if endpoint != "" {
		cfg.BaseEndpoint = &endpoint
		where += " at " + endpoint
	}
	return &Table{
		client: dynamodb.NewFromConfig(cfg),
		name:   opts.Table,
		where:  where,
		rand:   opts.Rand,
		retry:  table.Retry{Rand: opts.Rand, Patience: opts.Patience},
	}, nil
}

// try runs one attempt within its own time and says what its failure means.
func (t *Table) try(ctx context.Context, call func(context.Context) error) error {
	own, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	return t.judge(call(own))
}

// random returns n random bytes as text.
func (t *Table) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(t.rand, b); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
