package selfservice

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"styx/internal/audit"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/session"
	"styx/internal/store"
)

// events are what the audit calls the end of each kind of flow.
var events = map[flow.Kind]audit.Event{
	flow.Login: audit.Login, flow.Registration: audit.Registration, flow.Settings: audit.Settings,
	flow.Recovery: audit.Recovery, flow.Verification: audit.Verification,
}

// heard notes how a submission ended, if it ended anything: every way in comes
// through here, and so will whatever counts failures over all of them.
func (e *Engine) heard(r *http.Request, step *flow.Step, outcome flow.Outcome, err error) {
	record := audit.Record{
		Event: events[step.Flow.Kind], Outcome: audit.Success, Flow: step.Flow.ID, Method: e.methodOf(step, outcome),
	}
	for _, who := range []*identity.Identity{outcome.Who, step.Claimed, step.Owner} {
		if who != nil && record.Identity == "" {
			record.Identity = who.ID
		}
	}
	switch {
	case err != nil || outcome.Refused != nil || e.missed(step, outcome):
		record.Outcome, record.Reason = audit.Failure, e.why(err, outcome)
		if record.Reason == audit.Invalid {
			return // a typing mistake
		}
	case !passed(step, outcome):
		return
	}
	if step.Session != nil {
		record.Session = step.Session.ID
	}
	e.note(r, record)
}

// passed tells whether a submission ended its flow.
func passed(step *flow.Step, outcome flow.Outcome) bool {
	return outcome.Method.Method != "" || outcome.Proved != "" || step.Flow.Kind == flow.Settings && outcome.Who != nil
}

// missed tells whether a submission guessed at a code, and wrong: the form of
// some flows says so without an error.
func (e *Engine) missed(step *flow.Step, outcome flow.Outcome) bool {
	return !passed(step, outcome) && e.guesses(step.Flow.Kind, step.Form) > 0 && !outcome.Opened
}

func (e *Engine) why(err error, outcome flow.Outcome) audit.Reason {
	switch {
	case errors.Is(err, errTooOften):
		return audit.TooMany
	case errors.Is(err, store.ErrConsumed), errors.Is(err, flow.ErrLink):
		return audit.Credentials
	case errors.Is(err, errTooOld), errors.Is(err, errProtected):
		return audit.Stale
	case err != nil:
		return audit.Why(err)
	case outcome.Refused != nil:
		return audit.Why(outcome.Refused)
	default:
		return audit.Credentials
	}
}

// methodOf names the method of a submission, "" for none of the roster.
func (e *Engine) methodOf(step *flow.Step, outcome flow.Outcome) string {
	if outcome.Method.Method != "" {
		return outcome.Method.Method
	}
	named := step.Form.Get("method")
	if !slices.ContainsFunc(e.Methods, func(m flow.Method) bool { return m.ID == named }) {
		return ""
	}
	return named
}

// ended notes that a session of its owner's ended, or all others.
func (e *Engine) ended(r *http.Request, event audit.Event, live *session.Session) {
	e.note(r, audit.Record{Event: event, Outcome: audit.Success, Identity: live.IdentityID, Session: live.ID})
}

// overrun notes an attempt past what a name may be tried.
func (e *Engine) overrun(r *http.Request, of flow.Kind, err error) {
	if fault.Is(err, fault.TooMany) {
		e.note(r, audit.Record{Event: events[of], Outcome: audit.Failure, Reason: audit.TooMany, Flow: r.URL.Query().Get("flow")})
	}
}

func (e *Engine) note(r *http.Request, record audit.Record) {
	device := e.Proxies.Device(r)
	record.IP, record.Agent = device.IPAddress, device.UserAgent
	audit.Note(r.Context(), slog.Default(), record)
}
