package secret

import (
	"crypto/pbkdf2"
	"crypto/subtle"
	"fmt"
	"strings"
)

// Bounds of PBKDF2: about three seconds of one processor.
const (
	maxPBKDF2Iterations = 10_000_000 // of all blocks of a key together
	wideBlock           = 128        // bytes: the block of SHA-384 and SHA-512,
	wideWeight          = 4          // an iteration of which counts for four
)

// parsePBKDF2 reads `$pbkdf2-sha<bits>$i=<n>,l=<length>$<salt>$<key>` with
// unpadded base64. The key is as long as it is, whatever l says.
func parsePBKDF2(hash string) (parsedHash, error) {
	fields := strings.Split(hash, "$") // "", variant, parameters, salt, key
	if len(fields) != 5 {
		return parsedHash{}, ErrMalformedHash
	}
	algorithm := algorithmOf(strings.TrimPrefix(fields[1], "pbkdf2-"))
	cost, okCost := parameters(fields[2], "i=", "l=")
	salt, okSalt := rawBytes(fields[3])
	key, okKey := rawBytes(fields[4])
	if algorithm == nil || !okCost || !okSalt || !okKey || len(key) < minKey {
		return parsedHash{}, ErrMalformedHash
	}
	digest := algorithm()
	weight := (len(key) + digest.Size() - 1) / digest.Size()
	if digest.BlockSize() == wideBlock {
		weight *= wideWeight
	}
	if len(key) > maxKey || cost[0] > uint64(maxPBKDF2Iterations/weight) { //nolint:gosec // both are small and positive
		return parsedHash{}, ErrTooCostly
	}
	iterations := int(cost[0]) //nolint:gosec // bounded above
	return parsedHash{
		work: Run{Algorithm: fields[1], Cost: fmt.Sprintf("i=%d,l=%d", iterations, len(key))},
		matches: func(password string) bool {
			got, err := pbkdf2.Key(algorithm, password, salt, iterations, len(key))
			return err == nil && subtle.ConstantTimeCompare(got, key) == 1
		},
	}, nil
}
