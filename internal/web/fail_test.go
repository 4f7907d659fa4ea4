package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"styx/internal/fault"
	"styx/internal/table"
)

// answered returns the answer to a request that failed with err.
func answered(t *testing.T, err error) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	Fail(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), err)
	var body struct {
		Error map[string]any `json:"error"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Error == nil {
		t.Fatalf("the body is %s: %v", w.Body, err)
	}
	return w, body.Error
}

// TestStatusOfEveryKind holds the mapping, whole: each kind has a status, a text
// and nothing that it did not say.
func TestStatusOfEveryKind(t *testing.T) {
	statuses := map[fault.Kind]int{
		fault.Internal: 500, fault.BadRequest: 400, fault.Unauthorized: 401, fault.Forbidden: 403, fault.NotFound: 404,
		fault.Conflict: 409, fault.Gone: 410, fault.Unprocessable: 422, fault.TooMany: 429,
		fault.Upstream: 502, fault.UpstreamTimeout: 504, fault.Busy: 503,
	}
	if len(statuses) != len(answers) {
		t.Fatalf("%d kinds are mapped, %d are known here", len(answers), len(statuses))
	}
	for kind, status := range statuses {
		w, said := answered(t, fmt.Errorf("wrapped: %w", &fault.Error{Kind: kind, Err: errors.New("the hidden part")}))
		if w.Code != status || Status(&fault.Error{Kind: kind}) != status {
			t.Errorf("kind %d answers %d, want %d", kind, w.Code, status)
		}
		if said["code"] != float64(status) || said["status"] != http.StatusText(status) || said["message"] == "" || len(said) != 3 {
			t.Errorf("kind %d says %v", kind, said)
		}
		if strings.Contains(w.Body.String(), "hidden") {
			t.Errorf("kind %d tells the cause: %s", kind, w.Body)
		}
		if got := w.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("kind %d is %s", kind, got)
		}
		if _, there := w.Header()["Ory-Error-Id"]; !there {
			t.Errorf("kind %d has no Ory-Error-Id", kind)
		}
		retry := kind == fault.Busy || kind == fault.TooMany
		if got := w.Header().Get("Retry-After") != ""; got != retry {
			t.Errorf("kind %d may be tried again: %v", kind, got)
		}
	}
}

// TestUnclassifiedErrors are what no room made a fault of.
func TestUnclassifiedErrors(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		kind fault.Kind
	}{
		"anything":              {errors.New("dial tcp 10.0.0.1: secret"), fault.Internal},
		"a busy table":          {fmt.Errorf("read: %w", table.ErrBusy), fault.Busy},
		"a request out of time": {fmt.Errorf("read: %w", context.DeadlineExceeded), fault.Busy},
		"a client that left":    {context.Canceled, fault.Busy},
		"no table":              {table.ErrNoTable, fault.Internal},
		"too much to store":     {fmt.Errorf("write: %w", table.ErrTooLarge), fault.BadRequest},
		"a fault that wraps":    {&fault.Error{Kind: fault.Gone, Err: table.ErrBusy}, fault.Gone},
	} {
		if got := Classified(c.err); got.Kind != c.kind {
			t.Errorf("%s is kind %d, want %d", name, got.Kind, c.kind)
		}
		w, _ := answered(t, c.err)
		if strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "dial") {
			t.Errorf("%s tells %s", name, w.Body)
		}
	}
}

func TestErrorBody(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("X-Request-Id", strings.Repeat("r", 200))
	w := httptest.NewRecorder()
	FailWith(w, r, http.StatusForbidden, &fault.Error{
		Kind: fault.BadRequest, ID: "an_id", Message: "a message", Reason: "a reason",
		Details: map[string]any{"a": "b"}, Beside: map[string]any{"beside": 1},
	})
	const want = `{"beside":1,"error":{"code":400,"details":{"a":"b"},"id":"an_id","message":"a message","reason":"a reason","request":"RRR","status":"Bad Request"}}`
	got := strings.ReplaceAll(strings.TrimSpace(w.Body.String()), strings.Repeat("r", 128), "RRR")
	if got != want || w.Code != http.StatusForbidden || w.Header().Get("Ory-Error-Id") != "an_id" {
		t.Errorf("answered %d %v %s", w.Code, w.Header(), got)
	}
}

func TestJSONAnswer(t *testing.T) {
	w := httptest.NewRecorder()
	JSON(w, http.StatusCreated, map[string]string{"a": "<b>"})
	if w.Code != http.StatusCreated || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("answered %d %v", w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	JSON(w, http.StatusOK, make(chan int))
	if w.Code != http.StatusInternalServerError {
		t.Errorf("a value without a JSON form answers %d", w.Code)
	}
}
