// Package secret makes what must not be guessed and keeps what must not be read:
// it hashes passwords, seals and signs with keys derived from the operator's
// secrets, and generates tokens, codes and ids.
//
// It owns every format that carries a secret: the session token, the session
// cookie, the logout token, the CSRF pair, sealed values and password hashes.
// Each format carries a version, and the tests hold golden values of each, so
// that none of them drifts: what one release wrote, the next one reads.
//
// It refuses to know what it protects. It imports nothing of Styx, reads no
// clock and no environment, and takes randomness from the io.Reader it is
// given, which must never fail and must be safe for concurrent use
// (crypto/rand.Reader is both). No error of this package repeats its input.
package secret
