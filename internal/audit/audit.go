package audit

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"

	"styx/internal/fault"
	"styx/internal/ui"
)

// Event names what happened.
type Event string

// The events.
const (
	Login           Event = "login"            // a first factor, or a second one beside it
	Registration    Event = "registration"     // an identity was made
	Recovery        Event = "recovery"         // somebody got back in
	Verification    Event = "verification"     // an address was proved
	Settings        Event = "settings"         // an identity changed itself
	Logout          Event = "logout"           // a session ended by its owner
	SessionsRevoked Event = "sessions_revoked" // one session ended from elsewhere, or all others
)

// Outcomes of an event.
const (
	Success = "success"
	Failure = "failure"
)

// Reason says why something was refused, as far as that is anybody's business.
type Reason string

// The reasons.
const (
	None        Reason = ""
	Credentials Reason = "credentials" // a password, code, link, key or identifier that was not right
	Invalid     Reason = "invalid"     // input that fits no form
	Taken       Reason = "taken"       // a name that belongs to another identity
	Disabled    Reason = "disabled"    // the identity, method or flow is switched off
	TooMany     Reason = "too_many"    // the attempts are used up
	Stale       Reason = "stale"       // the flow or session is over, or too old
	Forbidden   Reason = "forbidden"   // anti-CSRF, another identity's flow, too low a level
	Upstream    Reason = "upstream"    // a web hook refused or failed
	Internal    Reason = "internal"    // our own mistake, or the table's
)

// Record is one event. Members without a value are left out.
type Record struct {
	Event    Event
	Identity string
	Session  string
	Flow     string
	Method   string // of the roster
	Outcome  string
	Reason   Reason
	IP       string // the client's, as the gateway or a trusted proxy saw it
	Agent    string // the client's User-Agent, of which a hash is logged
}

// version of the form of a record.
const version = 1

type requestKey struct{}

// During lets the records of a request carry its id, by which they are found
// beside its line in the log.
func During(ctx context.Context, requestID string) context.Context {
	return context.WithValue(ctx, requestKey{}, requestID)
}

// Request is the id of the request, "" outside of one: for what else is logged
// of it.
func Request(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// Note logs a record.
func Note(ctx context.Context, log *slog.Logger, r Record) {
	attributes := []slog.Attr{
		slog.String("styx", "audit"), slog.Int("v", version), slog.String("event", string(r.Event)), slog.String("outcome", r.Outcome),
	}
	for _, member := range []struct{ name, value string }{
		{"request_id", Request(ctx)},
		{"reason", string(r.Reason)},
		{"identity_id", r.Identity},
		{"session_id", r.Session},
		{"flow_id", r.Flow},
		{"method", r.Method},
		{"ip", r.IP},
		{"ua_hash", hash(r.Agent)},
	} {
		if member.value != "" {
			attributes = append(attributes, slog.String(member.name, member.value))
		}
	}
	log.LogAttrs(ctx, slog.LevelInfo, "audit", attributes...)
}

// hash tells two clients apart without saying what they are.
func hash(agent string) string {
	if agent == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(agent))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// Why is the reason of an error, None for none.
func Why(err error) Reason {
	if err == nil {
		return None
	}
	known := fault.As(err)
	if known == nil {
		return Internal
	}
	if len(known.Fields) > 0 {
		return told(known.Fields)
	}
	switch known.Kind {
	case fault.BadRequest, fault.Unprocessable:
		if known.ID == "identity_disabled" || known.ID == "self_service_flow_disabled" {
			return Disabled
		}
		return Invalid
	case fault.NotFound:
		return Disabled
	case fault.Unauthorized, fault.Gone:
		return Stale
	case fault.Forbidden:
		return Forbidden
	case fault.Conflict:
		return Taken
	case fault.TooMany:
		return TooMany
	case fault.Upstream, fault.UpstreamTimeout:
		return Upstream
	case fault.Internal, fault.Busy:
	}
	return Internal
}

// reasons are of the messages that mean more than a field filled in wrong.
var reasons = func() map[ui.ID]Reason {
	by := map[ui.ID]Reason{}
	for reason, ids := range map[Reason][]ui.ID{
		Credentials: {
			ui.CredentialsInvalid, ui.TOTPInvalid, ui.BackupCodeUsed, ui.BackupCodeInvalid, ui.NoSuchKeyAccount, ui.NoCodeAccount,
			ui.NoMethodAccount, ui.KeyInvalid, ui.LoginCodeInvalid, ui.AddressUnknown, ui.RegistrationCodeInvalid,
			ui.RecoveryCodeInvalid, ui.RecoveryTokenInvalid, ui.VerificationCodeInvalid, ui.VerificationTokenInvalid,
		},
		Taken:    {ui.AccountExists, ui.AccountExistsHints},
		Disabled: {ui.AccountDisabled},
		Stale:    {ui.RegistrationDone, ui.RecoveryDone, ui.VerificationDone},
	} {
		for _, id := range ids {
			by[id] = reason
		}
	}
	return by
}()

// told is the reason that a form's messages give.
func told(fields []fault.Field) Reason {
	for _, field := range fields {
		if reason, known := reasons[field.Text.ID]; known {
			return reason
		}
	}
	return Invalid
}
