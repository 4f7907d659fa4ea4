package secret

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
)

// What a function with 512 MB and a few seconds bears. The memory counts twice:
// a second hash allocates before the first one's memory is collected.
const (
	maxArgon2MemoryKiB   = 256 << 10
	maxArgon2Iterations  = 10
	maxArgon2Parallelism = 16
)

// argon2Scheme makes argon2id hashes in the PHC string format.
type argon2Scheme Argon2

func newArgon2(a Argon2) (scheme, error) {
	for _, bound := range []struct {
		name          string
		value, lo, hi uint64
	}{
		{"memory (KiB)", uint64(a.MemoryKiB), 8, maxArgon2MemoryKiB},
		{"iterations", uint64(a.Iterations), 1, maxArgon2Iterations},
		{"parallelism", uint64(a.Parallelism), 1, maxArgon2Parallelism},
		{"salt_length", uint64(a.SaltLength), minKey, maxKey},
		{"key_length", uint64(a.KeyLength), minKey, maxKey},
	} {
		if bound.value < bound.lo || bound.value > bound.hi {
			return nil, fmt.Errorf("secret: hashers.argon2.%s is %d, not %d to %d", bound.name, bound.value, bound.lo, bound.hi)
		}
	}
	return argon2Scheme(a), nil
}

func (s argon2Scheme) work() Run {
	return argon2Work("argon2id", Argon2(s))
}

func argon2Work(variant string, a Argon2) Run {
	return Run{Algorithm: variant, Cost: fmt.Sprintf("m=%d,t=%d,p=%d,s=%d,k=%d",
		a.MemoryKiB, a.Iterations, a.Parallelism, a.SaltLength, a.KeyLength)}
}

// limit never objects: argon2 reads a password whole.
func (s argon2Scheme) limit(string) error { return nil }

func (s argon2Scheme) hash(rand io.Reader, password string) (string, error) {
	salt := make([]byte, s.SaltLength)
	fill(rand, salt)
	return s.encode(salt, argon2.IDKey([]byte(password), salt, s.Iterations, s.MemoryKiB, s.Parallelism, s.KeyLength)), nil
}

func (s argon2Scheme) dummy(rand io.Reader) string {
	random := make([]byte, s.SaltLength+s.KeyLength)
	fill(rand, random)
	return s.encode(random[:s.SaltLength], random[s.SaltLength:])
}

func (s argon2Scheme) encode(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		s.MemoryKiB, s.Iterations, s.Parallelism, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// parseArgon2 reads `$argon2id$v=19$m=<KiB>,t=<n>,p=<n>$<salt>$<key>`, or argon2i,
// with unpadded base64.
func parseArgon2(hash string) (parsedHash, error) {
	fields := strings.Split(hash, "$") // "", variant, version, parameters, salt, key
	if len(fields) != 6 || fields[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return parsedHash{}, ErrMalformedHash
	}
	variant, derive := fields[1], argon2.IDKey
	if variant == "argon2i" {
		derive = argon2.Key
	}
	cost, okCost := parameters(fields[3], "m=", "t=", "p=")
	salt, okSalt := rawBytes(fields[4])
	key, okKey := rawBytes(fields[5])
	if !okCost || !okSalt || !okKey || len(salt) == 0 || len(key) < minKey {
		return parsedHash{}, ErrMalformedHash
	}
	memory, iterations, parallelism := cost[0], cost[1], cost[2]
	if memory > maxArgon2MemoryKiB || iterations > maxArgon2Iterations || parallelism > maxArgon2Parallelism ||
		len(salt) > maxKey || len(key) > maxKey {
		return parsedHash{}, ErrTooCostly
	}
	a := Argon2{
		MemoryKiB:   uint32(memory),
		Iterations:  uint32(iterations),
		Parallelism: uint8(parallelism),
		SaltLength:  uint32(len(salt)), //nolint:gosec // bounded above
		KeyLength:   uint32(len(key)),  //nolint:gosec // bounded above
	}
	return parsedHash{
		work: argon2Work(variant, a),
		matches: func(password string) bool {
			got := derive([]byte(password), salt, a.Iterations, a.MemoryKiB, a.Parallelism, a.KeyLength)
			return subtle.ConstantTimeCompare(got, key) == 1
		},
	}, nil
}
