//go:build dynamodb

package lambda_test

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/app/routes"
	"styx/internal/gateway/gatewaytest"
	"styx/test/dynamodb"
	"styx/test/lambda"
)

// The configuration that travels in the zip of every function of these tests.
const journeyConfig = `
courier: {smtp: {from_address: "` + sender + `"}}
serve:
  public: {base_url: "https://id.example/"}
  admin: {base_url: "https://admin.example/"}
selfservice:
  default_browser_return_url: https://app.example/
  flows:
    registration:
      after: {password: {hooks: [{hook: session}]}}
    recovery: {enabled: true}
    verification: {enabled: true}
  methods:
    password: {config: {haveibeenpwned_enabled: false}}
    code: {enabled: true}
feature_flags: {use_continue_with_transitions: true}
identity:
  default_schema_id: person
  schemas: [{id: person, url: "file://./identity.schema.json"}]
hashers:
  algorithm: argon2
  argon2: {memory: 64KB, iterations: 1, parallelism: 1}
`

// deployment is where and how functions are deployed. Its zero value is an HTTP API as
// AWS runs it, every function with one event at a time.
type deployment struct {
	api         gatewaytest.API
	concurrency int
	timeout     time.Duration // of each function; 0 for 20 s
	endpoint    string        // of the DynamoDB API that the functions see; "" for the tests' own
	env         []string      // of every function, NAME=value
	functions   []string      // which; nil for all that an API calls, and the courier
}

// stack is functions over one table, with an HTTP API in front.
type stack struct {
	table     string // its name
	options   map[string]lambda.Options
	functions map[string]*lambda.Function
	started   []*lambda.Function // also those that ended
	mu        sync.Mutex         // of functions, while one may be killed
	public    *gatewaytest.Transport
	admin     *gatewaytest.Transport
}

// deploy starts the functions over a table of their own.
func (at deployment) deploy(t *testing.T) *stack {
	t.Helper()
	folder := t.TempDir()
	schema, err := os.ReadFile("../../examples/quickstart/identity.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{"styx.yml": []byte(journeyConfig), "identity.schema.json": schema} {
		if err := os.WriteFile(filepath.Join(folder, file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &stack{table: dynamodb.CreateTable(t), options: map[string]lambda.Options{}, functions: map[string]*lambda.Function{}}
	if at.functions == nil {
		at.functions = []string{"login", "registration", "settings", "recovery", "verification", "session", "meta", "admin", "courier"}
	}
	for _, function := range at.functions {
		options := lambda.Options{
			Binary: binary(t, "../../functions/"+function), Dir: folder, Name: function,
			Timeout: cmp.Or(at.timeout, 20*time.Second), Concurrency: at.concurrency,
			Env: []string{
				"STYX_TABLE=" + s.table, "AWS_ENDPOINT_URL=" + dynamodb.Endpoint(t), "STYX_BASE_PATH=" + at.api.BasePath,
				"AWS_ENDPOINT_URL_DYNAMODB=" + cmp.Or(at.endpoint, dynamodb.Endpoint(t)),
				"SECRETS_DEFAULT=a-secret-of-the-tests", "SECRETS_CIPHER=a-secret-of-the-tests-32-letters",
			},
		}
		for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
			options.Env = append(options.Env, name+"="+dynamodb.Getenv(name))
		}
		options.Env = append(options.Env, at.env...)
		s.options[function] = options
		s.start(t.Context(), t, function)
	}
	s.public = &gatewaytest.Transport{API: at.api, Route: s.route()}
	signed := at.api
	signed.IAM = gatewaytest.Signed()
	s.admin = &gatewaytest.Transport{API: signed, Route: func(*http.Request) (gatewaytest.Invoker, error) {
		return s.functions["admin"], nil
	}}
	return s
}

// start starts a function, anew if it ran before.
func (s *stack) start(ctx context.Context, t *testing.T, function string) {
	t.Helper()
	f, err := lambda.Start(ctx, s.options[function])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Stop()
		if strings.Contains(f.Log(), "DATA RACE") {
			t.Errorf("%s: %s", function, f.Log())
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.functions[function] = f
	s.started = append(s.started, f)
}

// kill ends a function's process, whatever it is doing.
func (s *stack) kill(function string) {
	s.mu.Lock()
	f := s.functions[function]
	s.mu.Unlock()
	f.Stop()
}

// log is what all functions wrote.
func (s *stack) log() string {
	var all strings.Builder
	for _, f := range s.started {
		all.WriteString(f.Log())
	}
	return all.String()
}

// route sends a request to the function that owns it, as the deployed routes do.
func (s *stack) route() func(*http.Request) (gatewaytest.Invoker, error) {
	mux := http.NewServeMux()
	owner := map[string]string{}
	for _, route := range routes.All {
		mux.Handle(route.Pattern(), http.NotFoundHandler())
		owner[route.Pattern()] = route.Function
	}
	return func(r *http.Request) (gatewaytest.Invoker, error) {
		_, pattern := mux.Handler(r)
		function, owned := owner[pattern]
		if !owned {
			function = "meta"
		}
		return s.functions[function], nil
	}
}
