package secret

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"
)

// Use says what a key is for. It is the label the key is derived under, so a
// value sealed or signed for one use means nothing to another.
type Use string

// The uses, and the list of secrets each draws from.
const (
	UseCode   Use = "styx/v1/code"   // one-time codes and link tokens; default
	UseSeal   Use = "styx/v1/seal"   // secrets at rest and in the outbox; cipher
	UseTOTP   Use = "styx/v1/totp"   // second-factor secrets; cipher
	UsePage   Use = "styx/v1/page"   // page tokens; pagination
	UseCookie Use = "styx/v1/cookie" // the session cookie and its like; cookie
	UseCSRF   Use = "styx/v1/csrf"   // what ties a form to a browser; cookie
	UseLogout Use = "styx/v1/logout" // logout tokens; cookie
	UseState  Use = "styx/v1/state"  // the state parameter of upstream logins; cookie
)

// Lists are the operator's secrets as the section `secrets` of the configuration
// has them. The first of a list writes, all of them read, so a new secret is put
// in front and an old one is dropped when nothing it wrote is alive. An empty
// list stands for Default.
type Lists struct{ Default, Cookie, Cipher, Pagination []string }

// pick returns the list that u draws from.
func (l Lists) pick(u Use) []string {
	var list []string
	switch u {
	case UseSeal, UseTOTP:
		list = l.Cipher
	case UsePage:
		list = l.Pagination
	case UseCookie, UseCSRF, UseLogout, UseState:
		list = l.Cookie
	case UseCode:
		list = l.Default
	}
	if len(list) == 0 {
		return l.Default
	}
	return list
}

// MinSecret is the length in bytes below which a secret is refused.
const MinSecret = 16

var (
	// ErrNoSecret says that the default list is empty.
	ErrNoSecret = errors.New("secret: the list of default secrets is empty")
	// ErrShortSecret says that a list holds a secret of fewer than MinSecret bytes.
	ErrShortSecret = errors.New("secret: a secret is shorter than 16 bytes")
	// ErrSealed is the one answer to every sealed value that does not open:
	// torn, forged, moved, or sealed under a key that is gone.
	ErrSealed = errors.New("secret: the sealed value does not open")
)

// Ring seals and signs. It is safe for concurrent use.
type Ring struct {
	rand io.Reader
	keys map[Use]func() []key // each derives once, at first use; the map never changes
}

// key is one secret's key for one use.
type key struct {
	id   string // 8 characters, public: names the key in a sealed value
	aead cipher.AEAD
	mac  []byte
}

// New returns a ring over the lists. It derives nothing yet, so it costs a cold
// start nothing. Errors: ErrNoSecret, ErrShortSecret.
func New(l Lists, rand io.Reader) (*Ring, error) {
	if len(l.Default) == 0 {
		return nil, ErrNoSecret
	}
	for _, list := range [][]string{l.Default, l.Cookie, l.Cipher, l.Pagination} {
		for _, entry := range list {
			if len(entry) < MinSecret {
				return nil, ErrShortSecret
			}
		}
	}
	r := &Ring{rand: rand, keys: map[Use]func() []key{}}
	for _, u := range []Use{UseCode, UseSeal, UseTOTP, UsePage, UseCookie, UseCSRF, UseLogout, UseState} {
		r.keys[u] = sync.OnceValue(func() []key { return derive(l.pick(u), u) })
	}
	return r, nil
}

// derive makes the keys of a use: HKDF-SHA-256 of each secret without salt, the
// use as info, 64 bytes. The first half seals and the second half signs, so a
// use may do both.
func derive(list []string, u Use) []key {
	keys := make([]key, 0, len(list))
	for _, entry := range list {
		both, err := hkdf.Key(sha256.New, []byte(entry), nil, string(u), 64)
		if err != nil {
			panic(fmt.Sprintf("secret: derive %s: %v", u, err)) // the length is constant
		}
		aead, err := chacha20poly1305.NewX(both[:32])
		if err != nil {
			panic(fmt.Sprintf("secret: derive %s: %v", u, err)) // the length is constant
		}
		id := sha256.Sum256(append([]byte("styx/v1/key-id"), both[:32]...))
		keys = append(keys, key{
			id:   base64.RawURLEncoding.EncodeToString(id[:6]),
			aead: aead,
			mac:  both[32:],
		})
	}
	return keys
}

// keysOf returns the keys of a use, the writing one first.
func (r *Ring) keysOf(u Use) []key {
	keys, ok := r.keys[u]
	if !ok {
		panic(fmt.Sprintf("secret: no such use: %q", string(u)))
	}
	return keys()
}

// sealedVersion opens every sealed value.
const sealedVersion = "v1"

// Seal encrypts and authenticates plain for use u and returns
//
//	v1.<key id>.<nonce>.<XChaCha20-Poly1305 ciphertext>
//
// in base64url without padding. ad says where the value belongs (for a stored
// one `tenant|item key|field`): it is not part of the result, and the value
// opens only where the same ad is given.
func (r *Ring) Seal(u Use, plain []byte, ad string) string {
	k := r.keysOf(u)[0]
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	fill(r.rand, nonce)
	b64 := base64.RawURLEncoding
	return sealedVersion + "." + k.id + "." + b64.EncodeToString(nonce) + "." +
		b64.EncodeToString(k.aead.Seal(nil, nonce, plain, []byte(ad)))
}

// Open returns what Seal was given, for the same use and ad. Its only error is
// ErrSealed.
func (r *Ring) Open(u Use, sealed, ad string) ([]byte, error) {
	parts := strings.Split(sealed, ".")
	if len(parts) != 4 || parts[0] != sealedVersion {
		return nil, ErrSealed
	}
	nonce, okNonce := decodeStrict(parts[2])
	box, okBox := decodeStrict(parts[3])
	if !okNonce || !okBox || len(nonce) != chacha20poly1305.NonceSizeX {
		return nil, ErrSealed
	}
	for _, k := range r.keysOf(u) {
		if k.id != parts[1] {
			continue
		}
		if plain, err := k.aead.Open(nil, nonce, box, []byte(ad)); err == nil {
			return plain, nil
		}
	}
	return nil, ErrSealed
}

// decodeStrict reads base64url without padding in its one canonical spelling.
func decodeStrict(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") { // encoding/base64 skips them, Strict or not
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return b, err == nil
}

// MAC signs parts for use u: HMAC-SHA-256, 32 bytes. Each part goes in behind
// its length, so ("ab", "c") and ("a", "bc") differ.
func (r *Ring) MAC(u Use, parts ...string) []byte {
	return mac(r.keysOf(u)[0].mac, parts)
}

// MatchMAC says whether mac is the MAC of parts under any key of the use. Its
// time depends on the number of keys and the length of the parts alone.
func (r *Ring) MatchMAC(u Use, signature []byte, parts ...string) bool {
	match := 0
	for _, k := range r.keysOf(u) {
		match |= subtle.ConstantTimeCompare(mac(k.mac, parts), signature)
	}
	return match == 1
}

func mac(key []byte, parts []string) []byte {
	var message bytes.Buffer
	for _, part := range parts {
		message.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		message.WriteString(part)
	}
	h := hmac.New(sha256.New, key)
	h.Write(message.Bytes())
	return h.Sum(nil)
}
