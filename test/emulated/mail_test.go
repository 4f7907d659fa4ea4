//go:build emulated

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// TestTheStreamAloneBringsMail: with the schedule off and nothing on the queue,
// it is the table's stream that wakes the courier. Each mail goes out once.
func TestTheStreamAloneBringsMail(t *testing.T) {
	d := deployed(t)
	d.scheduled(t, "DisableRule")
	defer d.scheduled(t, "EnableRule")
	people := []string{somebody("one"), somebody("two"), somebody("three")}
	for _, email := range people {
		d.registers(t, email)
	}
	for _, email := range people {
		d.mail(t, email, 1)
	}
	if n := d.waiting(t, "CourierQueue"); n > 0 {
		t.Errorf("%d messages are on the queue", n)
	}
	// Long enough for who would send again.
	time.Sleep(time.Second)
	for _, email := range people {
		d.mail(t, email, 1)
	}
}

// TestTheScheduleFindsWhatTheStreamLost: nobody reads the stream, so the message
// stays; the event that the schedule sends brings the mail, once.
func TestTheScheduleFindsWhatTheStreamLost(t *testing.T) {
	d := deployed(t)
	client := lambda.NewFromConfig(d.config())
	courier := d.Functions["courier"]
	mappings, err := client.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{FunctionName: &courier})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range mappings.EventSourceMappings {
		reads := func(ctx context.Context, yes bool) {
			if _, err := client.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: one.UUID, Enabled: &yes}); err != nil {
				t.Fatal(err)
			}
		}
		reads(t.Context(), false)
		defer reads(context.WithoutCancel(t.Context()), true)
	}
	email := somebody("lost")
	d.registers(t, email)
	d.message(t, email, "queued", 0)
	for range 2 {
		said, err := client.Invoke(t.Context(), &lambda.InvokeInput{
			FunctionName: &courier, Payload: []byte(`{"version":"0","source":"aws.events","detail-type":"Scheduled Event","detail":{}}`),
		})
		if err != nil || said.FunctionError != nil {
			t.Fatalf("the courier: %v, %+v", err, said)
		}
	}
	d.message(t, email, "sent", 1)
	d.mail(t, email, 1)
}

// scheduled turns the schedule on or off.
func (d *deployment) scheduled(t *testing.T, operation string) {
	t.Helper()
	d.asks(t, "events", "AWSEvents."+operation, map[string]string{"Name": d.physical(t, "Sweep")}, nil)
}

// waiting is how many messages a queue of the stack holds, for now or later.
func (d *deployment) waiting(t *testing.T, queue string) int {
	t.Helper()
	at := d.physical(t, queue)
	said, err := sqs.NewFromConfig(d.config()).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &at, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for name, value := range said.Attributes {
		if strings.HasPrefix(name, "ApproximateNumberOfMessages") {
			var n int
			if err := json.Unmarshal([]byte(value), &n); err != nil {
				t.Fatal(err)
			}
			held += n
		}
	}
	return held
}

// TestARefusedMailComesBackByTheQueue: SES refuses the courier, whose permission
// is gone; the message waits on the queue and goes out once there is one again.
func TestARefusedMailComesBackByTheQueue(t *testing.T) {
	d := deployed(t)
	email := somebody("patient")
	giveBack := d.without(t, "courier", "ses:SendEmail")
	d.registers(t, email)
	message := d.message(t, email, "queued", 1)
	if !strings.Contains(string(message), "AccessDenied") {
		t.Errorf("the message does not say why: %s", message)
	}
	d.mail(t, email, 0)
	giveBack()
	d.mail(t, email, 1)
	d.message(t, email, "sent", 2)
	if n := d.waiting(t, "CourierFailures"); n > 0 {
		t.Errorf("%d events failed", n)
	}
}

// TestWhatSESReportsLandsOnTheMessage: its mailbox simulator bounces and
// complains, and the account's event bus says so to the courier.
func TestWhatSESReportsLandsOnTheMessage(t *testing.T) {
	d := deployed(t)
	for simulated, want := range map[string]string{
		"bounce":    "Bounce: Permanent, General: smtp; 550 5.1.1 user unknown",
		"complaint": "Complaint: abuse",
	} {
		who, _, _ := strings.Cut(somebody(simulated), "@")
		email := strings.Replace(who, "-", "+", 1) + "@simulator.amazonses.com"
		d.registers(t, email)
		d.mail(t, email, 1)
		for until := time.Now().Add(4 * patience); ; time.Sleep(50 * time.Millisecond) {
			message := string(d.message(t, email, "sent", 1))
			if strings.Contains(message, want) {
				break
			}
			if time.Now().After(until) {
				t.Fatalf("the message does not say %q: %s", want, message)
			}
		}
	}
}

// message waits until the one message to an address has that status after so
// many attempts.
func (d *deployment) message(t *testing.T, recipient, status string, attempts int) []byte {
	t.Helper()
	admin := d.administrator(t)
	for until := time.Now().Add(4 * patience); ; time.Sleep(50 * time.Millisecond) {
		said := admin.wants(http.StatusOK, http.MethodGet, "/admin/courier/messages?recipient="+url.QueryEscape(recipient), nil)
		var list []struct {
			ID, Status string
			Dispatches []json.RawMessage
			Count      int `json:"send_count"`
		}
		if err := json.Unmarshal(said.body, &list); err != nil {
			t.Fatal(err)
		}
		if len(list) == 1 && list[0].Status == status && list[0].Count == attempts {
			return admin.wants(http.StatusOK, http.MethodGet, "/admin/courier/messages/"+list[0].ID, nil).body
		}
		if time.Now().After(until) {
			t.Fatalf("no message to %s that is %s after %d attempts: %s", recipient, status, attempts, said)
		}
	}
}
