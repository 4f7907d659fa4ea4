package secret

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"time"
)

// UUID is an id as RFC 9562 has it.
type UUID [16]byte

// ErrUUID says that a text is no UUID.
var ErrUUID = errors.New("secret: not a UUID")

// NewV4 returns a random UUID (version 4): 122 bits nobody can guess.
func NewV4(rand io.Reader) UUID {
	var u UUID
	fill(rand, u[:])
	return u.stamp(4)
}

// NewV7 returns a UUID that sorts by time (version 7). It carries the
// millisecond and, in the 12 bits after it, the fraction of the millisecond
// (RFC 9562 section 6.2, method 3): ids made a quarter of a microsecond apart
// are in order without any state being kept. 62 bits are random.
func NewV7(now time.Time, rand io.Reader) UUID {
	var u UUID
	fill(rand, u[8:])
	milli := now.UnixMilli()
	fraction := now.Sub(time.UnixMilli(milli)) * 4096 / time.Millisecond
	binary.BigEndian.PutUint64(u[:8], uint64(milli)<<16|uint64(fraction)) //nolint:gosec // 48 and 12 bits; a clock before 1970 is no clock
	return u.stamp(7)
}

// stamp writes the version and the variant over their six bits.
func (u UUID) stamp(version byte) UUID {
	u[6] = u[6]&0x0f | version<<4
	u[8] = u[8]&0x3f | 0x80
	return u
}

// ParseUUID reads the 36-character form, in either case. It is strict: no
// braces, no urn: prefix, no missing hyphens. Any version will do, the nil
// UUID included.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return UUID{}, ErrUUID
	}
	packed := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	if _, err := hex.Decode(u[:], []byte(packed)); err != nil {
		return UUID{}, ErrUUID
	}
	return u, nil
}

// String returns the 36-character form in lower case.
func (u UUID) String() string {
	var out [36]byte
	hex.Encode(out[:8], u[:4])
	hex.Encode(out[9:13], u[4:6])
	hex.Encode(out[14:18], u[6:8])
	hex.Encode(out[19:23], u[8:10])
	hex.Encode(out[24:], u[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// MarshalText writes what String returns, so that a UUID is a JSON string.
func (u UUID) MarshalText() ([]byte, error) {
	return []byte(u.String()), nil
}

// UnmarshalText reads what ParseUUID reads.
func (u *UUID) UnmarshalText(text []byte) error {
	parsed, err := ParseUUID(string(text))
	if err != nil {
		return err
	}
	*u = parsed
	return nil
}
