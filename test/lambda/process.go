package lambda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// process is one sandbox: a process and the Runtime API it talks to.
type process struct {
	command  *exec.Cmd
	server   *http.Server
	queue    <-chan *invocation
	timeout  time.Duration
	output   output
	started  time.Time
	ended    chan struct{} // closed when the process is gone
	asked    chan struct{} // closed by the first call of /next
	askFirst func()

	mu      sync.Mutex
	toNext  time.Duration
	running map[string]*invocation
	count   int
	refused string // what /init/error was told
}

// output is what a process writes: a file without a name, so that a line is
// there to read as soon as it was written, and gone with the process that reads.
type output struct{ file *os.File }

func newOutput() (output, error) {
	file, err := os.CreateTemp("", "styx-function-*.log")
	if err != nil {
		return output{}, fmt.Errorf("function's output: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return output{}, errors.Join(fmt.Errorf("function's output: %w", err), file.Close())
	}
	return output{file}, nil
}

func (o output) String() string {
	// ReadAt leaves the offset alone, which the process shares.
	text, err := io.ReadAll(io.NewSectionReader(o.file, 0, math.MaxInt64))
	if err != nil {
		return fmt.Sprintf("%s(unreadable: %v)", text, err)
	}
	return string(text)
}

func startProcess(ctx context.Context, options Options, queue <-chan *invocation) (*process, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("runtime api: %w", err)
	}
	output, err := newOutput()
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p := &process{
		queue:   queue,
		timeout: options.Timeout,
		output:  output,
		ended:   make(chan struct{}),
		asked:   make(chan struct{}),
		running: make(map[string]*invocation),
	}
	p.askFirst = sync.OnceFunc(func() {
		p.mu.Lock()
		p.toNext = time.Since(p.started)
		p.mu.Unlock()
		close(p.asked)
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", p.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", p.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", p.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", p.initFailure)
	p.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}

	p.command = exec.Command(options.Binary) //nolint:noctx // runs what the test names, until it is killed
	p.command.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(),
		"AWS_LAMBDA_FUNCTION_NAME=" + options.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769",
		"AWS_LAMBDA_MAX_CONCURRENCY=" + strconv.Itoa(options.Concurrency),
		"PATH=" + os.Getenv("PATH"),
		"TZ=:UTC",
	}, options.Env...)
	if p.command.Dir = options.Dir; options.Dir != "" {
		p.command.Env = append(p.command.Env, "LAMBDA_TASK_ROOT="+options.Dir)
	}
	p.command.Stdout, p.command.Stderr = output.file, output.file
	p.started = time.Now()
	if err := p.command.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", options.Binary, err), listener.Close())
	}
	go func() {
		// The server ends with the process, in the goroutine below.
		_ = p.server.Serve(listener)
	}()
	go func() {
		cause := p.command.Wait()
		close(p.ended)
		p.abandon(cause)
		_ = p.server.Close()
	}()
	return p, nil
}

// ready waits until the process asks for its first event.
func (p *process) ready(ctx context.Context) error {
	select {
	case <-p.asked:
		return nil
	case <-p.ended:
		p.mu.Lock()
		defer p.mu.Unlock()
		return fmt.Errorf("%w: ended before its first event\n%s\n%s", ErrFunction, p.refused, p.output)
	case <-ctx.Done():
		return fmt.Errorf("wait for the first call of /next: %w", ctx.Err())
	}
}

func (p *process) next(w http.ResponseWriter, r *http.Request) {
	p.askFirst()
	select {
	case one := <-p.queue:
		p.mu.Lock()
		p.count++
		one.id = fmt.Sprintf("00000000-0000-4000-8000-%012d", p.count)
		one.deadline = time.Now().Add(p.timeout)
		one.alarm = time.AfterFunc(p.timeout, func() { p.overdue(one) })
		p.running[one.id] = one
		p.mu.Unlock()
		select {
		case <-p.ended:
			// It ended between asking and being given: abandon may have run already.
			p.abandon(errors.New("before it took the event"))
			return
		default:
		}
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", one.id)
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(one.deadline.UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:000000000000:function:function")
		header.Set("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0")
		_, _ = w.Write(one.event)
	case <-p.ended:
	case <-r.Context().Done():
	}
}

func (p *process) response(w http.ResponseWriter, r *http.Request) {
	answer, err := io.ReadAll(r.Body)
	if err != nil {
		err = fmt.Errorf("%w: answer cut off: %w", ErrFunction, err)
	}
	p.finish(w, r.PathValue("id"), result{answer, err})
}

func (p *process) failure(w http.ResponseWriter, r *http.Request) {
	said, _ := io.ReadAll(r.Body)
	p.finish(w, r.PathValue("id"), result{nil, fmt.Errorf("%w: %s", ErrFunction, said)})
}

func (p *process) initFailure(w http.ResponseWriter, r *http.Request) {
	said, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	p.refused = string(said)
	p.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

// finish gives an event its result; a second answer to it is refused.
func (p *process) finish(w http.ResponseWriter, id string, came result) {
	p.mu.Lock()
	one := p.running[id]
	delete(p.running, id)
	p.mu.Unlock()
	if one == nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	one.alarm.Stop()
	one.done <- came
	w.WriteHeader(http.StatusAccepted)
}

// overdue ends the process if it is still working on an event whose time is up,
// as Lambda does, whatever else the process was working on.
func (p *process) overdue(one *invocation) {
	p.mu.Lock()
	late := p.running[one.id] == one
	if late {
		delete(p.running, one.id)
		one.done <- result{nil, fmt.Errorf("%w: timed out after %v", ErrFunction, p.timeout)}
	}
	p.mu.Unlock()
	if late {
		p.kill()
	}
}

// abandon fails what the process was working on when it ended.
func (p *process) abandon(cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.running {
		one.alarm.Stop()
		one.done <- result{nil, fmt.Errorf("%w: process ended (%w)\n%s", ErrFunction, cause, p.output)}
	}
	clear(p.running)
}

// kill ends the process and waits for it.
func (p *process) kill() {
	// It fails where the process has ended by itself.
	_ = p.command.Process.Kill()
	<-p.ended
}

func (p *process) measure() Measure {
	p.mu.Lock()
	m := Measure{Start: p.toNext}
	p.mu.Unlock()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.command.Process.Pid) + "/status")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			m.Resident = kib << 10
		case "VmHWM":
			m.Peak = kib << 10
		}
	}
	return m
}
