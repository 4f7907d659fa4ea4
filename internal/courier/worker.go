package courier

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Defaults of a Worker.
const (
	sweepEvery = 10 * time.Second
	width      = 32
	grace      = 5 * time.Second
	// backlog is how many wake-ups wait for the worker to look; those beyond it
	// are found by the sweep.
	backlog = 1024
	// sweepLimit is how many messages one sweep brings.
	sweepLimit = 500
	// retryAfter is when a message is looked at again whose outcome could not be
	// written.
	retryAfter = time.Second
)

// Worker delivers messages within this process: those it is woken for, those
// whose time has come, and those a sweep finds. It runs many deliveries at a
// time, so that a slow receiver holds up nobody else's mail.
type Worker struct {
	courier *Courier
	log     *slog.Logger
	woken   chan string

	// Every is the time between sweeps, Width how many deliveries run at a time,
	// Grace how long those that run may take to end once Run is to end. They may
	// be changed before Run.
	Every time.Duration
	Width int
	Grace time.Duration
}

// NewWorker returns a worker that has yet to [Worker.Run].
func NewWorker(c *Courier) *Worker {
	return &Worker{courier: c, log: c.Log, woken: make(chan string, backlog), Every: sweepEvery, Width: width, Grace: grace}
}

// Wake tells the worker that a message was written. It never blocks, and may be
// called before Run and after it.
func (w *Worker) Wake(id string) {
	select {
	case w.woken <- id:
	default: // the sweep finds it
	}
}

// outcome is the end of one delivery.
type outcome struct {
	id    string
	again time.Time
	err   error
}

// Run delivers until ctx ends, and returns when nothing of it runs any more:
// deliveries that have begun get some grace to end well, and what is left of
// them is tried again by the next process, once their lease has ended.
func (w *Worker) Run(ctx context.Context) {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	r := &round{
		Worker: w, done: make(chan outcome), swept: make(chan []string),
		state: map[string]bool{}, later: map[string]time.Time{},
	}
	defer r.running.Wait()
	sweeps := time.NewTicker(w.Every)
	defer sweeps.Stop()
	timer := time.NewTimer(w.Every)
	defer timer.Stop()
	r.sweep(work)
	for {
		r.start(work)
		timer.Reset(r.wait())
		select {
		case id := <-w.woken:
			r.add(id)
		case ids := <-r.swept:
			r.sweeping = false
			for _, id := range ids {
				r.add(id)
			}
		case o := <-r.done:
			r.end(o)
		case <-timer.C:
			r.due()
		case <-sweeps.C:
			r.sweep(work)
		case <-ctx.Done():
			r.drain(stop)
			return
		}
	}
}

// round is the state of one Run; only Run's goroutine touches it.
type round struct {
	*Worker
	queue []string
	// state has every message that is queued here or being delivered, true when
	// it was woken again meanwhile.
	state    map[string]bool
	later    map[string]time.Time // when to look at a message again
	active   int
	sweeping bool

	done    chan outcome
	swept   chan []string
	running sync.WaitGroup
}

func (r *round) add(id string) {
	if _, known := r.state[id]; known {
		r.state[id] = true
		return
	}
	r.state[id] = false
	delete(r.later, id)
	r.queue = append(r.queue, id)
}

// start begins as many deliveries as there is room for.
func (r *round) start(ctx context.Context) {
	for len(r.queue) > 0 && r.active < r.Width {
		id := r.queue[0]
		r.queue = r.queue[1:]
		r.state[id] = false
		r.active++
		r.running.Go(func() {
			again, err := r.courier.Deliver(ctx, id)
			select {
			case r.done <- outcome{id, again, err}:
			case <-ctx.Done():
			}
		})
	}
}

func (r *round) end(o outcome) {
	r.active--
	woken := r.state[o.id]
	delete(r.state, o.id)
	switch {
	case o.err != nil:
		r.log.Error("courier could not write to the outbox", "message", o.id, "error", o.err)
		r.later[o.id] = r.courier.Now().Add(retryAfter)
	case woken:
		r.add(o.id)
	case !o.again.IsZero():
		r.later[o.id] = o.again
	}
}

// wait is how long nothing is due.
func (r *round) wait() time.Duration {
	now, wait := r.courier.Now(), r.Every
	for _, at := range r.later {
		wait = min(wait, at.Sub(now))
	}
	return max(wait, 0)
}

func (r *round) due() {
	now := r.courier.Now()
	for id, at := range r.later {
		if !at.After(now) {
			r.add(id)
		}
	}
}

func (r *round) sweep(ctx context.Context) {
	if r.sweeping {
		return
	}
	r.sweeping = true
	r.running.Go(func() {
		ids, err := r.courier.Outbox.Due(ctx, sweepLimit)
		if err != nil && ctx.Err() == nil {
			r.log.Error("courier could not sweep the outbox", "error", err)
		}
		select {
		case r.swept <- ids:
		case <-ctx.Done():
		}
	})
}

// drain waits for what has begun, for as long as grace lasts.
func (r *round) drain(stop context.CancelFunc) {
	limit := time.NewTimer(r.Grace)
	defer limit.Stop()
	for r.active > 0 || r.sweeping {
		select {
		case o := <-r.done:
			r.end(o)
		case <-r.swept:
			r.sweeping = false
		case <-limit.C:
			stop()
			return
		}
	}
}
