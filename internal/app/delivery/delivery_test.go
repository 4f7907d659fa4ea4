package delivery

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/app"
	"styx/internal/app/mail"
	"styx/internal/app/programs"
	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/courier/wake"
	"styx/internal/identity"
	"styx/internal/table"
	"styx/internal/table/local"
)

const settings = `
dev: true
identity: {schemas: [{id: default, url: "base64://eyJwcm9wZXJ0aWVzIjp7fX0="}]}
selfservice: {default_browser_return_url: "http://127.0.0.1:4433/"}
`

// office is the courier function over an embedded table, with a receiver and a
// queue that remember.
type office struct {
	t *testing.T
	*app.App
	*wake.Handler

	mu     sync.Mutex
	now    time.Time
	refuse error // what the receiver says
	lost   error // what the queue says
	sent   []courier.Letter
	waits  map[string]time.Duration
	broken bool // of the table
}

func open(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), waits: map[string]time.Duration{}}
	clock := func() time.Time { return o.now }
	c, _, err := config.Load([]config.Source{{Name: "test", Data: []byte(settings)}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := local.Memory(local.Options{Now: clock, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = memory.Close() })
	if o.App, err = app.New(app.Parts{Config: c, Table: &breakable{memory, o}, Now: clock, Rand: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	delivers, err := mail.New(o.App, programs.New(nil), slog.New(slog.DiscardHandler), func(config.SMTP) (courier.Send, error) {
		return o.receive, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Handler = &wake.Handler{Courier: delivers, Remark: o.Engine.Store.Remark, Later: o.later}
	return o
}

// breakable is a table that can be out of reach.
type breakable struct {
	table.Table
	of *office
}

func (b *breakable) Get(ctx context.Context, keys ...table.Key) ([]*table.Item, error) {
	if b.of.broken {
		return nil, errors.New("out of reach")
	}
	return b.Table.Get(ctx, keys...)
}

func (o *office) receive(_ context.Context, l *courier.Letter) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refuse != nil {
		return o.refuse
	}
	o.sent = append(o.sent, *l)
	return nil
}

func (o *office) later(_ context.Context, id string, wait time.Duration) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waits[id] = wait
	return o.lost
}

// post writes a message, as the change that causes it does.
func (o *office) post() *courier.Message {
	o.t.Helper()
	m, err := o.Engine.Press.Message(courier.Draft{
		Template: courier.LoginCodeValid, Via: identity.ViaEmail, To: "ann@example.org",
		Data: map[string]any{courier.LoginCode: "918273", courier.ExpiresInMinutes: 15},
	})
	if err != nil {
		o.t.Fatal(err)
	}
	if err := o.Engine.Store.Post(o.t.Context(), m); err != nil {
		o.t.Fatal(err)
	}
	return m
}

// written is what the stream says of a message as it is stored now.
func (o *office) written(id string) string {
	o.t.Helper()
	items, err := o.Table.Get(o.t.Context(), table.Key{PK: "0.M#" + id, SK: "#"})
	if err != nil || items[0] == nil {
		o.t.Fatalf("no message: %v", err)
	}
	item := items[0]
	return fmt.Sprintf(`{"eventSource":"aws:dynamodb","eventName":"MODIFY","dynamodb":{"SequenceNumber":"seq-%s",`+
		`"ApproximateCreationDateTime":%d,"NewImage":{"pk":{"S":%q},"st":{"S":%q},"exp":{"N":"%d"},"gs":{"S":%q}}}}`,
		id, o.now.Unix(), item.PK, item.St, item.Exp, item.GS)
}

func queued(id string) string {
	return fmt.Sprintf(`{"eventSource":"aws:sqs","messageId":"item-%s","body":%q}`, id, id)
}

const schedule = `{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}`

// woken invokes the function with records and returns its answer.
func (o *office) woken(records ...string) string {
	o.t.Helper()
	return o.invoke(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

func (o *office) invoke(event string) string {
	o.t.Helper()
	answer, err := o.Invoke(o.t.Context(), []byte(event))
	if err != nil {
		o.t.Fatalf("%s: %v", event, err)
	}
	return string(answer)
}

// is holds a message to its status and to how often anything was sent.
func (o *office) is(id string, status courier.Status, sent int) {
	o.t.Helper()
	m, err := o.Engine.Store.Message(o.t.Context(), id)
	if err != nil {
		o.t.Fatal(err)
	}
	if m.Status != status || len(o.sent) != sent {
		o.t.Errorf("the message is %s, %d were sent; want %s, %d", m.Status, len(o.sent), status, sent)
	}
}

const none = `{"batchItemFailures":[]}`

func TestStreamHandsOver(t *testing.T) {
	o := open(t)
	m := o.post()
	record := o.written(m.ID)
	for range 2 { // a stream may say the same twice
		if got := o.woken(record); got != none {
			t.Errorf("answers %s", got)
		}
	}
	o.is(m.ID, courier.Sent, 1)
	if len(o.waits) > 0 || !strings.Contains(o.sent[0].Text, "918273") || o.sent[0].To != "ann@example.org" {
		t.Errorf("sent %+v, waits %v", o.sent, o.waits)
	}
	if got := o.woken(o.written(m.ID)); got != none || len(o.sent) != 1 {
		t.Errorf("a message that was sent: %s, %d", got, len(o.sent))
	}
}

// The same message in two records of one batch, and in two batches at a time.
func TestOneMessageIsSentOnce(t *testing.T) {
	o := open(t)
	m := o.post()
	event := []byte(`{"Records":[` + o.written(m.ID) + "," + queued(m.ID) + "," + o.written(m.ID) + `]}`)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if got, err := o.Invoke(t.Context(), event); err != nil || string(got) != none {
				t.Errorf("answers %s, %v", got, err)
			}
		})
	}
	both.Wait()
	o.is(m.ID, courier.Sent, 1)
}

func TestLogSaysWhatAnEventCost(t *testing.T) {
	o := open(t)
	var log bytes.Buffer
	o.Courier.Log = slog.New(slog.NewJSONHandler(&log, nil))
	o.woken(o.written(o.post().ID))
	var line struct {
		Messages int     `json:"messages"`
		Calls    int     `json:"table_calls"`
		RCU      float64 `json:"rcu"`
		WCU      float64 `json:"wcu"`
	}
	last := bytes.Split(bytes.TrimSpace(log.Bytes()), []byte("\n"))
	if err := json.Unmarshal(last[len(last)-1], &line); err != nil {
		t.Fatal(err)
	}
	if line.Messages != 1 || line.Calls != 3 || line.RCU != 1 || line.WCU < 4 {
		t.Errorf("one message: %s", log.Bytes())
	}
}

func TestSweepFindsWhatNoStreamNamed(t *testing.T) {
	o := open(t)
	var all []*courier.Message
	for range 25 {
		all = append(all, o.post())
	}
	o.invoke(schedule)
	for _, m := range all {
		o.is(m.ID, courier.Sent, len(all))
	}
}

func TestFailuresAreTriedAgain(t *testing.T) {
	for name, row := range map[string]struct {
		refusal     error
		least, most time.Duration
	}{
		"failing":   {errors.New("451 later"), 2 * time.Second, 3 * time.Second},
		"throttled": {&courier.ThrottledError{Err: errors.New("slowly")}, 2 * time.Second, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t)
			m := o.post()
			o.refuse = row.refusal
			if got := o.woken(o.written(m.ID)); got != none {
				t.Errorf("the stream waits for the receiver: %s", got)
			}
			wait := o.waits[m.ID]
			if wait < row.least || wait > row.most {
				t.Errorf("waits %v", wait)
			}
			// Its own write of the failure says nothing new to the stream.
			clear(o.waits)
			o.woken(o.written(m.ID))
			if len(o.waits) > 0 {
				t.Errorf("waits twice: %v", o.waits)
			}
			// The queue is early, and takes it back.
			o.refuse = nil
			if got := o.woken(queued(m.ID)); got != none || o.waits[m.ID] != wait.Truncate(time.Millisecond) {
				t.Errorf("answers %s, waits %v", got, o.waits)
			}
			o.is(m.ID, courier.Queued, 0)
			o.now = o.now.Add(wait)
			o.woken(queued(m.ID))
			o.is(m.ID, courier.Sent, 1)
		})
	}
}

