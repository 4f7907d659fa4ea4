package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"fmt"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// Bounds of scrypt: 128 MiB of memory, which a function has twice, and ten
// passes over it.
const (
	maxScryptN     = 1 << 17
	maxScryptLogN  = 17
	maxScryptBlock = 8
	maxScryptPass  = 10
)

// scryptCost are the parameters of scrypt.
type scryptCost struct{ n, r, p int }

// scryptCostOf bounds the parameters. N is a power of two above one.
func scryptCostOf(n, r, p uint64) (scryptCost, error) {
	if n > maxScryptN || r > maxScryptBlock || p > maxScryptPass {
		return scryptCost{}, ErrTooCostly
	}
	if n < 2 || n&(n-1) != 0 {
		return scryptCost{}, ErrMalformedHash
	}
	return scryptCost{int(n), int(r), int(p)}, nil
}

// derive returns nil where the parameters are wrong, which nothing equals.
func (c scryptCost) derive(password string, salt []byte, length int) []byte {
	key, err := scrypt.Key([]byte(password), salt, c.n, c.r, c.p, length)
	if err != nil {
		return nil
	}
	return key
}

func (c scryptCost) work(algorithm string, length int) Run {
	return Run{Algorithm: algorithm, Cost: fmt.Sprintf("n=%d,r=%d,p=%d,l=%d", c.n, c.r, c.p, length)}
}

// parseScrypt reads `$scrypt$ln=<N>,r=<r>,p=<p>$<salt>$<key>` with padded base64.
// ln holds N itself, not its logarithm.
func parseScrypt(hash string) (parsedHash, error) {
	fields := strings.Split(hash, "$") // "", "scrypt", parameters, salt, key
	if len(fields) != 5 {
		return parsedHash{}, ErrMalformedHash
	}
	numbers, okNumbers := parameters(fields[2], "ln=", "r=", "p=")
	salt, okSalt := paddedBytes(fields[3])
	key, okKey := paddedBytes(fields[4])
	if !okNumbers || !okSalt || !okKey || len(key) < minKey {
		return parsedHash{}, ErrMalformedHash
	}
	if len(key) > maxKey {
		return parsedHash{}, ErrTooCostly
	}
	cost, err := scryptCostOf(numbers[0], numbers[1], numbers[2])
	if err != nil {
		return parsedHash{}, err
	}
	return parsedHash{
		work: cost.work("scrypt", len(key)),
		matches: func(password string) bool {
			return subtle.ConstantTimeCompare(cost.derive(password, salt, len(key)), key) == 1
		},
	}, nil
}

// firebaseKey is the length in bytes of the AES key that Firebase derives.
const firebaseKey = 32

// parseFirebaseScrypt reads
// `$firescrypt$ln=<log2 N>,r=<r>,p=<p>$<salt>$<hash>$<salt separator>$<signer key>`
// with padded base64. The password's key encrypts the project's signer key with
// AES-256-CTR from a zero counter; the hash is what comes out.
func parseFirebaseScrypt(hash string) (parsedHash, error) {
	fields := strings.Split(hash, "$") // "", "firescrypt", parameters, salt, hash, separator, signer
	if len(fields) != 7 {
		return parsedHash{}, ErrMalformedHash
	}
	numbers, okNumbers := parameters(fields[2], "ln=", "r=", "p=")
	salt, okSalt := paddedBytes(fields[3])
	sealed, okSealed := paddedBytes(fields[4])
	separator, okSeparator := paddedBytes(fields[5])
	signer, okSigner := paddedBytes(fields[6])
	if !okNumbers || !okSalt || !okSealed || !okSeparator || !okSigner ||
		len(signer) < minKey || len(sealed) != len(signer) {
		return parsedHash{}, ErrMalformedHash
	}
	if numbers[0] > maxScryptLogN {
		return parsedHash{}, ErrTooCostly
	}
	cost, err := scryptCostOf(1<<numbers[0], numbers[1], numbers[2])
	if err != nil {
		return parsedHash{}, err
	}
	salt = append(salt, separator...)
	return parsedHash{
		work: cost.work("firescrypt", firebaseKey),
		matches: func(password string) bool {
			block, err := aes.NewCipher(cost.derive(password, salt, firebaseKey))
			if err != nil {
				return false
			}
			got := make([]byte, len(signer))
			cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(got, signer) //nolint:gosec // Firebase starts at zero; a key encrypts once
			return subtle.ConstantTimeCompare(got, sealed) == 1
		},
	}, nil
}
