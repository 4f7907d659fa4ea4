package secret_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"styx/internal/secret"
)

// seeded returns the same random bytes in every run.
func seeded() *rand.ChaCha8 {
	return rand.NewChaCha8([32]byte{1})
}

func TestTextAndCodeHaveTheirShape(t *testing.T) {
	random := seeded()
	for range 1000 {
		if s := secret.Text(random, 64); !regexp.MustCompile(`^[0-9A-Za-z]{64}$`).MatchString(s) {
			t.Fatalf("Text = %q", s)
		}
		if s := secret.LowerText(random, 64); !regexp.MustCompile(`^[0-9a-z]{64}$`).MatchString(s) {
			t.Fatalf("LowerText = %q", s)
		}
		if s := secret.Code(random); !regexp.MustCompile(`^[0-9]{6}$`).MatchString(s) {
			t.Fatalf("Code = %q", s)
		}
	}
}

// Of 256 values of a byte, the last 6 would favour 0 to 5 in a digit, the last 8
// 0 to 7 in a text, and the last 4 0 to 3 in one of small letters.
func TestUnfairBytesAreThrownAway(t *testing.T) {
	if got := secret.Code(bytes.NewReader([]byte{250, 249, 255, 0, 1, 19, 252, 2, 3})); got != "901923" {
		t.Errorf("Code = %q", got)
	}
	if got := secret.Text(bytes.NewReader([]byte{248, 247, 255, 61, 0}), 3); got != "zz0" {
		t.Errorf("Text = %q", got)
	}
	if got := secret.LowerText(bytes.NewReader([]byte{252, 251, 255, 10, 0}), 3); got != "za0" {
		t.Errorf("LowerText = %q", got)
	}
}

func TestEveryCharacterIsEquallyLikely(t *testing.T) {
	const draws = 62 * 4000
	counts := map[rune]int{}
	for _, c := range secret.Text(seeded(), draws) {
		counts[c]++
	}
	for c, n := range counts {
		if n < 3700 || n > 4300 { // 4000 ± 4.7 standard deviations
			t.Errorf("%q was drawn %d times of %d", c, n, draws)
		}
	}
	if len(counts) != 62 {
		t.Errorf("%d characters were drawn", len(counts))
	}
}

func TestFailingRandomnessPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a code was made of nothing")
		}
	}()
	secret.Code(iotest.ErrReader(errors.New("no entropy")))
}

func TestUUIDsHaveTheirVersion(t *testing.T) {
	random := seeded()
	now := time.Date(2026, 11, 3, 12, 0, 0, 123456789, time.UTC)
	v4 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	v7 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for range 100 {
		if u := secret.NewV4(random).String(); !v4.MatchString(u) {
			t.Errorf("NewV4 = %s", u)
		}
		if u := secret.NewV7(now, random).String(); !v7.MatchString(u) {
			t.Errorf("NewV7 = %s", u)
		}
	}
}

// RFC 9562, appendix A.6, has this time and this id.
func TestV7AgreesWithTheRFC(t *testing.T) {
	got := secret.NewV7(time.UnixMilli(0x017F22E279B0), seeded()).String()
	if !strings.HasPrefix(got, "017f22e2-79b0-7000-") {
		t.Errorf("NewV7 = %s", got)
	}
}

func TestV7SortsByTime(t *testing.T) {
	random := seeded()
	now := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	before := secret.NewV7(now, random)
	for range 10000 {
		now = now.Add(250 * time.Nanosecond)
		after := secret.NewV7(now, random)
		if bytes.Compare(before[:], after[:]) >= 0 || before.String() >= after.String() {
			t.Fatalf("%s is not before %s", before, after)
		}
		before = after
	}
}

func FuzzParseUUID(f *testing.F) {
	f.Add("01234567-89ab-cdef-0123-456789abcdef")
	f.Add("01234567-89AB-CDEF-0123-456789ABCDEF")
	f.Add("0123456789abcdef0123456789abcdef")
	f.Add("{01234567-89ab-cdef-0123-456789abcdef}")
	f.Add("01234567-89ab-cdef-0123-456789abcdeg")
	f.Add("../34567-89ab-cdef-0123-456789abcdef")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := secret.ParseUUID(s)
		if err != nil {
			if !errors.Is(err, secret.ErrUUID) || u != (secret.UUID{}) {
				t.Fatalf("ParseUUID(%q) = %v, %v", s, u, err)
			}
			return
		}
		if u.String() != strings.ToLower(s) {
			t.Fatalf("ParseUUID(%q) prints back as %s", s, u)
		}
	})
}

func TestUUIDIsAJSONString(t *testing.T) {
	u := secret.NewV4(seeded())
	text, err := u.MarshalText()
	if err != nil || string(text) != u.String() {
		t.Fatalf("MarshalText = %q, %v", text, err)
	}
	var back secret.UUID
	if err := back.UnmarshalText(text); err != nil || back != u {
		t.Errorf("UnmarshalText = %v, %v", back, err)
	}
	if err := back.UnmarshalText([]byte("no")); !errors.Is(err, secret.ErrUUID) || back != u {
		t.Errorf("UnmarshalText(no) = %v, %v", back, err)
	}
}
