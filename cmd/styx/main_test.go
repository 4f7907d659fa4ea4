package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const settings = `
identity: {schemas: [{id: default, url: "base64://eyJwcm9wZXJ0aWVzIjp7InRyYWl0cyI6eyJ0eXBlIjoib2JqZWN0In19fQ=="}]}
selfservice: {default_browser_return_url: "http://127.0.0.1:4433/"}
`

// output is what a command prints, read while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "styx.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ended runs a command line that is to end by itself.
func ended(t *testing.T, environ []string, args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var stdout, stderr output
	code = run(ctx, args, environ, strings.NewReader(""), &stdout, &stderr)
	if ctx.Err() != nil {
		t.Fatalf("%q did not end: %s", args, stderr.String())
	}
	return code, stdout.String(), stderr.String()
}

// TestCommandLine is what can be said without serving anything: the exit code,
// and who is told.
func TestCommandLine(t *testing.T) {
	good := file(t, settings)
	missing := filepath.Join(t.TempDir(), "none.yml")
	for _, c := range []struct {
		name    string
		args    []string
		environ []string
		code    int
		out     string   // part of what is printed
		errs    []string // parts of what is complained
	}{
		{"help", []string{"help"}, nil, 0, "styx serve", nil},
		{"-h", []string{"-h"}, nil, 0, "styx serve", nil},
		{"--help", []string{"--help"}, nil, 0, "styx serve", nil},
		{"version", []string{"version"}, nil, 0, "styx ", nil},
		{"nothing", nil, nil, 2, "", []string{"Usage:"}},
		{"an unknown command", []string{"sing"}, nil, 2, "", []string{`there is no command "sing"`, "Usage:"}},
		{"an unknown flag", []string{"serve", "--sing"}, nil, 2, "", []string{"sing"}},
		{"a flag without its value", []string{"serve", "-c"}, nil, 2, "", []string{"-c"}},
		{"an argument too many", []string{"serve", "now"}, nil, 2, "", []string{`unexpected argument "now"`}},
		{"no configuration", []string{"serve"}, nil, 1, "", []string{"identity", "selfservice", "is required"}},
		{"a file that is not there", []string{"serve", "-c", missing}, nil, 1, "", []string{"none.yml"}},
		{"a file of no sense", []string{"serve", "-c", file(t, "a: [")}, nil, 1, "", []string{"styx.yml"}},
		{"several mistakes", []string{"serve", "--dev", "-c", file(t, settings+"sesion: {}\nlog:\n  level: loud\nhashers: {algorithm: md5}\n")}, nil, 1, "", []string{
			"sesion", "styx.yml:4", "log.level", "styx.yml:6", "hashers.algorithm", "styx.yml:7",
		}},
		{"a mistake in the environment", []string{"serve", "--dev", "-c", good}, []string{"SERVE_PUBLIC_PORT=many"}, 1, "", []string{"serve.public.port", "SERVE_PUBLIC_PORT"}},
		{"a SQL database", []string{"serve", "--dev", "-c", good}, []string{"DSN=postgres://styx:hunter2@db/styx"}, 1, "", []string{"dsn", "styx import"}},
		{"not ready for production", []string{"serve", "-c", good}, nil, 1, "", []string{"serve.public.base_url"}},
		{"a port that is no port", []string{"serve", "--dev", "-c", good}, []string{"SERVE_PUBLIC_PORT=70000"}, 1, "", []string{"serve.public.port"}},
		{"a courier without a command", []string{"courier"}, nil, 2, "", []string{"retry"}},
		{"a retry of nothing", []string{"courier", "retry"}, nil, 2, "", []string{"the id of a message"}},
		{"a retry where nobody listens", []string{"courier", "retry", "--endpoint", "http://127.0.0.1:1", "x"}, nil, 1, "", []string{"does not answer"}},
		{"a schema that is not there", []string{"serve", "--dev", "-c", file(t, strings.Replace(settings, "base64://", "file:///nowhere/", 1))}, nil, 1, "", []string{`"default"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := ended(t, c.environ, c.args...)
			if code != c.code || !strings.Contains(out, c.out) || c.out == "" && out != "" {
				t.Errorf("ends with %d and prints %q", code, out)
			}
			for _, part := range c.errs {
				if !strings.Contains(errs, part) {
					t.Errorf("%q is not said in:\n%s", part, errs)
				}
			}
			if len(c.errs) == 0 && errs != "" || strings.Contains(errs, "hunter2") {
				t.Errorf("complains: %s", errs)
			}
		})
	}
}

// TestCourierRetry says what the admin API says.
func TestCourierRetry(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.EscapedPath() != "/admin/courier/messages/good/retry" {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"error":{"reason":"The message is not abandoned."}}`)
		}
	}))
	defer api.Close()
	environ := []string{"STYX_ADMIN_URL=" + api.URL + "/"}
	if code, out, errs := ended(t, environ, "courier", "retry", "good"); code != 0 || out != "good\n" || errs != "" {
		t.Errorf("ends with %d, %q, %q", code, out, errs)
	}
	if code, out, errs := ended(t, environ, "courier", "retry", "../bad"); code != 1 || out != "" || !strings.Contains(errs, "The message is not abandoned.") {
		t.Errorf("ends with %d, %q, %q", code, out, errs)
	}
}

