package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// quickstart is the folder with the configuration that a new project starts
// from. What is measured runs with it, save for what environment overrides.
const quickstart = "examples/quickstart"

// hash is a way to hash passwords, as environment variables set it.
type hash struct {
	name     string
	settings []string
}

// The hashes that are measured: one that costs next to nothing, so that the
// rest of the system is seen, and the one that a new project starts with.
var (
	cheap = hash{"bcrypt, cost 4", []string{"HASHERS_ALGORITHM=bcrypt", "HASHERS_BCRYPT_COST=4"}}
	sound = hash{"argon2id, 19 MiB, t=2, p=1", nil}
)

// environment is that of a process which is measured.
func (h hash) environment(dsn string) []string {
	return append([]string{
		"DSN=" + dsn,
		// A check over the network would measure the network.
		"SELFSERVICE_METHODS_PASSWORD_CONFIG_HAVEIBEENPWNED_ENABLED=false",
		"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench",
	}, h.settings...)
}

// instance is a running `styx serve`.
type instance struct {
	site

	command *exec.Cmd
	boot    time.Duration // from the start of the process until it listens
}

// serve starts the server and waits until it listens. The caller stops it.
func (b *bench) serve(ctx context.Context, h hash, dsn string) (*instance, error) {
	public, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	admin, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	i := &instance{site: site{
		public: "http://127.0.0.1:" + public, admin: "http://127.0.0.1:" + admin,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}}
	log, err := os.Create(filepath.Join(b.out, "styx.log"))
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	defer func() { _ = log.Close() }() // the server has its own hold of it
	i.command = exec.CommandContext(ctx, b.styx, "serve", "--dev", "-c", "styx.yml")
	i.command.Dir = quickstart
	i.command.Env = append(h.environment(dsn),
		"SERVE_PUBLIC_HOST=127.0.0.1", "SERVE_PUBLIC_PORT="+public, "SERVE_ADMIN_PORT="+admin)
	i.command.Stderr = log
	said, err := i.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	began := time.Now()
	if err := i.command.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	// It says where it listens once it does.
	if _, err := bufio.NewReader(said).ReadString('\n'); err != nil {
		i.stop()
		text, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("the server did not start: %w\n%s", err, text)
	}
	i.boot = time.Since(began)
	return i, nil
}

func (i *instance) stop() {
	_ = i.command.Process.Signal(syscall.SIGTERM) // fails where the process has ended
	_ = i.command.Wait()
}

// tick is the unit of times in /proc: USER_HZ is 100 on every Linux.
const tick = 10 * time.Millisecond

// cpu is the processor time the server has used, in its own code and in the
// kernel on its behalf.
func (i *instance) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(i.proc("stat"))
	if err != nil {
		return 0, fmt.Errorf("processor time: %w", err)
	}
	// The second field is the command's name in parentheses, which may hold
	// anything; utime and stime are the 14th and 15th.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("processor time: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// resident is the memory the server holds, in bytes.
func (i *instance) resident() (int64, error) {
	statm, err := os.ReadFile(i.proc("statm"))
	if err != nil {
		return 0, fmt.Errorf("resident memory: %w", err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

func (i *instance) proc(file string) string {
	return filepath.Join("/proc", strconv.Itoa(i.command.Process.Pid), file)
}

// freePort is a port on loopback that nobody listens on.
func freePort(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return "", err
	}
	return port, listener.Close()
}
