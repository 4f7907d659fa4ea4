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

	"styx/internal/service"
	"styx/internal/table"
)

// attemptTime bounds one attempt, so that a connection that died silently leaves time for another.
const attemptTime = 5 * time.Second

// Options say which table, where, and as whom.
type Options struct {
	Table    string
	Region   string // "" = the environment's
	Endpoint string // "" = the environment's, then AWS' own

	Getenv func(string) string // as [service.Environment] has it
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
	if opts.Table == "" {
		return nil, errors.New("dynamodb: no table name")
	}
	access := service.Environment(opts.Getenv, "DYNAMODB")
	access.Region, access.Endpoint = cmp.Or(opts.Region, access.Region), cmp.Or(opts.Endpoint, access.Endpoint)
	client := opts.HTTPClient
	if client == nil {
		client = keepingClient()
	}
	cfg, err := access.Config(client)
	if err != nil {
		return nil, fmt.Errorf("dynamodb: %w", err)
	}
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	where := access.Region
	if access.Endpoint != "" {
		where += " at " + access.Endpoint
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
