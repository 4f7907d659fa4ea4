package gateway

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
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

// manager is Secrets Manager with this secret.
func manager(t *testing.T, holds string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" || r.Header.Get("Authorization") == "" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write(encoded(map[string]string{"SecretString": holds}))
	}))
	t.Cleanup(server.Close)
	return server
}

// TestAVaultGivesWhatIsListedAlone: what is for another place, as one receiver's
// secret where the members of a list changed places, is not taken for it, nor is
// any setting that the build did not take out.
func TestAVaultGivesWhatIsListedAlone(t *testing.T) {
	const names = "providers.0.client_secret@b\nproviders.1.client_secret@a\n"
	for name, row := range map[string]struct{ holds, gives, says string }{
		"what is listed":  {`{"providers.0.client_secret@b":"B","providers.1.client_secret@a":"A"}`, `{"providers.0.client_secret@b":"B","providers.1.client_secret@a":"A"}`, ""},
		"and other":       {`{"providers.0.client_secret@b":"B","providers.1.client_secret@a":"A","providers.0.client_secret@a":"A","serve.public.base_url":"https://evil.example"}`, `{"providers.0.client_secret@b":"B","providers.1.client_secret@a":"A"}`, ""},
		"of before":       {`{"providers.0.client_secret@a":"hunter2","providers.1.client_secret@b":"hunter2"}`, "", "providers.0.client_secret@b is not among them"},
		"of no place":     {`{"providers.0.client_secret":"hunter2","providers.1.client_secret":"hunter2"}`, "", "providers.0.client_secret@b is not among them"},
		"nothing":         {`{}`, "", "is not among them"},
		"something other": {`["hunter2"]`, "", "must be a JSON object"},
	} {
		v, err := openVault(listing(t, names, map[string]string{
			"STYX_SECRET_SETTINGS": "arn", "AWS_ENDPOINT_URL": manager(t, row.holds).URL, "AWS_REGION": "eu-central-1",
			"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
		}))
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.read(t.Context())
		if strings.TrimSpace(got) != row.gives || (err != nil) != (row.says != "") || err != nil && (!strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}

// TestAVaultKeepsNoConnection: it would be dead after the minutes between two
// reads, most of which a function spends frozen, and what is sent on a dead one
// waits for its answer until the call's time is up.
func TestAVaultKeepsNoConnection(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"SecretString":"{}"}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	v, err := openVault(listing(t, "", map[string]string{"STYX_SECRET_SETTINGS": "arn", "AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := v.read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if connections.Load() != 2 {
		t.Errorf("2 reads by %d connections", connections.Load())
	}
}
