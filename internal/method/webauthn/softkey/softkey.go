// Package softkey is a security key made of software, for tests. It answers the
// options of a ceremony as a browser and its authenticator would, and lies where
// a test wants it to.
package softkey

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"slices"
	"testing"

	"styx/internal/secret"
)

// Flags of authenticator data (WebAuthn Level 3, section 6.1).
const (
	Present  = 0x01
	Verified = 0x04
	Eligible = 0x08 // for backup
	BackedUp = 0x10
	attested = 0x40
)

// ES256 is the algorithm of the key, as COSE numbers it (RFC 9053).
const ES256 = -7

// Key is one credential on an authenticator.
type Key struct {
	ID      []byte
	Handle  []byte // of whom it was made for
	Counter uint32 // of the last signature

	private *ecdsa.PrivateKey
	rand    io.Reader
}

// New returns a key that nobody knows yet.
func New(tb testing.TB, rand io.Reader) *Key {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		tb.Fatal(err)
	}
	return &Key{ID: secret.Bytes(rand, 32), private: private, rand: rand}
}

// Answer is what is about to be answered, for a test to falsify.
type Answer struct {
	Type, Challenge, Origin string // of the client data
	CrossOrigin             bool
	TopOrigin               string

	RPID    string
	Flags   byte
	Counter uint32

	ID, RawID    []byte
	Handle       []byte   // of an assertion
	Algorithm    int16    // that the new key says it has
	Format       string   // of the attestation
	SelfAttests  bool     // the statement is the key's own signature
	Certificates [][]byte // a statement has them too, as CBOR
	Unsigned     bool     // the signature is of something else
	Transports   []string
	PublicKey    []byte // of the new key, as COSE; nil is its own
}

