package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
)

var (
	// ErrTooLong says that bcrypt cannot hash a password: it reads 72 bytes and
	// would silently ignore the rest.
	ErrTooLong = errors.New("secret: the password is longer than 72 bytes")
	// ErrUnknownHash says that a text is no password hash of a known format.
	ErrUnknownHash = errors.New("secret: unknown password hash")
	// ErrMalformedHash says that a hash of a known format cannot be read.
	ErrMalformedHash = errors.New("secret: malformed password hash")
	// ErrTooCostly says that a hash declares more work than a function bears.
	ErrTooCostly = errors.New("secret: the password hash costs too much")
)

// HasherConfig says how new passwords are hashed.
type HasherConfig struct {
	Algorithm  string // "bcrypt" or "argon2" (which is argon2id)
	BcryptCost int    // 4 to 15
	Argon2     Argon2
}

// Argon2 holds the parameters of argon2id.
type Argon2 struct {
	MemoryKiB   uint32 // up to 256 MiB
	Iterations  uint32 // 1 to 10
	Parallelism uint8  // 1 to 16
	SaltLength  uint32 // bytes, 8 to 1024
	KeyLength   uint32 // bytes, 8 to 1024
}

// Hasher hashes passwords as configured and checks them against every known
// format. It is safe for concurrent use, and lets no more hashes run at once
// than there are processors: more would not be faster and each holds its memory.
type Hasher struct {
	own   scheme
	rand  io.Reader
	dummy string // of the configured cost; no password matches it
	slots chan struct{}
}

// scheme is a way to make new hashes.
type scheme interface {
	work() Run
	// limit returns ErrTooLong for a password that hash would not read whole.
	limit(password string) error
	hash(rand io.Reader, password string) (string, error)
	// dummy returns a hash of random salt and random digest. The check of it
	// costs what any check costs; making it costs nothing.
	dummy(rand io.Reader) string
}

// NewHasher returns a hasher. Its error names the setting that is out of bounds.
func NewHasher(c HasherConfig, rand io.Reader) (*Hasher, error) {
	own, err := schemeOf(c)
	if err != nil {
		return nil, err
	}
	return &Hasher{
		own:   own,
		rand:  rand,
		dummy: own.dummy(rand),
		slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}, nil
}

func schemeOf(c HasherConfig) (scheme, error) {
	switch c.Algorithm {
	case "bcrypt":
		return newBcrypt(c.BcryptCost)
	case "argon2":
		return newArgon2(c.Argon2)
	}
	return nil, fmt.Errorf("secret: hashers.algorithm is %q, not bcrypt or argon2", c.Algorithm)
}

// Hash returns a fresh hash of the password. Errors: ErrTooLong with bcrypt, and
// the context's while it waits for its turn.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.own.limit(password); err != nil {
		return "", err
	}
	var made string
	var failed error
	if err := h.run(ctx, h.own.work(), func() { made, failed = h.own.hash(h.rand, password) }); err != nil {
		return "", err
	}
	return made, failed
}

// Matches says whether the hash is one of the password. Whatever the answer, it
// has taken at least the configured work: a failed check against a hash of
// other cost, or against a text that is no hash at all, is followed by one
// against the dummy. (After a match the caller makes a new hash, see Outdated,
// which costs the same.) So "" for an identity without a password answers as
// late as a wrong password.
//
// Errors: ErrUnknownHash, ErrMalformedHash and ErrTooCostly, with which nothing
// matches, and the context's while it waits for its turn.
func (h *Hasher) Matches(ctx context.Context, hash, password string) (bool, error) {
	parsed, unread := parseHash(hash)
	if unread != nil {
		if err := h.Pretend(ctx, password); err != nil {
			return false, err
		}
		return false, unread
	}
	match := false
	if err := h.run(ctx, parsed.work, func() { match = parsed.matches(password) }); err != nil {
		return false, err
	}
	if !match && parsed.work != h.own.work() {
		return false, h.Pretend(ctx, password)
	}
	return match, nil
}

// Pretend does the work of Matches for nobody, so that a stranger costs what an
// owner costs. Its only error is the context's while it waits for its turn.
func (h *Hasher) Pretend(ctx context.Context, password string) error {
	parsed, err := parseHash(h.dummy)
	if err != nil {
		return fmt.Errorf("secret: read the dummy hash: %w", err)
	}
	return h.run(ctx, parsed.work, func() { parsed.matches(password) })
}

// Outdated says whether a hash differs from what Hash would make today in
// algorithm or parameters, so that a login that matched it should hash anew.
func (h *Hasher) Outdated(hash string) bool {
	parsed, err := parseHash(hash)
	return err != nil || parsed.work != h.own.work()
}

// run waits for a slot, notes the work and does it.
func (h *Hasher) run(ctx context.Context, work Run, derive func()) error {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait to hash a password: %w", err)
	}
	note(ctx, work)
	derive()
	return nil
}
