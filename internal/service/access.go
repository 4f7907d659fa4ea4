package service

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Access is where a service is called, and by whom.
type Access struct {
	Region      string
	Endpoint    string // "" = AWS' own
	Credentials aws.Credentials
}

// Environment is the access that the environment gives to a service, whose name
// is as in AWS_ENDPOINT_URL_SQS. It reads AWS_REGION, AWS_DEFAULT_REGION,
// AWS_ENDPOINT_URL_<name>, AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, once.
func Environment(getenv func(string) string, name string) Access {
	return Access{
		Region:   cmp.Or(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION")),
		Endpoint: cmp.Or(getenv("AWS_ENDPOINT_URL_"+name), getenv("AWS_ENDPOINT_URL")),
		Credentials: aws.Credentials{
			AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
			SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    getenv("AWS_SESSION_TOKEN"),
			Source:          "environment",
		},
	}
}

// Config is the configuration of the service's client; a nil client is the SDK's
// own. It makes no call, and fails without a region or credentials.
func (a Access) Config(client *http.Client) (aws.Config, error) {
	switch {
	case a.Region == "":
		return aws.Config{}, errors.New("no region; set AWS_REGION")
	case !a.Credentials.HasKeys():
		return aws.Config{}, errors.New("no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	c := aws.Config{
		Region:      a.Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return a.Credentials, nil }),
	}
	if client != nil {
		c.HTTPClient = client
	}
	if a.Endpoint != "" {
		c.BaseEndpoint = &a.Endpoint
	}
	return c, nil
}
