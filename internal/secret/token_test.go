package secret_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"styx/internal/secret"
)

// goldenToken is made of the bytes 0x10 to 0x43 in order.
var goldenToken = secret.Token{
	Identity: [16]byte{0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f},
	Session:  [16]byte{0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f},
	Secret: [20]byte{
		0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39,
		0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x41, 0x42, 0x43,
	},
}

const (
	goldenTokenText = "ory_st_00c0YmsucJcfATYISI4X96LHlC6ULRvP5uha1Z9Zj6v7TmwHyaOPBx72y8XVb500lrK18mA7"
	goldenTokenHash = "_BAiQ4cYIel92LZZ82LlGyZZi6BEqqDPKVeF8mdE5_k"
	goldenCookie    = "v1.aiSZpSLI.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX.aoXDjkEU_QotoHObymTyZrfyLcWzRgVXIRJ-" +
		"LwRRtMdRenR3P5ogePK8zoS_QSkTV7PCI8LoZETFcddJhBJlW-Ut-rE4JKcc2xKHcLU"
	goldenLogout = "ory_lo_F2ZIKINWI9Kd6JbbeyFC8XFLxUVwm8M1M7KIOvihxB8"
	cookieName   = "ory_kratos_session"
)

// goldenExpiry has a fraction: the cookie keeps it.
var goldenExpiry = time.UnixMicro(1700000000123456).UTC()

func TestGoldenToken(t *testing.T) {
	if got := goldenToken.String(); got != goldenTokenText {
		t.Errorf("String = %s, want %s", got, goldenTokenText)
	}
	if got, err := secret.ParseToken(goldenTokenText); err != nil || got != goldenToken {
		t.Errorf("ParseToken = %v, %v", got, err)
	}
	if got := goldenToken.Hash(); got != goldenTokenHash {
		t.Errorf("Hash = %s, want %s", got, goldenTokenHash)
	}
	if !goldenToken.MatchesHash(goldenTokenHash) {
		t.Error("the token does not match its hash")
	}
	for _, hash := range []string{"", goldenTokenHash[:42], goldenTokenHash + "A", "A" + goldenTokenHash[1:]} {
		if goldenToken.MatchesHash(hash) {
			t.Errorf("the token matches %q", hash)
		}
	}
}

func TestNewTokenHasAFreshSecret(t *testing.T) {
	random := seeded()
	a := secret.NewToken(random, goldenToken.Identity, goldenToken.Session)
	b := secret.NewToken(random, goldenToken.Identity, goldenToken.Session)
	if a.Secret == b.Secret || a.Identity != b.Identity || a.Session != b.Session {
		t.Errorf("two tokens of one session: %v and %v", a, b)
	}
	if back, err := secret.ParseToken(a.String()); err != nil || back != a {
		t.Errorf("ParseToken = %v, %v, want %v", back, err, a)
	}
}

func TestParseTokenIsStrict(t *testing.T) {
	digits := strings.TrimPrefix(goldenTokenText, "ory_st_")
	for name, s := range map[string]string{
		"empty":             "",
		"prefix alone":      "ory_st_",
		"no prefix":         digits,
		"logout prefix":     "ory_lo_" + digits,
		"upper-case prefix": "ORY_ST_" + digits,
		"one digit less":    "ory_st_" + digits[1:],
		"one digit more":    "ory_st_0" + digits,
		"trailing space":    goldenTokenText + " ",
		"foreign digit":     "ory_st_-" + digits[1:],
		"Kratos' own":       "ory_st_" + strings.Repeat("a", 32),
		"version 0":         "ory_st_" + strings.Repeat("0", 72),
		"version 2":         "ory_st_01" + strings.Repeat("z", 70),
		"beyond 53 bytes":   "ory_st_" + strings.Repeat("z", 72),
		"multi-byte runes":  "ory_st_" + strings.Repeat("é", 36),
	} {
		if got, err := secret.ParseToken(s); !errors.Is(err, secret.ErrToken) || got != (secret.Token{}) {
			t.Errorf("%s: ParseToken(%q) = %v, %v", name, s, got, err)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(goldenTokenText)
	f.Add("ory_st_00ZlOZDQVAxLXddYiblIIrCJL5YzvFM2OYtpGc8dnpb5ODWJhyps3ibGFM467qXRgt96viL2") // all bits 0
	f.Add("ory_st_019Wn8Qr0Luh5HH7RDWabiOcgB7zqUi4n7neXEHHbfCAmR2dPxfk7RCWUi8CFh4tNmIDrQg3") // all bits 1
	f.Add("ory_st_")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := secret.ParseToken(s)
		if err != nil {
			if !errors.Is(err, secret.ErrToken) || got != (secret.Token{}) {
				t.Fatalf("ParseToken(%q) = %v, %v", s, got, err)
			}
			return
		}
		if got.String() != s {
			t.Fatalf("ParseToken(%q) prints back as %q", s, got)
		}
	})
}

