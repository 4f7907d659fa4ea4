package lambda

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Options say how a function runs.
type Options struct {
	Binary  string        // the bootstrap
	Dir     string        // the unpacked zip: working directory and LAMBDA_TASK_ROOT; "" for this process\'s
	Env     []string      // NAME=value; nothing else is passed on but PATH
	Name    string        // AWS_LAMBDA_FUNCTION_NAME
	Timeout time.Duration // of one event; 0 for 29 s. Whoever takes longer is killed

	// Processes is how many run; 0 for one. Each is its own sandbox.
	Processes int
	// Concurrency is how many events one process takes at a time; 0 for one,
	// as Lambda does it outside of managed instances.
	Concurrency int
}

// Function is a Lambda function: processes that take events from one queue.
// It is safe for concurrent use.
type Function struct {
	processes []*process
	queue     chan *invocation
	stopped   chan struct{} // closed when no process will take an event any more
	stop      func()
}

// invocation is one event and what came of it.
type invocation struct {
	id       string
	event    []byte
	deadline time.Time
	alarm    *time.Timer // goes off when its time is up
	done     chan result // holds one
}

type result struct {
	answer []byte
	err    error
}

// ErrFunction says that the function answered an event with an error, too late,
// or not at all: to a client of an HTTP API both are a 500 that no handler wrote.
var ErrFunction = errors.New("function error")

// Start runs the function and waits until every process asked for an event.
// The caller stops it.
func Start(ctx context.Context, options Options) (*Function, error) {
	if options.Timeout == 0 {
		options.Timeout = 29 * time.Second
	}
	options.Processes = max(options.Processes, 1)
	options.Concurrency = max(options.Concurrency, 1)
	f := &Function{queue: make(chan *invocation), stopped: make(chan struct{})}
	f.stop = sync.OnceFunc(func() { close(f.stopped) })
	for range options.Processes {
		p, err := startProcess(ctx, options, f.queue)
		if err != nil {
			f.Stop()
			return nil, err
		}
		f.processes = append(f.processes, p)
	}
	for _, p := range f.processes {
		if err := p.ready(ctx); err != nil {
			f.Stop()
			return nil, err
		}
	}
	go func() {
		for _, p := range f.processes {
			<-p.ended
		}
		f.stop()
	}()
	return f, nil
}

// Invoke hands the event to the next free process and returns its answer. It
// waits while all are busy.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	one := &invocation{event: event, done: make(chan result, 1)}
	select {
	case f.queue <- one:
	case <-f.stopped:
		return nil, fmt.Errorf("%w: no process is left", ErrFunction)
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a free process: %w", ctx.Err())
	}
	select {
	case came := <-one.done:
		return came.answer, came.err
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the answer: %w", ctx.Err())
	}
}

// Stop ends every process.
func (f *Function) Stop() {
	f.stop()
	for _, p := range f.processes {
		p.kill()
	}
}

// Measure is what one process took. Times are wall times, sizes bytes.
type Measure struct {
	Start    time.Duration // from the process's start to its first call of /next
	Resident int64         // now; 0 where /proc does not tell
	Peak     int64
}

// Measures are those of every process.
func (f *Function) Measures() []Measure {
	var all []Measure
	for _, p := range f.processes {
		all = append(all, p.measure())
	}
	return all
}

// Log is what the processes wrote to standard output and standard error.
func (f *Function) Log() string {
	var all strings.Builder
	for _, p := range f.processes {
		all.WriteString(p.output.String())
	}
	return all.String()
}
