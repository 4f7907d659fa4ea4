package secret

import (
	"bytes"
	"math/big"
	"strings"
	"testing"
)

// bigBase62 is encode62 by the book.
func bigBase62(src []byte, digits int) string {
	n, base, digit := new(big.Int).SetBytes(src), big.NewInt(62), new(big.Int)
	out := make([]byte, digits)
	for i := digits - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		out[i] = alphabet[digit.Int64()]
	}
	return string(out)
}

func FuzzBase62AgreesWithBigNumbers(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{0})
	f.Add(bytes.Repeat([]byte{0xff}, tokenBytes))
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, src []byte) {
		if len(src) > 64 {
			return
		}
		digits := len(src)*3/2 + 1 // more than enough
		got := encode62(src, digits)
		if want := bigBase62(src, digits); got != want {
			t.Fatalf("encode62(%x) = %q, want %q", src, got, want)
		}
		back, ok := decode62(got, len(src))
		if !ok || !bytes.Equal(back, src) {
			t.Fatalf("decode62(%q) = %x, %t, want %x", got, back, ok, src)
		}
	})
}

func TestBase62RefusesWhatDoesNotFit(t *testing.T) {
	for name, s := range map[string]string{
		"one more than a byte":        encode62([]byte{1, 0}, 4),
		"one more than its digits":    strings.Repeat("z", tokenDigits),
		"a digit out of the alphabet": "00-0",
		"a digit below":               "0/00",
		"a digit between":             "0@00",
		"a letter of another script":  "0é0",
	} {
		if got, ok := decode62(s, 1); ok {
			t.Errorf("%s: decode62(%q) = %x", name, s, got)
		}
	}
}
