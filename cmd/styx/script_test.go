package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/bcrypt"

	"styx/internal/jsonnet"
	"styx/internal/secret"
)

func TestMain(m *testing.M) {
	jsonnet.Main()
	testscript.Main(m, map[string]func(){"styx": main})
}

// person is the schema of the scripts.
const person = `{"$id":"https://example.org/person.json","type":"object","properties":{"traits":{"type":"object","properties":{
	"email":{"type":"string","format":"email","ory.sh/kratos":{"credentials":{"password":{"identifier":true}},"verification":{"via":"email"},"recovery":{"via":"email"}}},
	"name":{"type":"object","properties":{"first":{"type":"string"}}},
	"nick":{"type":"string"}},"additionalProperties":false}}}`

// TestScripts runs the command line as its users do, in processes of its own
// against two servers: STYX_ADMIN_URL, and one to move in from at OTHER_ADMIN_URL.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			asked := oldSystem()
			env.Defer(asked.Close)
			schema := filepath.Join(env.WorkDir, "person.schema.json")
			config := filepath.Join(env.WorkDir, "styx.yml")
			if err := errors.Join(
				os.WriteFile(schema, []byte(person), 0o600),
				os.WriteFile(config, []byte("identity: {default_schema_id: person, schemas: [{id: person, url: \"file://"+schema+"\"}]}\n"+
					"selfservice: {default_browser_return_url: \"http://127.0.0.1:4433/\", flows: {recovery: {enabled: true}},\n"+
					"  methods: {password: {config: {haveibeenpwned_enabled: false, migrate_hook: {enabled: true, config: {url: \""+asked.URL+"\", method: POST}}}}}}\n"+
					"courier: {smtp: {from_address: styx@example.org}}\n"+
					"session: {earliest_possible_extend: 24h}\n"+
					"hashers: {algorithm: bcrypt, bcrypt: {cost: 4}}\n"), 0o600),
			); err != nil {
				return err
			}
			for _, name := range []string{"STYX", "OTHER"} {
				s, err := launched(context.Background(), nil, "--dev", "-c", config)
				if err != nil {
					return err
				}
				env.Defer(func() { s.stop() })
				env.Setenv(name+"_ADMIN_URL", s.admin)
				env.Setenv(name+"_PUBLIC_URL", s.public)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":     exitsWith,
			"signs-in": signsIn,
			"killed":   killed,
			"members":  members,
			"same":     sameIdentities,
			"many":     many,
			"ids":      ids,
			"recovers": recovers,
			"cut":      cut,
		},
	})
}

// oldSystem is what the password migration hook asks: there, a password is "old-"
// and the name.
func oldSystem() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Identifier, Password string }
		if json.NewDecoder(r.Body).Decode(&asked) != nil || asked.Password != "old-"+asked.Identifier {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, `{"status":"password_match"}`)
	}))
}

// exitsWith runs a program that is to exit with a code: code 2 styx sing.
func exitsWith(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if ended, failed := errors.AsType[*exec.ExitError](err); failed {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("%v exits with %d", args[1:], got)
	}
}

// ids names the first id that was printed last: ids NAME.
func ids(ts *testscript.TestScript, _ bool, args []string) {
	found := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).FindString(ts.ReadFile("stdout"))
	if found == "" {
		ts.Fatalf("no id in %s", ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], found)
}

// signsIn signs in at the server that is moved to: signs-in NAME PASSWORD.
func signsIn(ts *testscript.TestScript, neg bool, args []string) {
	ctx := context.Background()
	public, err := url.Parse(ts.Getenv("STYX_PUBLIC_URL"))
	ts.Check(err)
	api := newAPI(public, http.DefaultTransport)
	raw, err := api.get(ctx, "/self-service/login/api", nil)
	ts.Check(err)
	var flow struct{ ID string }
	ts.Check(json.Unmarshal(raw, &flow))
	_, _, err = api.do(ctx, http.MethodPost, "/self-service/login", url.Values{"flow": {flow.ID}},
		map[string]string{"method": "password", "identifier": args[0], "password": args[1]}, false)
	if neg == (err == nil) {
		ts.Fatalf("%s signs in: %v", args[0], err)
	}
}

