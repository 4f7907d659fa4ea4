package secret

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // what other systems stored, to be replaced at the next login
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/md4" //nolint:gosec,staticcheck // as above; nobody else has it
)

// maxRepeats is how often a template may hold the password: a long password is
// hashed so many times.
const maxRepeats = 8

// algorithmOf returns the digest of that name, nil for none.
func algorithmOf(name string) func() hash.Hash {
	switch name {
	case "md4":
		return md4.New
	case "md5":
		return md5.New
	case "sha1":
		return sha1.New
	case "sha224":
		return sha256.New224
	case "sha256":
		return sha256.New
	case "sha384":
		return sha512.New384
	case "sha512":
		return sha512.New
	default:
		return nil
	}
}

// parseSSHA reads `{SSHA}`, `{SSHA256}` or `{SSHA512}` and the padded base64 of
// digest and salt; the digest is that of password and salt.
func parseSSHA(text string) (parsedHash, error) {
	variant, encoded, _ := strings.Cut(strings.TrimPrefix(text, "{"), "}")
	algorithm := sha1.New
	if bits := strings.TrimPrefix(variant, "SSHA"); bits != "" {
		algorithm = algorithmOf("sha" + bits)
	}
	both, ok := paddedBytes(encoded)
	size := algorithm().Size()
	if !ok || len(both) <= size {
		return parsedHash{}, ErrMalformedHash
	}
	return templated(strings.ToLower(variant), algorithm, template{tokenPassword, tokenSalt}, both[size:], both[:size])
}

// parseTemplated reads `$<sha1, sha256 or sha512>$pf=<template>$<salt>$<digest>`
// with padded base64.
func parseTemplated(text string) (parsedHash, error) {
	fields := strings.Split(text, "$") // "", variant, template, salt, digest
	if len(fields) != 5 {
		return parsedHash{}, ErrMalformedHash
	}
	return parseFields(fields[1], algorithmOf(fields[1]), fields[2:])
}

// parseMD5 reads `$md5$<digest>`, of the password alone, or what parseTemplated
// reads.
func parseMD5(text string) (parsedHash, error) {
	switch fields := strings.Split(text, "$"); len(fields) {
	case 3:
		digest, ok := paddedBytes(fields[2])
		if !ok {
			return parsedHash{}, ErrMalformedHash
		}
		return templated("md5", md5.New, template{tokenPassword}, nil, digest)
	case 5:
		return parseFields("md5", md5.New, fields[2:])
	default:
		return parsedHash{}, ErrMalformedHash
	}
}

// parseFields reads template, salt and digest.
func parseFields(variant string, algorithm func() hash.Hash, fields []string) (parsedHash, error) {
	encoded, named := strings.CutPrefix(fields[0], "pf=")
	form, okForm := paddedBytes(encoded)
	salt, okSalt := paddedBytes(fields[1])
	digest, okDigest := paddedBytes(fields[2])
	if !named || !okForm || !okSalt || !okDigest {
		return parsedHash{}, ErrMalformedHash
	}
	return templated(variant, algorithm, parseTemplate(string(form)), salt, digest)
}

// template says what is hashed: literal text, and in their places the two
// tokens.
type template []string

const (
	tokenPassword = "{PASSWORD}"
	tokenSalt     = "{SALT}"
)

func parseTemplate(form string) template {
	var parts template
	for form != "" {
		next := len(form)
		for _, token := range []string{tokenPassword, tokenSalt} {
			if strings.HasPrefix(form, token) {
				next = len(token)
				break
			}
			if at := strings.Index(form, token); at >= 0 {
				next = min(next, at)
			}
		}
		parts = append(parts, form[:next])
		form = form[next:]
	}
	return parts
}

// templated is a digest of what a template makes of password and salt. Without
// the password in it, every one would match.
func templated(variant string, algorithm func() hash.Hash, form template, salt, digest []byte) (parsedHash, error) {
	repeats := 0
	for _, part := range form {
		if part == tokenPassword {
			repeats++
		}
	}
	if repeats == 0 || len(digest) != algorithm().Size() {
		return parsedHash{}, ErrMalformedHash
	}
	if repeats > maxRepeats {
		return parsedHash{}, ErrTooCostly
	}
	return parsedHash{
		work: Run{Algorithm: variant, Cost: strconv.Itoa(repeats)},
		matches: func(password string) bool {
			h := algorithm()
			for _, part := range form {
				switch part {
				case tokenPassword:
					part = password
				case tokenSalt:
					part = string(salt)
				}
				_, _ = io.WriteString(h, part) // a hash never fails
			}
			return subtle.ConstantTimeCompare(h.Sum(nil), digest) == 1
		},
	}, nil
}

// parseHMAC reads `$hmac-<md4, md5, sha1, … sha512>$<MAC>$<key>` with padded
// base64; the MAC is the hexadecimal text of what it is.
func parseHMAC(text string) (parsedHash, error) {
	fields := strings.Split(text, "$") // "", variant, MAC, key
	if len(fields) != 4 {
		return parsedHash{}, ErrMalformedHash
	}
	algorithm := algorithmOf(strings.TrimPrefix(fields[1], "hmac-"))
	if algorithm == nil {
		return parsedHash{}, ErrUnknownHash
	}
	encoded, okText := paddedBytes(fields[2])
	key, okKey := paddedBytes(fields[3])
	want, err := hex.DecodeString(string(encoded))
	if !okText || !okKey || err != nil || len(want) != algorithm().Size() {
		return parsedHash{}, ErrMalformedHash
	}
	return parsedHash{
		work: Run{Algorithm: fields[1], Cost: "1"},
		matches: func(password string) bool {
			h := hmac.New(algorithm, key)
			_, _ = io.WriteString(h, password) // a hash never fails
			return subtle.ConstantTimeCompare(h.Sum(nil), want) == 1
		},
	}, nil
}
