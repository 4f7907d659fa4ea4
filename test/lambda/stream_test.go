//go:build dynamodb

package lambda_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"styx/test/dynamodb"
	"styx/test/lambda"
)

// mapping is the courier's event source mapping as the stack makes it, and what
// it gave up.
func (p *post) mapping(t *testing.T) (*lambda.Mapping, *[]lambda.Record) {
	t.Helper()
	given := new([]lambda.Record)
	return &lambda.Mapping{
		Function: p.courier(t), Batch: 10, Attempts: 5, Bisect: true,
		Discard: func(records []lambda.Record) { *given = append(*given, records...) },
	}, given
}

// deliver has the mapping deliver records, of which it gives up some.
func (p *post) deliver(t *testing.T, records []lambda.Record) (givenUp []lambda.Record) {
	t.Helper()
	m, given := p.mapping(t)
	if err := m.Deliver(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	return *given
}

// refuse has the table refuse every write to the message to somebody.
func (p *post) refuse(t *testing.T, email string, how dynamodb.Answer) {
	t.Helper()
	key := "M#" + p.message(t, email).ID
	p.proxy.Script(func(c dynamodb.Call) dynamodb.Answer {
		if c.Writes() && strings.Contains(c.Body, key) {
			return how
		}
		return dynamodb.Forward
	})
}

// TestBatchThatFailsInPart: the answer names exactly the record whose message
// could not be written; it comes again, and nobody gets a mail twice.
func TestBatchThatFailsInPart(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	people := p.ask(t, 5)
	records := p.stream(t)
	p.refuse(t, people[2], dynamodb.Throttle)
	answer, err := p.functions["courier"].Invoke(t.Context(), lambda.Event(records))
	if want := fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":%q}]}`, records[2].Sequence); err != nil || string(answer) != want {
		t.Fatalf("the courier answers %s, %v, want %s", answer, err, want)
	}
	p.proxy.Script(nil)
	if given := p.deliver(t, records[2:]); len(given) != 0 {
		t.Errorf("given up: %d records", len(given))
	}
	p.sent(t, 1, people...)
	p.discreet(t, nil)
}

// TestRecordThatNeverWorks is given up alone; all others are delivered, newer
// ones too, and a sweep delivers what it was about once that works again.
func TestRecordThatNeverWorks(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	people := p.ask(t, 12)
	records := p.stream(t)
	p.refuse(t, people[3], dynamodb.Deny)
	given := p.deliver(t, records)
	p.proxy.Script(nil)
	if len(given) != 1 || given[0].Sequence != records[3].Sequence {
		t.Fatalf("given up: %d records", len(given))
	}
	p.sent(t, 1, slices.Delete(slices.Clone(people), 3, 4)...)
	if m := p.message(t, people[3]); m.Status != "queued" || m.SendCount != 0 {
		t.Errorf("what it was about: %+v", m)
	}
	p.sweep(t)
	p.sent(t, 1, people...)
}

// TestCourierThatDoesNotStart gives up every record, as a bad deployment would.
// The next deployment's sweep delivers all.
func TestCourierThatDoesNotStart(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	people := p.ask(t, 3)
	records := p.stream(t)
	p.kill("courier")
	m, given := p.mapping(t)
	m.Function = p.functions["courier"] // and no other starts
	if err := m.Deliver(t.Context(), records); err != nil || len(*given) != len(records) {
		t.Fatalf("given up: %d records, %v", len(*given), err)
	}
	p.start(t.Context(), t, "courier")
	p.sweep(t)
	p.sent(t, 1, people...)
}

