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

// Keep puts the settings that are kept apart from a configuration into the
// secret of that ARN, in place of those before. Its errors do not name them.
func Keep(ctx context.Context, profile, arn, settings string) error {
	parts := strings.Split(arn, ":")
	if len(parts) < 7 || parts[2] != "secretsmanager" {
		return fmt.Errorf("%q is not the ARN of a secret", arn)
	}
	region := parts[3]
	c, err := load(ctx, profile, region)
	if err != nil {
		return err
	}
	endpoint := "https://secretsmanager." + region + ".amazonaws.com"
	if c.BaseEndpoint != nil {
		endpoint = *c.BaseEndpoint
	}
	at, err := url.Parse(strings.TrimSuffix(endpoint, "/") + "/")
	if err != nil {
		return fmt.Errorf("keep settings: %w", err)
	}
	body, err := json.Marshal(map[string]string{
		"SecretId": arn, "SecretString": settings, "ClientRequestToken": rand.Text() + rand.Text(),
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
		at.Host, "secretsmanager", region, c.Credentials, v4.NewSigner(), time.Now, http.DefaultTransport,
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
