// Package service says how a service of AWS is called from what a function's
// environment tells: the SDK's own loader asks files and other hosts as well, and
// is linked into a binary with all of them.
package service

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Config is the configuration of a service's client. service is its name as the
// environment has it, as SQS in AWS_ENDPOINT_URL_SQS; a nil client is the SDK's
// own. It reads AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_<service>,
// AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN, once, makes no call, and fails without a region or
// credentials.
func Config(getenv func(string) string, service string, client *http.Client) (aws.Config, error) {
	region := cmp.Or(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"))
	who := aws.Credentials{
		AccessKeyID:     getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    getenv("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	switch {
	case region == "":
		return aws.Config{}, errors.New("no region; set AWS_REGION")
	case !who.HasKeys():
		return aws.Config{}, errors.New("no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	c := aws.Config{
		Region:      region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return who, nil }),
	}
	if client != nil {
		c.HTTPClient = client
	}
	if endpoint := cmp.Or(getenv("AWS_ENDPOINT_URL_"+service), getenv("AWS_ENDPOINT_URL")); endpoint != "" {
		c.BaseEndpoint = &endpoint
	}
	return c, nil
}
