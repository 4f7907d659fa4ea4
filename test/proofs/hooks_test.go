package proofs

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"

	"styx/internal/app/mail"
	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/jsonnet"
)

// TestMain lets the tests' own process run the operator's programs, as the
// program does.
func TestMain(m *testing.M) {
	jsonnet.Main()
	os.Exit(m.Run())
}

// receiver is where web hooks go.
type receiver struct {
	*httptest.Server

	mu    sync.Mutex
	calls []string // their bodies
	judge func(body string) int
}

// receive starts a receiver; judge says with which status it answers.
func receive(t *testing.T, judge func(body string) int) *receiver {
	t.Helper()
	r := &receiver{judge: judge}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, asked *http.Request) {
	body, err := io.ReadAll(asked.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.mu.Lock()
	r.calls = append(r.calls, string(body))
	r.mu.Unlock()
	w.WriteHeader(r.judge(string(body)))
}

// got are the bodies of the calls so far.
func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

func fine(string) int { return http.StatusOK }

// hook is a web hook that goes to the receiver and is told what program makes of
// its context, as an item of a list of hooks; response is how it is answered.
func (r *receiver) hook(program, response string) string {
	source := base64.StdEncoding.EncodeToString([]byte("function(ctx) " + program))
	return fmt.Sprintf(`{"hook":"web_hook","config":{"url":"%s/","method":"POST","body":"base64://%s","response":{%s}}}`, r.URL, source, response)
}

// background is how a hook is answered that nobody waits for.
const background = `"ignore":true`

// deliver sends what waits to be sent, as in production: nothing of it is kept.
// It returns the mail.
func (h *house) deliver() []*courier.Letter {
	h.t.Helper()
	a, c := *h.server.App, *h.server.App.Config
	c.Dev, a.Config = false, &c
	var sent []*courier.Letter
	delivery, err := mail.New(&a, a.Engine.Hooks.Programs, slog.New(slog.DiscardHandler), func(config.SMTP) (courier.Send, error) {
		return func(_ context.Context, letter *courier.Letter) error {
			sent = append(sent, letter)
			return nil
		}, nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	due, err := a.Engine.Store.Due(h.t.Context(), 500)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, id := range due {
		if _, err := delivery.Deliver(h.t.Context(), id); err != nil {
			h.t.Error(err)
		}
	}
	return sent
}
