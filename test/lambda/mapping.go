package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// Mapping hands the records of one shard of a stream to a function, as AWS
// documents its event source mappings: in order and in batches, each until it
// is done. What a batch's answer does not name is done up to the first record
// it names; the rest comes again. A batch that fails as a whole is halved, which
// is no attempt, or else tried again.
type Mapping struct {
	Function interface {
		Invoke(ctx context.Context, event []byte) ([]byte, error)
	}
	Batch    int  // records at most
	Attempts int  // to deliver a batch again; MaximumRetryAttempts
	Bisect   bool // BisectBatchOnFunctionError
	// Discard is told what is given up; the failure destination.
	Discard func(records []Record)
}

// Record is one of a stream.
type Record struct {
	Sequence string // SequenceNumber
	Event    json.RawMessage
}

// batch is records that come together, and how often they did in vain.
type batch struct {
	records []Record
	failed  int
}

// Deliver hands over the records and returns when each is done or given up.
func (m *Mapping) Deliver(ctx context.Context, records []Record) error {
	var waiting []batch
	for some := range slices.Chunk(records, m.Batch) {
		waiting = append(waiting, batch{records: some})
	}
	for len(waiting) > 0 {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("deliver records: %w", err)
		}
		next := waiting[0]
		waiting = append(m.deliver(ctx, next), waiting[1:]...)
	}
	return nil
}

// deliver hands over one batch and returns what of it is to come again.
func (m *Mapping) deliver(ctx context.Context, b batch) []batch {
	answer, err := m.Function.Invoke(ctx, Event(b.records))
	done := 0
	if err == nil {
		done = b.done(answer)
	}
	rest := b.records[done:]
	switch {
	case len(rest) == 0:
		return nil
	case done > 0:
		return []batch{{rest, 1}}
	case m.Bisect && len(rest) > 1:
		half := len(rest) / 2
		return []batch{{rest[:half], b.failed}, {rest[half:], b.failed}}
	case b.failed == m.Attempts:
		m.Discard(rest)
		return nil
	}
	return []batch{{rest, b.failed + 1}}
}

// Event is the event that hands records to a function.
func Event(records []Record) []byte {
	event := []byte(`{"Records":[`)
	for n, record := range records {
		if n > 0 {
			event = append(event, ',')
		}
		event = append(event, record.Event...)
	}
	return append(event, "]}"...)
}

// done is how many of the batch's records need not come again, by the function's
// answer: those before the first that it names. An answer that can not be read,
// or names what is not in the batch, says that all have failed.
func (b batch) done(answer []byte) int {
	var said *struct {
		Failures []struct {
			Item string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if json.Unmarshal(answer, &said) != nil {
		return 0
	}
	done := len(b.records)
	if said == nil {
		return done
	}
	for _, failure := range said.Failures {
		at := slices.IndexFunc(b.records, func(r Record) bool { return r.Sequence == failure.Item })
		if at < 0 {
			return 0
		}
		done = min(done, at)
	}
	return done
}
