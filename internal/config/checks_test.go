package config

import (
	"strings"
	"testing"
)

// production is a start that nothing is wrong with; rows spoil one thing each.
const production = good + `
dsn: dynamodb://people
serve: {public: {base_url: https://id.example.com/}}
secrets: {default: [9f86d081884c7d659a2feaa0c55ad015]}
`

func TestChecks(t *testing.T) {
	rp := func(id, origin string) string {
		return "SELFSERVICE_METHODS_PASSKEY=" + `{"enabled": true, "config": {"rp": {"id": "` + id + `", "display_name": "x", "origins": ["` + origin + `"]}}}`
	}
	const prod, devel = false, true
	for _, c := range []struct {
		name    string
		dev     bool
		environ []string
		want    string // start of the one mistake, "" = none
	}{
		{"nothing", prod, nil, ""},
		{"no public URL", prod, []string{"SERVE_PUBLIC={}", "SERVE_PUBLIC_BASE_URL=/"}, "serve.public.base_url: must be an absolute URL"},
		{"public URL of another scheme", prod, []string{"SERVE_PUBLIC_BASE_URL=ftp://id.example.com"}, "serve.public.base_url: must be an http"},
		{"public URL with a user", devel, []string{"SERVE_PUBLIC_BASE_URL=https://me:pw@id.example.com"}, "serve.public.base_url: must be an http"},
		{"public URL with a query", devel, []string{"SERVE_PUBLIC_BASE_URL=https://id.example.com/?x"}, "serve.public.base_url: must be an http"},
		{"page with a user", devel, []string{"SELFSERVICE_FLOWS_LOGIN_UI_URL=https://me:pw@id.example.com"}, "selfservice.flows.login.ui_url: must not hold"},
		{"secret of Kratos' quickstart", prod, []string{"SECRETS_DEFAULT=PLEASE-CHANGE-ME-I-AM-VERY-INSECURE"}, "secrets.default.0: is an example's"},
		{"cipher of Kratos' quickstart", prod, []string{"SECRETS_CIPHER=32-LONG-SECRET-NOT-SECURE-AT-ALL"}, "secrets.cipher.0: is an example's"},
		{"secret of zeros", prod, []string{"SECRETS_COOKIE=00000000000000000000"}, "secrets.cookie.0: is an example's"},
		{"secret of zeros in dev", devel, []string{"SECRETS_COOKIE=00000000000000000000"}, ""},
		{"cipher of another length", prod, []string{"SECRETS_CIPHER=9f86d081884c7d659a2feaa0c55ad01"}, "secrets.cipher.0: must be text of exactly 32 characters, not 31"},
		{"algorithm without a cipher", devel, []string{"CIPHERS_ALGORITHM=aes"}, "secrets.cipher: is required while ciphers.algorithm is aes"},
		{"cheap bcrypt", prod, []string{"HASHERS_BCRYPT_COST=11"}, "hashers.bcrypt.cost: must be a whole number from 12 to 31 outside dev"},
		{"cheap bcrypt in dev", devel, []string{"HASHERS_BCRYPT_COST=4"}, ""},
		{"cheap bcrypt unused", prod, []string{"HASHERS_BCRYPT_COST=11", "HASHERS_ALGORITHM=argon2"}, ""},
		{"argon2 with next to no memory", devel, []string{"HASHERS_ARGON2_MEMORY=8KB", "HASHERS_ARGON2_PARALLELISM=2"}, "hashers.argon2.memory: must be at least"},
		{"argon2 with too much", devel, []string{"HASHERS_ARGON2_MEMORY=5GB"}, "hashers.argon2.memory: must be at most"},
		{"a minimum bcrypt cannot meet", devel, []string{"SELFSERVICE_METHODS_PASSWORD_CONFIG_MIN_PASSWORD_LENGTH=73"}, "selfservice.methods.password.config.min_password_length: cannot be met"},
		{"SameSite None without Secure", prod, []string{"COOKIES_SAME_SITE=None", "COOKIES_SECURE=false"}, "cookies.same_site: None needs"},
		{"session SameSite None without Secure", prod, []string{"SESSION_COOKIE_SAME_SITE=None", "SESSION_COOKIE_SECURE=false"}, "session.cookie.same_site: None needs"},
		{"SameSite None with Secure", prod, []string{"COOKIES_SAME_SITE=None"}, ""},
		{"prefix and domain", prod, []string{"STYX_COOKIES_HOST_PREFIX=true", "COOKIES_DOMAIN=example.com"}, "styx.cookies.host_prefix: cannot be on together with cookies.domain"},
		{"prefix and session domain", devel, []string{"STYX_COOKIES_HOST_PREFIX=true", "SESSION_COOKIE_DOMAIN=example.com"}, "styx.cookies.host_prefix: cannot be on together with session.cookie.domain"},
		{"prefix and path", prod, []string{"STYX_COOKIES_HOST_PREFIX=true", "COOKIES_PATH=/id"}, "styx.cookies.host_prefix: needs the cookie path /"},
		{"prefix without Secure", prod, []string{"STYX_COOKIES_HOST_PREFIX=true", "COOKIES_SECURE=false"}, "styx.cookies.host_prefix: needs Secure"},
		{"prefix", prod, []string{"STYX_COOKIES_HOST_PREFIX=true"}, ""},
		{"cookie name", devel, []string{"SESSION_COOKIE_NAME=my session"}, "session.cookie.name: must be a cookie name"},
		{"cookie domain", devel, []string{"COOKIES_DOMAIN=https://example.com"}, "cookies.domain: must be a domain"},
		{"cookie path", devel, []string{"SESSION_COOKIE_PATH=id"}, "session.cookie.path: must start with /"},
		{"recovery without courier", devel, []string{"SELFSERVICE_FLOWS_RECOVERY_ENABLED=true"}, "courier: is required while selfservice.flows.recovery"},
		{"recovery with courier", devel, []string{"SELFSERVICE_FLOWS_RECOVERY_ENABLED=true", "COURIER={}"}, ""},
		{"SMTP of another scheme", devel, []string{"COURIER_SMTP_CONNECTION_URI=http://mail"}, "courier.smtp.connection_uri: must be smtp"},
		{"mail over HTTP to nowhere", devel, []string{"COURIER_DELIVERY_STRATEGY=http"}, "courier.http.request_config.url: must be"},
		{"texts to nowhere", devel, []string{`COURIER_CHANNELS=[{"id":"sms","request_config":{"method":"POST"}}]`}, "courier.channels.0.request_config.url: must be"},
		{"sender without an @", devel, []string{"COURIER_SMTP_FROM_ADDRESS=nobody"}, "courier.smtp.from_address: must be a mail address"},
		{"schema twice", devel, []string{`IDENTITY_SCHEMAS=[{"id":"default","url":"file://a"},{"id":"default","url":"file://b"}]`}, "identity.schemas.1.id: is the id of an earlier"},
		{"provider twice", devel, []string{`SELFSERVICE_METHODS_OIDC_CONFIG_PROVIDERS=[{"id":"a","provider":"google","client_id":"x","mapper_url":"file://a"},{"id":"a","provider":"google","client_id":"x","mapper_url":"file://a"}]`}, "selfservice.methods.oidc.config.providers.1.id: is the id of an earlier"},
		{"default schema of no list", devel, []string{"IDENTITY_DEFAULT_SCHEMA_ID=else"}, "identity.default_schema_id: names none of the schemas: must be one of default"},
		{"hook without a host", devel, []string{`SELFSERVICE_FLOWS_LOGIN_AFTER_HOOKS=[{"hook":"web_hook","config":{"url":"file:///etc","method":"GET"}}]`}, "selfservice.flows.login.after.hooks.0.config.url: must be an http"},
		{"migrate hook without URL", devel, []string{"SELFSERVICE_METHODS_PASSWORD_CONFIG_MIGRATE_HOOK_ENABLED=true"}, "selfservice.methods.password.config.migrate_hook.config.url: must be"},
		{"keys over the network", devel, []string{`SESSION_WHOAMI_TOKENIZER_TEMPLATES={"a":{"jwks_url":"https://x.example"}}`}, "session.whoami.tokenizer.templates.a.jwks_url: must be a file://"},
		{"lifespan of nothing", devel, []string{"SESSION_LIFESPAN=0s"}, "session.lifespan: must be longer"},
		{"relying party", devel, []string{rp("example.com", "https://login.example.com:8443")}, ""},
		{"relying party on localhost", devel, []string{rp("localhost", "http://localhost:3000")}, ""},
		{"relying party of an app", devel, []string{rp("example.com", "android:apk-key-hash:x")}, ""},
		{"relying party without id", devel, []string{`SELFSERVICE_METHODS_WEBAUTHN={"enabled":true,"config":{"rp":{"display_name":"x"}}}`}, "selfservice.methods.webauthn.config.rp.id: is required"},
		{"relying party of strangers", devel, []string{rp("example.com", "https://badexample.com")}, "selfservice.methods.passkey.config.rp.origins.0: does not belong"},
		{"relying party of everybody", devel, []string{rp("co.uk", "https://shop.co.uk")}, "selfservice.methods.passkey.config.rp.id: is a public suffix"},
		{"both kinds of origin", devel, []string{`SELFSERVICE_METHODS_WEBAUTHN={"enabled":true,"config":{"rp":{"id":"a.example","display_name":"x","origin":"https://a.example","origins":["https://a.example"]}}}`}, "selfservice.methods.webauthn.config.rp.origin: cannot stand beside origins"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Load([]Source{text(production)}, c.environ, map[string]any{"dev": c.dev})
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && err == nil:
				t.Error("was accepted")
			case c.want != "":
				if got := err.Error(); !strings.Contains(got, c.want) || strings.Contains(got, "\n") {
					t.Errorf("got %s\nwant %s", got, c.want)
				}
			}
		})
	}
}