// freePort returns a port that nobody listens on.
func freePort(ctx context.Context) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}

func free(t *testing.T) int {
	t.Helper()
	port, err := freePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// serving is a server that runs.
type serving struct {
	public, admin string
	out, errs     *output
	stop          func() int
}

func started(t *testing.T, environ []string, args ...string) serving {
	t.Helper()
	s, err := launched(t.Context(), environ, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop() })
	return s
}

// launched starts a server on free ports, which runs until it is stopped.
func launched(ctx context.Context, environ []string, args ...string) (serving, error) {
	public, err := freePort(ctx)
	if err != nil {
		return serving{}, err
	}
	admin, err := freePort(ctx)
	if err != nil {
		return serving{}, err
	}
	environ = append([]string{
		fmt.Sprintf("SERVE_PUBLIC_PORT=%d", public), "SERVE_PUBLIC_HOST=127.0.0.1",
		fmt.Sprintf("SERVE_ADMIN_PORT=%d", admin), "SERVE_ADMIN_HOST=127.0.0.1",
	}, environ...)
	s := serving{
		public: fmt.Sprintf("http://127.0.0.1:%d", public), admin: fmt.Sprintf("http://127.0.0.1:%d", admin),
		out: new(output), errs: new(output),
	}
	ctx, cancel := context.WithCancel(ctx)
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"serve"}, args...), environ, strings.NewReader(""), s.out, s.errs)
	}()
	s.stop = sync.OnceValue(func() int { cancel(); return <-code })
	for range 500 {
		select {
		case ended := <-code:
			code <- ended
			return s, fmt.Errorf("ended with %d: %s", ended, s.errs)
		case <-time.After(20 * time.Millisecond):
		}
		if strings.Contains(s.out.String(), "admin API") {
			return s, nil
		}
	}
	s.stop()
	return s, fmt.Errorf("did not start: %s", s.errs)
}

