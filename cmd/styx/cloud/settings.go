package cloud

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Keep puts the settings that are kept apart from a configuration into a secret,
// in place of those before. An ARN says the secret's region. The errors do not
// tell the settings.
func Keep(ctx context.Context, profile, region, secret, settings string) error {
	if parts := strings.Split(secret, ":"); len(parts) > 1 {
		if len(parts) < 7 || parts[2] != "secretsmanager" {
			return fmt.Errorf("%q is not the ARN of a secret", secret)
		}
		region = parts[3]
	}
	c, err := load(ctx, profile, region)
	if err != nil {
		return err
	}
	if c.Region == "" {
		return fmt.Errorf("%s: name the AWS region with --region", secret)
	}
	endpoint := "https://secretsmanager." + c.Region + ".amazonaws.com"
	if c.BaseEndpoint != nil {
		endpoint = *c.BaseEndpoint
	}
	at, err := url.Parse(strings.TrimSuffix(endpoint, "/") + "/")
	if err != nil {
		return fmt.Errorf("keep settings: %w", err)
	}
	body, err := json.Marshal(map[string]string{
		"SecretId": secret, "SecretString": settings, "ClientRequestToken": rand.Text() + rand.Text(),
	})
	if err != nil {
		return fmt.Errorf("keep settings: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("keep settings: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "secretsmanager.PutSecretValue")
	client := &http.Client{Timeout: time.Minute, Transport: &signer{
		at.Host, "secretsmanager", c.Region, c.Credentials, v4.NewSigner(), time.Now, http.DefaultTransport,
	}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("keep settings: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	var said struct {
		Type    string `json:"__type"`
		Message *string
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil || json.Unmarshal(answer, &said) != nil {
		return fmt.Errorf("keep settings: %s", response.Status)
	}
	return fmt.Errorf("keep settings: %s: %s", said.Type, aws.ToString(said.Message))
}
