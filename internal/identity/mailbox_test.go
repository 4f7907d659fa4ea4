package identity

import (
	"strings"
	"testing"
)

func TestEmailFormat(t *testing.T) {
	for text, want := range map[string]bool{
		"ann@example.org": true, "a@b": true, "Ann.B+tag@example.org": true, "ånn@example.org": true,
		"": false, "ann": false, "@example.org": false, "ann@": false, "a b@example.org": false,
		"Ann <ann@example.org>": false, "ann@example.org, bea@example.org": false, "ann@exa mple.org": false,
		"ann@[127.0.0.1]": false, "ann@example.org\r\nBcc: x@example.org": false,
		strings.Repeat("a", 65) + "@example.org": false, "a@" + strings.Repeat("b.", 130) + "org": false,
		"vera＠example.org，mallory@example.org": false, // would become two mailboxes in normal form
	} {
		if got := IsEmail(text); got != want {
			t.Errorf("IsEmail(%q) = %v", text, got)
		}
	}
	if !IsLooseEmail("a..b@example.org") || IsEmail("a..b@example.org") || IsLooseEmail("a,b@example.org") || IsLooseEmail("@x") {
		t.Error("loose addresses are those with dots in a row, and not lists")
	}
}