// recovers asks for a mail that recovers an account: recovers ADDRESS.
func recovers(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	public, err := url.Parse(ts.Getenv("STYX_PUBLIC_URL"))
	ts.Check(err)
	api := newAPI(public, http.DefaultTransport)
	raw, err := api.get(ctx, "/self-service/recovery/api", nil)
	ts.Check(err)
	var flow struct{ ID string }
	ts.Check(json.Unmarshal(raw, &flow))
	_, _, err = api.do(ctx, http.MethodPost, "/self-service/recovery", url.Values{"flow": {flow.ID}},
		map[string]string{"method": "code", "email": args[0]}, false)
	ts.Check(err)
}

// cut keeps the beginning of a file: cut FROM TO BYTES.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	length, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(ts.ReadFile(args[0]))[:length], 0o600))
}

// killed runs a program that dies right after the server has done what it asked
// for the so-manieth time, and before it hears of it: killed 3 styx import …. The
// program finds the server at KILLER_URL.
func killed(ts *testscript.TestScript, _ bool, args []string) {
	after, err := strconv.Atoi(args[0])
	ts.Check(err)
	target, err := url.Parse(ts.Getenv("STYX_ADMIN_URL"))
	ts.Check(err)
	var seen atomic.Int64
	program := make(chan *os.Process, 1)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(resp *http.Response) error {
			if resp.Request.Method == http.MethodPatch && int(seen.Add(1)) == after {
				return (<-program).Kill()
			}
			return nil
		},
	}
	server := httptest.NewServer(proxy)
	defer server.Close()
	command := exec.Command(args[1], args[2:]...)
	command.Dir = ts.Getenv("WORK")
	command.Env = append(os.Environ(), "STYX_ADMIN_URL="+server.URL)
	ts.Check(command.Start())
	program <- command.Process
	if err := command.Wait(); err == nil || int(seen.Load()) < after {
		ts.Fatalf("%v was not killed: %v after %d requests", args[1:], err, seen.Load())
	}
}

// many writes identities with a password each, as an export: many FILE NUMBER.
func many(ts *testscript.TestScript, _ bool, args []string) {
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	hash, err := bcrypt.GenerateFromPassword([]byte("ory"), bcrypt.MinCost)
	ts.Check(err)
	var b bytes.Buffer
	for n := range count {
		_, _ = fmt.Fprintf(&b, `{"id":"0b7a6bb4-4d5e-4c6b-9d0e-%012x","schema_id":"person","state":"active","traits":{"email":"n%d@example.org"},`+
			`"credentials":{"password":{"type":"password","config":{"hashed_password":%q}}}}`+"\n", n, n, hash)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

// members compares members of the JSON that was printed last, or of a line of a
// file: members PATH=VALUE…, where a path is as in a table's columns.
func members(ts *testscript.TestScript, _ bool, args []string) {
	raw := []byte(ts.ReadFile("stdout"))
	for _, arg := range args {
		path, want, _ := strings.Cut(arg, "=")
		got, err := columns{{"", []string{path}}}.cells(raw)
		ts.Check(err)
		if got[0] != want {
			ts.Fatalf("%s is %q, not %q, in %s", path, got[0], want, raw)
		}
	}
}

// sameIdentities compares exports, but for what the API makes itself: times, and
// the ids and versions of rows.
func sameIdentities(ts *testscript.TestScript, neg bool, args []string) {
	var texts []string
	for _, name := range args {
		var b strings.Builder
		decoder := json.NewDecoder(strings.NewReader(ts.ReadFile(name)))
		for {
			var one map[string]any
			err := decoder.Decode(&one)
			if errors.Is(err, io.EOF) {
				break
			}
			ts.Check(err)
			forget(one, true)
			line, err := json.Marshal(one)
			ts.Check(err)
			b.Write(append(line, '\n'))
		}
		texts = append(texts, b.String())
	}
	if neg == (texts[0] == texts[1]) {
		ts.Fatalf("%s holds\n%s\nand %s\n%s", args[0], texts[0], args[1], texts[1])
	}
}

func forget(value any, top bool) {
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			forget(one, false)
		}
	case map[string]any:
		for _, name := range []string{"created_at", "updated_at", "state_changed_at", "schema_url", "version"} {
			delete(v, name)
		}
		if !top && v["via"] != nil {
			delete(v, "id")
		}
		for name, one := range v {
			if name != "traits" {
				forget(one, false)
			}
		}
	}
}

