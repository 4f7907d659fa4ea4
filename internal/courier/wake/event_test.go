package wake

import (
	"encoding/json"
	"testing"
)

func TestTaskOfRecord(t *testing.T) {
	for name, row := range map[string]struct {
		record string
		want   task
		ok     bool
	}{
		"written": {
			`{"eventSource":"aws:dynamodb","dynamodb":{"SequenceNumber":"7","ApproximateCreationDateTime":1795348800,` +
				`"NewImage":{"st":{"S":"queued"},"exp":{"N":"1795348800900"},"gs":{"S":"0198"}}}}`,
			task{"0198", "7"},
			true,
		},
		"written by a clock ahead": {
			`{"eventSource":"aws:dynamodb","dynamodb":{"SequenceNumber":"7","ApproximateCreationDateTime":1795348800,` +
				`"NewImage":{"st":{"S":"queued"},"exp":{"N":"1795348801900"},"gs":{"S":"0198"}}}}`,
			task{"0198", "7"},
			true,
		},
		"without a time": {
			`{"eventSource":"aws:dynamodb","dynamodb":{"SequenceNumber":"7","NewImage":{"st":{"S":"queued"},"exp":{"N":"1795348800900"},"gs":{"S":"0198"}}}}`,
			task{"0198", "7"},
			true,
		},
		"to be tried again": {
			`{"eventSource":"aws:dynamodb","dynamodb":{"SequenceNumber":"7","ApproximateCreationDateTime":1795348800,` +
				`"NewImage":{"st":{"S":"queued"},"exp":{"N":"1795348802250"},"gs":{"S":"0198"}}}}`,
			task{},
			false,
		},
		"claimed": {
			`{"eventSource":"aws:dynamodb","dynamodb":{"SequenceNumber":"7","NewImage":{"st":{"S":"processing"},"gs":{"S":"0198"}}}}`,
			task{},
			false,
		},
		"deleted":        {`{"eventSource":"aws:dynamodb","dynamodb":{"SequenceNumber":"7"}}`, task{}, false},
		"of the queue":   {`{"eventSource":"aws:sqs","messageId":"m","body":"0198"}`, task{"0198", "m"}, true},
		"of nobody":      {`{}`, task{}, false},
		"of another one": {`{"eventSource":"aws:s3"}`, task{}, false},
	} {
		var r record
		if err := json.Unmarshal([]byte(row.record), &r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, ok := r.task(); got != row.want || ok != row.ok {
			t.Errorf("%s: %+v, %v, want %+v", name, got, ok, row.want)
		}
	}
}

func TestEventsOfNobody(t *testing.T) {
	for _, payload := range []string{``, `null`, `{}`, `[]`, `{"Records":[]}`, `{"Records":7}`, `{"source":"aws.s3"}`} {
		if answer, err := new(Handler).Invoke(t.Context(), []byte(payload)); err == nil {
			t.Errorf("%s is answered with %s", payload, answer)
		}
	}
}

// A record that asks for something names the message and itself.
func FuzzTask(f *testing.F) {
	f.Add([]byte(`{"eventSource":"aws:sqs","messageId":"m","body":"0198"}`))
	f.Add([]byte(`{"dynamodb":{"SequenceNumber":"7","ApproximateCreationDateTime":1e300,"NewImage":{"st":{"S":"queued"},"exp":{"N":"-9223372036854775808"}}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r record
		if err := json.Unmarshal(raw, &r); err != nil {
			return
		}
		if got, ok := r.task(); !ok && got != (task{}) {
			t.Fatalf("half of a task: %+v", got)
		}
	})
}
