//go:build dynamodb

package lambda_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"styx/test/dynamodb"
	"styx/test/lambda"
)

// post is a drill whose courier sees SES and its queue through receivers.
type post struct {
	*drill
	ses, sqs *receiver
	queue    string // its URL
	read     int    // records of the stream so far
}

func newPost(t *testing.T, env ...string) *post {
	t.Helper()
	p := &post{ses: newReceiver(t, dynamodb.Endpoint(t)), sqs: newReceiver(t, dynamodb.Endpoint(t))}
	var made struct{ QueueUrl string }
	askSQS(t, "CreateQueue", map[string]any{"QueueName": "styx-" + strings.TrimPrefix(address(), "person-")[:20]}, &made)
	p.queue = made.QueueUrl
	p.drill = deployment{
		timeout:   6 * time.Second,
		functions: []string{"admin", "recovery", "courier"},
		env: append([]string{
			"AWS_ENDPOINT_URL_SESV2=" + p.ses.url, "AWS_ENDPOINT_URL_SQS=" + p.sqs.url, "STYX_COURIER_QUEUE=" + p.queue,
		}, env...),
	}.drill(t)
	return p
}

// askSQS calls the emulator's queues.
func askSQS(t *testing.T, operation string, in, out any) {
	t.Helper()
	emulatorCall(t, http.MethodPost, "/", in, out, http.Header{
		"X-Amz-Target":  {"AmazonSQS." + operation},
		"Content-Type":  {"application/x-amz-json-1.0"},
		"Authorization": {signature("sqs")},
	})
}

// courier hands events to the courier and, where that ended its process, has
// Lambda start another.
func (p *post) courier(t *testing.T) invoker {
	t.Helper()
	return func(ctx context.Context, event []byte) ([]byte, error) {
		answer, err := p.functions["courier"].Invoke(ctx, event)
		if err != nil {
			p.kill("courier")
			p.start(ctx, t, "courier")
		}
		return answer, err
	}
}

type invoker func(ctx context.Context, event []byte) ([]byte, error)

func (f invoker) Invoke(ctx context.Context, event []byte) ([]byte, error) { return f(ctx, event) }

// ask has people ask for a recovery code, and returns whom: a message is waiting
// for each.
func (p *post) ask(t *testing.T, people int) []string {
	t.Helper()
	var all []string
	for range people {
		email := p.person(t)
		if a := p.send(attempt{method: http.MethodPost, target: p.begins(t, "recovery", ""), body: map[string]string{"method": "code", "email": email}}); !a.acknowledged() {
			t.Fatal(a)
		}
		all = append(all, email)
	}
	return all
}

// stream returns the records since the last call that the mapping's filter lets
// through, oldest first.
func (p *post) stream(t *testing.T) []lambda.Record {
	t.Helper()
	all := dynamodb.Stream(t, dynamodb.Endpoint(t), p.table)
	var passed []lambda.Record
	for _, record := range all[p.read:] {
		if record.Image["st"].S == "queued" {
			passed = append(passed, lambda.Record{Sequence: record.Sequence, Event: record.Raw})
		}
	}
	p.read = len(all)
	return passed
}

// message is what the admin API shows of the one message to somebody.
type message struct {
	ID         string
	Status     string
	SendCount  int `json:"send_count"`
	Dispatches []struct {
		Status string
		Error  *struct{ Message string }
	}
}

func (p *post) message(t *testing.T, email string) message {
	t.Helper()
	admin := &http.Client{Transport: p.admin}
	_, said, err := exchange(admin, http.MethodGet, "https://admin.example/admin/courier/messages?recipient="+email, "", nil)
	var all []message
	if err == nil {
		err = json.Unmarshal(said, &all)
	}
	if err != nil || len(all) != 1 {
		t.Fatalf("messages to %s: %s %v", email, said, err)
	}
	var one message
	_, said, err = exchange(admin, http.MethodGet, "https://admin.example/admin/courier/messages/"+all[0].ID, "", nil)
	if err == nil {
		err = json.Unmarshal(said, &one)
	}
	if err != nil {
		t.Fatalf("message %s: %s %v", all[0].ID, said, err)
	}
	return one
}