func TestProductionNeedsSecretsAndURL(t *testing.T) {
	_, _, err := Load([]Source{text(good + "dsn: file://people.db")}, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "secrets.default: is required outside dev") || !strings.Contains(err.Error(), "serve.public.base_url: is required outside dev") {
		t.Errorf("got %v", err)
	}
	_, _, err = Load([]Source{text(good)}, []string{"SERVE_PUBLIC_BASE_URL=https://id.example.com"}, nil)
	if err != nil {
		t.Errorf("what lives in memory may have secrets that do too: %v", err)
	}
}

func TestWildcards(t *testing.T) {
	const list = "https://*.example.com/app,https://*,https://*foo.com,https://*.com,https://*.co.uk,https://foo.*.com,app://callback,https://plain.example"
	environ := []string{"SELFSERVICE_ALLOWED_RETURN_URLS=" + list, "SERVE_PUBLIC_CORS_ALLOWED_ORIGINS=*,https://*.example.com:8443,https://*.com"}
	c, notices := mustLoad(t, environ, dev, text(good))
	var returns []string
	for _, u := range c.SelfService.AllowedReturns {
		returns = append(returns, u.String())
	}
	if got := strings.Join(returns, ","); got != "https://*.example.com/app,app://callback,https://plain.example" {
		t.Errorf("return URLs: %s", got)
	}
	if got := strings.Join(c.Serve.Public.CORS.AllowedOrigins, ","); got != "*,https://*.example.com:8443" {
		t.Errorf("origins: %s", got)
	}
	ignored := 0
	for _, n := range notices {
		if n.Kind == Ignored {
			ignored++
		}
	}
	if ignored != 6 {
		t.Errorf("%d warnings for 6 entries: %v", ignored, notices)
	}
	c, _ = mustLoad(t, append(environ, "FEATURE_FLAGS_LEGACY_ALLOW_INSECURE_ORIGINS=true"), dev, text(good))
	if len(c.SelfService.AllowedReturns) != 8 || len(c.Serve.Public.CORS.AllowedOrigins) != 3 {
		t.Error("the legacy flag keeps them all")
	}
}

