// Command echo is a Lambda function that answers with what its handler saw.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"styx/internal/audit"
	"styx/internal/gateway"
)

func main() { gateway.Main(build, gateway.SignedOnly) }

func build(_ context.Context, getenv func(string) string) (http.Handler, error) {
	if getenv("ECHO_REFUSE") != "" {
		return nil, errors.New("secrets.default is missing")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("a secret: hunter2") })
	mux.HandleFunc("GET /exit", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
	mux.HandleFunc("GET /hang", func(http.ResponseWriter, *http.Request) { select {} })
	mux.HandleFunc("GET /binary", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xff, 0x00, 0xfe}) })
	mux.HandleFunc("/echo/{rest...}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		caller, _ := gateway.IAM(r.Context())
		until, _ := r.Context().Deadline()
		w.Header().Add("Set-Cookie", "one=1; Path=/; HttpOnly")
		w.Header().Add("Set-Cookie", "two=2; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT")
		w.Header().Add("Vary", "Cookie")
		w.Header().Add("Vary", "Origin")
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"method":     r.Method,
			"path":       r.URL.EscapedPath(),
			"query":      r.URL.Query(),
			"header":     r.Header,
			"host":       r.Host,
			"remote":     r.RemoteAddr,
			"body":       body,
			"caller":     caller.UserARN,
			"request_id": audit.Request(r.Context()),
			"seconds":    time.Until(until).Seconds(),
		})
	})
	return mux, nil
}
