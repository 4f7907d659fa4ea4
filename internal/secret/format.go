package secret

import "strings"

// maxHash is the length in bytes beyond which nothing is a password hash.
const maxHash = 4096

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
		{"$2$", parseBcrypt},
		{"$2a$", parseBcrypt},
		{"$2b$", parseBcrypt},
		{"$2y$", parseBcrypt},
		{"$2z$", parseBcrypt},
		{"$argon2id$", parseArgon2},
		{"$argon2i$", parseArgon2},
	}
}

// Known says whether a text has the prefix of a known hash format. CheckHash
// says whether it can be used.
func Known(hash string) bool {
	_, ok := formatOf(hash)
	return ok
}

// CheckHash says whether a hash can be kept and checked later: imports ask it,
// so that no login ever meets a hash that it cannot bear. Errors:
// ErrUnknownHash, ErrMalformedHash, ErrTooCostly.
func CheckHash(hash string) error {
	_, err := parseHash(hash)
	return err
}

func formatOf(hash string) (format, bool) {
	for _, f := range formats() {
		if strings.HasPrefix(hash, f.prefix) {
			return f, true
		}
	}
	return format{}, false
}

func parseHash(hash string) (parsedHash, error) {
	f, ok := formatOf(hash)
	if !ok {
		return parsedHash{}, ErrUnknownHash
	}
	if len(hash) > maxHash {
		return parsedHash{}, ErrMalformedHash
	}
	return f.parse(hash)
}
