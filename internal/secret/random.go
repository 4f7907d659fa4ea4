package secret

import (
	"fmt"
	"io"
)

// Text returns n random characters of 0-9A-Za-z, each equally likely: 5.95 bits
// of entropy per character.
func Text(rand io.Reader, n int) string {
	return digits(rand, n, alphabet)
}

// LowerText returns n random characters of 0-9a-z, each equally likely: 5.17 bits
// of entropy per character.
func LowerText(rand io.Reader, n int) string {
	return digits(rand, n, alphabet[:10]+alphabet[36:])
}

// Bytes returns n random bytes.
func Bytes(rand io.Reader, n int) []byte {
	b := make([]byte, n)
	fill(rand, b)
	return b
}

// Code returns six random decimal digits, each equally likely.
func Code(rand io.Reader) string {
	return digits(rand, 6, alphabet[:10])
}

// digits draws n characters of set, which has at most 256. Bytes that would
// favour the first characters of the set are thrown away.
func digits(rand io.Reader, n int, set string) string {
	fair := 256 - 256%len(set)
	out := make([]byte, 0, n)
	for len(out) < n {
		draw := make([]byte, n-len(out))
		fill(rand, draw)
		for _, b := range draw {
			if int(b) < fair {
				out = append(out, set[int(b)%len(set)])
			}
		}
	}
	return string(out)
}

// fill reads len(b) random bytes. A source of randomness that fails leaves
// nothing sensible to do, so it panics, as crypto/rand itself ends the process.
func fill(rand io.Reader, b []byte) {
	if _, err := io.ReadFull(rand, b); err != nil {
		panic(fmt.Sprintf("secret: the source of randomness failed: %v", err))
	}
}
