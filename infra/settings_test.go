package main

import (
	"encoding/json"
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
			if err := os.WriteFile(filepath.Join(folder, f.name+"-arm64.zip"), []byte(f.name), 0o600); err != nil {
				t.Fatal(err)
			}
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
