package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// listing is the environment of a function whose zip lists these settings as
// kept apart.
func listing(t *testing.T, names string, env map[string]string) func(string) string {
	t.Helper()
	folder := t.TempDir()
	if names != "" {
		if err := os.WriteFile(filepath.Join(folder, "secret-settings.txt"), []byte(names), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string {
		if name == "STYX_CONFIG" {
			return filepath.Join(folder, "styx.yml")
		}
		return env[name]
	}
}

// TestNoFunctionRunsOnStandIns: zips whose secrets were left behind, deployed by
// whatever tool, do not send stand-ins to receivers.
func TestNoFunctionRunsOnStandIns(t *testing.T) {
	const names = "courier.smtp.connection_uri\n"
	for name, row := range map[string]struct {
		names, id string
		vault     bool
		says      string
	}{
		"none kept apart":              {"", "", false, ""},
		"some, and a vault":            {names, "arn", true, ""},
		"some, of no use here":         {names, "unused", false, ""},
		"some, and nobody told a word": {names, "", false, "courier.smtp.connection_uri is kept apart"},
	} {
		v, err := openVault(listing(t, row.names, map[string]string{"STYX_SECRET_SETTINGS": row.id}))
		if (v != nil) != row.vault || (err != nil) != (row.says != "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v %v", name, v, err)
		}
	}
}
