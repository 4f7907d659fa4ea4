package secret

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	// bcryptMax is how many bytes of a password bcrypt reads.
	bcryptMax = 72
	// maxBcryptCost takes about 2.5 s of one processor.
	maxBcryptCost = 15

	bcryptAlphabet   = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	bcryptSaltLength = 16 // bytes, 22 characters
	bcryptKeyLength  = 23 // bytes, 31 characters
)

// bcryptScheme makes bcrypt hashes; it is the cost.
type bcryptScheme int

func newBcrypt(cost int) (scheme, error) {
	if cost < bcrypt.MinCost || cost > maxBcryptCost {
		return nil, fmt.Errorf("secret: hashers.bcrypt.cost is %d, not %d to %d", cost, bcrypt.MinCost, maxBcryptCost)
	}
	return bcryptScheme(cost), nil
}

func (s bcryptScheme) work() Run {
	return Run{Algorithm: "bcrypt", Cost: strconv.Itoa(int(s))}
}

func (s bcryptScheme) limit(password string) error {
	if len(password) > bcryptMax {
		return ErrTooLong
	}
	return nil
}

// hash takes its salt from crypto/rand: the library has no other door.
func (s bcryptScheme) hash(_ io.Reader, password string) (string, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), int(s))
	if errors.Is(err, bcrypt.ErrPasswordTooLong) {
		return "", ErrTooLong
	}
	if err != nil {
		return "", fmt.Errorf("hash with bcrypt: %w", err)
	}
	return string(hash), nil
}

func (s bcryptScheme) dummy(rand io.Reader) string {
	random := make([]byte, bcryptSaltLength+bcryptKeyLength)
	fill(rand, random)
	b64 := base64.NewEncoding(bcryptAlphabet).WithPadding(base64.NoPadding)
	return fmt.Sprintf("$2a$%02d$", int(s)) +
		b64.EncodeToString(random[:bcryptSaltLength]) + b64.EncodeToString(random[bcryptSaltLength:])
}

// parseBcrypt reads `$2a$<two digits of cost>$<22 characters of salt><31 of digest>`.
func parseBcrypt(hash string) (parsedHash, error) {
	fields := strings.Split(hash, "$") // "", "2a", "12", the rest
	if len(fields) != 4 || len(fields[2]) != 2 || len(fields[3]) != 22+31 ||
		strings.Trim(fields[3], bcryptAlphabet) != "" {
		return parsedHash{}, ErrMalformedHash
	}
	digits, err := strconv.ParseUint(fields[2], 10, 8)
	cost := int(digits)
	if err != nil || cost < bcrypt.MinCost {
		return parsedHash{}, ErrMalformedHash
	}
	if cost > maxBcryptCost {
		return parsedHash{}, ErrTooCostly
	}
	return parsedHash{
		work: bcryptScheme(cost).work(),
		matches: func(password string) bool {
			// The library ignores what follows byte 72, so two passwords that
			// differ there would match one hash. A longer one matches none,
			// but is seen to be too long only after the same work.
			read := password[:min(len(password), bcryptMax)]
			err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(read))
			return err == nil && len(password) <= bcryptMax
		},
	}, nil
}
