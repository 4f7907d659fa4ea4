package totp

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238's default, and all that many apps know; HMAC does not rest on collisions
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// The codes that every app makes: six digits, new ones every 30 seconds. Those
// of the step before and after count too (RFC 6238, section 5.2).
const (
	digits = 6
	period = 30
	skew   = 1
)

// code returns the code of a time step (RFC 4226, section 5.3).
func code(key []byte, step int64) string {
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, step) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0x0f
	number := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", digits, number%1_000_000)
}

// match returns the newest time step that a code is of, whatever spaces a person
// typed around it. Nothing is of no key. How long it takes tells nothing.
func match(key []byte, typed string, now time.Time) (step int64, matches bool) {
	if len(key) == 0 {
		return 0, false
	}
	given := []byte(strings.TrimSpace(typed))
	current := now.Unix() / period
	for at := current - skew; at <= current+skew; at++ {
		if subtle.ConstantTimeCompare([]byte(code(key, at)), given) == 1 {
			step, matches = at, true
		}
	}
	return step, matches
}
