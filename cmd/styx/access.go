package main

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"styx/internal/audit"
	"styx/internal/secret"
	"styx/internal/table"
)

// logged writes one line about each request: never a query, a cookie or a body.
func logged(log *slog.Logger, api string, skipHealth bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if skipHealth && strings.Contains(r.URL.Path, "/health/") {
			next.ServeHTTP(w, r)
			return
		}
		began := time.Now()
		id := secret.NewV7(began, rand.Reader).String()
		w.Header().Set("X-Request-Id", id)
		ctx, tally := table.WithTally(audit.During(r.Context(), id))
		seen := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(seen, r.WithContext(ctx))
		log.LogAttrs(ctx, slog.LevelInfo, "request",
			slog.String("request_id", id), slog.String("api", api),
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", seen.status),
			slog.Int64("ms", time.Since(began).Milliseconds()), slog.Int("table_calls", len(tally.Calls())))
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter

	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the server's own writer.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
