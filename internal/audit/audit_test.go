package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"styx/internal/audit"
	"styx/internal/fault"
	"styx/internal/ui"
)

// TestRecord has one form, and what nobody said is not in it.
func TestRecord(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	audit.Note(audit.During(t.Context(), "r"), log, audit.Record{Event: audit.Login, Identity: "i", Method: "password", Outcome: audit.Failure, Reason: audit.Credentials, Agent: "curl/8.5.0"})
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "time")
	want := map[string]any{
		"level": "INFO", "msg": "audit", "styx": "audit", "v": 1.0, "event": "login", "outcome": "failure",
		"reason": "credentials", "request_id": "r", "identity_id": "i", "method": "password", "ua_hash": got["ua_hash"],
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(got["ua_hash"].(string)) != 12 || strings.Contains(out.String(), "curl") {
		t.Errorf("logged %v", got)
	}
}

// TestWhy gives each error one of the reasons.
func TestWhy(t *testing.T) {
	for _, c := range []struct {
		err  error
		want audit.Reason
	}{
		{nil, audit.None},
		{errors.New("a table out of order"), audit.Internal},
		{fmt.Errorf("wrapped: %w", fault.InvalidCredentials()), audit.Credentials},
		{fault.InvalidField("", ui.Say(ui.AccountExists)), audit.Taken},
		{fault.InvalidField("", ui.Say(ui.AccountDisabled)), audit.Disabled},
		{fault.InvalidField("traits.email", ui.Missing("email")), audit.Invalid},
		{fault.Bad("no"), audit.Invalid},
		{&fault.Error{Kind: fault.BadRequest, ID: "identity_disabled"}, audit.Disabled},
		{&fault.Error{Kind: fault.TooMany}, audit.TooMany},
		{&fault.Error{Kind: fault.Forbidden}, audit.Forbidden},
		{&fault.Error{Kind: fault.Unauthorized}, audit.Stale},
		{&fault.Error{Kind: fault.Upstream}, audit.Upstream},
		{&fault.Error{Kind: fault.Busy}, audit.Internal},
		{&fault.Error{Kind: fault.NotFound}, audit.Disabled},
	} {
		if got := audit.Why(c.err); got != c.want {
			t.Errorf("%v is %q, want %q", c.err, got, c.want)
		}
	}
}
