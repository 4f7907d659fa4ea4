package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"time"
)

// The session token is sessionPrefix and the base62 digits of
//
//	version ‖ identity id ‖ session id ‖ 20 random bytes
//
// It names the items to read, so whoami needs one round trip and no index, and
// the random bytes prove that the bearer was handed it.
const (
	sessionPrefix = "ory_st_"
	tokenVersion  = 1
	tokenBytes    = 1 + 16 + 16 + 20
	tokenDigits   = 72 // 62^72 > 2^(8*53)
)

// ErrToken is the one answer to every text that is no session token.
var ErrToken = errors.New("secret: not a session token")

// Token is what a session's bearer holds. Only Hash of it is ever stored.
type Token struct {
	Identity, Session UUID
	Secret            [20]byte
}

// NewToken returns a token of a session with a fresh secret.
func NewToken(rand io.Reader, identity, session UUID) Token {
	t := Token{Identity: identity, Session: session}
	fill(rand, t.Secret[:])
	return t
}

// String returns the token as clients hold it, 79 characters. It is a secret:
// it belongs in a response body and nowhere else.
func (t Token) String() string {
	return sessionPrefix + encode62(t.bytes(), tokenDigits)
}

// ParseToken reads what String returns and nothing else: a token has one
// spelling. Its only error is ErrToken.
func ParseToken(s string) (Token, error) {
	digits, ok := strings.CutPrefix(s, sessionPrefix)
	if !ok || len(digits) != tokenDigits {
		return Token{}, ErrToken
	}
	b, ok := decode62(digits, tokenBytes)
	if !ok {
		return Token{}, ErrToken
	}
	return tokenOf(b)
}

func (t Token) bytes() []byte {
	b := make([]byte, 0, tokenBytes+8) // room for the cookie's expiry
	b = append(b, tokenVersion)
	b = append(b, t.Identity[:]...)
	b = append(b, t.Session[:]...)
	return append(b, t.Secret[:]...)
}

// tokenOf reads tokenBytes bytes. An unknown version is an invalid token.
func tokenOf(b []byte) (Token, error) {
	if len(b) != tokenBytes || b[0] != tokenVersion {
		return Token{}, ErrToken
	}
	var t Token
	copy(t.Identity[:], b[1:17])
	copy(t.Session[:], b[17:33])
	copy(t.Secret[:], b[33:])
	return t, nil
}

// Hash returns the SHA-256 of the token's secret in base64url without padding,
// 43 characters. A plain hash is enough: 160 random bits cannot be searched.
func (t Token) Hash() string {
	sum := sha256.Sum256(t.Secret[:])
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// MatchesHash says, in constant time, whether hash is what Hash returns.
func (t Token) MatchesHash(hash string) bool {
	return subtle.ConstantTimeCompare([]byte(t.Hash()), []byte(hash)) == 1
}

// SealCookie returns the value of the session cookie called name: the token and
// its expiry (to the microsecond, as documents store it), sealed. It is 148
// characters long and opens under no other cookie's name.
func SealCookie(r *Ring, name string, t Token, expires time.Time) string {
	plain := binary.BigEndian.AppendUint64(t.bytes(), uint64(expires.UnixMicro()))
	return r.Seal(UseCookie, plain, name)
}

// OpenCookie returns what SealCookie was given, the expiry in UTC. It does not
// judge the expiry: the stored session does. Its only error is ErrSealed.
func OpenCookie(r *Ring, name, value string) (Token, time.Time, error) {
	plain, err := r.Open(UseCookie, value, name)
	if err != nil || len(plain) != tokenBytes+8 {
		return Token{}, time.Time{}, ErrSealed
	}
	t, err := tokenOf(plain[:tokenBytes])
	if err != nil {
		return Token{}, time.Time{}, ErrSealed
	}
	expires := int64(binary.BigEndian.Uint64(plain[tokenBytes:])) //nolint:gosec // the bits of an int64, written as one
	return t, time.UnixMicro(expires).UTC(), nil
}

// The logout token is logoutPrefix and the base62 digits of the session id's
// MAC. Nothing of it is stored: whoever holds the session can make it again.
const (
	logoutPrefix = "ory_lo_"
	logoutDigits = 43 // 62^43 > 2^256
)

// LogoutToken returns the token that logs the session out, 50 characters.
func LogoutToken(r *Ring, session UUID) string {
	return logoutPrefix + encode62(r.MAC(UseLogout, session.String()), logoutDigits)
}

// MatchLogoutToken says, in constant time, whether token logs the session out.
func MatchLogoutToken(r *Ring, token string, session UUID) bool {
	digits, ok := strings.CutPrefix(token, logoutPrefix)
	if !ok || len(digits) != logoutDigits {
		return false
	}
	signature, ok := decode62(digits, sha256.Size)
	return ok && r.MatchMAC(UseLogout, signature, session.String())
}