// due lets the time pass until a message is due, or its lease over.
func (p *post) due(t *testing.T, email string) {
	t.Helper()
	dynamodb.SetNumber(t, dynamodb.Endpoint(t), p.table, "0.M#"+p.message(t, email).ID, "#", "exp", time.Now().Add(-time.Second).UnixMilli())
}

// sent checks that the message to each of these is noted as sent, and how many
// mails arrived.
func (p *post) sent(t *testing.T, mails int, people ...string) {
	t.Helper()
	for _, email := range people {
		if m := p.message(t, email); m.Status != "sent" || len(mailsTo(t, email)) != mails {
			t.Errorf("%s has %d mails, want %d: %+v", email, len(mailsTo(t, email)), mails, m)
		}
	}
}

// queued are the ids that the courier put on its queue, with the delay it asked
// for in seconds.
func (p *post) queued(t *testing.T) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, body := range p.sqs.heard() {
		var put struct {
			QueueUrl     string
			MessageBody  string
			DelaySeconds int
		}
		if err := json.Unmarshal([]byte(body), &put); err != nil || put.QueueUrl != p.queue {
			t.Fatalf("the queue was asked %s: %v", body, err)
		}
		all[put.MessageBody] = put.DelaySeconds
	}
	return all
}

// retry has the queue wake the courier with all it holds that many messages of.
func (p *post) retry(t *testing.T, many int) {
	t.Helper()
	var event struct {
		Records []map[string]string
	}
	for until := time.Now().Add(20 * time.Second); len(event.Records) < many; {
		if time.Now().After(until) {
			t.Fatalf("the queue gave %d messages, want %d", len(event.Records), many)
		}
		var got struct {
			Messages []struct{ MessageId, Body string }
		}
		askSQS(t, "ReceiveMessage", map[string]any{"QueueUrl": p.queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 5}, &got)
		for _, m := range got.Messages {
			event.Records = append(event.Records, map[string]string{"eventSource": "aws:sqs", "messageId": m.MessageId, "body": m.Body})
		}
	}
	encoded, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	p.wake(t, encoded)
}

// wake hands the courier an event of which nothing fails.
func (p *post) wake(t *testing.T, event []byte) {
	t.Helper()
	answer, err := p.functions["courier"].Invoke(t.Context(), event)
	if err != nil || string(answer) != `{"batchItemFailures":[]}` {
		t.Fatalf("the courier answers %s, %v\n%s", answer, err, p.functions["courier"].Log())
	}
}

// TestReceiverThatFails: whatever SES says or does not say, the courier answers
// in time and nothing is lost. What may pass comes back by the queue; what SES
// refused for good waits for an administrator.
func TestReceiverThatFails(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	rows := []struct {
		name    string
		fate    fate
		status  string
		counted int // dispatches
		mails   int // in the end
	}{
		{"answers", nil, "sent", 1, 1},
		{"throttles", says(http.StatusTooManyRequests, "TooManyRequestsException"), "queued", 0, 1},
		{"fails", says(http.StatusInternalServerError, "InternalFailure"), "queued", 1, 1},
		{"hangs up", cut, "queued", 1, 1},
		{"is silent", silent, "queued", 1, 1},
		{"refuses", says(http.StatusBadRequest, "MessageRejected"), "abandoned", 1, 1},
		// A yes that nobody heard: at least once, not once.
		{"takes it and hangs up", lost, "queued", 1, 2},
	}
	people := p.ask(t, len(rows))
	p.ses.script(func(body string) fate {
		for n, email := range people {
			if strings.Contains(body, email) {
				return rows[n].fate
			}
		}
		return nil
	})
	p.wake(t, lambda.Event(p.stream(t)))
	queued := p.queued(t)
	waiting := 0
	for n, row := range rows {
		m := p.message(t, people[n])
		if m.Status != row.status || m.SendCount != row.counted {
			t.Errorf("SES %s: %+v", row.name, m)
		}
		delay, put := queued[m.ID]
		if put != (row.status == "queued") || put && delay != 3 {
			t.Errorf("SES %s: the queue has it %v, for %d s", row.name, put, delay)
		}
		if put {
			waiting++
		}
	}
	if again := p.stream(t); len(again) != waiting {
		t.Errorf("the stream tells of %d messages that wait, want %d", len(again), waiting)
	} else {
		p.wake(t, lambda.Event(again)) // the same news, by another way: too early
	}

	p.ses.script(nil)
	p.retry(t, waiting)
	refused := people[5]
	if m := p.message(t, refused); m.Status != "abandoned" || m.Dispatches[0].Error.Message != "MessageRejected: refused by the test" {
		t.Errorf("what SES refused: %+v", m)
	}
	p.requeue(t, refused)
	p.sweep(t)
	for n, row := range rows {
		p.sent(t, row.mails, people[n])
	}
	p.sweep(t)
	for n, row := range rows {
		p.sent(t, row.mails, people[n])
	}
	p.discreet(t, nil)
}