// options are what a browser is asked for, however wrapped.
type options struct {
	Challenge string `json:"challenge"`
	RPID      string `json:"rpId"`
	RP        struct {
		ID string `json:"id"`
	} `json:"rp"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
}

func read(tb testing.TB, text string) options {
	tb.Helper()
	var wrapped struct {
		Options *struct {
			PublicKey options `json:"publicKey"`
		} `json:"credentialOptions"`
		PublicKey options `json:"publicKey"`
	}
	if err := json.Unmarshal([]byte(text), &wrapped); err != nil {
		tb.Fatalf("options %q: %v", text, err)
	}
	if wrapped.Options != nil {
		return wrapped.Options.PublicKey
	}
	return wrapped.PublicKey
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// Create answers navigator.credentials.create().
func (k *Key) Create(tb testing.TB, text, origin string, lies ...func(*Answer)) string {
	tb.Helper()
	asked := read(tb, text)
	handle, err := base64.RawURLEncoding.DecodeString(asked.User.ID)
	if err != nil {
		tb.Fatal(err)
	}
	k.Handle = handle
	a := Answer{
		Type: "webauthn.create", Challenge: asked.Challenge, Origin: origin, RPID: asked.RP.ID,
		Flags: Present | Verified, ID: k.ID, RawID: k.ID, Algorithm: ES256, Format: "none",
	}
	for _, lie := range lies {
		lie(&a)
	}
	k.Counter = a.Counter
	client := a.client(tb)
	data := a.data(attested)
	data = append(data, make([]byte, 16)...) // no make is told
	data = binary.BigEndian.AppendUint16(data, short(k.ID))
	if a.PublicKey == nil {
		a.PublicKey = k.cose(tb, a.Algorithm)
	}
	data = append(append(data, k.ID...), a.PublicKey...)
	statement := object()
	alg, sig := words("alg"), words("sig")
	if a.SelfAttests {
		statement = object(alg, number(ES256), sig, bytes(k.sign(tb, data, client, a.Unsigned)))
	}
	if a.Certificates != nil {
		statement = object(alg, number(ES256), sig, bytes(k.sign(tb, data, client, a.Unsigned)), words("x5c"), array(a.Certificates))
	}
	return a.write(tb, map[string]any{
		"clientDataJSON": encode(client), "transports": a.Transports,
		"attestationObject": encode(object(words("fmt"), words(a.Format), words("attStmt"), statement, words("authData"), bytes(data))),
	})
}

// Get answers navigator.credentials.get(), its counter one higher than before.
func (k *Key) Get(tb testing.TB, text, origin string, lies ...func(*Answer)) string {
	tb.Helper()
	asked := read(tb, text)
	a := Answer{
		Type: "webauthn.get", Challenge: asked.Challenge, Origin: origin, RPID: asked.RPID,
		Flags: Present | Verified, Counter: k.Counter + 1, ID: k.ID, RawID: k.ID, Handle: k.Handle,
	}
	for _, lie := range lies {
		lie(&a)
	}
	k.Counter = a.Counter
	client, data := a.client(tb), a.data(0)
	return a.write(tb, map[string]any{
		"clientDataJSON": encode(client), "authenticatorData": encode(data),
		"signature": encode(k.sign(tb, data, client, a.Unsigned)), "userHandle": encode(a.Handle),
	})
}

func (a Answer) client(tb testing.TB) []byte {
	tb.Helper()
	said := map[string]any{"type": a.Type, "challenge": a.Challenge, "origin": a.Origin, "crossOrigin": a.CrossOrigin}
	if a.TopOrigin != "" {
		said["topOrigin"] = a.TopOrigin
	}
	return marshal(tb, said)
}

// data is the start of the authenticator data.
func (a Answer) data(more byte) []byte {
	hash := sha256.Sum256([]byte(a.RPID))
	return binary.BigEndian.AppendUint32(append(hash[:], a.Flags|more), a.Counter)
}

func (a Answer) write(tb testing.TB, response map[string]any) string {
	tb.Helper()
	return string(marshal(tb, map[string]any{
		"id": encode(a.ID), "rawId": encode(a.RawID), "type": "public-key", "response": response,
	}))
}

func marshal(tb testing.TB, value any) []byte {
	tb.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// sign signs what a key signs: the authenticator data and the hash of the
// client's.
func (k *Key) sign(tb testing.TB, data, client []byte, wrong bool) []byte {
	tb.Helper()
	hash := sha256.Sum256(client)
	message := append(slices.Clone(data), hash[:]...)
	if wrong {
		message = append(message, '?')
	}
	digest := sha256.Sum256(message)
	signature, err := ecdsa.SignASN1(k.rand, k.private, digest[:])
	if err != nil {
		tb.Fatal(err)
	}
	return signature
}

// cose is the public key as COSE writes it (RFC 9052).
func (k *Key) cose(tb testing.TB, algorithm int16) []byte {
	tb.Helper()
	point, err := k.private.PublicKey.Bytes()
	if err != nil {
		tb.Fatal(err)
	}
	return object(number(1), number(2), number(3), number(algorithm),
		number(-1), number(1), number(-2), bytes(point[1:33]), number(-3), bytes(point[33:]))
}

// The few CBOR types that an attestation needs (RFC 8949).

func head(major byte, size uint16) []byte {
	digits := binary.BigEndian.AppendUint16(nil, size)
	switch {
	case size < 24:
		return []byte{major<<5 | digits[1]}
	case size < 1<<8:
		return []byte{major<<5 | 24, digits[1]}
	default:
		return append([]byte{major<<5 | 25}, digits...)
	}
}

// short is a length that fits two bytes.
func short[T ~[]byte | ~string](of T) uint16 { return uint16(len(of)) } //nolint:gosec // what a test makes is short

func number(n int16) []byte {
	if n < 0 {
		return head(1, uint16(-1-n))
	}
	return head(0, uint16(n))
}

func bytes(raw []byte) []byte { return append(head(2, short(raw)), raw...) }

func words(text string) []byte { return append(head(3, short(text)), text...) }

func array(items [][]byte) []byte {
	return append(head(4, uint16(len(items))), slices.Concat(items...)...) //nolint:gosec // a test has few
}

// RSA is a public RSA key of that many bytes, as COSE writes it (RFC 8230).
func RSA(size int) []byte {
	modulus := slices.Repeat([]byte{0xff}, size)
	return object(number(1), number(3), number(3), number(-257), number(-1), bytes(modulus), number(-2), bytes([]byte{1, 0, 1}))
}

// object writes a map, of names and values that are written already.
func object(pairs ...[]byte) []byte {
	return append(head(5, uint16(len(pairs)/2)), slices.Concat(pairs...)...) //nolint:gosec // a test has few
}