// TestMalformedRecords: those that say nothing are done, those that can not be
// read are given up alone.
func TestMalformedRecords(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	people := p.ask(t, 4)
	good := p.stream(t)
	id := p.message(t, people[0]).ID
	harmless := []string{
		`{}`, `null`, `{"eventSource":"aws:dynamodb"}`, `{"eventSource":"aws:kinesis","data":"x"}`,
		`{"eventSource":"aws:dynamodb","dynamodb":{"SequenceNumber":"1","NewImage":{"st":{"S":"queued"}}}}`,
		`{"eventSource":"aws:dynamodb","dynamodb":{"SequenceNumber":"1","NewImage":{"st":{"S":"queued"},"gs":{"S":"../` + id + `"}}}}`,
		`{"eventSource":"aws:dynamodb","dynamodb":{"SequenceNumber":"1","NewImage":{"st":{"S":"queued"},"gs":{"S":"01a21887-97a8-7e5a-a6a5-be17efa9169a"},"exp":{"N":"x"}}}}`,
	}
	unreadable := []string{
		`7`, `{"eventSource":7}`, `{"dynamodb":[]}`, `{"dynamodb":{"SequenceNumber":7}}`, `{"dynamodb":{"NewImage":{"st":"queued"}}}`,
	}
	var records []lambda.Record
	for n, raw := range slices.Concat(harmless, unreadable) {
		records = append(records, lambda.Record{Sequence: fmt.Sprint("malformed ", n), Event: json.RawMessage(raw)})
		if n < len(good) {
			records = append(records, good[n])
		}
	}
	given := p.deliver(t, records)
	var what []string
	for _, record := range given {
		what = append(what, string(record.Event))
	}
	if !slices.Equal(what, unreadable) {
		t.Errorf("given up: %q", what)
	}
	p.sent(t, 1, people...)
}

// TestRecordsOutOfOrderAndTwice: a mail is sent once whatever the news of it.
func TestRecordsOutOfOrderAndTwice(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	people := p.ask(t, 4)
	records := p.stream(t)
	back := slices.Clone(records)
	slices.Reverse(back)
	if given := p.deliver(t, slices.Concat(back, records, records)); len(given) != 0 {
		t.Errorf("given up: %d records", len(given))
	}
	p.sent(t, 1, people...)

	// Two batches with the same news at once, from two shards of one stream, and
	// a sweep.
	more := p.ask(t, 4)
	records = p.stream(t)
	var running sync.WaitGroup
	for range 3 {
		running.Go(func() {
			f, err := lambda.Start(t.Context(), p.options["courier"])
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Stop()
			if answer, err := f.Invoke(t.Context(), lambda.Event(records)); err != nil || !bytes.Contains(answer, []byte(`[]`)) {
				t.Errorf("the courier answers %s, %v", answer, err)
			}
		})
	}
	running.Wait()
	p.sent(t, 1, more...)
}

// TestCourierKilledMidBatch kills the courier while it sends. What SES did not
// have yet comes again once its lease is over; what it had may come twice, which
// is all that can be promised.
func TestCourierKilledMidBatch(t *testing.T) {
	for name, row := range map[string]struct {
		had   bool // SES took the mail, and its yes was never noted
		mails int
	}{
		"before SES has it": {false, 1},
		"after SES took it": {true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPost(t)
			people := p.ask(t, 4)
			records := p.stream(t)
			var once sync.Once
			p.ses.script(func(body string) fate {
				if !strings.Contains(body, people[1]) {
					return nil
				}
				var its fate
				once.Do(func() {
					its = func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
						if row.had {
							forward.ServeHTTP(httptest.NewRecorder(), r)
						}
						p.kill("courier")
						cut(w, r, forward)
					}
				})
				return its
			})
			if given := p.deliver(t, records); len(given) != 0 {
				t.Errorf("given up: %d records", len(given))
			}
			p.whole(t)
			for _, email := range people {
				switch m := p.message(t, email); m.Status {
				case "sent":
				case "processing":
					if _, put := p.queued(t)[m.ID]; !put {
						t.Errorf("the queue does not bring it back: %+v", m)
					}
					p.due(t, email)
				default:
					t.Errorf("%+v", m)
				}
			}
			p.sweep(t)
			p.sent(t, row.mails, people[1])
			for _, email := range people {
				if m := p.message(t, email); m.Status != "sent" || len(mailsTo(t, email)) < 1 || len(mailsTo(t, email)) > m.SendCount {
					t.Errorf("%d mails of %+v", len(mailsTo(t, email)), m)
				}
			}
		})
	}
}