func TestGoldenCookie(t *testing.T) {
	r := ringOf(t, fourLists, counting())
	if got := secret.SealCookie(r, cookieName, goldenToken, goldenExpiry); got != goldenCookie {
		t.Errorf("SealCookie = %s, want %s", got, goldenCookie)
	}
	token, expires, err := secret.OpenCookie(r, cookieName, goldenCookie)
	if err != nil || token != goldenToken || expires != goldenExpiry {
		t.Errorf("OpenCookie = %v, %v, %v", token, expires, err)
	}
	if len(goldenCookie) > 250 {
		t.Errorf("a cookie of %d characters: headers end at 10,240", len(goldenCookie))
	}
}

func TestCookieOpensUnderItsNameAlone(t *testing.T) {
	r := ring(t, fourLists)
	for _, name := range []string{"", "ory_kratos_continuity", "__Host-ory_kratos_session"} {
		if token, expires, err := secret.OpenCookie(r, name, goldenCookie); !errors.Is(err, secret.ErrSealed) ||
			token != (secret.Token{}) || !expires.IsZero() {
			t.Errorf("under %q: OpenCookie = %v, %v, %v", name, token, expires, err)
		}
	}
}

// A value sealed for another purpose under the cookie's key is no session.
func TestCookieOfAnotherShapeIsRefused(t *testing.T) {
	r := ring(t, fourLists)
	for _, plain := range []string{"", "x", strings.Repeat("\x00", 61), strings.Repeat("\x02", 61), strings.Repeat("\x01", 62)} {
		value := r.Seal(secret.UseCookie, []byte(plain), cookieName)
		if token, _, err := secret.OpenCookie(r, cookieName, value); !errors.Is(err, secret.ErrSealed) {
			t.Errorf("%q: OpenCookie = %v, %v", plain, token, err)
		}
	}
}

func TestCookieKeepsEveryExpiry(t *testing.T) {
	r := ring(t, fourLists)
	for _, want := range []time.Time{{}, time.Unix(0, 0), goldenExpiry, time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)} {
		_, got, err := secret.OpenCookie(r, cookieName, secret.SealCookie(r, cookieName, goldenToken, want))
		if err != nil || !got.Equal(want) {
			t.Errorf("%v came back as %v, %v", want, got, err)
		}
	}
}

func FuzzOpenCookie(f *testing.F) {
	r, err := secret.New(fourLists, seeded())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(cookieName, goldenCookie)
	f.Add("other", goldenCookie)
	f.Add(cookieName, "v1.aiSZpSLI..")
	f.Fuzz(func(t *testing.T, name, value string) {
		token, expires, err := secret.OpenCookie(r, name, value)
		if err != nil {
			if !errors.Is(err, secret.ErrSealed) || token != (secret.Token{}) || !expires.IsZero() {
				t.Fatalf("OpenCookie = %v, %v, %v", token, expires, err)
			}
			return
		}
		if name != cookieName || value != goldenCookie || token != goldenToken || expires != goldenExpiry {
			t.Fatalf("OpenCookie(%q, %q) = %v, %v", name, value, token, expires)
		}
	})
}

func TestLogoutToken(t *testing.T) {
	r := ring(t, fourLists)
	session := goldenToken.Session
	if got := secret.LogoutToken(r, session); got != goldenLogout {
		t.Errorf("LogoutToken = %s, want %s", got, goldenLogout)
	}
	if !secret.MatchLogoutToken(r, goldenLogout, session) {
		t.Error("the token does not match its session")
	}
	if secret.MatchLogoutToken(r, goldenLogout, goldenToken.Identity) {
		t.Error("the token logs another session out")
	}
	rotated := fourLists
	rotated.Cookie = append([]string{"a newer cookie secret"}, fourLists.Cookie...)
	if !secret.MatchLogoutToken(ring(t, rotated), goldenLogout, session) {
		t.Error("the token does not survive a rotation")
	}
	for _, token := range []string{
		"", "ory_lo_", goldenLogout[7:], "ory_st_" + goldenLogout[7:], goldenLogout + "0", goldenLogout[:49],
		"ory_lo_" + strings.Repeat("z", 43), "ory_lo_" + strings.Repeat("0", 43), "ory_lo_" + strings.Repeat("-", 43),
	} {
		if secret.MatchLogoutToken(r, token, session) {
			t.Errorf("%q logs the session out", token)
		}
	}
}

func BenchmarkParseToken(b *testing.B) {
	for b.Loop() {
		if _, err := secret.ParseToken(goldenTokenText); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenCookie(b *testing.B) {
	r, err := secret.New(fourLists, seeded())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := secret.OpenCookie(r, cookieName, goldenCookie); err != nil {
			b.Fatal(err)
		}
	}
}
