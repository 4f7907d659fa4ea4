package secret

import (
	"crypto/md5" //nolint:gosec // what other systems stored, to be replaced at the next login
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"fmt"
	"hash"
	"strings"
)

// Bounds of the Unix crypt functions.
const (
	// maxCryptPassword is the bytes that libxcrypt takes. Every round hashes the
	// password, so a longer one would cost without end.
	maxCryptPassword = 511
	maxMD5CryptSalt  = 8
	maxSHACryptSalt  = 16
	md5CryptRounds   = 1000
	shaCryptRounds   = 5000 // unless the hash says otherwise
	minCryptRounds   = 1000
	maxCryptRounds   = 1_000_000 // about a second of one processor
)

// cryptAlphabet spells six bits a letter, the lowest first.
const cryptAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// parseMD5Crypt reads `$md5-crypt$<salt>$<22 letters>`: Unix' `$1$`.
func parseMD5Crypt(text string) (parsedHash, error) {
	fields := strings.Split(text, "$") // "", "md5-crypt", salt, digest
	if len(fields) != 4 || len(fields[2]) > maxMD5CryptSalt {
		return parsedHash{}, ErrMalformedHash
	}
	salt := fields[2]
	return crypted(Run{Algorithm: "md5-crypt", Cost: "1"}, fields[3], 22, func(password string) string {
		return md5Crypt(password, salt)
	})
}

// parseSHACrypt reads `$sha256-crypt$[rounds=<n>$]<salt>$<43 letters>`, or
// `$sha512-crypt$` with 86 letters: Unix' `$5$` and `$6$`.
func parseSHACrypt(text string) (parsedHash, error) {
	fields := strings.Split(text, "$") // "", variant, perhaps rounds, salt, digest
	rounds := uint64(shaCryptRounds)
	if len(fields) == 5 {
		numbers, ok := parameters(fields[2], "rounds=")
		if !ok || numbers[0] < minCryptRounds {
			return parsedHash{}, ErrMalformedHash
		}
		if numbers[0] > maxCryptRounds {
			return parsedHash{}, ErrTooCostly
		}
		rounds = numbers[0]
		fields = append(fields[:2:2], fields[3:]...)
	}
	if len(fields) != 4 || len(fields[2]) > maxSHACryptSalt {
		return parsedHash{}, ErrMalformedHash
	}
	variant, salt := fields[1], fields[2]
	digest, letters, order := sha256.New, 43, sha256Order()
	if variant == "sha512-crypt" {
		digest, letters, order = sha512.New, 86, sha512Order()
	}
	work := Run{Algorithm: variant, Cost: fmt.Sprintf("rounds=%d", rounds)}
	return crypted(work, fields[3], letters, func(password string) string {
		return shaCrypt(digest, order, password, salt, int(rounds)) //nolint:gosec // bounded above
	})
}

// crypted is a hash of so many letters. A password that is too long matches
// none, but is seen to be so only after the same work.
func crypted(work Run, digest string, letters int, crypt func(password string) string) (parsedHash, error) {
	if len(digest) != letters || strings.Trim(digest, cryptAlphabet) != "" {
		return parsedHash{}, ErrMalformedHash
	}
	return parsedHash{
		work: work,
		matches: func(password string) bool {
			got := crypt(password[:min(len(password), maxCryptPassword)])
			return subtle.ConstantTimeCompare([]byte(got), []byte(digest)) == 1 && len(password) <= maxCryptPassword
		},
	}, nil
}

// digestOf hashes parts one after another.
func digestOf(digest func() hash.Hash, parts ...[]byte) []byte {
	h := digest()
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// repeated returns the first length bytes of a text that goes on and on.
func repeated(text []byte, length int) []byte {
	whole := make([]byte, 0, length+len(text))
	for len(whole) < length {
		whole = append(whole, text...)
	}
	return whole[:length]
}

// md5Crypt is Poul-Henning Kamp's function of FreeBSD.
func md5Crypt(password, salt string) string {
	pass, salted := []byte(password), []byte(salt)
	inner := digestOf(md5.New, pass, salted, pass)
	h := md5.New() //nolint:gosec // see the import
	h.Write(pass)
	h.Write([]byte("$1$"))
	h.Write(salted)
	h.Write(repeated(inner, len(pass)))
	for bits := len(pass); bits > 0; bits >>= 1 {
		if bits&1 == 1 {
			h.Write([]byte{0})
		} else {
			h.Write(pass[:1])
		}
	}
	sum := h.Sum(nil)
	for round := range md5CryptRounds {
		sum = cryptRound(md5.New, round, sum, pass, salted)
	}
	return cryptLetters(sum, md5Order())
}

// cryptRound mixes the sum so far with password and salt as all three do.
func cryptRound(digest func() hash.Hash, round int, sum, password, salt []byte) []byte {
	h := digest()
	odd := round%2 == 1
	if odd {
		h.Write(password)
	} else {
		h.Write(sum)
	}
	if round%3 != 0 {
		h.Write(salt)
	}
	if round%7 != 0 {
		h.Write(password)
	}
	if odd {
		h.Write(sum)
	} else {
		h.Write(password)
	}
	return h.Sum(sum[:0])
}

// shaCrypt is Ulrich Drepper's function, "Unix crypt using SHA-256 and SHA-512".
func shaCrypt(digest func() hash.Hash, order [][3]int, password, salt string, rounds int) string {
	pass, salted := []byte(password), []byte(salt)
	inner := digestOf(digest, pass, salted, pass)
	h := digest()
	h.Write(pass)
	h.Write(salted)
	h.Write(repeated(inner, len(pass)))
	for bits := len(pass); bits > 0; bits >>= 1 {
		if bits&1 == 1 {
			h.Write(inner)
		} else {
			h.Write(pass)
		}
	}
	sum := h.Sum(nil)
	// The two texts stand in for password and salt, at their lengths.
	p := repeated(digestOf(digest, repeated(pass, len(pass)*len(pass))), len(pass))
	s := repeated(digestOf(digest, repeated(salted, len(salted)*(16+int(sum[0])))), len(salted))
	for round := range rounds {
		sum = cryptRound(digest, round, sum, p, s)
	}
	return cryptLetters(sum, order)
}

// none stands where a group of three bytes has no more.
const none = -1

// cryptLetters spells a digest: groups of three bytes in an order of their own.
func cryptLetters(sum []byte, order [][3]int) string {
	var spelled strings.Builder
	for _, group := range order {
		bits, letters := 0, 1
		for _, at := range group {
			bits <<= 8
			if at != none {
				bits |= int(sum[at])
				letters++
			}
		}
		for range letters {
			spelled.WriteByte(cryptAlphabet[bits&0x3f])
			bits >>= 6
		}
	}
	return spelled.String()
}

func md5Order() [][3]int {
	return [][3]int{{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}, {none, none, 11}}
}

func sha256Order() [][3]int { return append(turned(10, 2), [3]int{none, 31, 30}) }

func sha512Order() [][3]int { return append(turned(21, 1), [3]int{none, none, 63}) }

// turned lists groups of one byte of each third of a digest; the third that
// comes first moves on by step from group to group.
func turned(third, step int) [][3]int {
	groups := make([][3]int, third)
	for group := range groups {
		for place := range 3 {
			groups[group][place] = (place+step*group)%3*third + group
		}
	}
	return groups
}
