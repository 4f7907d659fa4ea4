package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"styx/internal/fault"
	"styx/internal/gateway"
	"styx/internal/gateway/gatewaytest"
)

var errStranger = &fault.Error{Kind: fault.Unauthorized}

// members lets in who sends one of these three, and says what it took.
func members(r *http.Request) (map[string]string, error) {
	for name, pass := range map[string]string{"Authorization": "Bearer pass", "X-Session-Token": "pass", "Cookie": "a=1; session=pass"} {
		if r.Header.Get(name) == pass {
			return map[string]string{"by": name}, nil
		}
	}
	return nil, errStranger
}

func newAuthorizer(authorize gateway.Authorize, log *slog.Logger) *gateway.Authorizer {
	return gateway.NewAuthorizer(authorize, gateway.Settings{Function: "authorizer", Now: time.Now, Log: log})
}

func asked(t *testing.T, header http.Header) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.example/things/7?token=pass", strings.NewReader("pass"))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(r.Header, header)
	return r
}

// TestOnlyTheIdentitySourceDecides, where an authorizer has one: its values are
// the key under which API Gateway remembers the verdict for others.
func TestOnlyTheIdentitySourceDecides(t *testing.T) {
	guard := newAuthorizer(members, slog.New(slog.DiscardHandler))
	const nothing = ""
	for name, row := range map[string]struct {
		header http.Header
		source []string
		by     string // what let the sender in; nothing for a refusal
	}{
		"nobody":                         {http.Header{}, nil, nothing},
		"a cookie":                       {http.Header{"Cookie": {"a=1; session=pass"}}, nil, "Cookie"},
		"a token":                        {http.Header{"X-Session-Token": {"pass"}}, nil, "X-Session-Token"},
		"a bearer":                       {http.Header{"Authorization": {"Bearer pass"}}, nil, "Authorization"},
		"what the source names":          {http.Header{"Authorization": {"Bearer pass"}}, []string{"Authorization"}, "Authorization"},
		"another header of the source":   {http.Header{"X-Session-Token": {"pass"}}, []string{"X-Session-Token"}, "X-Session-Token"},
		"a cookie beside the source":     {http.Header{"Authorization": {"Bearer undefined"}, "Cookie": {"a=1; session=pass"}}, []string{"Authorization"}, nothing},
		"a token beside the source":      {http.Header{"Authorization": {"Bearer undefined"}, "X-Session-Token": {"pass"}}, []string{"Authorization"}, nothing},
		"a bearer beside another source": {http.Header{"Authorization": {"Bearer pass"}, "X-Tenant": {"a"}}, []string{"X-Tenant"}, nothing},
		"both in the source":             {http.Header{"Authorization": {"Bearer pass"}, "X-Tenant": {"a"}}, []string{"X-Tenant", "Authorization"}, "Authorization"},
	} {
		for at, cookies := range map[string]gatewaytest.Cookies{"array": gatewaytest.InArray, "header": gatewaytest.InHeader, "both": gatewaytest.InBoth} {
			allowed, known, err := gatewaytest.API{CookiesIn: cookies}.Allows(t.Context(), guard, asked(t, row.header), row.source...)
			by, _ := known["by"].(string)
			if err != nil || allowed != (row.by != nothing) || by != row.by {
				t.Errorf("%s, cookies in the %s: %v by %q, %v; want %q", name, at, allowed, by, err, row.by)
			}
		}
	}
}

// TestHeaderNamesHaveNoCase: API Gateway writes them small, emulators as sent.
func TestHeaderNamesHaveNoCase(t *testing.T) {
	guard := newAuthorizer(members, slog.New(slog.DiscardHandler))
	for _, name := range []string{"x-session-token", "X-Session-Token", "X-SESSION-TOKEN"} {
		answer, err := guard.Invoke(t.Context(), []byte(`{"version":"2.0","type":"REQUEST","headers":{"`+name+`":" pass "}}`))
		if err != nil || strings.TrimSpace(string(answer)) != `{"isAuthorized":true,"context":{"by":"X-Session-Token"}}` {
			t.Errorf("%s: %s %v", name, answer, err)
		}
	}
}

// TestOnlyAFaultOfTheCallersIsARefusal: whatever else goes wrong is an error,
// which API Gateway answers with 500, and nothing lets anybody in.
func TestOnlyAFaultOfTheCallersIsARefusal(t *testing.T) {
	for name, row := range map[string]struct {
		goes    error
		panics  bool
		refused bool
		kind    string
	}{
		"nobody":               {errStranger, false, true, "unauthorized"},
		"too low a level":      {&fault.Error{Kind: fault.Forbidden}, false, true, "forbidden"},
		"a table that fails":   {errors.New("read session: connection refused"), false, false, "internal"},
		"a table that is busy": {&fault.Error{Kind: fault.Busy}, false, false, "busy"},
		"out of time":          {context.DeadlineExceeded, false, false, "busy"},
		"gone":                 {&fault.Error{Kind: fault.Gone}, false, false, "gone"},
		"a panic":              {nil, true, false, "panic"},
	} {
		var log bytes.Buffer
		guard := newAuthorizer(func(*http.Request) (map[string]string, error) {
			if row.panics {
				panic("hunter2")
			}
			return map[string]string{"identity_id": "somebody"}, row.goes
		}, slog.New(slog.NewJSONHandler(&log, nil)))
		allowed, known, err := gatewaytest.API{}.Allows(t.Context(), guard, asked(t, nil))
		if allowed || len(known) > 0 || (err == nil) != row.refused {
			t.Errorf("%s: %v %v %v", name, allowed, known, err)
		}
		var line struct {
			Level   string
			Kind    string `json:"err_kind"`
			Request string `json:"request_id"`
		}
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v in %s", name, err, &log)
		}
		if line.Kind != row.kind || (line.Level == "ERROR") == row.refused || line.Request != "request-1" || strings.Contains(log.String(), "hunter2") {
			t.Errorf("%s: %s", name, &log)
		}
	}
}

