package ses

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"styx/internal/config"
	"styx/internal/courier"
)

func getenv(set map[string]string) func(string) string {
	return func(name string) string { return set[name] }
}

var full = map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}

func TestOptions(t *testing.T) {
	for name, row := range map[string]struct {
		set  map[string]string
		smtp config.SMTP
		ok   bool
	}{
		"complete":       {set: full, ok: true},
		"no region":      {set: map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}},
		"no credentials": {set: map[string]string{"AWS_REGION": "eu-west-1"}},
		"tags":           {set: full, smtp: config.SMTP{Headers: map[string]string{"x-ses-message-tags": "a=b, c=d"}}, ok: true},
		"broken tags":    {set: full, smtp: config.SMTP{Headers: map[string]string{"X-SES-MESSAGE-TAGS": "ab"}}},
	} {
		if _, err := New(Options{Config: row.smtp, Getenv: getenv(row.set)}); (err == nil) != row.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	for code, want := range map[string]string{
		"MessageRejected": "refused", "BadRequestException": "refused",
		"TooManyRequestsException": "throttled", "LimitExceededException": "throttled", "ThrottlingException": "throttled",
		"SendingPausedException": "passes", "AccountSuspendedException": "passes", "MailFromDomainNotVerifiedException": "passes",
		"NotFoundException": "passes", "InternalServiceErrorException": "passes", "ExpiredTokenException": "passes",
	} {
		err := judge(&smithy.GenericAPIError{Code: code, Message: "because"})
		got := "passes"
		if _, is := errors.AsType[*courier.RefusedError](err); is {
			got = "refused"
		}
		if _, is := errors.AsType[*courier.ThrottledError](err); is {
			got = "throttled"
		}
		if got != want || err == nil {
			t.Errorf("%s is %s, want %s: %v", code, got, want, err)
		}
	}
	if judge(nil) != nil {
		t.Error("success is a failure")
	}
	broken := errors.New("connection reset")
	if err := judge(broken); !errors.Is(err, broken) {
		t.Errorf("a broken connection: %v", err)
	}
}

// TestRequest looks at what goes out, and at what an answer from outside means.
func TestRequest(t *testing.T) {
	var body map[string]any
	answer, kind := http.StatusOK, ""
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body = nil
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Amzn-Errortype", kind)
		w.WriteHeader(answer)
		_, _ = w.Write([]byte(`{"MessageId":"m"}`))
	}))
	defer api.Close()
	set := maps.Clone(full)
	set["AWS_ENDPOINT_URL"] = api.URL
	s, err := New(Options{
		Config: config.SMTP{
			FromAddress: "no-reply@shop.example.org", FromName: "Häfen",
			Headers: map[string]string{
				"Reply-To": "help@shop.example.org", "X-SES-MESSAGE-TAGS": "campaign=one, colour=red",
				"X-SES-CONFIGURATION-SET": "harbour", "X-Own": "yes\r\nBcc: eve@example.org",
			},
		},
		Getenv: getenv(set), HTTPClient: api.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	l := &courier.Letter{ID: "0198", To: "ann@example.org", Content: courier.Content{Subject: "Grüße", Text: "plain", HTML: "<b>rich</b>"}}
	for range 2 { // what one mail adds is not in the next
		if err := s.Send(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	want := `{"ConfigurationSetName":"harbour",` +
		`"Content":{"Simple":{"Body":{"Html":{"Charset":"UTF-8","Data":"<b>rich</b>"},"Text":{"Charset":"UTF-8","Data":"plain"}},` +
		`"Headers":[{"Name":"X-Own","Value":"yes Bcc: eve@example.org"}],"Subject":{"Charset":"UTF-8","Data":"Grüße"}}},` +
		`"Destination":{"ToAddresses":["ann@example.org"]},` +
		`"EmailTags":[{"Name":"campaign","Value":"one"},{"Name":"colour","Value":"red"},{"Name":"styx-message","Value":"0198"}],` +
		`"FromEmailAddress":"=?utf-8?q?H=C3=A4fen?= <no-reply@shop.example.org>","ReplyToAddresses":["help@shop.example.org"]}`
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(plain.String()); got != want {
		t.Errorf("asked\n%s, want\n%s", got, want)
	}

	answer, kind = http.StatusTooManyRequests, "TooManyRequestsException"
	err = s.Send(t.Context(), l)
	if _, throttled := errors.AsType[*courier.ThrottledError](err); !throttled {
		t.Errorf("throttled: %v", err)
	}
	answer, kind = http.StatusInternalServerError, ""
	if err := s.Send(t.Context(), l); err == nil {
		t.Error("a broken API took the mail")
	}
}
