package cloud

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
)

const (
	// gatewayService is what API Gateway's endpoints sign for.
	gatewayService = "execute-api"
	// maxBody bounds what is signed, in bytes: API Gateway takes 10 MB.
	maxBody = 10 << 20
)

// gateway matches the host of an API Gateway and takes its region out of it.
var gateway = regexp.MustCompile(`(?:^|\.)execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$`)

// IsGateway tells whether a host, with or without a port, is an API Gateway's.
func IsGateway(host string) bool { return gateway.MatchString(hostname(host)) }

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// load finds credentials and region where AWS' own tools do: the environment,
// the shared files, single sign-on, the instance.
func load(ctx context.Context, profile, region string) (aws.Config, error) {
	var options []func(*config.LoadOptions) error
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return c, fmt.Errorf("load the AWS configuration: %w", err)
	}
	return c, nil
}

// Signer signs requests to the API Gateway at host with Signature Version 4,
// before next sends them. The region is the host's or, behind a domain of one's
// own, the one that is asked for or configured. Requests to another host are
// refused: a signature is for nobody else.
func Signer(ctx context.Context, profile, region, host string, next http.RoundTripper) (http.RoundTripper, error) {
	if found := gateway.FindStringSubmatch(hostname(host)); found != nil && region == "" {
		region = found[1]
	}
	c, err := load(ctx, profile, region)
	if err != nil {
		return nil, err
	}
	if c.Region == "" {
		return nil, fmt.Errorf("sign for %s: name the AWS region with --region", host)
	}
	return &signer{host, gatewayService, c.Region, c.Credentials, v4.NewSigner(), time.Now, next}, nil
}

type signer struct {
	host        string
	service     string
	region      string
	credentials aws.CredentialsProvider
	signer      *v4.Signer
	now         func() time.Time
	next        http.RoundTripper
}

// RoundTrip signs and sends a copy of the request.
func (s *signer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != s.host {
		_ = closed(r)
		return nil, fmt.Errorf("%s is not the host that requests are signed for", r.URL.Host)
	}
	body, err := read(r)
	if err != nil {
		return nil, err
	}
	credentials, err := s.credentials.Retrieve(r.Context())
	if err != nil {
		return nil, fmt.Errorf("find AWS credentials: %w", err)
	}
	signed := r.Clone(r.Context())
	signed.Host = s.host
	signed.Body, signed.ContentLength, signed.TransferEncoding = http.NoBody, int64(len(body)), nil
	if len(body) > 0 {
		signed.Body = io.NopCloser(bytes.NewReader(body))
	}
	sum := sha256.Sum256(body)
	if err := s.signer.SignHTTP(r.Context(), credentials, signed, hex.EncodeToString(sum[:]), s.service, s.region, s.now()); err != nil {
		return nil, fmt.Errorf("sign the request: %w", err)
	}
	return s.next.RoundTrip(signed)
}

// read reads a body to its end and closes it.
func read(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err == nil {
		err = closed(r)
	}
	if err != nil {
		return nil, fmt.Errorf("read what is to be signed: %w", err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("the request is too large: at most %d MB", maxBody>>20)
	}
	return body, nil
}

func closed(r *http.Request) error {
	if r.Body == nil {
		return nil
	}
	return r.Body.Close()
}