// TestOtherEventsStopTheRequest: an authorizer that is set up for another
// payload, or another kind of API, lets nobody in and says why.
func TestOtherEventsStopTheRequest(t *testing.T) {
	guard := newAuthorizer(members, slog.New(slog.DiscardHandler))
	for _, event := range []string{
		``, `x`, `null`, `[]`, `{}`, `"2.0"`, `{"version":2}`,
		`{"version":"1.0","type":"REQUEST","headers":{"X-Session-Token":"pass"},"methodArn":"arn:aws:execute-api:eu-central-1:000000000000:a/b/GET/"}`,
		`{"type":"REQUEST","headers":{"X-Session-Token":"pass"},"methodArn":"arn:aws:execute-api:eu-central-1:000000000000:a/b/GET/"}`,
		`{"type":"TOKEN","authorizationToken":"Bearer pass","methodArn":"arn:aws:execute-api:eu-central-1:000000000000:a/b/GET/"}`,
		`{"version":"2.0","headers":{"x-session-token":"pass"},"requestContext":{"http":{"method":"GET"}}}`,
		`{"version":"2.0","type":"REQUEST","identitySource":"pass","headers":{"x-session-token":"pass"}}`,
	} {
		answer, err := guard.Invoke(t.Context(), []byte(event))
		if err == nil || answer != nil || !strings.Contains(err.Error(), "payload format version 2.0") {
			t.Errorf("%s: %s %v", event, answer, err)
		}
	}
}

// TestALineOfTheLogQuotesNoCredential: a refused one may be somebody's, too.
func TestALineOfTheLogQuotesNoCredential(t *testing.T) {
	var log bytes.Buffer
	guard := newAuthorizer(members, slog.New(slog.NewJSONHandler(&log, nil)))
	for _, header := range []http.Header{{"X-Session-Token": {"pass"}}, {"Authorization": {"Bearer hunter2"}}, {"Cookie": {"session=hunter2"}}, {"X-Bad": {"hunter2\x01"}}} {
		if _, _, err := (gatewaytest.API{}).Allows(t.Context(), guard, asked(t, header)); err != nil {
			t.Errorf("%v: %v", header, err)
		}
	}
	if strings.Contains(log.String(), "pass") || strings.Contains(log.String(), "hunter2") || strings.Count(log.String(), `"function":"authorizer"`) != 4 {
		t.Errorf("log:\n%s", &log)
	}
}

// FuzzAuthorizer holds for any bytes: whoever is let in showed the pass, and in
// the identity source where the authorizer has one.
func FuzzAuthorizer(f *testing.F) {
	f.Add([]byte(`{"version":"2.0","type":"REQUEST","identitySource":["Bearer pass"],"headers":{"authorization":"Bearer pass"}}`))
	f.Add([]byte(`{"version":"2.0","type":"REQUEST","identitySource":["Bearer undefined"],"headers":{"Authorization":"Bearer undefined","x-session-token":"pass"}}`))
	f.Add([]byte(`{"version":"2.0","type":"REQUEST","identitySource":null,"cookies":["a=1","session=pass"]}`))
	f.Add([]byte(`{"version":"2.0","type":"REQUEST","identitySource":[""],"headers":{"cookie":"a=1; session=pass","":"\u0000"}}`))
	f.Add([]byte(`{"version":"1.0","type":"TOKEN","authorizationToken":"Bearer pass"}`))
	f.Fuzz(func(t *testing.T, event []byte) {
		answer, err := newAuthorizer(members, slog.New(slog.DiscardHandler)).Invoke(t.Context(), event)
		if err != nil {
			if answer != nil {
				t.Fatalf("%v and %s", err, answer)
			}
			return
		}
		allowed, known, err := gatewaytest.Verdict(answer)
		if err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		if !allowed {
			if len(known) > 0 {
				t.Fatalf("refused, and told %v", known)
			}
			return
		}
		var shown struct {
			Version, Type  string
			IdentitySource []string
			Cookies        []string
			Headers        map[string]string
		}
		if err := json.Unmarshal(event, &shown); err != nil {
			t.Fatal(err)
		}
		if len(shown.IdentitySource) > 0 {
			if !strings.Contains(strings.Join(shown.IdentitySource, "\n"), "pass") {
				t.Fatalf("let in by what the identity source does not name: %s", event)
			}
			return
		}
		said := strings.Join(shown.Cookies, "\n")
		for _, value := range shown.Headers {
			said += "\n" + value
		}
		if !strings.Contains(said, "pass") {
			t.Fatalf("let in without a pass: %s", event)
		}
	})
}