// TestHelp goes through the whole command line: every command says what it does
// and gives examples, every example names a command and flags that there are, and
// asking for help is no mistake.
func TestHelp(t *testing.T) {
	var visit func(at *command, words []string)
	seen := 0
	visit = func(at *command, words []string) {
		seen++
		name := strings.Join(words, " ")
		if at.does == "" || len(at.examples) == 0 || (at.parts == nil) == (at.prepare == nil) {
			t.Errorf("%q lacks a part", name)
		}
		byHelp, byFlag := append([]string{"help"}, words...), append(append([]string{}, words...), "--help")
		_, out, _ := ended(t, nil, byHelp...)
		if code, again, errs := ended(t, nil, byFlag...); code != 0 || errs != "" || out != again || !strings.Contains(out, "Examples:") {
			t.Errorf("%q --help exits with %d: %s%s", name, code, again, errs)
		}
		for _, example := range at.examples {
			checkExample(t, example)
		}
		for _, part := range at.parts {
			visit(part, append(append([]string{}, words...), part.name))
		}
	}
	visit(commands(), nil)
	if seen < 30 {
		t.Errorf("only %d commands", seen)
	}
}

// checkExample parses the part of an example that calls styx.
func checkExample(t *testing.T, example string) {
	t.Helper()
	all := strings.Fields(example)
	begins := slices.IndexFunc(all, func(word string) bool { return strings.TrimLeft(word, "<($") == "styx" })
	if begins < 0 {
		return // of another program
	}
	var words []string
	for _, word := range all[begins+1:] {
		if strings.ContainsAny(word[:1], "|><)") {
			break
		}
		words = append(words, strings.Trim(word, ")'"))
	}
	root := commands()
	at, path, rest, err := find(root, words)
	if err != nil || at.prepare == nil {
		t.Errorf("%q: %v", example, err)
		return
	}
	flags, _ := at.declared(path)
	if _, err := parse(flags, rest); err != nil {
		t.Errorf("%q: %v", example, err)
	}
}

// TestCompletion offers what may come next, and the shells' parts are what the
// shells take.
func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"":                                      "completion courier doctor export hashers help identities import lint proxy serve sessions settings version",
		"id":                                    "identities",
		"import ":                               "cognito kratos",
		"identities l":                          "list",
		"identities list --form":                "--format",
		"identities list --format ":             "json table yaml",
		"identities list --format j":            "json",
		"--endpoint http://x sessions list --a": "--active --all",
		"sing ":                                 "",
		"identities get ":                       "",
	} {
		words := strings.Split(line, " ")
		_, out, _ := ended(t, nil, append([]string{"completion", "words", "--"}, words...)...)
		got := strings.Fields(out)
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%q is completed by %q, not %q", line, got, want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		_, script, _ := ended(t, nil, "completion", shell)
		if !strings.Contains(script, "styx completion words -- ") {
			t.Errorf("%s: %s", shell, script)
		}
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		return // not every machine has one
	}
	_, script, _ := ended(t, nil, "completion", "bash")
	check := exec.CommandContext(t.Context(), bash, "-c", script+`
styx() { [[ "$1 $2 $3 $4 $5" == "completion words -- identities l" ]] && echo list; }
COMP_WORDS=(styx identities l) COMP_CWORD=2
_styx
echo "${COMPREPLY[@]}"`)
	if out, err := check.CombinedOutput(); err != nil || string(out) != "list\n" {
		t.Errorf("bash: %v, %s", err, out)
	}
}

// TestTries goes on when the API is busy for a moment, and gives up on what would
// not be harmless to repeat.
func TestTries(t *testing.T) {
	var seen atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if seen.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "[]")
	}))
	defer server.Close()
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	api := newAPI(base, http.DefaultTransport)
	if _, _, err := api.page(t.Context(), "/", url.Values{}); err != nil || seen.Load() != 3 {
		t.Errorf("a list: %v after %d", err, seen.Load())
	}
	seen.Store(0)
	if _, _, err := api.do(t.Context(), http.MethodPost, "/", nil, nil, false); statusOf(err) != http.StatusServiceUnavailable || seen.Load() != 1 {
		t.Errorf("a post: %v after %d", err, seen.Load())
	}
}