func TestParseDSN(t *testing.T) {
	for _, c := range []struct {
		in   string
		want DSN
	}{
		{"", DSN{Kind: Memory}},
		{"memory", DSN{Kind: Memory}},
		{"file://./styx.db", DSN{Kind: File, Path: "./styx.db"}},
		{"file:///var/lib/styx.db", DSN{Kind: File, Path: "/var/lib/styx.db"}},
		{"dynamodb://people", DSN{Kind: DynamoDB, Table: "people"}},
		{"dynamodb://people?region=eu-west-1&endpoint=http%3A%2F%2F127.0.0.1%3A8000", DSN{Kind: DynamoDB, Table: "people", Region: "eu-west-1", Endpoint: "http://127.0.0.1:8000"}},
		{"dynamodb://people?region=&endpoint=http://127.0.0.1:8000", DSN{Kind: DynamoDB, Table: "people", Endpoint: "http://127.0.0.1:8000"}},
	} {
		got, err := ParseDSN(c.in)
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v", c.in, got, err)
		}
		if again, err := ParseDSN(got.String()); err != nil || again != got {
			t.Errorf("%s prints as %s, which reads as %+v, %v", c.in, got, again, err)
		}
	}
	for in, want := range map[string]string{
		"postgres://u:hunter2@h/db":             "styx import kratos",
		"mysql://u:hunter2@tcp(h)/db":           "styx import kratos",
		"cockroach://u:hunter2@h/db":            "styx import kratos",
		"SQLITE://hunter2.db?_fk=true":          "styx import kratos",
		"redis://hunter2":                       "must be",
		"hunter2":                               "must be",
		"file://":                               "plain path",
		"file://x?mode=hunter2":                 "plain path",
		"dynamodb://":                           "name of a table",
		"dynamodb://no spaces":                  "name of a table",
		"dynamodb://people?key=hunter2":         "region and endpoint only",
		"dynamodb://people?endpoint=hunter2":    "http or https URL",
		"dynamodb://people?endpoint=%zzhunter2": "part after",
	} {
		d, err := ParseDSN(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v", in, d, err)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error repeats it: %v", in, err)
		}
	}
}

func TestByteSize(t *testing.T) {
	for in, want := range map[string]int64{"1B": 1, "19MB": 19 << 20, "19 MiB": 19 << 20, "2kb": 2 << 10, "1GB": 1 << 30, "1TB": 1 << 40, "0B": 0} {
		if got, err := parseByteSize(in); err != nil || got != want {
			t.Errorf("%q: got %d, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "MB", "19", "-1MB", "+1MB", "1.5MB", "19XB", "9999999999TB", "19M B"} {
		if got, err := parseByteSize(in); err == nil {
			t.Errorf("%q: got %d", in, got)
		}
	}
}
