package identity

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Normalize returns the form in which identifiers and addresses are compared:
// surrounding space and every invisible character dropped, width and
// compatibility variants unified (NFKC), lower case; a telephone number in
// E.164. Traits keep what was typed.
//
// Invisible characters (controls, zero-width and bidirectional marks, variation
// selectors, fillers) are dropped rather than refused: an identifier that only
// they tell apart belongs to the account that has it already, and one pasted
// with such a mark still signs in. Letters of different scripts that look alike
// stay different.
//
// Normalize(Normalize(x)) is Normalize(x).
func Normalize(value string) string {
	if ascii(value) {
		value = strings.ToLower(strings.Map(printable, value))
	} else {
		value = fold(value)
	}
	value = strings.TrimFunc(value, unicode.IsSpace)
	if phone, ok := e164(value); ok {
		return phone
	}
	return value
}

// Phone returns the E.164 form of a telephone number in international notation,
// and whether it is one: a plus, then 7 to 15 digits that may be separated by
// spaces, dots, dashes, slashes and brackets. National notations would need to
// know a country, and are refused.
func Phone(value string) (string, bool) { return e164(Normalize(value)) }

// e164 is the one place that knows how telephone numbers are written.
func e164(value string) (string, bool) {
	rest, international := strings.CutPrefix(value, "+")
	if !international {
		return "", false
	}
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-/()\u2010\u2011", r) {
			return -1
		}
		return r
	}, rest)
	if len(digits) < 7 || len(digits) > 15 || digits[0] == '0' {
		return "", false
	}
	if strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	return "+" + digits, true
}

// Hash names a value in normal form within a key: no personal data, and no
// longer than 27 characters.
func Hash(value string) string {
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:20])
}

func ascii(value string) bool {
	for i := range len(value) {
		if value[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// fold unifies what Unicode can write in several ways. Each step may make work
// for another one (NFKC turns "℠" into the capitals "SM"), so they run until
// nothing changes; four rounds are more than any sequence needs.
func fold(value string) string {
	value = strings.ToValidUTF8(value, string(utf8.RuneError))
	for range 4 {
		folded := norm.NFKC.String(strings.ToLower(norm.NFKC.String(strings.Map(visible, value))))
		if folded == value {
			break
		}
		value = folded
	}
	return value
}

// visible drops characters that no reader sees.
func visible(r rune) rune {
	const brailleBlank = '\u2800'
	if r == brailleBlank || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
		return -1
	}
	return r
}

// printable is visible for ASCII, at a fraction of the work.
func printable(r rune) rune {
	if r < ' ' || r == '\x7f' {
		return -1
	}
	return r
}