// TestImportOfABusyAPI sends again what there was no time for, and gives up on an
// API that has none at all.
func TestImportOfABusyAPI(t *testing.T) {
	var batches atomic.Int64
	for always, want := range map[bool]string{false: "0 IMPORTED 2", true: "1 IMPORTED 1"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var body struct{ Identities []any }
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			batches.Add(1)
			switch {
			case len(body.Identities) == 2:
				_, _ = io.WriteString(w, `{"identities":[{"action":"create"},{"action":"error","error":{"code":503}}]}`)
			case always:
				_, _ = io.WriteString(w, `{"identities":[{"action":"error","error":{"code":503}}]}`)
			default:
				_, _ = io.WriteString(w, `{"identities":[{"action":"create"}]}`)
			}
		}))
		defer server.Close()
		batches.Store(0)
		code, out, errs := ended(t, nil, "import", "kratos", "-e", server.URL, "--from", file(t, `{"traits":{"n":1}} {"traits":{"n":2}}`))
		if got := fmt.Sprint(code, " ", strings.Join(strings.Fields(out)[2:4], " ")); got != want || always != strings.Contains(errs, "too busy for 1 identities") {
			t.Errorf("%s after %d batches: %s", got, batches.Load(), errs)
		}
	}
}

// TestImportOfWhatIsMalformed sends the halves of a batch that is refused, down to
// the one that is to blame.
func TestImportOfWhatIsMalformed(t *testing.T) {
	s := started(t, nil, "--dev", "-c", file(t, settings))
	code, out, errs := ended(t, nil, "import", "kratos", "-e", s.admin, "--from",
		file(t, `{"traits":{"n":1}} {"traits":{"n":2}} {"traits":{"n":"`+"\xff"+`"}} {"traits":{"n":3}} {"traits":{"n":4}}`))
	said := strings.Join(strings.Fields(out), " ")
	if code != 1 || !strings.Contains(said, "READ 5 IMPORTED 4") || !strings.Contains(said, "FAILED 1") || !strings.Contains(errs, "not UTF-8") {
		t.Errorf("exits with %d: %s%s", code, out, errs)
	}
}

// TestTables steer no terminal, whatever somebody called themselves.
func TestTables(t *testing.T) {
	var b strings.Builder
	rows := printer{&b, "table", columns{{"NAME", []string{"traits.none", "traits.name"}}, {"N", []string{"list.n"}}}}.begin("x")
	err := errors.Join(rows.add([]json.RawMessage{
		json.RawMessage(`{"traits":{"name":"a\u001b[2Jb\u009bc\nd"},"list":[{"n":1},{"n":12345678901234567890}]}`),
	}), rows.end(""))
	if want := "NAME        N\na\ufffd[2Jb\ufffdc\ufffdd  1, 12345678901234567890\n"; err != nil || b.String() != want {
		t.Errorf("%q, %v", b.String(), err)
	}
}

// TestCalibrate chooses by what it measures; a machine stands in whose hashes
// take a known time.
func TestCalibrate(t *testing.T) {
	speed := func(c secret.HasherConfig) time.Duration {
		if c.Algorithm == "bcrypt" {
			return time.Millisecond << c.BcryptCost
		}
		return time.Duration(c.Argon2.MemoryKiB>>10) * time.Duration(c.Argon2.Iterations) * time.Millisecond
	}
	measure := func(_ context.Context, c secret.HasherConfig) (time.Duration, error) { return speed(c), nil }
	for _, c := range []struct {
		goal   time.Duration
		memory uint32
		want   string
	}{
		{500 * time.Millisecond, 64, "memory 64MB, 7 passes"},
		{130 * time.Millisecond, 64, "memory 64MB, 2 passes"},
		{100 * time.Millisecond, 64, "memory 32MB, 3 passes"},
		{10 * time.Millisecond, 64, "memory 19MB, 2 passes"},
		{time.Hour, 256, "memory 256MB, 10 passes"},
	} {
		found, err := argon2For(t.Context(), c.goal, c.memory<<10, measure)
		if err != nil {
			t.Fatal(err)
		}
		chosen, _ := found.Hashers["argon2"].(map[string]any)
		if got := fmt.Sprintf("memory %v, %v passes", chosen["memory"], chosen["iterations"]); got != c.want {
			t.Errorf("%v in %d MB: %s", c.goal, c.memory, got)
		}
	}
	for goal, want := range map[time.Duration]string{time.Millisecond: "10", 5 * time.Second: "12", time.Hour: "15"} {
		found, err := bcryptFor(t.Context(), goal, measure)
		if got := fmt.Sprint(found.Hashers["bcrypt"]); err != nil || got != "map[cost:"+want+"]" {
			t.Errorf("%v: %s, %v", goal, got, err)
		}
	}
}
