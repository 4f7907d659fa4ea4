package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/rs/cors"

	"styx/internal/config"
	"styx/internal/fault"
)

// Public wraps the handlers of the public API: CORS, caching, anti-CSRF.
func Public(c config.CORS, cookies *Cookies, next http.Handler) http.Handler {
	handler := noCache(vary(cookies.GuardCSRF(next)))
	if c.Enabled {
		handler = cors.New(cors.Options{
			AllowedOrigins:     c.AllowedOrigins,
			AllowOriginFunc:    originFunc(c),
			AllowedMethods:     c.AllowedMethods,
			AllowedHeaders:     c.AllowedHeaders,
			ExposedHeaders:     c.ExposedHeaders,
			AllowCredentials:   c.AllowCredentials,
			OptionsPassthrough: c.OptionsPassthrough,
			MaxAge:             c.MaxAge,
		}).Handler(handler)
	}
	return recovered(handler)
}

// originFunc echoes the caller's origin where any is allowed, because "*" is of
// no use to a browser that sends credentials. An empty list allows nobody; the
// library would take it for everybody.
func originFunc(c config.CORS) func(string) bool {
	if len(c.AllowedOrigins) == 0 {
		return func(string) bool { return false }
	}
	for _, origin := range c.AllowedOrigins {
		if origin == "*" && c.AllowCredentials {
			return func(string) bool { return true }
		}
	}
	return nil
}

// Admin wraps the handlers of the admin API. Its prefix /admin is optional.
func Admin(next http.Handler) http.Handler {
	return recovered(noCache(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := r.URL.Path; path != "/admin" && !strings.HasPrefix(path, "/admin/") && !bare(path) {
			r = r.Clone(r.Context())
			r.URL.Path = "/admin" + path
			if r.URL.RawPath != "" {
				r.URL.RawPath = "/admin" + r.URL.RawPath
			}
		}
		next.ServeHTTP(w, r)
	})))
}

// bare tells whether a path of the admin API is served as it is.
func bare(path string) bool {
	return path == "/version" || strings.HasPrefix(path, "/health/")
}

func noCache(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			w.Header().Set("Cache-Control", "private, no-cache, no-store, must-revalidate")
		}
		next.ServeHTTP(w, r)
	})
}

func vary(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Cookie")
		next.ServeHTTP(w, r)
	})
}

// recovered turns a panic into the answer to any internal error.
func recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer rescue(w, r)
		next.ServeHTTP(w, r)
	})
}

func rescue(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler { //nolint:errorlint // a sentinel that net/http compares by identity too
		panic(cause)
	}
	slog.ErrorContext(r.Context(), "handler panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
	Fail(w, r, &fault.Error{Kind: fault.Internal})
}
