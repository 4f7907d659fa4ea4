// Package authenticator is the app on somebody's phone.
package authenticator

import (
	"crypto/hmac"
	"crypto/sha1" // RFC 6238 wants it
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"testing"
	"time"
)

// Code is what the app shows at a time, as RFC 6238 says: 30 seconds, SHA-1, six digits.
func Code(tb testing.TB, key string, at time.Time) string {
	tb.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key)
	if err != nil {
		tb.Fatal(err)
	}
	mac := hmac.New(sha1.New, raw)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30) // a hash takes all
	sum := mac.Sum(nil)
	from := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[from:])&0x7fffffff%1_000_000)
}
