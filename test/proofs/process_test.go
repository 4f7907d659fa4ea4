package proofs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"styx/test/program"
)

// process is a running "styx serve".
type process struct {
	*client

	command *exec.Cmd
	said    *said
	ended   chan struct{} // closed when it is gone
	status  error         // of its end; set by then
}

// said is what a process wrote so far.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// launch starts "styx serve" on two ports and does not wait for anything.
func launch(t *testing.T, dsn string, public, admin int, environ ...string) *process {
	t.Helper()
	path, err := program.Build()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "styx.yml")
	if err := os.WriteFile(file, []byte(settings()), 0o600); err != nil {
		t.Fatal(err)
	}
	publicURL, adminURL := fmt.Sprintf("http://127.0.0.1:%d", public), fmt.Sprintf("http://127.0.0.1:%d", admin)
	p := &process{client: newClient(t, publicURL, adminURL), said: &said{}, ended: make(chan struct{})}
	p.command = exec.Command(path, "serve", "-c", file)
	p.command.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "DSN=" + dsn,
		fmt.Sprintf("SERVE_PUBLIC_PORT=%d", public), "SERVE_PUBLIC_BASE_URL=" + publicURL + "/", "SERVE_PUBLIC_HOST=127.0.0.1",
		fmt.Sprintf("SERVE_ADMIN_PORT=%d", admin), "SERVE_ADMIN_BASE_URL=" + adminURL + "/", "SERVE_ADMIN_HOST=127.0.0.1",
	}, environ...)
	p.command.Stdout, p.command.Stderr = p.said, p.said
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.status = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("styx serve on port %d said:\n%s", public, p.said)
		}
	})
	return p
}

// serve starts "styx serve" on free ports and waits until it is ready.
func serve(t *testing.T, dsn string, environ ...string) *process {
	t.Helper()
	for range 5 {
		public, admin := program.FreePorts(t)
		p := launch(t, dsn, public, admin, environ...)
		if p.ready() {
			return p
		}
		// Somebody else may have taken a port between its choice and its use.
		if !strings.Contains(p.said.String(), "another process does") {
			break
		}
	}
	t.Fatal("styx serve did not get ready")
	return nil
}

func (p *process) ready() bool {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if a, err := p.try(http.MethodGet, p.public+"/health/ready", nil); err == nil && a.status == http.StatusOK {
			return true
		}
		select {
		case <-p.ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}

// kill ends the process with no chance to clean up.
func (p *process) kill() {
	_ = p.command.Process.Kill() // fails where it is gone already
	<-p.ended
}

// terminate asks the process to end.
func (p *process) terminate() {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Error(err)
	}
}

// exit waits for the end and returns the exit code, -1 for a signal.
func (p *process) exit() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		p.t.Fatal("styx serve does not end")
	}
	if failed, ok := errors.AsType[*exec.ExitError](p.status); ok {
		return failed.ExitCode()
	}
	return 0
}

func TestPortThatIsTaken(t *testing.T) {
	for api, setting := range map[string]string{"public": "serve.public.port", "admin": "serve.admin.port"} {
		t.Run(api, func(t *testing.T) {
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			public, admin := program.FreePorts(t)
			ports := map[string]int{"public": public, "admin": admin}
			ports[api] = listener.Addr().(*net.TCPAddr).Port
			p := launch(t, "memory", ports["public"], ports["admin"])
			code := p.exit()
			for _, part := range []string{api + " API", listener.Addr().String(), "another process", setting} {
				if code != 1 || !strings.Contains(p.said.String(), part) {
					t.Errorf("exit code %d and no word of %q:\n%s", code, part, p.said)
				}
			}
		})
	}
}

func TestFileThatIsTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "taken.db")
	first := serve(t, "file://"+path)
	public, admin := program.FreePorts(t)
	second := launch(t, "file://"+path, public, admin)
	if code := second.exit(); code != 1 || !strings.Contains(second.said.String(), path) || !strings.Contains(second.said.String(), "in use by another process") {
		t.Errorf("exit code %d:\n%s", code, second.said)
	}
	first.join("first@example.com")
	first.terminate()
	if code := first.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	serve(t, "file://"+path).enter("first@example.com")
}

// TestEndsGracefully asks a process to end while half of a registration has
// arrived: nobody new is let in, and the other half is answered.
func TestEndsGracefully(t *testing.T) {
	path := filepath.Join(t.TempDir(), "styx.db")
	p := serve(t, "file://"+path)
	action := p.flow("registration")
	body := fmt.Sprintf(`{"method":"password","password":%q,"traits":{"email":"slow@example.com"}}`, password)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(p.public, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
		strings.TrimPrefix(action, p.public), len(body))
	if _, err := conn.Write([]byte(head + body[:len(body)/2])); err != nil {
		t.Fatal(err)
	}
	p.join("quick@example.com") // by now the half has arrived, too
	p.terminate()
	p.refuses(p.public)
	select {
	case <-p.ended:
		t.Error("the process ended before its request did")
	default:
	}
	if _, err := conn.Write([]byte(body[len(body)/2:])); err != nil {
		t.Error(err)
	}
	var answer bytes.Buffer
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := answer.ReadFrom(conn); err != nil || !strings.HasPrefix(answer.String(), "HTTP/1.1 200") {
		t.Errorf("the request under way was answered %q, %v", answer.String(), err)
	}
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	serve(t, "file://"+path).enter("slow@example.com")
}

// refuses waits until nobody listens at an address any more.
func (p *process) refuses(address string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(address, "http://"))
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = conn.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.t.Errorf("%s still accepts connections", address)
}

// TestNoSecretIsLogged runs the scenario on a real process that logs all it can,
// and looks for every secret of it in what the process wrote, and in its file.
func TestNoSecretIsLogged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "styx.db")
	p := serve(t, "file://"+path)
	stays := scenario(p.client)
	p.terminate()
	if code := p.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	p.seen.complete(t)
	if !strings.Contains(p.said.String(), `"path":"/sessions/whoami"`) {
		t.Errorf("the log misses the requests:\n%s", p.said)
	}
	for _, found := range p.seen.found([]byte(p.said.String())) {
		t.Errorf("the log holds a %s", found)
	}
	content, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(content, []byte(stays)) {
		t.Errorf("the file does not even hold what it has to: %v", err)
	}
	for _, found := range p.seen.found(content) {
		if found != "code" { // in development a message that was sent stays readable
			t.Errorf("the file holds a %s", found)
		}
	}
}
