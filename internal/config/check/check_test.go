package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"styx/internal/config"
)

func sources(t testing.TB, name string) []config.Source {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return []config.Source{{Name: filepath.Base(name), Data: data}}
}

func text(s string) []config.Source { return []config.Source{{Name: "styx.yml", Data: []byte(s)}} }

var dev = map[string]any{"dev": true}

func TestValidFilesHaveNoMistakes(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.[yj]*")
	if err != nil || len(files) < 4 {
		t.Fatalf("found %v, %v", files, err)
	}
	for _, name := range append(files, "../../../examples/quickstart/styx.yml") {
		if got := Validate(sources(t, name), nil, dev); len(got) > 0 {
			t.Errorf("%s: %v", name, config.Mistakes(got))
		}
	}
}

func TestEveryMistakeOnceWithItsPlace(t *testing.T) {
	got := Validate(text(`identity: {schemas: [{id: default, url: file://x}]}
selfservice:
  default_browser_return_url: https://x.example/
  flows:
    login:
      lifespann: 1h
      style: one_step
    registration: {after: {hooks: [{hook: session}, {hook: web_hook, config: {method: GET}}]}}
session: {lifespan: 5}
hashers: {bcrypt: {cost: 40}}
secrets: {cipher: [short]}
`), []string{"LOG_FORMAT=xml"}, dev)
	want := `styx.yml:10:20: hashers.bcrypt.cost: must be a whole number from 4 to 31, not 40
environment variable LOG_FORMAT: log.format: must be one of json, text
styx.yml:11:20: secrets.cipher.0: must be text of exactly 32 characters, not 5
styx.yml:6:7: selfservice.flows.login.lifespann: is not a known key; did you mean lifespan?
styx.yml:7:7: selfservice.flows.login.style: must be one of unified, identifier_first
styx.yml:8:37: selfservice.flows.registration.after.hooks.0.hook: must be one of web_hook
styx.yml:8:70: selfservice.flows.registration.after.hooks.1.config.url: is required: an absolute URL
styx.yml:9:11: session.lifespan: must be a duration such as 90s, 15m or 1h30m, not a number (put text in quotes)`
	if all := config.Mistakes(got).Error(); all != want {
		t.Errorf("got\n%s\nwant\n%s", all, want)
	}
}

// What Load refuses by the schema, the validator refuses too, and the other way
// round: config.schema.json has one meaning.
func FuzzAgreement(f *testing.F) {
	files, err := filepath.Glob("../testdata/*.[yj]*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		f.Add(sources(f, name)[0].Data)
	}
	const good = "identity: {schemas: [{id: default, url: file://x}]}\nselfservice: {default_browser_return_url: /}\n"
	for _, bad := range []string{
		"x: 1", "session: {lifespan: 1}", "session: {lifespan: 1x}", "secrets: {default: []}", "secrets: {default: [1]}", "log: {level: loud}",
		"serve: {public: {port: 99999}}", "styx: {trusted_proxies: [x]}", "styx: {sessions: {not_before: now}}", "hashers: {argon2: {memory: 1}}",
		"oauth2_provider: {headers: {a: 1}}", "session: {whoami: {tokenizer: {templates: {a: {}, b: {ttl: 1}}}}}", "session: null", "help: [1]",
		"selfservice: {flows: {login: {after: {hooks: [{hook: web_hook, config: {url: x, auth: {type: basic_auth, config: {}}}}, 7, {}]}}}}",
		"selfservice: {methods: {oidc: {config: {providers: [{id: '', requested_claims: {id_token: {a: null}}}]}}}}",
		"courier: {templates: {login_code: {invalid: {}}}}", "identity: {schemas: []}", "selfservice: {methods: {code: {x: 1, config: {y: 1}}}}",
	} {
		f.Add([]byte(good + bad))
		f.Add([]byte(bad))
	}
	schema, err := compile()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		src := []config.Source{{Name: "fuzz.yml", Data: data}}
		found, err := findings(schema, src, nil, dev)
		if err != nil {
			t.Fatal(err)
		}
		all := validate(schema, src, nil, dev)
		for _, m := range all {
			if strings.HasPrefix(m.Text, "does not satisfy") {
				t.Errorf("only the validator found: %v", m)
			}
		}
		_, _, err = config.Load(src, nil, dev)
		if (err == nil) != (len(all) == 0) {
			t.Errorf("Load says %v, Validate says %v", err, all)
		}
		if err == nil && len(found) > 0 {
			t.Errorf("Load takes what the validator refuses: %+v", found)
		}
	})
}
