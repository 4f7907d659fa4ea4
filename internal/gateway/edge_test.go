package gateway_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"styx/internal/gateway"
	"styx/internal/gateway/gatewaytest"
)

// TestOnlyTheEdgeLeadsToItsAPI sends requests with what the edge would add, and
// with what a client would make up.
func TestOnlyTheEdgeLeadsToItsAPI(t *testing.T) {
	const secret, next = "only-the-edge-knows", "what-it-will-know"
	for name, row := range map[string]struct {
		edge   string
		header map[string]string
		status int
		from   string
	}{
		"by way of it":           {secret, map[string]string{"X-Styx-Edge": secret, "X-Styx-Client": "203.0.113.7"}, 200, "203.0.113.7:0"},
		"by IPv6":                {secret, map[string]string{"X-Styx-Edge": secret, "X-Styx-Client": "2001:db8::7"}, 200, "[2001:db8::7]:0"},
		"from nobody":            {secret, map[string]string{"X-Styx-Edge": secret}, 200, ""},
		"from no address":        {secret, map[string]string{"X-Styx-Edge": secret, "X-Styx-Client": "a, b"}, 200, ""},
		"by way of it next":      {secret + "," + next, map[string]string{"X-Styx-Edge": next, "X-Styx-Client": "203.0.113.7"}, 200, "203.0.113.7:0"},
		"by way of it meanwhile": {secret + "," + next, map[string]string{"X-Styx-Edge": secret, "X-Styx-Client": "203.0.113.7"}, 200, "203.0.113.7:0"},
		"by way of it before":    {next, map[string]string{"X-Styx-Edge": secret}, 403, ""},
		"around a list's gap":    {secret + ",", map[string]string{"X-Styx-Edge": ""}, 403, ""},
		"around an empty list":   {",", nil, 403, ""},
		"with the list":          {secret + "," + next, map[string]string{"X-Styx-Edge": secret + "," + next}, 403, ""},
		"around it":              {secret, nil, 403, ""},
		"around it with a guess": {secret, map[string]string{"X-Styx-Edge": "guess", "X-Styx-Client": "203.0.113.7"}, 403, ""},
		"around it with less":    {secret, map[string]string{"X-Styx-Edge": ""}, 403, ""},
		"where there is none":    {"", nil, 200, "192.0.2.1:0"},
		"where one is made up":   {"", map[string]string{"X-Styx-Edge": secret, "X-Styx-Client": "203.0.113.7"}, 200, "192.0.2.1:0"},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			g := gateway.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Styx-Edge") != "" || r.Header.Get("X-Styx-Client") != "" {
					t.Errorf("a handler sees %v", r.Header)
				}
				_, _ = io.WriteString(w, r.RemoteAddr)
			}), gateway.Settings{Edge: row.edge, Now: time.Now, Log: slog.New(slog.NewJSONHandler(&log, nil))})
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://id.example/", nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range row.header {
				r.Header.Set(name, value)
			}
			response, err := (&gatewaytest.Transport{Route: gatewaytest.To(g)}).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != row.status || row.status == 200 && string(body) != row.from {
				t.Errorf("%d from %q, want %d from %q", response.StatusCode, body, row.status, row.from)
			}
			if refused := strings.Contains(log.String(), `"err_kind":"around_the_edge"`); refused != (row.status == 403) || strings.Contains(log.String(), secret) {
				t.Errorf("the log says %s", &log)
			}
		})
	}
}
