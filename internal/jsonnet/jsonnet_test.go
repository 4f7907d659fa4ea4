package jsonnet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"styx/internal/jsonnet"
	"styx/internal/outbound"
)

func TestMain(m *testing.M) {
	jsonnet.Main()
	os.Exit(m.Run())
}

func evaluator(t testing.TB, limits jsonnet.Limits, atOnce int) *jsonnet.Evaluator {
	t.Helper()
	e := jsonnet.NewEvaluator(limits, atOnce)
	t.Cleanup(e.Close)
	return e
}

// patient leaves a loaded machine its time.
func patient() jsonnet.Limits {
	limits := jsonnet.DefaultLimits()
	limits.Time = 20 * time.Second
	return limits
}

func with(ctx any) jsonnet.Arguments {
	return jsonnet.Arguments{Top: map[string]any{"ctx": ctx}}
}

func TestEval(t *testing.T) {
	e := evaluator(t, patient(), 1)
	for _, row := range []struct {
		name, source string
		args         jsonnet.Arguments
		want         string
	}{
		{"a function of ctx", `function(ctx) { mail: ctx.traits.email }`, with(map[string]any{"traits": map[string]string{"email": "a@b.c"}}), `{"mail":"a@b.c"}`},
		{"an external variable", `local claims = std.extVar('claims'); { sub: claims.sub }`, jsonnet.Arguments{External: map[string]any{"claims": map[string]any{"sub": 7}}}, `{"sub":7}`},
		{"no function", `{ a: 1 }`, with(nil), `{"a":1}`},
		{"a text", `function(ctx) ctx`, with("<ü😀\u2028>"), "\"<ü😀\u2028>\""},
		{"null", `function(ctx) ctx`, with(nil), `null`},
		{"half a surrogate pair", `function(ctx) ctx`, with(json.RawMessage(`"\ud800x"`)), `"` + "\ufffd" + `x"`},
		{"a name twice", `function(ctx) ctx`, with(json.RawMessage(`{"a":1,"a":2}`)), `{"a":2}`},
		{"what looks like code", `function(ctx) ctx`, with(`" + std.extVar("x") + "`), `"\" + std.extVar(\"x\") + \""`},
		{"trace says nothing", `std.trace('loud', 1)`, jsonnet.Arguments{}, `1`},
	} {
		got, err := e.Program([]byte(row.source)).Eval(t.Context(), row.args)
		if err != nil || string(got) != row.want {
			t.Errorf("%s: %s, %v, want %s", row.name, got, err, row.want)
		}
	}
}

func TestEvalFails(t *testing.T) {
	e := evaluator(t, patient(), 1)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(`"s3cret"`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, source, want string }{
		{"syntax", `function(ctx) {`, "program:1:"},
		{"an unknown name", `nobody`, "Unknown variable: nobody"},
		{"its own error", "1 +\n  error 'no'", "program:2:3-13: no"},
		{"a missing field", `function(ctx) ctx.nothing`, "nothing"},
		{"import of a file", fmt.Sprintf("import %q", secret), "imports are not allowed"},
		{"import of a text", fmt.Sprintf("importstr %q", secret), "imports are not allowed"},
		{"import of bytes", fmt.Sprintf("importbin %q", secret), "imports are not allowed"},
		{"the environment", `std.extVar('HOME')`, "Undefined external variable"},
		{"a native function", `std.native('exec')('ls')`, ""},
		{"a function as value", `function(ctx) function(x) x`, ""},
		{"deep calls", `local f(n) = 1 + f(n + 1); f(0)`, "max stack frames"},
		{"nearly cancel", `error 'cancelled'`, "cancelled"},
		{"a long text", `error std.repeat('x', 100000)`, "xxx"},
	} {
		got, err := e.Program([]byte(row.source)).Eval(t.Context(), with(map[string]any{}))
		wrong, ok := errors.AsType[*jsonnet.Error](err)
		if !ok || !strings.Contains(wrong.Text, row.want) || got != nil {
			t.Errorf("%s: %s, %v", row.name, got, err)
		}
		if ok && (strings.Contains(wrong.Text, "s3cret") || len(wrong.Text) > 4<<10) {
			t.Errorf("%s says too much: %v", row.name, err)
		}
	}
	if got, err := e.Program([]byte(`function(ctx) { a: error "cancel" }`)).Eval(t.Context(), with(1)); !errors.Is(err, jsonnet.ErrCancel) {
		t.Errorf("cancel: %s, %v", got, err)
	}
	if got, err := e.Program([]byte(`1`)).Eval(t.Context(), with(make(chan int))); err == nil {
		t.Errorf("an argument that is no JSON: %s", got)
	}
}

