package secret

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

// maxHash is the length in bytes beyond which nothing is a password hash.
const maxHash = 4096

// What every derived key of an imported hash keeps to, in bytes: an empty one
// would match every password.
const (
	minKey = 8
	maxKey = 1024
)

// parsedHash is a password hash taken apart and found to be within bounds.
type parsedHash struct {
	work    Run
	matches func(password string) bool // runs the hash function once, in constant time
}

// format is a family of password hashes. Its parser gets the whole hash, checks
// it strictly, and answers ErrMalformedHash or ErrTooCostly before any work is
// done.
type format struct {
	prefix string
	parse  func(hash string) (parsedHash, error)
}

// formats lists the known ones; the first whose prefix fits reads a hash.
func formats() []format {
	return []format{
		{"$md5-crypt$", parseMD5Crypt},
		{"$2$", parseBcrypt},
		{"$2a$", parseBcrypt},
		{"$2b$", parseBcrypt},
		{"$2y$", parseBcrypt},
		{"$2z$", parseBcrypt},
		{"$sha256-crypt$", parseSHACrypt},
		{"$sha512-crypt$", parseSHACrypt},
		{"$argon2id$", parseArgon2},
		{"$argon2i$", parseArgon2},
		{"$pbkdf2-sha", parsePBKDF2},
		{"$scrypt$", parseScrypt},
		{"{SSHA}", parseSSHA},
		{"{SSHA256}", parseSSHA},
		{"{SSHA512}", parseSSHA},
		{"$sha1$", parseTemplated},
		{"$sha256$", parseTemplated},
		{"$sha512$", parseTemplated},
		{"$firescrypt$", parseFirebaseScrypt},
		{"$md5$", parseMD5},
		{"$hmac-", parseHMAC},
	}
}

// CheckHash says whether a hash can be kept and checked later: imports ask it,
// so that no login ever meets a hash that it cannot bear. Errors:
// ErrUnknownHash, ErrMalformedHash, ErrTooCostly.
func CheckHash(hash string) error {
	_, err := parseHash(hash)
	return err
}

func parseHash(hash string) (parsedHash, error) {
	for _, f := range formats() {
		if !strings.HasPrefix(hash, f.prefix) {
			continue
		}
		if len(hash) > maxHash {
			return parsedHash{}, ErrMalformedHash
		}
		return f.parse(hash)
	}
	return parsedHash{}, ErrUnknownHash
}

// parameters reads positive numbers behind their names: "m=8,t=1,p=1".
func parameters(s string, names ...string) ([]uint64, bool) {
	numbers := make([]uint64, 0, len(names))
	for at, name := range names {
		part, rest, more := strings.Cut(s, ",")
		digits, named := strings.CutPrefix(part, name)
		number, ok := positive(digits)
		if !named || !ok || more == (at == len(names)-1) {
			return nil, false
		}
		numbers = append(numbers, number)
		s = rest
	}
	return numbers, true
}

// positive reads a decimal number in its one spelling. One too large for its
// type is too large for every bound, too.
func positive(digits string) (uint64, bool) {
	if strings.HasPrefix(digits, "0") {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil || errors.Is(err, strconv.ErrRange)
}

// rawBytes reads standard base64 without padding, paddedBytes with it, both in
// the one canonical spelling.
func rawBytes(s string) ([]byte, bool) { return strictBytes(base64.RawStdEncoding, s) }

func paddedBytes(s string) ([]byte, bool) { return strictBytes(base64.StdEncoding, s) }

func strictBytes(encoding *base64.Encoding, s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") { // encoding/base64 skips them, Strict or not
		return nil, false
	}
	b, err := encoding.Strict().DecodeString(s)
	return b, err == nil
}
