package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"styx/internal/config"
)

// TestBootPutsSecretSettingsInTheirPlaces reads a configuration that only stands
// in for one of its settings.
func TestBootPutsSecretSettingsInTheirPlaces(t *testing.T) {
	name := filepath.Join(t.TempDir(), "styx.yml")
	const stand = settings + "courier: {smtp: {connection_uri: \"smtps://kept-apart.invalid:465/\"}}\n"
	if err := os.WriteFile(name, []byte(stand), 0o600); err != nil {
		t.Fatal(err)
	}
	boot := func(values string) (*App, error) {
		env := map[string]string{
			"STYX_CONFIG": name, "STYX_TABLE": "styx", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
			config.ApartVariable: values,
		}
		return Boot(func(name string) string { return env[name] }, Links{})
	}
	for values, want := range map[string]string{
		"": "smtps://kept-apart.invalid:465/",
		`{"courier.smtp.connection_uri": "smtps://u:hunter2@mail.example:465/"}`: "smtps://u:hunter2@mail.example:465/",
	} {
		a, err := boot(values)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Config.Courier.SMTP.URI.Reveal(); got != want {
			t.Errorf("%s: mail goes to %s, want %s", values, got, want)
		}
	}
	for _, values := range []string{`hunter2`, `{"courier.smtp.connection_uri": ["hunter2"]}`, `{"courier.smtp.connection_uri": "ftp://hunter2"}`} {
		if _, err := boot(values); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", values, err)
		}
	}
}
