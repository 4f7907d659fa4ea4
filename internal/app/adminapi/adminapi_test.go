package adminapi

import (
	"fmt"
	"testing"

	"styx/internal/config"
)

func loaded(t *testing.T, more string) *config.Config {
	t.Helper()
	const base = "identity: {schemas: [{id: default, url: 'base64://e30='}]}\ndev: true\n" +
		"selfservice: {default_browser_return_url: 'http://127.0.0.1/'}\n"
	c, _, err := config.Load([]config.Source{{Name: "styx.yml", Data: []byte(base + more)}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFingerprint(t *testing.T) {
	secret := func(n int) string { return fmt.Sprintf("secrets: {default: [a secret that is long enough %d]}\n", n) }
	plain := fingerprint(loaded(t, secret(1)))
	if len(plain) != 64 || plain != fingerprint(loaded(t, secret(1))) {
		t.Errorf("a configuration is named %q", plain)
	}
	if plain != fingerprint(loaded(t, secret(2))) {
		t.Error("a secret shows in the name")
	}
	if plain == fingerprint(loaded(t, secret(1)+"session: {lifespan: 3h}\n")) {
		t.Error("another configuration has the same name")
	}
	if got := fingerprint(loaded(t, secret(1)+"revision: v7\n")); got != "v7" {
		t.Errorf("one with a revision is named %q", got)
	}
}
