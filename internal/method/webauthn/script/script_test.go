package script_test

import (
	"crypto/sha512"
	"encoding/base64"
	"strings"
	"testing"

	"styx/internal/method/webauthn/script"
)

func TestIntegrityFitsTheSource(t *testing.T) {
	sum := sha512.Sum512([]byte(script.Source))
	if want := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); script.Integrity != want {
		t.Errorf("integrity %s, the source has %s", script.Integrity, want)
	}
}

// The nodes of flows and the pages of others name these.
func TestEveryFunctionOfTheNodesIsThere(t *testing.T) {
	for _, name := range []string{
		"oryWebAuthnLogin:", "oryWebAuthnRegistration:", "oryPasskeyLogin:", "oryPasskeyLoginAutocompleteInit:",
		"oryPasskeyRegistration:", "oryPasskeySettingsRegistration:", `window["__" + name]`, `"oryWebAuthnInitialized"`,
	} {
		if !strings.Contains(script.Source, name) {
			t.Errorf("the script has no %s", name)
		}
	}
}