// Without a queue, or when it loses a message, the sweep tries again.
func TestSweepTriesAgain(t *testing.T) {
	for name, set := range map[string]func(*office){
		"no queue":  func(o *office) { o.Later = nil },
		"lost mail": func(o *office) { o.lost = errors.New("no") },
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t)
			set(o)
			m := o.post()
			o.refuse = errors.New("451 later")
			if got := o.woken(o.written(m.ID)); got != none {
				t.Errorf("answers %s", got)
			}
			o.refuse = nil
			o.invoke(schedule)
			o.is(m.ID, courier.Queued, 0) // not yet due
			o.now = o.now.Add(5 * time.Minute)
			o.invoke(schedule)
			o.is(m.ID, courier.Sent, 1)
		})
	}
}

// Only a table out of reach has the records come again.
func TestTableOutOfReach(t *testing.T) {
	o := open(t)
	m := o.post()
	stream, queue := o.written(m.ID), queued(m.ID)
	o.broken = true
	if got, want := o.woken(stream), `{"batchItemFailures":[{"itemIdentifier":"seq-`+m.ID+`"}]}`; got != want {
		t.Errorf("answers %s, want %s", got, want)
	}
	if got, want := o.woken(queue), `{"batchItemFailures":[{"itemIdentifier":"item-`+m.ID+`"}]}`; got != want {
		t.Errorf("answers %s, want %s", got, want)
	}
	if _, err := o.Invoke(t.Context(), []byte(schedule)); err == nil {
		t.Error("the sweep went well")
	}
	o.broken = false
	if got := o.woken(stream); got != none {
		t.Errorf("answers %s", got)
	}
	o.is(m.ID, courier.Sent, 1)
}

