//go:build dynamodb

package ses

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"styx/internal/config"
	"styx/internal/courier"
	"styx/test/dynamodb"
)

// mailbox is what the emulator says was sent.
type mailbox struct {
	Messages map[string][]json.RawMessage `json:"messages"` // by account
}

// TestMailArrives sends through a real SES v2 API: the one beside the DynamoDB
// API that tests get.
func TestMailArrives(t *testing.T) {
	endpoint := dynamodb.Endpoint(t)
	set := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": endpoint,
	}
	// The API outlives the test: names of one's own.
	own := strconv.FormatInt(time.Now().UnixNano(), 36)
	from, to := "no-reply-"+own+"@shop.example.org", "ann-"+own+"@example.org"
	s, err := New(Options{
		Config: config.SMTP{
			FromAddress: from, FromName: "Harbour",
			Headers: map[string]string{
				"Reply-To": "help@shop.example.org", "X-SES-MESSAGE-TAGS": "campaign=one",
				"X-SES-CONFIGURATION-SET": own, "X-Own": "yes",
			},
		},
		Getenv: getenv(set), HTTPClient: http.DefaultClient,
	})
	if err != nil {
		t.Fatal(err)
	}
	l := &courier.Letter{
		ID: "0198c0de-0000-7000-8000-000000000001", To: to,
		Content: courier.Content{Subject: "Use code 123456", Text: "The code is 123456.", HTML: "<b>123456</b>"},
	}
	err = s.Send(t.Context(), l)
	if _, refused := errors.AsType[*courier.RefusedError](err); !refused {
		t.Errorf("from an address that is not ours: %v", err)
	}
	if _, err := s.client.CreateEmailIdentity(t.Context(), &sesv2.CreateEmailIdentityInput{EmailIdentity: &from}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.CreateConfigurationSet(t.Context(), &sesv2.CreateConfigurationSetInput{ConfigurationSetName: &own}); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint+"/_ministack/ses/messages", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var box mailbox
	if err := json.NewDecoder(resp.Body).Decode(&box); err != nil {
		t.Fatal(err)
	}
	arrived := 0
	for _, mails := range box.Messages {
		for _, mail := range mails {
			got := string(mail)
			if !strings.Contains(got, to) {
				continue
			}
			arrived++
			for _, want := range []string{from, "Harbour", "Use code 123456", "The code is 123456.", "<b>123456</b>"} {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in %s", want, got)
				}
			}
		}
	}
	if arrived != 1 {
		t.Errorf("%d mails arrived", arrived)
	}
}
