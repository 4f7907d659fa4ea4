package main

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// source is the folder of a function that the tests have.
const source = "../test/lambda/testdata"

func TestTwoBuildsGiveTheSameZip(t *testing.T) {
	config := t.TempDir()
	for name, text := range map[string]string{"styx.yml": "courier: {smtp: {connection_uri: 'smtps://a:hunter2@b:465'}}\n", "schemas/person.json": `{"properties":{"password":{"type":"string"}}}`} {
		write(t, filepath.Join(config, name), text)
	}
	var zips [2][]byte
	for i := range zips {
		out := t.TempDir()
		p := plan{functions: source, only: []string{"echo"}, out: out, config: config, apart: true, architectures: []string{"arm64", "amd64"}}
		var report strings.Builder
		if err := p.run(t.Context(), &report); err != nil {
			t.Fatal(err)
		}
		if strings.Count(report.String(), "echo") != 2 {
			t.Errorf("report:\n%s", &report)
		}
		packed, err := os.ReadFile(filepath.Join(p.out, "echo-arm64.zip"))
		if err != nil {
			t.Fatal(err)
		}
		zips[i] = packed
		kept := filepath.Join(out, "secret-settings.json")
		if is, err := os.Stat(kept); err != nil || is.Mode().Perm() != 0o600 {
			t.Errorf("the secrets are kept as %v, %v", is, err)
		}
		// Without secrets there are none of an earlier build either.
		if err := writeApart(out, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(kept); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the secrets of an earlier build are there: %v", err)
		}
		for _, name := range []string{"styx.yml", "schemas/person.json"} {
			later := time.Now().Add(time.Hour)
			if err := os.Chtimes(filepath.Join(config, name), later, later); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !bytes.Equal(zips[0], zips[1]) {
		t.Error("two builds differ")
	}

	reader, err := zip.NewReader(bytes.NewReader(zips[0]), int64(len(zips[0])))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, one := range reader.File {
		names = append(names, one.Name+" "+one.Mode().String())
		if !one.Modified.Equal(epoch) {
			t.Errorf("%s bears %v", one.Name, one.Modified)
		}
	}
	if got, want := strings.Join(names, "\n"), "bootstrap -rwxr-xr-x\nschemas/person.json -rw-r--r--\nsecret-settings.txt -rw-r--r--\nstyx.yml -rw-r--r--"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	isStatic(t, reader.File[0])
}

// TestUnpackedIsWhatTheZipHolds: what sam uploads and what the CDK uploads are
// the same files.
func TestUnpackedIsWhatTheZipHolds(t *testing.T) {
	config := t.TempDir()
	for name, text := range map[string]string{"styx.yml": "version: v1\n", "schemas/person.json": `{}`} {
		write(t, filepath.Join(config, name), text)
	}
	p := plan{functions: source, only: []string{"echo"}, out: t.TempDir(), config: config, architectures: []string{"arm64"}}
	if err := p.run(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := p.unpack(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	packed, err := zip.OpenReader(filepath.Join(p.out, "echo-arm64.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	var want []string
	for _, one := range packed.File {
		want = append(want, one.Name)
		body, err := one.Open()
		if err != nil {
			t.Fatal(err)
		}
		zipped, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		lying, err := os.ReadFile(filepath.Join(folder, one.Name))
		if err != nil || !bytes.Equal(zipped, lying) {
			t.Errorf("%s differs (%v)", one.Name, err)
		}
		info, err := os.Stat(filepath.Join(folder, one.Name))
		if err != nil || info.Mode().Perm() != one.Mode().Perm() {
			t.Errorf("%s is %v (%v), in the zip %v", one.Name, info.Mode(), err, one.Mode())
		}
	}
	var got []string
	if err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			path, err = filepath.Rel(folder, path)
			got = append(got, filepath.ToSlash(path))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("unpacked %v, the zip holds %v", got, want)
	}
}

func TestUnpackedIsRefused(t *testing.T) {
	none, leaky := t.TempDir(), t.TempDir()
	write(t, filepath.Join(leaky, "styx.yml"), "secrets: {default: [hunter2]}\n")
	for _, row := range []struct {
		name          string
		only          []string
		config        string
		architectures []string
		want          string
	}{
		{"two architectures", []string{"echo"}, none, []string{"arm64", "amd64"}, "unpacked is one function for one architecture, not echo for arm64 amd64"},
		{"without a configuration", []string{"echo"}, "", []string{"arm64"}, "-config must name a folder with styx.yml and its schemas"},
		{"with an empty one", []string{"echo"}, none, []string{"arm64"}, "-config must name a folder with styx.yml and its schemas"},
		{"with a secret", []string{"echo"}, leaky, []string{"arm64"}, "styx.yml holds a secret: secrets.default.0; take it out: the stack has its own, and README.md of infra says how to bring yours"},
		{"a stranger", []string{"nobody"}, none, []string{"arm64"}, `no function "nobody"; there are: echo`},
	} {
		t.Run(row.name, func(t *testing.T) {
			folder := t.TempDir()
			err := plan{functions: source, only: row.only, config: row.config, architectures: row.architectures}.unpack(t.Context(), folder)
			if err == nil || err.Error() != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
			if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
				t.Errorf("it wrote %v (%v)", left, err)
			}
		})
	}
}

// write makes a file and the folders it lies in.
func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// isStatic fails unless the file is a stripped arm64 binary that needs no
// loader.
func isStatic(t *testing.T, one *zip.File) {
	t.Helper()
	body, err := one.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if binary.Machine != elf.EM_AARCH64 {
		t.Errorf("built for %s", binary.Machine)
	}
	for _, program := range binary.Progs {
		if program.Type == elf.PT_INTERP {
			t.Error("the binary needs a loader")
		}
	}
	if binary.Section(".symtab") != nil || binary.Section(".debug_info") != nil {
		t.Error("the binary is not stripped")
	}
}

// packing reads a folder with these files, and returns what goes into a zip and
// what is kept apart, or what is wrong.
func packing(t *testing.T, content map[string]string) (packed, secrets map[string]string, wrong string) {
	t.Helper()
	folder := t.TempDir()
	for name, text := range content {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, secrets, err := configFiles(folder, true)
	if err != nil {
		return nil, nil, err.Error()
	}
	packed = map[string]string{}
	for _, one := range files {
		packed[one.name] = string(one.content)
	}
	return packed, secrets, ""
}

func TestSecretsStayOut(t *testing.T) {
	const own = "; take it out: the stack has its own, and README.md of infra says how to bring yours"
	const move = "; move what it is for into styx.yml"
	for _, row := range []struct{ file, text, want string }{
		{"more.yml", "secrets:\n  default: [hunter2hunter2]\n", "more.yml holds a secret: secrets.default.0" + own},
		{"more.yml", "dsn: postgres://kratos:hunter2@db/kratos\n", "more.yml holds a secret: dsn" + own},
		{"more.yml", "dsn: dynamodb://styx\n", ""},
		{"styx.yml", "secrets: {cookie: [], cipher: []}\n", ""},
		{"styx.yml", `{"keys":[{"kty":"RSA","n":"public","e":"AQAB"}]}`, ""},
		{"styx.yml", "session: {whoami: {tokenizer: {templates: {a: {jwks_url: 'file://jwks.json'}}}}}\n", ""},
		{"styx.yml", "a: 1\n---\nsecrets: {default: [hunter2]}\n", "styx.yml holds a secret: secrets.default.0" + own},
		{"styx.yml", "a: [hunter2\n", "read configuration: styx.yml is neither YAML nor JSON"},
		{"styx.yml", "note: |\n  -----BEGIN EC PRIVATE KEY-----\n", "styx.yml holds a private key"},
		{"styx.yml", "selfservice: {default_browser_return_url: https://a.example}\nhashers: {algorithm: argon2, argon2: {}}", ""},
		{"jwks.json", `{"keys":[{"kty":"RSA","d":"hunter2"}]}`, "jwks.json holds a secret: keys.0.d" + move},
		{"more.yml", "courier:\n  smtp: {connection_uri: 'smtps://a:hunter2@b'}\n", "more.yml holds a secret: courier.smtp.connection_uri" + move},
		{"secret-settings.txt", "a", "read configuration: a file named secret-settings.txt would replace the function's"},
		// What is there twice can not be taken out once.
		{
			"styx.yml",
			"x-auth: &auth {type: basic_auth, config: {user: u, password: hunter2}}\ncourier: {http: {request_config: {url: https://a.example, auth: *auth}}}\n",
			"read configuration: styx.yml: courier.http.request_config.auth.config.password can not be kept apart: give it by the functions' environment",
		},
		{
			"styx.yml", "secrets: &own {default: [hunter2hunter2]}\nmore: *own\n",
			"read configuration: styx.yml: secrets can not be kept apart: give it by the functions' environment",
		},
		// A dot within a key is one that no path can name.
		{
			"styx.yml", "courier:\n  smtp: {headers: {X.Token: hunter2}}\n",
			"styx.yml holds a secret: courier.smtp.headers.X.Token; keep it apart with -apart, or give it by the functions' environment",
		},
	} {
		_, _, got := packing(t, map[string]string{row.file: row.text})
		if got != row.want {
			t.Errorf("%q:\n got %q\nwant %q", row.text, got, row.want)
		}
		if strings.Contains(got, "hunter2") {
			t.Errorf("the error tells the secret: %s", got)
		}
	}
}

// TestSecretsAreRefusedUnlessKeptApart: a stack that knows no secret settings
// would run with what stands in for them.
func TestSecretsAreRefusedUnlessKeptApart(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "styx.yml"), []byte("courier: {smtp: {connection_uri: 'smtps://a:hunter2@b:465'}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "styx.yml holds a secret: courier.smtp.connection_uri; keep it apart with -apart, or give it by the functions' environment"
	if _, _, err := configFiles(folder, false); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestSecretsOfTheConfigurationAreKeptApart builds with each, and looks for it in
// the zip; that both together are the configuration again, the build sees to.
func TestSecretsOfTheConfigurationAreKeptApart(t *testing.T) {
	const inline = "base64://aHVudGVyMg=="
	for text, want := range map[string]map[string]string{
		"courier:\n  smtp: {connection_uri: 'smtps://a:hunter2@b:465'} # ours\n": {"courier.smtp.connection_uri": "smtps://a:hunter2@b:465"},
		"courier:\n  smtp: {headers: {X-Token: hunter2}}\n":                      {"courier.smtp.headers.X-Token": "hunter2"},
		"courier:\n  http: {request_config: {auth: {type: api_key, config: {name: a, value: hunter2}}}}\n": {
			"courier.http.request_config.auth.config.value": "hunter2",
		},
		"courier:\n  http: {request_config: {url: https://a.example, headers: {X-Api-Key: hunter2, Content-Type: application/json}}}\n": {
			"courier.http.request_config.headers.X-Api-Key": "hunter2",
		},
		"courier: {channels: [{id: sms, request_config: {auth: {type: basic_auth, config: {user: u, password: hunter2}}}}]}\n": {
			"courier.channels.0.request_config.auth.config.password": "hunter2",
		},
		"selfservice: {methods: {oidc: {config: {providers: [{id: a}, {id: b, client_secret: hunter2}]}}}}\n": {
			"selfservice.methods.oidc.config.providers.1.client_secret": "hunter2",
		},
		"selfservice: {methods: {oidc: {config: {providers: [{id: a, apple_private_key: \"-----BEGIN PRIVATE KEY-----\\nhunter2\"}]}}}}\n": {
			"selfservice.methods.oidc.config.providers.0.apple_private_key": "-----BEGIN PRIVATE KEY-----\nhunter2",
		},
		"session: {whoami: {tokenizer: {templates: {a: {jwks_url: '" + inline + "'}}}}}\n": {
			"session.whoami.tokenizer.templates.a.jwks_url": inline,
		},
		"courier: {smtp: {from_address: a@example.com}}\n": nil,
	} {
		packed, named, wrong := packing(t, map[string]string{"styx.yml": text})
		got := map[string]string{}
		for name, value := range named {
			key, _, _ := strings.Cut(name, "@")
			got[key] = value
		}
		if wrong != "" || !maps.Equal(got, want) {
			t.Errorf("%s\nkept apart %v, %s, want %v", text, got, wrong, want)
		}
		whole := strings.Join(slices.Collect(maps.Values(packed)), "\n")
		if strings.Contains(whole, "hunter2") || strings.Contains(whole, inline) {
			t.Errorf("the zip has a secret:\n%s", whole)
		}
		keys := ""
		for _, name := range slices.Sorted(maps.Keys(named)) {
			keys += name + "\n"
		}
		if packed["secret-settings.txt"] != keys {
			t.Errorf("the zip names %q, want %q", packed["secret-settings.txt"], keys)
		}
	}
}

// TestWhatTheStackBringsIsLeftOut: a file that served elsewhere needs no edit for
// its table and its secrets. What is left is the rest as it was.
func TestWhatTheStackBringsIsLeftOut(t *testing.T) {
	const rest = "identity:\n    schemas:\n        - id: person\n          url: file://person.json\n"
	for text, kept := range map[string]int{
		rest: 0,
		"dsn: postgres://kratos:hunter2@db/kratos\nsecrets: # ours\n  cookie: [hunter2hunter2hunter2]\n" + rest: 0,
		rest + "secrets: {cipher: [hunter2hunter2hunter2hunter2hunt], default: []}\ndsn: memory\n":              0,
		rest + "secrets: {default: [hunter2hunter2hunter2]}\ncourier: {smtp: {headers: {X-Token: hunter2}}}\n":  1,
	} {
		packed, secrets, wrong := packing(t, map[string]string{"styx.yml": text})
		if left := packed["styx.yml"]; wrong != "" || len(secrets) != kept ||
			!strings.HasPrefix(left, rest) || strings.Contains(left, "dsn") || strings.Contains(left, "secrets:") || strings.Contains(left, "hunter2") {
			t.Errorf("%s\npacked %s\nkept apart %v, %s", text, left, secrets, wrong)
		}
	}
}

// TestASecretIsForItsPlace: a zip of one order of a list takes no secret of
// another order's, for it would go to another receiver.
func TestASecretIsForItsPlace(t *testing.T) {
	const (
		google  = "{id: google, issuer_url: https://google.example, client_secret: %s}"
		github  = "{id: github, issuer_url: https://github.example, client_secret: %s}"
		gateway = "{request_config: {url: https://%s.example, auth: {type: api_key, config: {name: a, value: %s}}}}"
	)
	names := func(providers, mail, other string) []string {
		t.Helper()
		_, secrets, wrong := packing(t, map[string]string{"styx.yml": "courier: {http: " + mail + "}\n" +
			"selfservice: {methods: {oidc: {config: {providers: [" + providers + "]}}}}\nlog: {level: " + other + "}\n"})
		if wrong != "" {
			t.Fatal(wrong)
		}
		return slices.Sorted(maps.Keys(secrets))
	}
	mail := fmt.Sprintf(gateway, "mail", "hunter0")
	one, other := fmt.Sprintf(google, "hunter1"), fmt.Sprintf(github, "hunter2")
	before := names(one+", "+other, mail, "info")
	for name, same := range map[string][]string{
		"a setting elsewhere": names(one+", "+other, mail, "error"),
		"other secrets":       names(fmt.Sprintf(google, "hunter3")+", "+fmt.Sprintf(github, "hunter4"), fmt.Sprintf(gateway, "mail", "hunter5"), "info"),
	} {
		if !slices.Equal(before, same) {
			t.Errorf("%s: %v became %v", name, before, same)
		}
	}
	for name, moved := range map[string][]string{
		"another order":    names(other+", "+one, fmt.Sprintf(gateway, "other", "hunter0"), "info"),
		"another receiver": names(strings.ReplaceAll(one+", "+other, "example", "invalid"), fmt.Sprintf(gateway, "more", "hunter0"), "info"),
	} {
		if shared := slices.DeleteFunc(slices.Clone(moved), func(one string) bool { return !slices.Contains(before, one) }); len(shared) > 0 || len(moved) != 3 {
			t.Errorf("%s: secrets of before are taken for %v of %v", name, shared, moved)
		}
	}
}

// TestCommentsStayOut: what a secret was before is often left beside it.
func TestCommentsStayOut(t *testing.T) {
	const text = "# hunter2 once\ncourier: # hunter2\n  smtp:\n    # connection_uri: smtps://a:hunter2@b:465\n    connection_uri: smtps://a:b@c:465 # was hunter2\n    from_address: '#1@example.com'\n  # hunter2\n# hunter2\n"
	packed, _, wrong := packing(t, map[string]string{"styx.yml": text})
	if wrong != "" || strings.Contains(packed["styx.yml"], "hunter2") || !strings.Contains(packed["styx.yml"], "#1@example.com") {
		t.Errorf("%s\n%s", wrong, packed["styx.yml"])
	}
}

// TestStandInsAreNoSecrets: a configuration that somebody took out of a zip, to
// build from it again, would be deployed without the secrets it had.
func TestStandInsAreNoSecrets(t *testing.T) {
	for text, key := range map[string]string{
		"courier: {smtp: {connection_uri: 'smtps://kept-apart.invalid:465/'}}\n":                                           "courier.smtp.connection_uri",
		"courier: {smtp: {headers: {X-Token: kept-apart-in-secrets-manager, X-Other: hunter2}}}\n":                         "courier.smtp.headers.X-Token",
		"session: {whoami: {tokenizer: {templates: {a: {jwks_url: 'base64://e30='}}}}}\n":                                  "session.whoami.tokenizer.templates.a.jwks_url",
		"selfservice: {methods: {oidc: {config: {providers: [{id: a, client_secret: kept-apart-in-secrets-manager}]}}}}\n": "selfservice.methods.oidc.config.providers.0.client_secret",
	} {
		for _, apart := range []bool{true, false} {
			folder := t.TempDir()
			write(t, filepath.Join(folder, "styx.yml"), text)
			_, _, err := configFiles(folder, apart)
			if want := "styx.yml has at " + key + " what stands in for a secret: put the secret there"; err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s, apart %v: %v", text, apart, err)
			}
		}
	}
}

func TestDatabaseStaysOut(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "styx.db"), []byte("people"), 0o600); err != nil {
		t.Fatal(err)
	}
	if files, _, err := configFiles(folder, true); err == nil {
		t.Errorf("packed %v", files)
	}
}
