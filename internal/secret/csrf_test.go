package secret_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"styx/internal/secret"
)

// The cookie holds the bytes 100 to 131, the pad is 0 to 31.
const (
	goldenCSRF     = "ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoM="
	goldenCSRFForm = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9kZGRkbGxsbGRkZGR8fHx8ZGRkZGxsbGxkZGRknJycnA=="
)

func TestGoldenCSRF(t *testing.T) {
	if got := secret.MaskCSRF(counting(), goldenCSRF); got != goldenCSRFForm {
		t.Errorf("MaskCSRF = %s, want %s", got, goldenCSRFForm)
	}
	if !secret.MatchCSRF(goldenCSRF, goldenCSRFForm) {
		t.Error("the form token does not match its cookie")
	}
}

func TestCSRFHasTheContractsShape(t *testing.T) {
	random := seeded()
	cookie := secret.NewCSRF(random)
	if b, err := base64.StdEncoding.DecodeString(cookie); err != nil || len(b) != 32 {
		t.Errorf("NewCSRF = %q", cookie)
	}
	seen := map[string]bool{}
	for range 100 {
		form := secret.MaskCSRF(random, cookie)
		if b, err := base64.StdEncoding.DecodeString(form); err != nil || len(b) != 64 {
			t.Fatalf("MaskCSRF = %q", form)
		}
		if seen[form] {
			t.Fatal("two renders share a form token")
		}
		seen[form] = true
		if !secret.MatchCSRF(cookie, form) {
			t.Fatal("a form token does not match its cookie")
		}
		if secret.MatchCSRF(secret.NewCSRF(random), form) {
			t.Fatal("a form token matches another cookie")
		}
	}
}

func TestCSRFReadsBothAlphabetsWithAndWithoutPadding(t *testing.T) {
	urlSafe := func(s string) string { return strings.NewReplacer("+", "-", "/", "_").Replace(s) }
	bare := func(s string) string { return strings.TrimRight(s, "=") }
	random := seeded()
	for range 100 {
		cookie := secret.NewCSRF(random)
		form := secret.MaskCSRF(random, cookie)
		for _, c := range []string{cookie, urlSafe(cookie), bare(cookie), bare(urlSafe(cookie))} {
			for _, f := range []string{form, urlSafe(form), bare(form), bare(urlSafe(form))} {
				if !secret.MatchCSRF(c, f) {
					t.Fatalf("%q does not match %q", f, c)
				}
			}
		}
	}
}

func TestInvalidCSRFMatchesNothing(t *testing.T) {
	zero32 := base64.StdEncoding.EncodeToString(make([]byte, 32))
	zero64 := base64.StdEncoding.EncodeToString(make([]byte, 64))
	if !secret.MatchCSRF(zero32, zero64) {
		t.Fatal("zeroes are as good as any other bytes; the rows below rely on it")
	}
	for name, row := range map[string]struct{ cookie, form string }{
		"both empty":               {"", ""},
		"no cookie":                {"", zero64},
		"no form token":            {zero32, ""},
		"the cookie as form token": {zero32, zero32},
		"the form token as cookie": {zero64, zero64},
		"a byte short":             {zero32, zero64[:84]},
		"a byte long":              {zero32, base64.StdEncoding.EncodeToString(make([]byte, 65))},
		"not base64":               {strings.Repeat("!", 44), strings.Repeat("!", 88)},
		"a pair of huge values":    {strings.Repeat("A", 1<<20), strings.Repeat("A", 1<<20)},
		"padding alone":            {strings.Repeat("=", 44), strings.Repeat("=", 88)},
	} {
		if secret.MatchCSRF(row.cookie, row.form) {
			t.Errorf("%s: matches", name)
		}
	}
	for _, cookie := range []string{"", "x", zero64, strings.Repeat("!", 44)} {
		if secret.ValidCSRF(cookie) || secret.MaskCSRF(seeded(), cookie) != "" {
			t.Errorf("%q passes for a cookie", cookie)
		}
	}
	if !secret.ValidCSRF(zero32) {
		t.Error("a cookie does not pass for one")
	}
}

// What matches is what the book says: both decode, and pad XOR masked is the
// cookie.
func FuzzMatchCSRF(f *testing.F) {
	f.Add(goldenCSRF, goldenCSRFForm)
	f.Add("", "")
	f.Add(goldenCSRF, goldenCSRF)
	f.Add(strings.TrimRight(goldenCSRF, "="), goldenCSRFForm+"==")
	f.Fuzz(func(t *testing.T, cookie, form string) {
		if !secret.MatchCSRF(cookie, form) {
			return
		}
		std := func(s string) []byte {
			s = strings.NewReplacer("-", "+", "_", "/", "=", "", "\r", "", "\n", "").Replace(s)
			b, err := base64.RawStdEncoding.DecodeString(s)
			if err != nil {
				t.Fatalf("%q matches and is not base64", s)
			}
			return b
		}
		token, masked := std(cookie), std(form)
		if len(token) != 32 || len(masked) != 64 {
			t.Fatalf("%d and %d bytes match", len(token), len(masked))
		}
		for i := range 32 {
			masked[i] ^= masked[32+i]
		}
		if !bytes.Equal(token, masked[:32]) {
			t.Fatalf("%q matches %q", form, cookie)
		}
		if !secret.MatchCSRF(cookie, secret.MaskCSRF(seeded(), cookie)) {
			t.Fatalf("%q matches once and not again", cookie)
		}
	})
}