func get(t *testing.T, target string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// TestServe starts on free ports, answers on both and stops when it is told to.
func TestServe(t *testing.T) {
	s := started(t, []string{"LOG_FORMAT=json", "LOG_LEVEL=info"}, "--dev", "--watch-courier", "-c", file(t, settings))
	for target, want := range map[string]int{
		s.public + "/health/ready": 200, s.admin + "/health/ready": 200, s.public + "/self-service/login/api": 200,
		s.admin + "/admin/identities": 200, s.public + "/admin/identities": 307, s.public + "/sessions/whoami?secret=hunter2": 401,
	} {
		if got, body := get(t, target); got != want {
			t.Errorf("%s answers %d %s", target, got, body)
		}
	}
	if code := s.stop(); code != 0 {
		t.Errorf("ends with %d: %s", code, s.errs)
	}
	if got, _ := get(t, s.public+"/health/ready"); got != 0 {
		t.Errorf("answers %d after its end", got)
	}
	log := s.errs.String()
	for _, part := range []string{`"path":"/sessions/whoami"`, `"status":401`, `"api":"public"`, `"request_id":"`, `data lives in memory`, "shutting down"} {
		if !strings.Contains(log, part) {
			t.Errorf("%s is not in the log:\n%s", part, log)
		}
	}
	if strings.Contains(log, "hunter2") {
		t.Error("a query is in the log")
	}
}

// TestLaterFilesWin over earlier ones, and the environment over all.
func TestLaterFilesWin(t *testing.T) {
	first := file(t, settings)
	second := file(t, `selfservice: {flows: {login: {ui_url: "https://second.example.org/login"}, registration: {ui_url: "https://second.example.org/registration"}}}`)
	s := started(t, []string{"SELFSERVICE_FLOWS_REGISTRATION_UI_URL=https://environment.example.org/"}, "--dev", "-c", first, "--config", second)
	for path, want := range map[string]string{
		"/self-service/login/browser":        "https://second.example.org/login",
		"/self-service/registration/browser": "https://environment.example.org/",
	} {
		if code, body := get(t, s.public+path); code != http.StatusSeeOther || !strings.Contains(body, want) {
			t.Errorf("%s answers %d %s", path, code, body)
		}
	}
}

// TestDSNOfTheEnvironment keeps data in a file, which one process has at a time
// and the next one finds.
func TestDSNOfTheEnvironment(t *testing.T) {
	dsn := "DSN=file://" + filepath.Join(t.TempDir(), "styx.db")
	config := file(t, settings)
	s := started(t, []string{dsn}, "--dev", "-c", config)
	_, body := get(t, s.public+"/self-service/login/api")
	id, _, _ := strings.Cut(strings.TrimPrefix(body, `{"id":"`), `"`)
	code, _, errs := ended(t, []string{dsn, fmt.Sprintf("SERVE_PUBLIC_PORT=%d", free(t)), fmt.Sprintf("SERVE_ADMIN_PORT=%d", free(t))}, "serve", "--dev", "-c", config)
	if code != 1 || !strings.Contains(errs, "in use by another process") {
		t.Errorf("a second process ends with %d: %s", code, errs)
	}
	s.stop()
	s = started(t, []string{dsn}, "--dev", "-c", config)
	if code, body := get(t, s.public+"/self-service/login/flows?id="+id); code != http.StatusOK {
		t.Errorf("the next process answers %d %s", code, body)
	}
}

// TestPortIsTaken says which, and what to do.
func TestPortIsTaken(t *testing.T) {
	config := file(t, settings)
	s := started(t, nil, "--dev", "-c", config)
	taken := s.admin[strings.LastIndex(s.admin, ":")+1:]
	for name, ports := range map[string][2]string{
		"public": {taken, strconv.Itoa(free(t))}, "admin": {strconv.Itoa(free(t)), taken},
	} {
		code, _, errs := ended(t, []string{"SERVE_PUBLIC_HOST=127.0.0.1", "SERVE_ADMIN_HOST=127.0.0.1", "SERVE_PUBLIC_PORT=" + ports[0], "SERVE_ADMIN_PORT=" + ports[1]}, "serve", "--dev", "-c", config)
		if want := "the " + name + " API can not listen on 127.0.0.1:" + taken; code != 1 || !strings.Contains(errs, want) || !strings.Contains(errs, "serve."+name+".port") {
			t.Errorf("ends with %d: %s", code, errs)
		}
	}
}
