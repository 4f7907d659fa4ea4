package wake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"styx/internal/courier"
	"styx/internal/courier/ses"
	"styx/internal/outbound"
	"styx/internal/secret"
	"styx/internal/table"
)

const (
	// width is how many deliveries run at a time, the size of a batch.
	width = 10
	// sweepLimit is how many messages one sweep brings.
	sweepLimit = 500
	// reserve is left of the function's time to answer: what an answer that comes
	// too late says is lost, and the process with it.
	reserve = time.Second
)

// Handler delivers what events name. Later may be nil, all else is required.
type Handler struct {
	Courier *courier.Courier
	// Remark adds to a message what became of it.
	Remark func(ctx context.Context, id string, d courier.Dispatch) error
	// Later has the function woken for a message after a while; nil leaves that
	// to the sweep.
	Later func(ctx context.Context, id string, wait time.Duration) error
}

// answer says which records of a batch are to come again.
type answer struct {
	Failures []failure `json:"batchItemFailures"`
}

type failure struct {
	Item string `json:"itemIdentifier"`
}

// Invoke handles one event. Its answer names the records whose message could
// not be read or written; a message that could not be sent is not one of them,
// for the outbox has it.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, cancel := outbound.WithBudget(ctx, reserve)
	defer cancel()
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	ctx, tally := table.WithTally(ctx)
	switch {
	case len(e.Records) > 0:
		return json.Marshal(answer{h.batch(ctx, tally, e.Records)})
	case e.Source == fromSchedule:
		return []byte("null"), h.sweep(ctx, tally)
	case e.Source == fromSES:
		return []byte("null"), h.returned(ctx, payload)
	}
	return nil, errors.New("read event: neither of a stream, a queue, a schedule nor of SES")
}

// batch delivers what records name and returns those that are to come again.
func (h *Handler) batch(ctx context.Context, tally *table.Tally, records []record) []failure {
	var tasks []task
	for _, r := range records {
		if one, ok := r.task(); ok {
			tasks = append(tasks, one)
		}
	}
	failures := []failure{}
	for at, err := range h.each(ctx, tasks) {
		if err != nil {
			failures = append(failures, failure{tasks[at].item})
		}
	}
	h.note(ctx, tally, records[0].Source, len(tasks), len(failures))
	return failures
}

// sweep delivers what is due. What it could not reach in its time is found
// again.
func (h *Handler) sweep(ctx context.Context, tally *table.Tally) error {
	ids, err := h.Courier.Outbox.Due(ctx, sweepLimit)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	tasks := make([]task, len(ids))
	for at, id := range ids {
		tasks[at].message = id
	}
	failed := 0
	for _, one := range h.each(ctx, tasks) {
		if one != nil {
			failed, err = failed+1, one
		}
	}
	h.note(ctx, tally, fromSchedule, len(tasks), failed)
	if failed > 0 {
		return fmt.Errorf("sweep: %d of %d messages: %w", failed, len(ids), err)
	}
	return nil
}

// note writes the line about an event.
func (h *Handler) note(ctx context.Context, tally *table.Tally, by string, messages, failed int) {
	h.Courier.Log.InfoContext(ctx, "courier woken", slog.String("by", by),
		slog.Int("messages", messages), slog.Int("failed", failed),
		slog.Int("table_calls", len(tally.Calls())), slog.Float64("rcu", tally.RCU()), slog.Float64("wcu", tally.WCU()))
}

// each delivers messages, a few at a time. It returns how each went.
func (h *Handler) each(ctx context.Context, tasks []task) []error {
	ended := make([]error, len(tasks))
	room := make(chan struct{}, width)
	var running sync.WaitGroup
	for at, one := range tasks {
		room <- struct{}{}
		running.Go(func() {
			defer func() { <-room }()
			ended[at] = h.deliver(ctx, one.message)
		})
	}
	running.Wait()
	return ended
}

// deliver delivers one message. A queue that does not take it back is no
// failure: the sweep finds it.
func (h *Handler) deliver(ctx context.Context, id string) error {
	again, err := h.Courier.Deliver(ctx, id)
	if err != nil {
		h.Courier.Log.ErrorContext(ctx, "courier could not use the outbox", slog.String("message", id), slog.Any("error", err))
		return err
	}
	if again.IsZero() || h.Later == nil {
		return nil
	}
	if err := h.Later(ctx, id, again.Sub(h.Courier.Now())); err != nil {
		h.Courier.Log.ErrorContext(ctx, "courier could not use the queue", slog.String("message", id), slog.Any("error", err))
	}
	return nil
}

// returned adds what SES reports to the message it is about.
func (h *Handler) returned(ctx context.Context, payload []byte) error {
	r, ok := ses.ReadReturn(payload)
	if !ok {
		return nil // about a mail that is not ours
	}
	now := h.Courier.Now()
	return h.Remark(ctx, r.Message, courier.Dispatch{
		ID: secret.NewV7(now, h.Courier.Rand).String(), Status: courier.DispatchFailed, Error: r.What,
		CreatedAt: now, UpdatedAt: now,
	})
}
