package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"

	"styx/internal/audit"
	"styx/internal/fault"
	"styx/internal/table"
)

type answer struct {
	status  int
	message string
}

// answers is the one mapping from kinds of error to statuses.
var answers = map[fault.Kind]answer{
	fault.Internal:        {http.StatusInternalServerError, "An internal server error occurred, please contact the system administrator"},
	fault.BadRequest:      {http.StatusBadRequest, "The request was malformed or contained invalid parameters"},
	fault.Unauthorized:    {http.StatusUnauthorized, "The request could not be authorized"},
	fault.Forbidden:       {http.StatusForbidden, "The requested action was forbidden"},
	fault.NotFound:        {http.StatusNotFound, "The requested resource could not be found"},
	fault.Conflict:        {http.StatusConflict, "The resource could not be created due to a conflict"},
	fault.Gone:            {http.StatusGone, "The requested resource is no longer available because it has expired or is otherwise invalid."},
	fault.Unprocessable:   {http.StatusUnprocessableEntity, "The request could not be processed"},
	fault.TooMany:         {http.StatusTooManyRequests, "Too many requests, please try again later"},
	fault.Upstream:        {http.StatusBadGateway, "Upstream error"},
	fault.UpstreamTimeout: {http.StatusGatewayTimeout, "Upstream error"},
	fault.Busy:            {http.StatusServiceUnavailable, "The service is busy, please try again in a moment"},
}

// Body is an error as clients see it, {"error": {…}} and what stands beside it.
type Body map[string]any

// Classified returns err as a fault. What nobody classified is Internal; a
// table that stayed busy and a request that ran out of time are Busy; what does
// not fit an item was too much to ask.
func Classified(err error) *fault.Error {
	if known := fault.As(err); known != nil {
		return known
	}
	if errors.Is(err, table.ErrTooLarge) {
		return &fault.Error{Kind: fault.BadRequest, Reason: "The submitted data is too large to be stored.", Err: err}
	}
	kind := fault.Internal
	if errors.Is(err, table.ErrBusy) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		kind = fault.Busy
	}
	return &fault.Error{Kind: kind, Err: err}
}

// Status returns the status of an error.
func Status(err error) int { return answers[Classified(err).Kind].status }

// Describe returns the body of an error. An internal error tells nothing.
func Describe(r *http.Request, err error) Body {
	known := Classified(err)
	said := answers[known.Kind]
	inner := map[string]any{
		"code":    said.status,
		"status":  http.StatusText(said.status),
		"message": said.message,
	}
	if known.Message != "" {
		inner["message"] = known.Message
	}
	for name, value := range map[string]string{"id": known.ID, "reason": known.Reason, "request": requestID(r)} {
		if value != "" {
			inner[name] = value
		}
	}
	if known.Details != nil {
		inner["details"] = known.Details
	}
	body := Body{"error": inner}
	maps.Copy(body, known.Beside)
	return body
}

// requestID echoes the caller's own id of the request, within reason.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	return id[:min(len(id), 128)]
}

// Fail answers with an error and logs what the caller may not see.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	FailWith(w, r, Status(err), err)
}

// FailWith is Fail under another status than the error's own.
func FailWith(w http.ResponseWriter, r *http.Request, status int, err error) {
	known := Classified(err)
	if status >= http.StatusInternalServerError {
		slog.ErrorContext(r.Context(), "request failed", "request_id", audit.Request(r.Context()), "error", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header()["Ory-Error-Id"] = []string{known.ID}
	if known.Kind == fault.Busy || known.Kind == fault.TooMany {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Describe(r, err))
}

// JSON answers with a value.
func JSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
