package jsonnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// Limits bound one evaluation.
type Limits struct {
	Time   time.Duration `json:"time"`   // on the wall clock
	Memory int64         `json:"memory"` // bytes beyond what an idle evaluator has; held on Linux alone
	Output int           `json:"output"` // bytes of JSON
}

// DefaultLimits are far above what the body of a hook takes: about a millisecond
// and under a megabyte.
func DefaultLimits() Limits {
	return Limits{Time: 2 * time.Second, Memory: 64 << 20, Output: 1 << 20}
}

// startTime bounds how long an evaluator may take to greet.
const startTime = 5 * time.Second

// errGone says that an evaluator was dead before it was asked.
var errGone = errors.New("jsonnet: the evaluator is gone")

// Evaluator runs programs, each in one of a few processes. NewEvaluator makes one.
type Evaluator struct {
	limits Limits
	slots  chan *worker // one entry for each process there may be, nil while it is not started
}

// NewEvaluator returns an evaluator that runs at most that many programs at
// once; others wait. It starts no process yet.
func NewEvaluator(limits Limits, atOnce int) *Evaluator {
	e := &Evaluator{limits: limits, slots: make(chan *worker, max(atOnce, 1))}
	for range cap(e.slots) {
		e.slots <- nil
	}
	return e
}

// Close ends the processes, after the programs that run.
func (e *Evaluator) Close() {
	for range cap(e.slots) {
		if w := <-e.slots; w != nil {
			w.end()
		}
	}
	for range cap(e.slots) {
		e.slots <- nil
	}
}

// run asks one worker, a fresh one if the one at hand died in its sleep.
func (e *Evaluator) run(ctx context.Context, q query, source string) (answer, error) {
	var w *worker
	select {
	case w = <-e.slots:
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
	defer func() { e.slots <- w }()
	for fresh := false; ; {
		if w == nil {
			var err error
			if w, err = start(ctx, e.limits); err != nil {
				return answer{}, err
			}
			fresh = true
		}
		a, err := w.ask(ctx, e.limits, q, source)
		if err == nil {
			return a, nil
		}
		w.end()
		w = nil
		if !errors.Is(err, errGone) {
			return answer{}, err
		}
		if fresh {
			return answer{}, outOfMemory(e.limits)
		}
	}
}

// worker is one evaluator process.
type worker struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     io.Reader
	sent    map[string]bool // programs whose source it has
}

// start starts a process and waits for its greeting.
func start(ctx context.Context, limits Limits) (*worker, error) {
	path, err := executable()
	if err != nil {
		return nil, fmt.Errorf("find the executable for an evaluator: %w", err)
	}
	// It outlives the request, asleep.
	process := exec.CommandContext(context.WithoutCancel(ctx), path, flag) //nolint:gosec // this very executable
	process.Env = []string{"GOTRACEBACK=none", "GOMAXPROCS=1"}
	process.SysProcAttr = apart()
	in, err := process.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start an evaluator: %w", err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start an evaluator: %w", err)
	}
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("start an evaluator: %w", err)
	}
	w := &worker{process: process, in: in, out: out, sent: make(map[string]bool)}
	err = w.during(ctx, startTime, func() error {
		if err := json.NewEncoder(in).Encode(order{limits}); err != nil {
			return err
		}
		said := make([]byte, len(greeting))
		if _, err := io.ReadFull(out, said); err != nil {
			return err
		}
		if string(said) != greeting {
			return errors.New("it says something else")
		}
		return nil
	})
	if err != nil {
		w.end()
		return nil, fmt.Errorf("start an evaluator (does the program call jsonnet.Main?): %w", err)
	}
	return w, nil
}

// ask has one query answered. After an error the worker is of no use; errGone
// says that it was, perhaps, before it was asked.
func (w *worker) ask(ctx context.Context, limits Limits, q query, source string) (answer, error) {
	if !w.sent[q.Program] {
		q.Source = &source
	}
	var a answer
	err := w.during(ctx, limits.Time, func() error {
		if err := json.NewEncoder(w.in).Encode(q); err != nil {
			return errGone
		}
		// A character of output takes six bytes at most, and the rest is small.
		if err := json.NewDecoder(io.LimitReader(w.out, int64(limits.Output)*6+maxText*6+1024)).Decode(&a); err != nil {
			_ = w.process.Wait() // it ends, or else it is killed in time
			if w.process.ProcessState.ExitCode() == exitOutOfMemory {
				return outOfMemory(limits)
			}
			return errGone
		}
		return nil
	})
	switch {
	case err == nil:
		w.sent[q.Program] = true
		return a, nil
	case errors.Is(err, errLate):
		return answer{}, fmt.Errorf("%w: more than %v", ErrLimit, limits.Time)
	case ctx.Err() != nil:
		return answer{}, ctx.Err()
	default:
		return answer{}, err
	}
}

func outOfMemory(limits Limits) error {
	return fmt.Errorf("%w: more than %d bytes of memory", ErrLimit, limits.Memory)
}

// errLate says that a worker took longer than it may.
var errLate = errors.New("too late")

// during does something that waits for the process, which is killed, so that
// the waiting ends, when the time is over or ctx ends. Then the error is errLate
// or ctx's.
func (w *worker) during(ctx context.Context, limit time.Duration, do func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errLate)
	defer cancel()
	stop := context.AfterFunc(ctx, w.kill)
	err := do()
	if !stop() { // it was killed, answer or no answer
		return context.Cause(ctx)
	}
	return err
}

func (w *worker) kill() { _ = w.process.Process.Kill() }

// end kills the process and waits until it is gone.
func (w *worker) end() {
	w.kill()
	_ = w.in.Close()
	_ = w.process.Wait() // also closes the other end
}
