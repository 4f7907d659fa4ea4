package gateway

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"styx/internal/config"
)

// TestSecretSettingsAreReadAtFirstUseAndKept follows one process: what its vault
// answers, and what it serves by.
func TestSecretSettingsAreReadAtFirstUseAndKept(t *testing.T) {
	clock := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	answer, failure := "", error(nil)
	reads, builds := 0, 0
	l := &lazy[string]{
		read: func(context.Context) (string, error) { reads++; return answer, failure },
		build: func(_ context.Context, getenv func(string) string) (string, error) {
			builds++
			if getenv(config.ApartVariable) == "bad" {
				return "", errors.New("refused")
			}
			return getenv(config.ApartVariable) + getenv("OTHER"), nil
		},
		getenv: func(name string) string { return map[string]string{"OTHER": "!"}[name] },
		now:    func() time.Time { return clock },
		log:    slog.New(slog.DiscardHandler),
	}
	away := errors.New("away")
	for _, step := range []struct {
		when          string
		wait          time.Duration
		answer        string
		failure       error
		want          string
		reads, builds int
	}{
		{"the vault is away", 0, "", away, "", 1, 0},
		{"what it holds is refused", 0, "bad", nil, "", 2, 1},
		{"at the first use", 0, "a", nil, "a!", 3, 2},
		{"soon after", 14 * time.Minute, "b", nil, "a!", 3, 2},
		{"when they are old, and the same", time.Minute, "a", nil, "a!", 4, 2},
		{"when they are old, and others", 15 * time.Minute, "b", nil, "b!", 5, 3},
		{"when the vault is away", 15 * time.Minute, "", away, "b!", 6, 3},
		{"soon after that", 30 * time.Second, "c", nil, "b!", 6, 3},
		{"a minute after that", 30 * time.Second, "c", nil, "c!", 7, 4},
		{"when they turn out bad", 15 * time.Minute, "bad", nil, "c!", 8, 5},
	} {
		clock = clock.Add(step.wait)
		answer, failure = step.answer, step.failure
		got, err := l.get(t.Context())
		if got != step.want || (err == nil) != (step.want != "") || reads != step.reads || builds != step.builds {
			t.Errorf("%s: %q, %v after %d reads and %d builds, want %+v", step.when, got, err, reads, builds, step)
		}
	}
}
