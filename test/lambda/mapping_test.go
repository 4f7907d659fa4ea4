package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"styx/test/lambda"
)

// judge is a function that fails on some records, in one of two ways.
type judge struct {
	fails  map[string]int // how often each fails
	report bool           // whether it reports them, or fails as a whole
	seen   []string       // the batches, in order
}

func (j *judge) Invoke(_ context.Context, event []byte) ([]byte, error) {
	var in struct{ Records []string }
	if err := json.Unmarshal(event, &in); err != nil {
		return nil, err
	}
	j.seen = append(j.seen, strings.Join(in.Records, ""))
	var failed []string
	for _, record := range in.Records {
		if j.fails[record] > 0 {
			j.fails[record]--
			failed = append(failed, fmt.Sprintf(`{"itemIdentifier":%q}`, record))
		}
	}
	if len(failed) > 0 && !j.report {
		return nil, errors.New("failed")
	}
	return []byte(`{"batchItemFailures":[` + strings.Join(failed, ",") + `]}`), nil
}

func TestMapping(t *testing.T) {
	for name, row := range map[string]struct {
		fails     map[string]int
		report    bool
		bisect    bool
		seen      string
		discarded string
	}{
		"all is well":                           {seen: "abcd ef"},
		"a reported record and all after it":    {fails: map[string]int{"c": 1}, report: true, seen: "abcd cd ef"},
		"the lowest of two counts":              {fails: map[string]int{"b": 1, "d": 1}, report: true, seen: "abcd bcd ef"},
		"given up with all after it":            {fails: map[string]int{"c": 9}, report: true, seen: "abcd cd cd ef", discarded: "cd"},
		"a whole batch":                         {fails: map[string]int{"b": 1}, seen: "abcd abcd ef"},
		"a whole batch is given up":             {fails: map[string]int{"b": 9}, seen: "abcd abcd abcd ef", discarded: "abcd"},
		"halved until it is alone":              {fails: map[string]int{"b": 9}, bisect: true, seen: "abcd ab a b b b cd ef", discarded: "b"},
		"reported, and halved when it is first": {fails: map[string]int{"c": 9}, report: true, bisect: true, seen: "abcd cd c c d ef", discarded: "c"},
	} {
		j := &judge{fails: row.fails, report: row.report}
		var discarded strings.Builder
		m := lambda.Mapping{Function: j, Batch: 4, Attempts: 2, Bisect: row.bisect, Discard: func(records []lambda.Record) {
			for _, r := range records {
				discarded.WriteString(r.Sequence)
			}
		}}
		var records []lambda.Record
		for id := range strings.SplitSeq("abcdef", "") {
			records = append(records, lambda.Record{Sequence: id, Event: json.RawMessage(`"` + id + `"`)})
		}
		if err := m.Deliver(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		if seen := strings.Join(j.seen, " "); seen != row.seen || discarded.String() != row.discarded {
			t.Errorf("%s: batches %q, gave up %q; want %q and %q", name, seen, discarded.String(), row.seen, row.discarded)
		}
	}
}

// strange is a function that answers what no mapping asked for.
type strange string

func (s strange) Invoke(context.Context, []byte) ([]byte, error) { return []byte(s), nil }

func TestMappingReadsAnswersAsDocumented(t *testing.T) {
	for answer, lost := range map[string]bool{
		`null`: false, `{}`: false, `{"batchItemFailures":null}`: false, `{"batchItemFailures":[]}`: false,
		``: true, `x`: true, `{"batchItemFailures":[{"itemIdentifier":""}]}`: true,
		`{"batchItemFailures":[{"itemIdentifier":null}]}`: true, `{"batchItemFailures":[{"item":"a"}]}`: true,
		`{"batchItemFailures":[{"itemIdentifier":"b"}]}`: true,
	} {
		var discarded []lambda.Record
		m := lambda.Mapping{Function: strange(answer), Batch: 1, Discard: func(records []lambda.Record) { discarded = slices.Concat(discarded, records) }}
		if err := m.Deliver(t.Context(), []lambda.Record{{Sequence: "a", Event: json.RawMessage(`"a"`)}}); err != nil {
			t.Fatal(err)
		}
		if got := len(discarded) == 1; got != lost {
			t.Errorf("%q: given up %v, want %v", answer, got, lost)
		}
	}
}
