package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func read(t testing.TB, name string) Source {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return Source{Name: filepath.Base(name), Data: data}
}

func text(s string) Source { return Source{Name: "styx.yml", Data: []byte(s)} }

var dev = map[string]any{"dev": true}

func mustLoad(t *testing.T, environ []string, overrides map[string]any, sources ...Source) (*Config, []Notice) {
	t.Helper()
	c, notices, err := Load(sources, environ, overrides)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c, notices
}

// Every default and every derived value, as a page to read.
func TestLoadGolden(t *testing.T) {
	for _, c := range []struct {
		name      string
		overrides map[string]any
	}{
		{"minimal", dev},
		{"production", nil},
		{"everything", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, notices := mustLoad(t, nil, c.overrides, read(t, "testdata/"+c.name+".yml"))
			lines := dump(got)
			if c.name != "production" {
				// Twice the CPUs, which no golden file can know.
				const field = "Hashers.Argon2.Parallelism = "
				lines = strings.Replace(lines, fmt.Sprint(field, min(2*runtime.NumCPU(), 255)), field+"(2 x CPUs)", 1)
			}
			lines += "\n"
			for _, n := range notices {
				lines += fmt.Sprintf("%s: %s\n", n.Kind, n)
			}
			golden := filepath.Join("testdata", c.name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(lines), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if lines != string(want) {
				t.Errorf("%s differs (rewrite it with -update):\n%s", golden, firstDifference(lines, string(want)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, x, y)
		}
	}
	return ""
}

// No key is read from the file and then forgotten: changing any of them changes
// the Config, save those marked inert.
func TestEveryKeyReachesTheConfig(t *testing.T) {
	build := func(path []string, v any) string {
		doc := &Document{Value: map[string]any{}, from: map[string]string{}}
		if path != nil && !set(doc.Value, path, v) {
			t.Fatalf("cannot set %v", path)
		}
		s := settle{doc: doc}
		s.object(&schemaRoot, doc.Value, "", true)
		for _, m := range s.mistakes {
			if !strings.Contains(m.Text, "required") {
				t.Fatalf("%v: %v", path, m)
			}
		}
		c := decode(doc.Value)
		c.DSN, _ = ParseDSN(values(doc.Value).text("dsn"))
		return dump(c)
	}
	plain := build(nil, nil)
	seen := 0
	var walk func(n *node, path []string)
	walk = func(n *node, path []string) {
		below := func(segment string) []string { return append(slices.Clone(path), segment) }
		switch {
		case n.mark == markInert:
		case n.items != nil && n.items.members != nil:
			walk(n.items, below("0"))
		case n.rest != nil && n.rest.members != nil:
			walk(n.rest, below("name"))
		case n.members != nil:
			for _, m := range n.members {
				walk(m.node, below(m.name))
			}
		default:
			seen++
			same := func(v any) bool { return build(path, v) == plain }
			if !slices.ContainsFunc(others(n), func(v any) bool { return !same(v) }) {
				t.Errorf("%s changes nothing in the Config", strings.Join(path, "."))
			}
		}
	}
	walk(&schemaRoot, nil)
	if seen < 200 {
		t.Errorf("only %d keys were tried", seen)
	}
}

// others are valid values of which one at least is not what stands when nothing
// is written.
func others(n *node) []any {
	switch n.kind {
	case "boolean":
		return []any{true, false}
	case "integer":
		if p, ok := n.preset.(int); ok {
			return []any{p + 1}
		}
		return []any{n.min + 2}
	case "array":
		if n.items.format == "cidr" {
			return []any{[]any{"10.0.0.0/8"}}
		}
		return []any{[]any{"https://other.example/of-32-chars"[:32]}}
	case "object":
		return []any{map[string]any{"name": "value"}}
	}
	if len(n.enum) > 0 {
		var out []any
		for _, v := range n.enum {
			out = append(out, v)
		}
		return out
	}
	switch n.format {
	case "go-duration":
		return []any{"7m"}
	case "byte-size":
		return []any{"7MB"}
	case "date-time":
		return []any{"2026-01-31T12:00:00Z"}
	}
	if n == schemaRoot.member("dsn") {
		return []any{"file://other.db"}
	}
	return []any{"https://other.example/"}
}

func TestMerge(t *testing.T) {
	first := Source{"first.yml", []byte(`
identity: {schemas: [{id: a, url: file://a}, {id: b, url: file://b}], default_schema_id: b}
selfservice:
  default_browser_return_url: https://first.example/
  flows: {login: {lifespan: 5m, style: identifier_first}}
session: {lifespan: 2h}
`)}
	second := Source{"second.json", []byte(`{"identity": {"schemas": [{"id": "b", "url": "file://b2"}]},
		"selfservice": {"flows": {"login": {"lifespan": "6m"}}}, "session": null}`)}
	third := Source{"empty.yml", []byte("# nothing\n")}
	c, _ := mustLoad(t, []string{"SESSION_LIFESPAN=3h"}, map[string]any{"dev": true, "session.cookie.name": "flag"}, first, second, third)
	if got := c.Identity.Schemas; len(got) != 1 || got[0].URL != "file://b2" {
		t.Errorf("a later list must replace an earlier one, got %v", got)
	}
	if c.Flows.Login.Lifespan != 6*time.Minute || c.Flows.Login.Style != StyleIdentifierFirst {
		t.Errorf("maps must merge, got %v %v", c.Flows.Login.Lifespan, c.Flows.Login.Style)
	}
	if c.Session.Lifespan != 3*time.Hour {
		t.Errorf("the environment must win over files, got %v", c.Session.Lifespan)
	}
	if c.Session.Cookie.Name != "flag" || !c.Dev {
		t.Errorf("the command line must win over all, got %q", c.Session.Cookie.Name)
	}
}

func TestCommandLineBeatsEnvironment(t *testing.T) {
	c, _ := mustLoad(t, []string{"LOG_FORMAT=text", "DEV=false"}, map[string]any{"dev": true, "log.format": "json"}, read(t, "testdata/minimal.yml"))
	if c.Log.Format != "json" || !c.Dev {
		t.Errorf("got format %q, dev %v", c.Log.Format, c.Dev)
	}
}

func TestEnvironment(t *testing.T) {
	for _, c := range []struct {
		name    string
		environ []string
		got     func(*Config) any
		want    any
	}{
		{"text", []string{"SESSION_COOKIE_NAME=x"}, func(c *Config) any { return c.Session.Cookie.Name }, "x"},
		{"text that looks like a number", []string{"SELFSERVICE_METHODS_TOTP_CONFIG_ISSUER=007"}, func(c *Config) any { return c.Methods.TOTP.Issuer }, "007"},
		{"underscores in keys", []string{"SELFSERVICE_METHODS_PASSWORD_CONFIG_MIN_PASSWORD_LENGTH=9"}, func(c *Config) any { return c.Methods.Password.MinLength }, 9},
		{"bool", []string{"SELFSERVICE_METHODS_CODE_ENABLED=false"}, func(c *Config) any { return c.Methods.Code.Enabled }, false},
		{"bool as a digit", []string{"SECURITY_ACCOUNT_ENUMERATION_MITIGATE=1"}, func(c *Config) any { return c.Security.MitigateEnumeration }, true},
		{"duration", []string{"SESSION_LIFESPAN=90s"}, func(c *Config) any { return c.Session.Lifespan }, 90 * time.Second},
		{"list as CSV", []string{`CLIENTS_WEB_HOOK_HEADER_ALLOWLIST=Accept, "X,Y",Cookie`}, func(c *Config) any { return c.Clients.HeaderAllowlist }, []string{"Accept", "X,Y", "Cookie"}},
		{"list as JSON", []string{`CLIENTS_WEB_HOOK_HEADER_ALLOWLIST=["Accept"]`}, func(c *Config) any { return c.Clients.HeaderAllowlist }, []string{"Accept"}},
		{"item of a list", []string{"IDENTITY_SCHEMAS_0_URL=file://other"}, func(c *Config) any { return c.Identity.Schemas }, []Schema{{ID: "default", URL: "file://other"}}},
		{
			"new items in order of their index",
			[]string{"SECRETS_DEFAULT_2=third-secret-of-many", "SECRETS_DEFAULT_10=last-secret-of-the-many", "SECRETS_DEFAULT_0=first-secret-of-many", "SECRETS_DEFAULT_1=second-secret-of-many", "SECRETS_DEFAULT_3=4444secret-of-many!", "SECRETS_DEFAULT_4=5555secret-of-many!", "SECRETS_DEFAULT_5=6666secret-of-many!", "SECRETS_DEFAULT_6=7777secret-of-many!", "SECRETS_DEFAULT_7=8888secret-of-many!", "SECRETS_DEFAULT_8=9999secret-of-many!", "SECRETS_DEFAULT_9=aaaasecret-of-many!"},
			func(c *Config) any {
				return []string{c.Secrets.Default[0].Reveal(), c.Secrets.Default[10].Reveal()}
			},
			[]string{"first-secret-of-many", "last-secret-of-the-many"},
		},
		{"object as JSON", []string{`SERVE_PUBLIC={"port": 99, "host": "::1"}`}, func(c *Config) any { return c.Serve.Public.BaseURL.String() }, "http://[::1]:99/"},
		{"member beats object", []string{"SERVE_PUBLIC_PORT=98", `SERVE_PUBLIC={"port": 99}`}, func(c *Config) any { return c.Serve.Public.Port }, 98},
		{"list of objects as JSON", []string{`IDENTITY_SCHEMAS=[{"id":"default","url":"base64://e30="}]`}, func(c *Config) any { return c.Identity.Schemas[0].URL }, "base64://e30="},
		{"a map's members as JSON", []string{`OAUTH2_PROVIDER_HEADERS={"X-A":"b"}`}, func(c *Config) any { return c.OAuth2.Headers["X-A"].Reveal() }, "b"},
		{"DSN", []string{"DSN=dynamodb://people"}, func(c *Config) any { return c.DSN.Table }, "people"},
		{"names of other programs", []string{"SESSION_MANAGER=x", "PATH=/bin", "session_lifespan=1s", "LOG_LEVELS=9", "VERSION=1", "=C:=C:\\", "IDENTITY_SCHEMAS_00_URL=x"}, func(c *Config) any { return c.Session.Lifespan }, 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, _ := mustLoad(t, c.environ, dev, read(t, "testdata/minimal.yml"))
			if got := c.got(cfg); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestEnvironmentMistakes(t *testing.T) {
	for _, c := range []struct{ entry, want string }{
		{"SERVE_PUBLIC_PORT=http", "environment variable SERVE_PUBLIC_PORT: serve.public.port: must be a whole number from 0 to 65535"},
		{"SERVE_PUBLIC_PORT=70000", "environment variable SERVE_PUBLIC_PORT: serve.public.port: must be a whole number from 0 to 65535, not 70000"},
		{"LOG_LEVEL=warn", "environment variable LOG_LEVEL: log.level: must be one of trace, debug, info, warning, error, fatal, panic"},
		{"SESSION_LIFESPAN=1 day", "environment variable SESSION_LIFESPAN: session.lifespan: must be a duration such as 90s, 15m or 1h30m"},
		{"SESSION_LIFESPAN=", "environment variable SESSION_LIFESPAN: session.lifespan: must be a duration such as 90s, 15m or 1h30m"},
		{"SERVE=yes", "environment variable SERVE: serve: must be a JSON object"},
		{"SERVE_PUBLIC_CORS_ENABLED=on", "environment variable SERVE_PUBLIC_CORS_ENABLED: serve.public.cors.enabled: must be true or false"},
		{"IDENTITY_SCHEMAS_5_ID=x", "environment variable IDENTITY_SCHEMAS_5_ID: identity.schemas.5.id: names an item that is not there: lists grow one index at a time"},
		{"IDENTITY_SCHEMAS=a,b", "environment variable IDENTITY_SCHEMAS: identity.schemas: must be a list of at least 1"},
		{`SELFSERVICE_FLOWS={"login":{"stile":"unified"}}`, "environment variable SELFSERVICE_FLOWS: selfservice.flows.login.stile: is not a known key; did you mean style?"},
	} {
		_, _, err := Load([]Source{read(t, "testdata/minimal.yml")}, []string{c.entry}, dev)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.entry, err, c.want)
		}
	}
}

const good = `
identity: {schemas: [{id: default, url: file://x}]}
selfservice: {default_browser_return_url: https://x.example/}
`

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name, yaml string
		want       []string
	}{
		{"a key nobody knows", good + "sesion: {}", []string{"styx.yml:4:1: sesion: is not a known key; did you mean session?"}},
		{"a key in the wrong place", good + "session:\n  cookie:\n    lifespan: 1h", []string{"styx.yml:6:5: session.cookie.lifespan: is not a known key; known here: domain, name, path, persistent, same_site, secure"}},
		{"a wrong type", good + "session:\n  cookie: {persistent: sure}", []string{"styx.yml:5:12: session.cookie.persistent: must be true or false, not text"}},
		{"text without quotes", good + "session: {cookie: {name: 12}}", []string{"styx.yml:4:20: session.cookie.name: must be text that is not empty, not a number (put text in quotes)"}},
		{"out of bounds", good + "hashers: {bcrypt: {cost: 3}}", []string{"styx.yml:4:20: hashers.bcrypt.cost: must be a whole number from 4 to 31, not 3"}},
		{"a fraction", good + "hashers: {bcrypt: {cost: 12.5}}", []string{"styx.yml:4:20: hashers.bcrypt.cost: must be a whole number from 4 to 31, not a number with a fraction (put text in quotes)"}},
		{"a list for an object", good + "hashers: []", []string{"styx.yml:4:1: hashers: must be an object, not a list"}},
		{"a text for a list", good + "secrets: {default: very-secret-and-not-shown}", []string{"styx.yml:4:11: secrets.default: must be a list of at least 1, not text"}},
		{"an empty list", good + "secrets: {default: []}", []string{"styx.yml:4:11: secrets.default: must be a list of at least 1 item, not empty"}},
		{"a short secret", good + "secrets:\n  cookie:\n    - sixteen-or-more-characters\n    - short", []string{"styx.yml:7:7: secrets.cookie.1: must be text of at least 16 characters, not 5"}},
		{"a cipher of another length", good + "secrets: {cipher: [abcdefghijklmnopqrstuvwxyz-1234]}", []string{"styx.yml:4:20: secrets.cipher.0: must be text of exactly 32 characters, not 31"}},
		{"an item of a list", "identity:\n  schemas:\n    - id: default\n      url: file://x\n    - url: ftp://x\nselfservice: {default_browser_return_url: /}", []string{
			"styx.yml:5:7: identity.schemas.1.id: is required: text that is not empty",
			"styx.yml:5:7: identity.schemas.1.url: must be a file://, http://, https:// or base64:// URL",
		}},
		{"nothing at all", "", []string{
			"styx.yml: identity: is required: an object",
			"styx.yml: selfservice: is required: an object",
		}},
		{"nulls count as nothing", "identity:\nselfservice:\n  default_browser_return_url:", []string{
			"styx.yml:1:1: identity: is required: an object",
			"styx.yml:3:3: selfservice.default_browser_return_url: is required: a URL",
		}},
		{"a hook in the wrong place", hooked("login", "password", "{hook: session}"), []string{"styx.yml:9:16: selfservice.flows.login.after.password.hooks.0.hook: must be one of revoke_active_sessions, require_verified_address, web_hook, verification, show_verification_ui"}},
		{"a web hook without config", hooked("login", "password", "{hook: web_hook}"), []string{"styx.yml:9:15: selfservice.flows.login.after.password.hooks.0.config: is required"}},
		{"a web hook's keys", hooked("registration", "password", "{hook: web_hook, config: {url: not-absolute, methode: GET, auth: {type: api_key, config: {value: v, in: body}}}}"), []string{
			"styx.yml:9:115: selfservice.flows.registration.after.password.hooks.0.config.auth.config.in: must be one of header, cookie",
			"styx.yml:9:96: selfservice.flows.registration.after.password.hooks.0.config.auth.config.name: is required: text",
			"styx.yml:9:32: selfservice.flows.registration.after.password.hooks.0.config.method: is required: text",
			"styx.yml:9:60: selfservice.flows.registration.after.password.hooks.0.config.methode: is not a known key; did you mean method?",
			"styx.yml:9:41: selfservice.flows.registration.after.password.hooks.0.config.url: must be an absolute URL",
		}},
		{"a method that a flow does not have", "identity: {schemas: [{id: default, url: file://x}]}\nselfservice:\n  default_browser_return_url: /\n  flows: {registration: {after: {totp: {}}}}", []string{"styx.yml:4:34: selfservice.flows.registration.after.totp: is not a known key; known here: code, default_browser_return_url, hooks, oidc, passkey, password, webauthn"}},
		{"not YAML", "identity: [\n", []string{"styx.yml: cannot be read: line 1: did not find expected node content"}},
		{"not an object", "- identity", []string{"styx.yml: must be an object of keys, not a list"}},
		{"a key twice", "dev: true\ndev: false", []string{`styx.yml: cannot be read: line 2: mapping key "dev" already defined at line 1`}},
		{"an endless number", good + "hashers: {bcrypt: {cost: .inf}}", []string{"styx.yml: hashers.bcrypt.cost: is a number out of range"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Load([]Source{text(c.yaml)}, nil, dev)
			if err == nil {
				t.Fatal("was accepted")
			}
			if got := strings.Split(err.Error(), "\n"); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", err, strings.Join(c.want, "\n"))
			}
		})
	}
}

func hooked(flow, method, hook string) string {
	return "identity: {schemas: [{id: default, url: file://x}]}\nselfservice:\n  default_browser_return_url: /\n  flows:\n    " + flow +
		":\n      after:\n        " + method + ":\n          hooks:\n            - " + hook + "\n"
}

// The place of a mistake is in the file that wrote it last.
func TestPlaceOfMergedFiles(t *testing.T) {
	_, _, err := Load([]Source{
		{"a.yml", []byte(good + "session: {lifespan: soon}")},
		{"b.json", []byte("{\n\t\"session\": {\n\t\t\"lifespan\": \"later\"\n\t}\n}")},
		{"c.yml", []byte("session: {cookie: {nam: x}}")},
	}, nil, dev)
	want := "c.yml:1:20: session.cookie.nam: is not a known key; did you mean name?\n" +
		"b.json:3:3: session.lifespan: must be a duration such as 90s, 15m or 1h30m"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, _, err := Load([]Source{text(`
dsn: postgres://styx:hunter2@db/styx
identity: {schemas: [{id: default, url: file://x}], default_schema_id: other}
selfservice:
  default_browser_return_url: https://x.example/
  flows: {recovery: {enabled: true}, login: {lifespan: 0s}}
  methods: {code: {passwordless_enabled: true, mfa_enabled: true}}
hashers: {algorithm: md5, bcrypt: {cost: 4}}
cookies: {domain: x.example, same_site: None, secure: false}
styx: {cookies: {host_prefix: true}}
unknown: true
`)}, []string{"LOG_LEVEL=loud"}, nil)
	var mistakes Mistakes
	if !errors.As(err, &mistakes) {
		t.Fatalf("got %v", err)
	}
	var keys []string
	for _, m := range mistakes {
		keys = append(keys, m.Key)
	}
	want := []string{
		// The DSN is none at all, so it is not memory either: secrets are asked for.
		"cookies.same_site", "courier", "dsn", "hashers.algorithm", "hashers.bcrypt.cost", "identity.default_schema_id", "log.level", "secrets.default",
		"selfservice.flows.login.lifespan", "selfservice.methods.code.mfa_enabled", "serve.public.base_url", "styx.cookies.host_prefix", "unknown",
	}
	if !slices.Equal(keys, want) {
		t.Errorf("got\n%v\nwant\n%v\n%v", keys, want, err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("the password of a DSN was shown")
	}
}

func TestJSONThatIsNotYAML(t *testing.T) {
	c, _ := mustLoad(t, nil, nil, read(t, "testdata/tabs.json"))
	if got := c.SelfService.DefaultReturnURL.String(); got != "https://example.test/" {
		t.Errorf("got %s", got)
	}
	if got := c.Courier.SMTP.FromName; got != "Anchor 🚢" {
		t.Errorf("got %s", got)
	}
}

func TestNotices(t *testing.T) {
	kinds := func(yaml string) map[string]Kind {
		_, notices := mustLoad(t, nil, nil, text(yaml))
		out := make(map[string]Kind)
		for _, n := range notices {
			out[n.Key] = n.Kind
		}
		return out
	}
	got := kinds(good + `
dev: true
dsn: memory
secrets: {default: [some-secret-of-mine]}
tracing: {provider: otel}
serve: {public: {tls: {}, host: 127.0.0.1}}
ciphers: {algorithm: noop, kind: x}
styx: {cookies: {host_prefix: true}}
oauth2_provider: {url: https://hydra.example}
`)
	want := map[string]Kind{
		"tracing": Inert, "serve.public.tls": Inert, "serve.public.host": Local, "ciphers.kind": Ignored,
		"styx.cookies.host_prefix": Ignored, "oauth2_provider.url": Later,
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if got := kinds(good + "dev: true"); !maps.Equal(got, map[string]Kind{"dsn": Advice, "secrets.default": Advice}) {
		t.Errorf("a plain start says where data lives and that secrets are random, got %v", got)
	}
}

// Every file that the repository hands out as a start must start.
func TestQuickstart(t *testing.T) {
	src := read(t, "../../examples/quickstart/styx.yml")
	c, notices := mustLoad(t, nil, dev, src)
	if c.Hashers.Argon2 != (Argon2{MemoryKiB: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}) || c.Hashers.Algorithm != HashArgon2 {
		t.Errorf("hashers: %+v", c.Hashers)
	}
	if c.Methods.Password.MinLength != 15 || c.Methods.Code.Lifespan != 10*time.Minute || c.Flows.Registration.Style != StyleProfileFirst {
		t.Errorf("methods: %+v", c.Methods)
	}
	if c.Styx.HostPrefix {
		t.Error("__Host- cookies cannot work over http")
	}
	if c.Flows.Login.UIURL != nil || c.Flows.Registration.UIURL != nil {
		t.Error("the built-in pages should serve")
	}
	for _, n := range notices {
		if n.Kind == Later || n.Kind == Inert {
			t.Errorf("promises what is not there: %v", n)
		}
	}
	_, _, err := Load([]Source{src}, []string{"SERVE_PUBLIC_BASE_URL=https://id.example.com/"}, nil)
	if err == nil || !strings.Contains(err.Error(), "secrets.default.0") || strings.Contains(err.Error(), "\n") {
		t.Errorf("production must refuse the published secret, and nothing else: %v", err)
	}
	c, _ = mustLoad(t, []string{"SERVE_PUBLIC_BASE_URL=https://id.example.com/", "SECRETS_DEFAULT=60303ae22b998861bce3b28f33eec1be"}, nil, src)
	if !c.Styx.HostPrefix {
		t.Error("production should have __Host- cookies")
	}
}

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		f.Add(read(f, name).Data, "SESSION_LIFESPAN=1h")
	}
	f.Add([]byte(good+"a: &a [*a]\n<<: {b: c}\n1: 2\n? {x: y}\n: z"), "IDENTITY_SCHEMAS_0_URL=x")
	f.Add([]byte(good), `SELFSERVICE_FLOWS={"login":{"after":{"hooks":[null,{"hook":"web_hook","config":{"url":1}}]}}}`)
	f.Fuzz(func(t *testing.T, data []byte, entry string) {
		sources := []Source{{"fuzz.yml", data}}
		c, _, err := Load(sources, []string{entry}, nil)
		if err != nil {
			var mistakes Mistakes
			if c != nil || !errors.As(err, &mistakes) || len(mistakes) == 0 {
				t.Fatalf("an error comes alone and lists mistakes: %v", err)
			}
			for _, m := range mistakes {
				if m.Text == "" || m.Key == "" && m.Place == "" {
					t.Fatalf("a mistake names no key: %q", m)
				}
			}
			return
		}
		if c.Serve.Public.BaseURL == nil || c.SelfService.DefaultReturnURL == nil || c.Session.Lifespan <= 0 || c.DSN.Kind == "" {
			t.Fatalf("a loaded configuration is complete: %s", dump(c))
		}
		again, _, err := Load(sources, []string{entry}, nil)
		if err != nil || dump(again) != dump(c) {
			t.Fatalf("the same input gave another configuration: %v", err)
		}
	})
}

// What a Lambda pays before its first request: under 2 ms of CPU is the aim.
func BenchmarkLoad(b *testing.B) {
	for _, name := range []string{"minimal", "production", "everything"} {
		src := []Source{read(b, "testdata/"+name+".yml")}
		environ := []string{"SERVE_PUBLIC_BASE_URL=https://id.example.com/", "DEV=true", "AWS_REGION=eu-central-1", "PATH=/usr/bin"}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Load(src, environ, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
