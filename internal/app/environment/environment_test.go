package environment

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDevelopmentIsForSamLocal: what it says of itself is a variable like any
// other, so a deployment that somebody copied it to keeps production's rules.
func TestDevelopmentIsForSamLocal(t *testing.T) {
	const content = `
identity: {default_schema_id: default, schemas: [{id: default, url: "base64://eyJwcm9wZXJ0aWVzIjp7fX0="}]}
selfservice: {default_browser_return_url: "https://app.example.org/"}
courier: {smtp: {from_address: no-reply@example.org}}
`
	t.Setenv("STYX_CONFIG", filepath.Join(t.TempDir(), "styx.yml"))
	t.Setenv("SECRETS_DEFAULT", "sam-local-not-for-production-0-0")
	t.Setenv("SECRETS_CIPHER", "sam-local-not-for-production-0-1")
	if err := os.WriteFile(os.Getenv("STYX_CONFIG"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		sam, publicURL string
		dev            bool
	}{
		{"true", "http://127.0.0.1:3000/", true},
		{"true", "http://192.168.1.7:3000/", true},
		{"", "http://127.0.0.1:3000/", false},
		{"false", "http://127.0.0.1:3000/", false},
		{"true", "https://id.example.org/", false},
		{"true", "HTTPS://id.example.org/", false},
	} {
		t.Setenv("AWS_SAM_LOCAL", row.sam)
		t.Setenv("SERVE_PUBLIC_BASE_URL", row.publicURL)
		// Outside dev, secrets that everybody knows are refused.
		c, err := Configuration(os.Getenv, map[string]any{"dsn": "dynamodb://styx"})
		if (err == nil) != row.dev || err == nil && !c.Dev {
			t.Errorf("%+v: %v", row, err)
		}
	}
}

// TestDevelopmentIsNotForHTTPS: such a configuration keeps mail with its codes,
// and takes secrets that everybody knows.
func TestDevelopmentIsNotForHTTPS(t *testing.T) {
	t.Setenv("STYX_CONFIG", filepath.Join(t.TempDir(), "styx.yml"))
	if err := os.WriteFile(os.Getenv("STYX_CONFIG"), []byte(`dev: true
identity: {default_schema_id: default, schemas: [{id: default, url: "base64://eyJwcm9wZXJ0aWVzIjp7fX0="}]}
selfservice: {default_browser_return_url: "https://app.example.org/"}
courier: {smtp: {from_address: no-reply@example.org}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	for publicURL, fine := range map[string]bool{"http://127.0.0.1:4433/": true, "https://id.example.org/": false} {
		t.Setenv("SERVE_PUBLIC_BASE_URL", publicURL)
		if _, err := Configuration(os.Getenv, map[string]any{"dsn": "dynamodb://styx"}); (err == nil) != fine {
			t.Errorf("%s: %v", publicURL, err)
		}
	}
}
