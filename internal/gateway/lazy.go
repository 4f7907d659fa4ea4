package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/web"
)

const (
	// kept is how long secret settings are.
	kept = 15 * time.Minute
	// retried is how soon they are asked for again when that failed and there are
	// older ones.
	retried = time.Minute
)

// lazy is what can only be built with secret settings, so at the first event
// that needs it, and again when they changed. It is safe for concurrent use.
type lazy[T any] struct {
	read   func(context.Context) (string, error)
	build  func(ctx context.Context, getenv func(string) string) (T, error)
	getenv func(string) string
	now    func() time.Time
	log    *slog.Logger

	mu     sync.Mutex
	built  T
	there  bool
	values string
	until  time.Time // compared by the wall clock: a frozen process has no other
}

// tried builds once, so that what is wrong with the configuration is said at the
// start. With secret settings that is all it is for: what serves is built later.
func tried[T any](
	ctx context.Context, getenv func(string) string, log *slog.Logger, build func(context.Context, func(string) string) (T, error),
) (built T, later *lazy[T], err error) {
	if built, err = build(ctx, getenv); err != nil {
		return built, nil, err
	}
	secrets, err := openVault(getenv)
	if err != nil || secrets == nil {
		return built, nil, err
	}
	return built, &lazy[T]{read: secrets.read, build: build, getenv: getenv, now: time.Now, log: log}, nil
}

// get returns what is built. With older settings at hand it never fails.
func (l *lazy[T]) get(ctx context.Context) (T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().Round(0)
	if l.there && now.Before(l.until) {
		return l.built, nil
	}
	err := l.renew(ctx)
	switch {
	case err == nil:
		l.until = now.Add(kept)
	case l.there:
		l.log.ErrorContext(ctx, "secret settings are old", slog.String("err", err.Error()))
		l.until = now.Add(retried)
	default:
		return l.built, err
	}
	return l.built, nil
}

func (l *lazy[T]) renew(ctx context.Context) error {
	values, err := l.read(ctx)
	if err != nil || l.there && values == l.values {
		return err
	}
	built, err := l.build(ctx, func(name string) string {
		if name == config.ApartVariable {
			return values
		}
		return l.getenv(name)
	})
	if err != nil {
		return err
	}
	l.built, l.values, l.there = built, values, true
	return nil
}

// lazyHandler serves requests by a handler that is built late.
type lazyHandler struct{ *lazy[http.Handler] }

func (l lazyHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler, err := l.get(r.Context())
	if err != nil {
		web.Fail(w, r, &fault.Error{Kind: fault.Busy, Err: err})
		return
	}
	handler.ServeHTTP(w, r)
}

// lazyEvents answers events by what is built late.
type lazyEvents[H lambda.Handler] struct{ *lazy[H] }

func (l lazyEvents[H]) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	handler, err := l.get(ctx)
	if err != nil {
		return nil, err
	}
	return handler.Invoke(ctx, payload)
}