// runaways never end, or end only with the machine's memory.
var runaways = map[string]string{
	"counts for ever":    `local f(n) = if n < 0 then n else f(n + 1) tailstrict; f(0)`,
	"folds for ever":     `std.foldl(function(a, b) a + b, std.makeArray(100000000, function(i) i % 7), 0)`,
	"doubles a text":     `local f(s, n) = if n == 0 then s else f(s + s, n - 1); f('x', 60)`,
	"a huge array":       `std.length(std.range(1, 1000000000))`,
	"a huge text":        `std.length(std.repeat('x', 2000000000))`,
	"arrays of arrays":   `local f(a, n) = if n == 0 then a else f([a, a], n - 1); std.manifestJson(f([1], 60))`,
	"a comprehension":    `[x + y for x in std.range(1, 100000) for y in std.range(1, 100000)]`,
	"deep brackets":      strings.Repeat("[", 200000),
	"a long replacement": `std.strReplace(std.repeat('a', 1000000), 'a', std.repeat('b', 1000000))`,
	"objects of objects": `local f(n) = if n == 0 then {} else { a: f(n - 1), b: f(n - 1) }; f(80)`,
}

func TestRunawayEndsWithinItsLimits(t *testing.T) {
	limits := jsonnet.DefaultLimits()
	limits.Time = time.Second
	e := evaluator(t, limits, 1)
	if _, err := e.Program([]byte(`1`)).Eval(t.Context(), jsonnet.Arguments{}); err != nil {
		t.Fatal(err)
	}
	for name, source := range runaways {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			got, err := e.Program([]byte(source)).Eval(t.Context(), jsonnet.Arguments{})
			_, wrong := errors.AsType[*jsonnet.Error](err)
			if !errors.Is(err, jsonnet.ErrLimit) && !wrong {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			t.Log(time.Since(began), err)
		})
	}
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	if now.Sys > 512<<20 {
		t.Errorf("this process holds %d MB", now.Sys>>20)
	}
	noChildren(t, e)
	if got, err := e.Program([]byte(`1 + 1`)).Eval(t.Context(), jsonnet.Arguments{}); err != nil || string(got) != "2" {
		t.Errorf("after them: %s, %v", got, err)
	}
}

// noChildren closes the evaluator and fails if a process of it is left.
func noChildren(t *testing.T, e *jsonnet.Evaluator) {
	t.Helper()
	e.Close()
	if left := children(t); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
}

// children returns the processes whose parent this one is, zombies too.
func children(t *testing.T) []string {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, list := range lists {
		raw, err := os.ReadFile(list)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // the thread ended
			t.Fatal(err)
		}
		out = append(out, strings.Fields(string(raw))...)
	}
	return out
}

