//go:build dynamodb

package lambda_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"styx/test/dynamodb"
)

// sender is whom the mail of these tests comes from.
const sender = "styx@shop.example.org"

// emulator sends a request to the SES API beside the DynamoDB API of the tests.
func emulator(t *testing.T, method, path string, body, into any) {
	t.Helper()
	emulatorCall(t, method, path, body, into, http.Header{"Authorization": {signature("ses")}, "Content-Type": {"application/json"}})
}

// signature is one for a service; the emulator looks at that alone.
func signature(service string) string {
	return "AWS4-HMAC-SHA256 Credential=test/20260701/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
}

// emulatorCall sends a request to one of the AWS APIs of the tests.
func emulatorCall(t *testing.T, method, path string, body, into any, header http.Header) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, dynamodb.Endpoint(t)+path, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusConflict {
		t.Fatalf("%s %s: %s", method, path, response.Status)
	}
	if into == nil {
		return
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// mailsTo are the texts of what arrived for an address.
func mailsTo(t *testing.T, address string) []string {
	t.Helper()
	var box struct {
		Messages map[string][]struct { // by account
			To   []string `json:"To"`
			Text string   `json:"BodyText"`
		} `json:"messages"`
	}
	emulator(t, http.MethodGet, "/_ministack/ses/messages", nil, &box)
	var texts []string
	for _, mails := range box.Messages {
		for _, mail := range mails {
			if slices.Contains(mail.To, address) {
				texts = append(texts, mail.Text)
			}
		}
	}
	return texts
}

// link is the address in a mail that proves another.
var link = regexp.MustCompile(`\bhttps://id\.example/self-service/verification\?code=(\d{6})&flow=([0-9a-f-]{36})\b`)

// TestMailJourney: a registration's mail leaves by the courier function, which
// nothing but its schedule wakes, and the code in it proves the address.
func TestMailJourney(t *testing.T) {
	s := deployment{}.deploy(t)
	emulator(t, http.MethodPost, "/v2/email/identities", map[string]string{"EmailIdentity": sender}, nil)
	public := &http.Client{Transport: s.public, Timeout: time.Minute}
	email := fmt.Sprintf("ann-%d@example.com", time.Now().UnixNano()) // the API outlives the test
	if err := journey(public, email); err != nil {
		t.Fatal(err)
	}
	if mails := mailsTo(t, email); len(mails) != 0 {
		t.Fatalf("before anybody sent: %v", mails)
	}
	for range 2 { // the second finds nothing left to send
		s.sweep(t)
	}
	mails := mailsTo(t, email)
	if len(mails) != 1 {
		t.Fatalf("%d mails arrived\n%s", len(mails), s.functions["courier"].Log())
	}
	found := link.FindStringSubmatch(mails[0])
	if found == nil {
		t.Fatalf("no link in %s", mails[0])
	}
	target := "https://id.example/self-service/verification?flow=" + found[2]
	for _, row := range []struct{ code, want string }{{wrong(found[1]), "sent_email"}, {found[1], "passed_challenge"}} {
		status, flow, err := ask(public, http.MethodPost, target, "", map[string]string{"method": "code", "code": row.code})
		if err != nil || status != http.StatusOK || flow["state"] != row.want {
			t.Errorf("a code is answered %d %v %v, want %s", status, flow["state"], err, row.want)
		}
	}
	code := recovers(t, s, public, email)
	for name, f := range s.functions {
		if log := f.Log(); strings.Contains(log, found[1]) || strings.Contains(log, `"`+code+`"`) || strings.Contains(log, email) {
			t.Errorf("%s logs what the mail said: %s", name, log)
		}
	}
}

// sweep has the courier send what waits, as its schedule does.
func (s *stack) sweep(t *testing.T) {
	t.Helper()
	answer, err := s.functions["courier"].Invoke(t.Context(), []byte(`{"source":"aws.events"}`))
	if err != nil || string(answer) != "null" {
		t.Fatalf("the courier answers %s, %v\n%s", answer, err, s.functions["courier"].Log())
	}
}

// digits are the code in a mail.
var digits = regexp.MustCompile(`\b\d{6}\b`)

// recovers gets somebody back in by a code that is mailed, to settings where
// another password is set, and returns the code.
func recovers(t *testing.T, s *stack, public *http.Client, email string) string {
	t.Helper()
	action, err := start(public, "recovery", "")
	if err != nil {
		t.Fatal(err)
	}
	before := mailsTo(t, email)
	status, flow, err := ask(public, http.MethodPost, action, "", map[string]string{"method": "code", "email": email})
	if err != nil || status != http.StatusOK || flow["state"] != "sent_email" {
		t.Fatalf("asking for a code: %d %v %v", status, flow, err)
	}
	s.sweep(t)
	mails := mailsTo(t, email)
	if len(mails) != len(before)+1 {
		t.Fatalf("%d mails arrived", len(mails)-len(before))
	}
	code := ""
	for _, mail := range mails {
		if !slices.Contains(before, mail) {
			code = digits.FindString(mail)
		}
	}
	token, settings := "", ""
	for _, guess := range []string{wrong(code), code} {
		status, flow, err = ask(public, http.MethodPost, action, "", map[string]string{"method": "code", "code": guess})
		if err != nil || status != http.StatusOK {
			t.Fatalf("a code is answered %d %v %v", status, flow, err)
		}
		next, _ := flow["continue_with"].([]any)
		if (len(next) > 0) != (guess == code) {
			t.Errorf("a code that is right, %v: continue with %v", guess == code, next)
		}
		for _, way := range next {
			way := way.(map[string]any)
			switch way["action"] {
			case "set_ory_session_token":
				token = way["ory_session_token"].(string)
			case "show_settings_ui":
				settings = way["flow"].(map[string]any)["id"].(string)
			}
		}
	}
	status, flow, err = ask(public, http.MethodPost, base+"/self-service/settings?flow="+settings, token, map[string]string{"method": "password", "password": firstPassword})
	if err != nil || status != http.StatusOK || flow["state"] != "success" {
		t.Fatalf("another password: %d %v %v", status, flow, err)
	}
	if _, err := signIn(public, email, firstPassword); err != nil {
		t.Error(err)
	}
	return code
}

// wrong is a code that is not this one.
func wrong(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}
