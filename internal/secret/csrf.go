package secret

import (
	"crypto/subtle"
	"encoding/base64"
	"io"
	"strings"
)

// csrfBytes is the length of the token that the CSRF cookie holds.
const csrfBytes = 32

// NewCSRF returns a value for the CSRF cookie: 32 random bytes in standard
// base64.
func NewCSRF(rand io.Reader) string {
	token := make([]byte, csrfBytes)
	fill(rand, token)
	return base64.StdEncoding.EncodeToString(token)
}

// ValidCSRF says whether a cookie's value is one that NewCSRF could have made.
// A browser that sends any other gets a new one.
func ValidCSRF(cookie string) bool {
	_, ok := decodeCSRF(cookie, csrfBytes)
	return ok
}

// MaskCSRF returns a form token for the cookie's value: a one-time pad and the
// value under that pad, 64 bytes in standard base64. No two are alike, so a
// compressed page gives nothing away, and all of them match the cookie. An
// invalid cookie has no form token: "".
func MaskCSRF(rand io.Reader, cookie string) string {
	token, ok := decodeCSRF(cookie, csrfBytes)
	if !ok {
		return ""
	}
	form := make([]byte, 2*csrfBytes)
	fill(rand, form[:csrfBytes])
	subtle.XORBytes(form[csrfBytes:], form[:csrfBytes], token)
	return base64.StdEncoding.EncodeToString(form)
}

// MatchCSRF says, in constant time, whether the form token was made for the
// cookie's value. Invalid values match nothing, not even each other.
func MatchCSRF(cookie, form string) bool {
	token, okCookie := decodeCSRF(cookie, csrfBytes)
	masked, okForm := decodeCSRF(form, 2*csrfBytes)
	if !okCookie || !okForm {
		return false
	}
	unmasked := make([]byte, csrfBytes)
	subtle.XORBytes(unmasked, masked[:csrfBytes], masked[csrfBytes:])
	return subtle.ConstantTimeCompare(token, unmasked) == 1
}

// decodeCSRF reads size bytes of base64. Proxies and clients rewrite these
// values, so the URL-safe alphabet and missing padding are accepted too.
func decodeCSRF(s string, size int) ([]byte, bool) {
	if len(s) > base64.StdEncoding.EncodedLen(size) {
		return nil, false
	}
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil && len(b) == size
}
