package hook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/outbound"
)

// maxVerdict bounds what is read of an older system's answer, in bytes.
const maxVerdict = 1 << 10

// Known asks an older system whether a password is right, which it says by
// 200 {"status": "password_match"}. 200 with anything else and 403 say no.
//
// Errors are faults: Upstream for any other answer and for no answer,
// UpstreamTimeout for one that is late, else Internal. It is asked once: what it
// did with a question that was not answered is not known.
func (c *Caller) Known(ctx context.Context, h config.MigrateHook, in Context, identifier, password string) (bool, error) {
	web := config.WebHook{ID: "password migration", Request: h.Request, Analytics: h.Analytics}
	ctx, cancel := outbound.WithBudget(ctx, outbound.Reserve)
	defer cancel()
	req, err := c.question(ctx, web, in, identifier, password)
	if err != nil {
		return false, Failed(web, err)
	}
	status, body, err := c.attempt(ctx, req, func(status int) bool { return status == http.StatusOK })
	switch {
	case late(err):
		return false, &fault.Error{Kind: fault.UpstreamTimeout, Reason: unreachable, Err: err}
	case err != nil:
		return false, &fault.Error{Kind: fault.Upstream, Message: "password migration hook could not be called", Reason: unreachable, Err: err}
	case status == http.StatusForbidden:
		return false, nil
	case status != http.StatusOK:
		return false, &fault.Error{
			Kind: fault.Upstream, Message: fmt.Sprintf("password migration hook failed with status code %d", status), Reason: improper,
		}
	}
	var verdict struct{ Status string }
	return json.Unmarshal(body[:min(len(body), maxVerdict)], &verdict) == nil && verdict.Status == "password_match", nil
}

// question is the call that asks. Its body is {"identifier", "password"}, or what
// a program makes of them and of what any web hook knows.
func (c *Caller) question(ctx context.Context, h config.WebHook, in Context, identifier, password string) (Request, error) {
	in.Identifier, in.Password = identifier, password
	req, err := c.Prepare(ctx, h, in)
	if err != nil || h.Body != "" {
		return req, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Body, err = json.Marshal(map[string]string{"identifier": identifier, "password": password})
	return req, err
}
