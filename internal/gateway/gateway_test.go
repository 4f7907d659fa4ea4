package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"styx/internal/gateway"
	"styx/internal/gateway/gatewaytest"
)

func do(t *testing.T, g *gateway.Gateway, method, path string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&gatewaytest.Transport{Route: gatewaytest.To(g)}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func TestAnswerIsAServersAnswer(t *testing.T) {
	handlers := map[string]http.HandlerFunc{
		"nothing": func(http.ResponseWriter, *http.Request) {},
		"header alone": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", "1")
		},
		"first status counts": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			w.WriteHeader(http.StatusOK)
		},
		"early hints": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
		},
		"late header": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>")
			w.Header().Set("X-Late", "1")
			w.WriteHeader(http.StatusTeapot)
		},
		"guessed type after a status": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, "<html>")
		},
		"body where there is none": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			if _, err := io.WriteString(w, "x"); err == nil {
				w.Header().Set("X-Accepted", "1")
			}
		},
		"line breaks in values": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", "a\r\nb")
			w.Header().Set("Bad Name", "c")
			w.Header().Add("Set-Cookie", "a=1\nb")
			w.Header().Add("Set-Cookie", "a=2, c")
		},
		"binary": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte{0x89, 'P', 0xff, 0})
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://a.example/?x=1&y=<2>", http.StatusSeeOther)
		},
	}
	for _, name := range slices.Sorted(maps.Keys(handlers)) {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			t.Run(name+" "+method, func(t *testing.T) {
				server := httptest.NewUnstartedServer(handlers[name])
				server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
				server.Start()
				defer server.Close()
				r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/", nil)
				if err != nil {
					t.Fatal(err)
				}
				want, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				defer want.Body.Close()
				got := do(t, newGateway(handlers[name], ""), method, "/")
				defer got.Body.Close()

				gotBody, err := io.ReadAll(got.Body)
				if err != nil {
					t.Fatal(err)
				}
				wantBody, err := io.ReadAll(want.Body)
				if err != nil {
					t.Fatal(err)
				}
				for _, added := range []string{"Date", "Content-Length"} {
					want.Header.Del(added)
				}
				if method == http.MethodHead && got.Header.Get("Content-Type") == "" {
					want.Header.Del("Content-Type") // guessed from a body that is not sent
				}
				if got.StatusCode != want.StatusCode || !bytes.Equal(gotBody, wantBody) {
					t.Errorf("got %d %q, want %d %q", got.StatusCode, gotBody, want.StatusCode, wantBody)
				}
				if !maps.EqualFunc(got.Header, want.Header, slices.Equal) {
					t.Errorf("header\n got %q\nwant %q", got.Header, want.Header)
				}
			})
		}
	}
}

func TestLogHasOneLineForEachRequest(t *testing.T) {
	var log bytes.Buffer
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sessions/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("hunter2") })
	g := gateway.New(mux, gateway.Settings{Function: "session", Now: time.Now, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	for _, path := range []string{"/sessions/secret-token?code=123456", "/panic", "/nowhere"} {
		_ = do(t, g, http.MethodGet, path).Body.Close()
	}
	if _, err := g.Invoke(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	type line struct {
		Level     string   `json:"level"`
		Message   string   `json:"msg"`
		RequestID string   `json:"request_id"`
		Route     string   `json:"route"`
		Function  string   `json:"function"`
		Cold      bool     `json:"cold_start"`
		MS        *float64 `json:"ms"`
		Calls     *int     `json:"table_calls"`
		RCU       *float64 `json:"rcu"`
		WCU       *float64 `json:"wcu"`
		ErrKind   string   `json:"err_kind"`
	}
	var got []line
	for decoder := json.NewDecoder(bytes.NewReader(log.Bytes())); decoder.More(); {
		var one line
		if err := decoder.Decode(&one); err != nil {
			t.Fatal(err)
		}
		if one.MS == nil || one.Calls == nil || one.RCU == nil || one.WCU == nil {
			t.Errorf("a number is missing in %+v", one)
		}
		one.MS, one.Calls, one.RCU, one.WCU = nil, nil, nil, nil
		got = append(got, one)
	}
	want := []line{
		{Level: "INFO", Message: "request", RequestID: "request-1", Route: "GET /sessions/{id}", Function: "session", Cold: true},
		{Level: "ERROR", Message: "request", RequestID: "request-1", Route: "GET /panic", Function: "session", ErrKind: "panic"},
		{Level: "INFO", Message: "request", RequestID: "request-1", Function: "session", ErrKind: "not_found"},
		{Level: "INFO", Message: "request", Function: "session", ErrKind: "malformed_event"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	for _, secret := range []string{"secret-token", "123456", "hunter2"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, &log)
		}
	}
}

func TestDeadline(t *testing.T) {
	var until time.Time
	g := newGateway(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { until, _ = r.Context().Deadline() }), "")
	event, err := gatewaytest.API{}.Event(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), "")
	if err != nil {
		t.Fatal(err)
	}
	for left, want := range map[time.Duration]time.Duration{time.Hour: 27 * time.Second, 28 * time.Second: 27 * time.Second, 10 * time.Second: 9 * time.Second} {
		ctx, cancel := context.WithTimeout(t.Context(), left)
		if _, err := g.Invoke(ctx, event); err != nil {
			t.Fatal(err)
		}
		cancel()
		if got := time.Until(until); got > want || got < want-2*time.Second {
			t.Errorf("of %v the handler has %v, want %v", left, got, want)
		}
	}
}

func TestContextEndsWithTheAnswer(t *testing.T) {
	gatewaytest.NoneLeft(t)
	g := newGateway(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		go func() { <-r.Context().Done() }()
	}), "")
	_ = do(t, g, http.MethodGet, "/").Body.Close()
}

func TestSignerIsKnownToTheHandler(t *testing.T) {
	g := newGateway(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if caller, signed := gateway.IAM(r.Context()); signed {
			_, _ = io.WriteString(w, caller.UserARN)
		}
	}), "")
	for _, api := range []gatewaytest.API{{}, {IAM: gatewaytest.Signed()}} {
		want := ""
		if api.IAM != nil {
			want = api.IAM.UserARN
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		response, err := (&gatewaytest.Transport{API: api, Route: gatewaytest.To(g)}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || string(body) != want {
			t.Errorf("%q %v, want %q", body, err, want)
		}
	}
}
