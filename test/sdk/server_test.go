package sdk

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	schema = `{"type":"object","properties":{"traits":{"type":"object","properties":{"email":{"type":"string","format":"email",
		"ory.sh/kratos":{"credentials":{"password":{"identifier":true}},"verification":{"via":"email"},"recovery":{"via":"email"}}}},
		"required":["email"],"additionalProperties":false}}}`
	config = `
identity: {default_schema_id: person, schemas: [{id: person, url: "file://%s"}]}
selfservice:
  default_browser_return_url: http://127.0.0.1/
  flows: {recovery: {enabled: true, ui_url: "http://127.0.0.1/recovery"}}
  methods: {link: {enabled: true}, code: {enabled: true}}
courier: {smtp: {from_address: styx@example.org}}
hashers: {algorithm: bcrypt, bcrypt: {cost: 4}}
serve: {public: {host: 127.0.0.1, port: %d}, admin: {host: 127.0.0.1, port: %d}}
`
)

// built is the program under test, made by TestMain.
var built string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "styx-sdk-")
	if err != nil {
		panic(err)
	}
	built = filepath.Join(folder, "styx")
	build := exec.Command("go", "build", "-trimpath", "-o", built, "./cmd/styx")
	build.Dir = filepath.Join("..", "..")
	out, err := build.CombinedOutput()
	code := 1
	if err == nil {
		code = m.Run()
	} else {
		fmt.Fprintf(os.Stderr, "build styx: %v\n%s", err, out)
	}
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// server is styx serve in a process of its own, with nobody in it.
type server struct{ public, admin string }

func start(t *testing.T) server {
	t.Helper()
	folder := t.TempDir()
	person, styx := filepath.Join(folder, "person.json"), filepath.Join(folder, "styx.yml")
	public, admin := freePort(t), freePort(t)
	for name, text := range map[string]string{person: schema, styx: fmt.Sprintf(config, person, public, admin)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "admin API", "serve", "--dev", "-c", styx)
	return server{fmt.Sprintf("http://127.0.0.1:%d", public), fmt.Sprintf("http://127.0.0.1:%d", admin)}
}

// proxy stands before the admin API and signs, and returns its URL.
func proxy(t *testing.T, s server) string {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "example")
	at := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	run(t, "stands for", "proxy", "--endpoint", s.admin, "--region", "eu-central-1", "--listen", at)
	return "http://" + at
}

// run runs styx until the test ends, and returns once it has said that it is up.
func run(t *testing.T, up string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, built, args...)
	var errs bytes.Buffer
	command.Stderr = &errs
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = command.Wait() })
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.Contains(lines.Text(), up) {
				ready <- true
			}
		}
		ready <- false
	}()
	select {
	case is := <-ready:
		if !is {
			t.Fatalf("styx did not start: %s", errs.String())
		}
	case <-time.After(30 * time.Second):
		t.Fatal("styx did not start in time")
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