func TestLimitOfTheOutput(t *testing.T) {
	limits := patient()
	limits.Output = 100
	e := evaluator(t, limits, 1)
	fits, tooLarge := e.Program([]byte(`std.repeat('<', 98)`)), e.Program([]byte(`std.repeat('<', 99)`))
	if got, err := fits.Eval(t.Context(), jsonnet.Arguments{}); err != nil || len(got) != 100 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if got, err := tooLarge.Eval(t.Context(), jsonnet.Arguments{}); !errors.Is(err, jsonnet.ErrLimit) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestProgramEndsWithItsRequest(t *testing.T) {
	e := evaluator(t, patient(), 1)
	loop := e.Program([]byte(runaways["objects of objects"]))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := loop.Eval(ctx, jsonnet.Arguments{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a loop: %v", err)
	}
	if _, err := loop.Eval(ctx, jsonnet.Arguments{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a loop after the request: %v", err)
	}
	noChildren(t, e)
}

// A waiting request gives up when its time is over, whoever holds the evaluator.
func TestWaitingEndsWithTheRequest(t *testing.T) {
	e := evaluator(t, patient(), 1)
	long, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	busy.Go(func() { _, _ = e.Program([]byte(runaways["objects of objects"])).Eval(long, jsonnet.Arguments{}) })
	for len(children(t)) == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := e.Program([]byte(`1`)).Eval(ctx, jsonnet.Arguments{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting: %v", err)
	}
	stop()
	busy.Wait()
}

func TestEvaluatorThatDiedAsleepIsReplaced(t *testing.T) {
	e := evaluator(t, patient(), 1)
	program := e.Program([]byte(`function(ctx) ctx + 1`))
	for range 3 {
		if got, err := program.Eval(t.Context(), with(1)); err != nil || string(got) != "2" {
			t.Fatalf("%s, %v", got, err)
		}
		for _, pid := range children(t) {
			if err := exec.CommandContext(t.Context(), "kill", "-9", pid).Run(); err != nil {
				t.Fatal(err)
			}
			for state := ""; state != "Z"; { // dead, and not yet buried
				stat, err := os.ReadFile("/proc/" + pid + "/stat")
				if err != nil {
					t.Fatal(err)
				}
				state = strings.Fields(string(stat))[2]
			}
		}
	}
}

// Nothing is left of an evaluator when the process that asked it is killed
// itself: asleep, it sees the end of its input; at work, it has an alarm.
func TestOrphanEndsItself(t *testing.T) {
	const limits = `{"limits":{"time":100000000,"memory":67108864,"output":1000}}`
	query, err := json.Marshal(map[string]string{"program": "p", "source": runaways["objects of objects"]})
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		input string
		code  int
	}{
		"asleep":         {limits, 0},
		"at work":        {limits + string(query), 3},
		"asked nonsense": {limits + "nonsense", 1},
		"without limits": {"", 1},
	} {
		orphan := exec.CommandContext(t.Context(), "/proc/self/exe", "-styx-jsonnet-evaluator")
		orphan.Stdin = strings.NewReader(row.input)
		if err := orphan.Run(); orphan.ProcessState == nil || orphan.ProcessState.ExitCode() != row.code {
			t.Errorf("%s: %v, want exit code %d", name, err, row.code)
		}
	}
}

func TestOneEvaluatorIsKept(t *testing.T) {
	e := evaluator(t, patient(), 1)
	var first []string
	for i := range 20 {
		if _, err := e.Program(fmt.Appendf(nil, "%d", i%3)).Eval(t.Context(), jsonnet.Arguments{}); err != nil {
			t.Fatal(err)
		}
		if now := children(t); first == nil {
			first = now
		} else if fmt.Sprint(now) != fmt.Sprint(first) {
			t.Fatalf("processes %v, then %v", first, now)
		}
	}
	if len(first) != 1 {
		t.Errorf("processes %v", first)
	}
}

// The environment of this process holds keys in a Lambda.
func TestEvaluatorGetsNoEnvironment(t *testing.T) {
	t.Setenv("STYX_TEST_SECRET", "s3cret")
	e := evaluator(t, patient(), 1)
	if _, err := e.Program([]byte(`1`)).Eval(t.Context(), jsonnet.Arguments{}); err != nil {
		t.Fatal(err)
	}
	for _, pid := range children(t) {
		environ, err := os.ReadFile("/proc/" + pid + "/environ")
		if err != nil || strings.Contains(string(environ), "s3cret") || strings.Contains(string(environ), "HOME") {
			t.Errorf("%q, %v", environ, err)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	e := evaluator(t, patient(), 2)
	program := e.Program([]byte(`function(ctx) ctx * 2`))
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if got, err := program.Eval(t.Context(), with(i)); err != nil || string(got) != fmt.Sprint(2*i) {
				t.Errorf("%d: %s, %v", i, got, err)
			}
		})
	}
	all.Wait()
	if left := children(t); len(left) > 2 {
		t.Errorf("processes %v", left)
	}
}

func TestCatalogReadsASourceOnce(t *testing.T) {
	var reads atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if reads.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte(`1 + 1`))
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "body.jsonnet"), []byte(`1 + 2`), 0o600); err != nil {
		t.Fatal(err)
	}
	catalog := &jsonnet.Catalog{
		Evaluator: evaluator(t, patient(), 1),
		Client:    outbound.New(outbound.Policy{AllowPrivate: true}),
		Dir:       dir,
	}
	if _, err := catalog.Program(t.Context(), server.URL); err == nil {
		t.Error("a source that is not there")
	}
	for range 2 {
		for uri, want := range map[string]string{server.URL: "2", "file://./body.jsonnet": "3", "base64://MSArIDM=": "4"} {
			program, err := catalog.Program(t.Context(), uri)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := program.Eval(t.Context(), jsonnet.Arguments{}); err != nil || string(got) != want {
				t.Errorf("%s: %s, %v", uri, got, err)
			}
		}
	}
	if reads.Load() != 2 {
		t.Errorf("%d reads", reads.Load())
	}
	strict := &jsonnet.Catalog{Evaluator: catalog.Evaluator, Client: outbound.New(outbound.Policy{}), Dir: dir}
	if _, err := strict.Program(t.Context(), server.URL); !errors.Is(err, outbound.ErrRefused) {
		t.Errorf("a private host: %v", err)
	}
}

// Nothing of an evaluation is left in this process.
func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	e := evaluator(t, patient(), 1)
	for _, source := range []string{`1`, `nobody`, runaways["a huge array"]} {
		_, _ = e.Program([]byte(source)).Eval(t.Context(), jsonnet.Arguments{})
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func BenchmarkEval(b *testing.B) {
	e := evaluator(b, jsonnet.DefaultLimits(), 1)
	program := e.Program([]byte(`function(ctx) { kind: ctx.flow.type, mail: ctx.identity.traits.email }`))
	args := with(map[string]any{
		"flow":     map[string]any{"type": "api", "ui": map[string]any{"nodes": make([]map[string]string, 40)}},
		"identity": map[string]any{"traits": map[string]string{"email": "a@b.c"}},
	})
	b.Run("warm", func(b *testing.B) {
		for b.Loop() {
			if _, err := program.Eval(b.Context(), args); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			e.Close()
			if _, err := program.Eval(b.Context(), args); err != nil {
				b.Fatal(err)
			}
		}
	})
}
