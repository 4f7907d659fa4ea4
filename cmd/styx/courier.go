package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	adminTimeout = 30 * time.Second
	maxAnswer    = 1 << 20
)

// courierCommand asks the admin API about the courier's messages.
func courierCommand(ctx context.Context, args, environ []string, out, errs io.Writer) int {
	if len(args) == 0 || args[0] != "retry" {
		_, _ = fmt.Fprintln(errs, "styx courier: the command is retry")
		return 2
	}
	flags := flag.NewFlagSet("styx courier retry", flag.ContinueOnError)
	flags.SetOutput(errs)
	endpoint := flags.String("endpoint", cmp.Or(lookup(environ)("STYX_ADMIN_URL"), "http://127.0.0.1:4434"), "`URL` of the admin API")
	if err := flags.Parse(args[1:]); err != nil {
		return 2
	}
	if flags.NArg() != 1 {
		_, _ = fmt.Fprintln(errs, "styx courier retry: needs the id of one message")
		return 2
	}
	id := flags.Arg(0)
	if err := post(ctx, *endpoint, "/admin/courier/messages/"+url.PathEscape(id)+"/retry"); err != nil {
		_, _ = fmt.Fprintf(errs, "styx courier retry: %v\n", err)
		return 1
	}
	_, _ = fmt.Fprintf(out, "message %s is queued again\n", id)
	return 0
}

// post calls the admin API. Its error says what the API said.
func post(ctx context.Context, endpoint, path string) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(endpoint, "/")+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("the endpoint is no URL: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the admin API does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode < http.StatusBadRequest {
		return nil
	}
	var body struct {
		Error struct{ Message, Reason string } `json:"error"`
	}
	if json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&body) != nil {
		return fmt.Errorf("the admin API answered %s", resp.Status)
	}
	return fmt.Errorf("%s", cmp.Or(body.Error.Reason, body.Error.Message, resp.Status))
}
