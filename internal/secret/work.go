package secret

import (
	"context"
	"slices"
	"sync"
)

// Run is one run of a password hash function.
type Run struct {
	Algorithm string // "bcrypt", "argon2id", "pbkdf2-sha256", "md5"
	Cost      string // every parameter that the work depends on: "12", "m=19456,t=2,p=1,s=16,k=32"
}

// Work is the record of the password hashes a request computed. Two requests
// with equal records cannot be told apart by the time their hashes took.
type Work struct {
	mu   sync.Mutex
	runs []Run
}

// workKey is the context key of a *Work.
type workKey struct{}

// WithWork returns a context whose password hashes are noted in the Work.
func WithWork(ctx context.Context) (context.Context, *Work) {
	w := new(Work)
	return context.WithValue(ctx, workKey{}, w), w
}

// Runs returns what was noted so far, oldest first.
func (w *Work) Runs() []Run {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.runs)
}

func note(ctx context.Context, run Run) {
	if w, ok := ctx.Value(workKey{}).(*Work); ok {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.runs = append(w.runs, run)
	}
}