func TestReturnsAreKept(t *testing.T) {
	o := open(t)
	m := o.post()
	o.woken(o.written(m.ID))
	const bounce = `{"source":"aws.ses","detail-type":"Email Bounced","detail":{"eventType":"Bounce",` +
		`"mail":{"tags":{"styx-message":[%q]}},"bounce":{"bounceType":"Permanent","bounceSubType":"General"}}}`
	o.invoke(fmt.Sprintf(bounce, m.ID))
	o.invoke(fmt.Sprintf(bounce, "019aab7b-4c00-7000-8000-000000000001")) // one that is gone
	o.invoke(`{"source":"aws.ses","detail":{}}`)                          // somebody else's
	got, err := o.Engine.Store.Message(t.Context(), m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != courier.Sent || len(got.Dispatches) != 2 || got.Dispatches[0].Error != "Bounce: Permanent, General" {
		t.Errorf("the message is %s: %+v", got.Status, got.Dispatches)
	}
}

// TestStart: what the function needs is asked for before its first event, and
// nothing else is.
func TestStart(t *testing.T) {
	const overSMTP = settings + "courier: {smtp: {connection_uri: 'smtps://relay.example.org/'}}\n"
	const overHTTP = settings + "courier: {delivery_strategy: http, http: {request_config: {url: 'https://mail.example.org/', method: POST, body: 'file://./body.jsonnet'}}}\n"
	const badHeader = settings + "courier: {smtp: {headers: {X-SES-MESSAGE-TAGS: ab}}}\n"
	const queue = "https://sqs.eu-west-1.amazonaws.com/1/retries"
	for name, row := range map[string]struct {
		config, table, queue string
		ok                   bool
	}{
		"SES":               {settings, "styx", queue, true},
		"SMTP":              {overSMTP, "styx", queue, true},
		"HTTP":              {overHTTP, "styx", queue, true},
		"without a queue":   {settings, "styx", "", true},
		"without a table":   {settings, "", queue, false},
		"tags SES has not":  {badHeader, "styx", queue, false},
		"no configuration":  {"", "styx", queue, false},
		"not understood":    {"courier: 7", "styx", queue, false},
		"SMTP by strangers": {settings + "courier: {smtp: {connection_uri: 'ftp://x/'}}\n", "styx", queue, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if row.config != "" {
				if err := os.WriteFile("styx.yml", []byte(row.config), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			env := map[string]string{
				"STYX_TABLE": row.table, "STYX_COURIER_QUEUE": row.queue,
				"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key",
			}
			h, err := Courier(t.Context(), func(name string) string { return env[name] }, slog.New(slog.DiscardHandler))
			if (err == nil) != row.ok {
				t.Fatalf("starts: %v", err)
			}
			if err == nil && (h.Later != nil) != (row.queue != "") {
				t.Errorf("has a queue: %v", h.Later != nil)
			}
		})
	}
}