// requeue has an administrator queue an abandoned message again.
func (p *post) requeue(t *testing.T, email string) {
	t.Helper()
	target := fmt.Sprintf("https://admin.example/admin/courier/messages/%s/retry", p.message(t, email).ID)
	if status, said, err := ask(&http.Client{Transport: p.admin}, http.MethodPost, target, "", nil); err != nil || status != http.StatusOK {
		t.Fatalf("retry: %d %v %v", status, said, err)
	}
}

// TestMessageIsAbandonedAfterItsAttempts, and goes out when it is queued again.
func TestMessageIsAbandonedAfterItsAttempts(t *testing.T) {
	t.Parallel()
	p := newPost(t, "COURIER_MESSAGE_RETRIES=2")
	email := p.ask(t, 1)[0]
	p.ses.script(always(says(http.StatusServiceUnavailable, "ServiceUnavailable")))
	for attempt, want := range []string{"queued", "queued", "abandoned", "abandoned"} {
		p.due(t, email)
		p.sweep(t)
		if m := p.message(t, email); m.Status != want || m.SendCount != min(attempt+1, 3) {
			t.Errorf("after attempt %d: %+v", attempt+1, m)
		}
	}
	p.ses.script(nil)
	p.requeue(t, email)
	p.sweep(t)
	p.sent(t, 1, email)
}

// TestMessageThatKillsTheCourier, as one that takes all its memory would, is
// abandoned after its attempts. Whatever was being sent beside it has lost an
// attempt as well.
func TestMessageThatKillsTheCourier(t *testing.T) {
	t.Parallel()
	p := newPost(t, "COURIER_MESSAGE_RETRIES=1")
	people := p.ask(t, 3)
	deadly := people[1]
	p.ses.script(func(body string) fate {
		if !strings.Contains(body, deadly) {
			return nil
		}
		return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			p.kill("courier")
			cut(w, r, forward)
		}
	})
	if given := p.deliver(t, p.stream(t)); len(given) != 0 {
		t.Errorf("given up: %d records", len(given))
	}
	for range 2 { // the queue brings each back once its lease is over
		for _, email := range people {
			m := p.message(t, email)
			if m.Status != "processing" {
				continue
			}
			p.due(t, email)
			_, _ = p.courier(t).Invoke(t.Context(), fmt.Appendf(nil, `{"Records":[{"eventSource":"aws:sqs","messageId":"m","body":%q}]}`, m.ID))
		}
	}
	for _, email := range people {
		m := p.message(t, email)
		if email == deadly && (m.Status != "abandoned" || m.SendCount != 2) {
			t.Errorf("what kills the courier: %+v", m)
		}
		if email != deadly && (m.Status != "sent" || m.SendCount > 2) {
			t.Errorf("what was sent beside it: %+v", m)
		}
	}
	p.ses.script(nil)
	p.requeue(t, deadly)
	p.sweep(t)
	p.sent(t, 1, deadly)
}

// TestQueueThatFails: the sweep delivers what the queue did not take.
func TestQueueThatFails(t *testing.T) {
	for name, fails := range map[string]fate{
		"refuses": says(http.StatusInternalServerError, "InternalError"), "hangs up": cut, "is silent": silent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPost(t)
			people := p.ask(t, 2)
			p.ses.script(always(says(http.StatusServiceUnavailable, "ServiceUnavailable")))
			p.sqs.script(always(fails))
			p.wake(t, lambda.Event(p.stream(t)))
			p.ses.script(nil)
			for _, email := range people {
				if m := p.message(t, email); m.Status != "queued" || m.SendCount != 1 {
					t.Errorf("%+v", m)
				}
				p.due(t, email)
			}
			p.sweep(t)
			p.sent(t, 1, people...)
		})
	}
}
