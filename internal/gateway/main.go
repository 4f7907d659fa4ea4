package gateway

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// Build assembles a function's handler from its environment. It runs before the
// first event and is paid for by every cold start: it opens no connection.
type Build func(ctx context.Context, getenv func(string) string) (http.Handler, error)

// Option changes how Main serves.
type Option func(settings *Settings, getenv func(string) string)

// SignedOnly refuses every event that API Gateway's AWS_IAM authorizer did not
// vouch for, so that a second route, a wrong permission or a forgotten
// authorizer does not open the function. STYX_ADMIN_UNSIGNED=emulator lifts it
// where the emulator has no authorizer.
func SignedOnly(settings *Settings, getenv func(string) string) {
	settings.Signed = getenv("STYX_ADMIN_UNSIGNED") != "emulator"
}

// Main is a Lambda function's main: it builds the handler, then serves events
// for as long as the process lives. It reads STYX_BASE_PATH, the path under
// which a custom domain mounts the API, and STYX_EDGE_SECRET, which each request
// must bring where there is one. STYX_SECRET_SETTINGS names the secret of Secrets
// Manager that holds what the configuration only stands in for, read at the first
// event; a function without it refuses to start on a zip that lists some.
func Main(build Build, options ...Option) {
	listen(func(ctx context.Context, getenv func(string) string, log *slog.Logger) (*Gateway, error) {
		settings := Settings{
			BasePath: getenv("STYX_BASE_PATH"),
			Function: getenv("AWS_LAMBDA_FUNCTION_NAME"),
			Edge:     getenv("STYX_EDGE_SECRET"),
			Now:      time.Now,
			Log:      log,
		}
		for _, option := range options {
			option(&settings, getenv)
		}
		handler, later, err := tried(ctx, getenv, log, build)
		if err != nil {
			return nil, err
		}
		if later != nil {
			handler = lazyHandler{later}
		}
		return New(handler, settings), nil
	})
}

// BuildAuthorizer assembles what a Lambda authorizer asks, as [Build] does a
// handler.
type BuildAuthorizer func(ctx context.Context, getenv func(string) string) (Authorize, error)

// Guard is the main of a Lambda authorizer.
func Guard(build BuildAuthorizer) {
	Listen(func(ctx context.Context, getenv func(string) string, log *slog.Logger) (*Authorizer, error) {
		authorize, err := build(ctx, getenv)
		if err != nil {
			return nil, err
		}
		return NewAuthorizer(authorize, Settings{Function: getenv("AWS_LAMBDA_FUNCTION_NAME"), Now: time.Now, Log: log}), nil
	})
}

// Listen is the main of a Lambda function that no API calls: what it builds
// reads the events itself.
func Listen[H lambda.Handler](build func(ctx context.Context, getenv func(string) string, log *slog.Logger) (H, error)) {
	listen(func(ctx context.Context, getenv func(string) string, log *slog.Logger) (lambda.Handler, error) {
		handler, later, err := tried(ctx, getenv, log, func(ctx context.Context, getenv func(string) string) (H, error) {
			return build(ctx, getenv, log)
		})
		if err != nil || later == nil {
			return handler, err
		}
		return lazyEvents[H]{later}, nil
	})
}

// listen builds what answers events, and has it answer them.
func listen[H lambda.Handler](build func(ctx context.Context, getenv func(string) string, log *slog.Logger) (H, error)) {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	// Whoever is given no log, as the audit's records, writes lines alike.
	slog.SetDefault(log)
	ctx := context.Background()
	handler, err := build(ctx, os.Getenv, log)
	if err != nil {
		log.ErrorContext(ctx, "start refused", slog.String("function", os.Getenv("AWS_LAMBDA_FUNCTION_NAME")), slog.String("err", err.Error()))
		if err := reportInit(ctx, os.Getenv("AWS_LAMBDA_RUNTIME_API"), err); err != nil {
			log.ErrorContext(ctx, "start refused, and not reported", slog.String("err", err.Error()))
		}
		os.Exit(1)
	}
	lambda.StartWithOptions(handler)
}

// reportInit tells the Runtime API at host why the function does not start;
// aws-lambda-go has no call for it.
func reportInit(ctx context.Context, host string, cause error) error {
	body := encoded(struct {
		Message string   `json:"errorMessage"`
		Type    string   `json:"errorType"`
		Stack   []string `json:"stackTrace"`
	}{cause.Error(), "Styx.Start", []string{}})
	url := "http://" + host + "/2018-06-01/runtime/init/error"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("report start: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Lambda-Runtime-Function-Error-Type", "Styx.Start")
	// No proxy of the environment stands before the Runtime API.
	response, err := (&http.Client{Transport: &http.Transport{}, Timeout: time.Second}).Do(request)
	if err != nil {
		return fmt.Errorf("report start: %w", err)
	}
	return response.Body.Close()
}
