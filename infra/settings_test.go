package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSecretSettingsReachWhoUsesThem deploys with each kind, and looks who may
// read them; that none is in the template goes for all.
func TestSecretSettingsReachWhoUsesThem(t *testing.T) {
	flows := []string{"Courier", "Login", "Recovery", "Registration", "Settings", "Verification"}
	for key, want := range map[string][]string{
		"courier.smtp.connection_uri":                               {"Courier"},
		"session.whoami.tokenizer.templates.a.jwks_url":             {"Courier", "Session"},
		"selfservice.methods.oidc.config.providers.0.client_secret": flows,
	} {
		folder := t.TempDir()
		content, err := json.Marshal(map[string]string{key: "hunter2"})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "secret-settings.json"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, f := range functions {
			zipped(t, filepath.Join(folder, f.name+"-arm64.zip"), key+"\n")
		}
		template := synth(map[string]any{"zips": folder})
		var told, may []string
		for name, is := range resources(t, template, "AWS::Lambda::Function") {
			env := is.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
			switch plain(t, env["STYX_SECRET_SETTINGS"]) {
			case `{"Ref":"SecretSettings"}`:
				told = append(told, name[:len(name)-8])
			case `"unused"`: // it would not start on stand-ins without a word
			default:
				t.Errorf("%s: %s is told nothing", key, name)
			}
		}
		const allowed = `{"Action":"secretsmanager:GetSecretValue","Effect":"Allow","Resource":{"Ref":"SecretSettings"}}`
		for name, is := range resources(t, template, "AWS::IAM::Policy") {
			if strings.Contains(plain(t, is.Properties), allowed) {
				name, _, _ = strings.Cut(name, "Role")
				may = append(may, name)
			}
		}
		slices.Sort(told)
		slices.Sort(may)
		if !slices.Equal(told, want) || !slices.Equal(may, want) {
			t.Errorf("%s: told are %v, and may %v, want %v", key, told, may, want)
		}
		if strings.Contains(plain(t, template.ToJSON()), "hunter2") {
			t.Error("the template has a secret")
		}
		has(t, template, "AWS::SecretsManager::Secret", map[string]any{"SecretString": "{}"})
	}
	if strings.Contains(plain(t, bare.ToJSON()), "SecretSettings") {
		t.Error("a secret for nothing")
	}
}

// zipped writes a zip that lists these settings as kept apart.
func zipped(t *testing.T, name, lists string) {
	t.Helper()
	var content bytes.Buffer
	w := zip.NewWriter(&content)
	list, err := w.Create("secret-settings.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(list, lists); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestZipsComeWithTheirSecretSettings: where only the zips were passed on, or
// with another build's settings, nothing is deployed: the stack would take the
// secret away that its functions read.
func TestZipsComeWithTheirSecretSettings(t *testing.T) {
	for values, right := range map[string]bool{"": false, `{"a@1":"hunter2","b@2":"hunter2"}`: true, `{"a@3":"hunter2","b@2":"hunter2"}`: false, `{}`: false} {
		folder := t.TempDir()
		zipped(t, filepath.Join(folder, "courier-arm64.zip"), "a@1\nb@2\n")
		if values != "" {
			if err := os.WriteFile(filepath.Join(folder, "secret-settings.json"), []byte(values), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		o, err := read(func(key string) any { return map[string]any{"zips": folder}[key] })
		if (err == nil) != right || (len(o.SecretSettings) == 2) != right {
			t.Errorf("%s: %v %v", values, o.SecretSettings, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "a@1") || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v", values, err)
		}
	}
}
