package config

import (
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a value that must not appear in a log, an error or a dump: however
// it is printed or encoded, it reads "[redacted]".
type Secret string

// Reveal returns the value itself.
func (s Secret) Reveal() string { return string(s) }

// String returns a placeholder.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format prints the placeholder for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue logs the placeholder.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText encodes the placeholder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Complete returns the secrets with every list filled: a missing default list
// becomes one random secret read from rand, which lasts as long as the process,
// and the other lists fall back to the default one.
func (s Secrets) Complete(rand io.Reader) (Secrets, error) {
	if len(s.Default) == 0 {
		var seed [32]byte
		if _, err := io.ReadFull(rand, seed[:]); err != nil {
			return Secrets{}, fmt.Errorf("make a secret for this process: %w", err)
		}
		s.Default = []Secret{Secret(base64.RawURLEncoding.EncodeToString(seed[:]))}
	}
	for _, list := range []*[]Secret{&s.Cookie, &s.Cipher, &s.Pagination} {
		if len(*list) == 0 {
			*list = s.Default
		}
	}
	return s, nil
}
