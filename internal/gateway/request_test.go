package gateway_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"styx/internal/gateway"
	"styx/internal/gateway/gatewaytest"
)

// seen is what a handler could read of its request.
type seen struct {
	method, path, escaped string
	query                 url.Values
	header                http.Header
	body                  string
}

// look reads a request to its end.
func look(r *http.Request) (seen, error) {
	body, err := io.ReadAll(r.Body)
	return seen{r.Method, r.URL.Path, r.URL.EscapedPath(), r.URL.Query(), r.Header, string(body)}, err
}

// served sends raw bytes to a net/http server and returns what its handler saw;
// false when the server refused them before a handler could.
func served(t *testing.T, raw string) (seen, bool) {
	t.Helper()
	var got *seen
	server := &http.Server{
		ReadHeaderTimeout: time.Second,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if what, err := look(r); err == nil {
				got = &what
			}
		}),
	}
	client, side := net.Pipe()
	over := make(chan struct{})
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateHijacked {
			close(over)
		}
	}
	go func() { _ = server.Serve(&oneConn{conn: side}) }()
	go func() {
		_, _ = io.WriteString(client, raw)
	}()
	_ = client.SetReadDeadline(time.Now().Add(5 * time.Second))
	response, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err == nil {
		_ = response.Body.Close()
	}
	_ = client.Close()
	<-over
	_ = server.Close()
	if got == nil {
		return seen{}, false
	}
	return *got, true
}

// oneConn is a listener with one connection to give.
type oneConn struct{ conn net.Conn }

func (l *oneConn) Accept() (net.Conn, error) {
	if l.conn == nil {
		return nil, net.ErrClosed
	}
	conn := l.conn
	l.conn = nil
	return conn, nil
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func newGateway(handler http.Handler, basePath string) *gateway.Gateway {
	return gateway.New(handler, gateway.Settings{
		BasePath: basePath,
		Function: "test",
		Now:      time.Now,
		Log:      slog.New(slog.DiscardHandler),
	})
}

// FuzzEvent holds that the handler behind the gateway sees what it would see
// behind a net/http server, as far as API Gateway still knows it: a path is
// known decoded, and of a repeated header only the joined value.
func FuzzEvent(f *testing.F) {
	f.Add("GET", "/sessions/whoami", "", "Accept", "text/html, application/json;q=0.9", "", "", uint8(0))
	f.Add("POST", "/self-service/login", "flow=a&flow=b&return_to=%2Fx%3Fy", "User-Agent", "Mozilla/5.0 (X11, like Gecko)", "csrf=a,b==; s=1", "identifier=a%40b&password=x", uint8(1))
	f.Add("HEAD", "/a%20b/%C3%BC/%25/%3F/%23", "q=a+b&r=#f&;", "Date", "Wed, 21 Oct 2026 07:28:00 GMT", "a=1;b=2;a=1", "", uint8(2))
	f.Add("PATCH", "//a//../b", "a=1%zz", "X-Forwarded-For", "1.2.3.4, 5.6.7.8", " ; ;a", "\xff\x00", uint8(3))
	f.Add("DELETE", "/prod/auth/x", "?", "If-None-Match", `"a,b", "c"`, "a", "x", uint8(7))
	f.Fuzz(func(t *testing.T, method, path, query, name, value, cookie, body string, variant uint8) {
		for _, part := range []string{method, path, query, name, value, cookie} {
			if strings.ContainsAny(part, "\r\n") || !utf8.ValidString(part) {
				return // no part of a request, or nothing an event can carry
			}
		}
		switch http.CanonicalHeaderKey(strings.Trim(name, " \t")) {
		case "Content-Length", "Transfer-Encoding", "Host", "Content-Type", "Trailer", "Expect":
			return // set below, or taken out by server and API Gateway alike
		}
		target := path
		if query != "" {
			target += "?" + query
		}
		raw := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: a.example\r\n%s: %s\r\nCookie: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
			method, target, name, value, cookie, len(body), body)
		want, ok := served(t, raw)
		if !ok || !strings.HasPrefix(want.path, "/") || !utf8.ValidString(want.path) {
			return
		}

		api := gatewaytest.API{PlainBodies: variant&1 != 0, CookiesIn: gatewaytest.Cookies(variant >> 1 % 3)}
		basePath := ""
		if variant&8 != 0 {
			api.Stage = "prod"
		}
		if variant&16 != 0 {
			api.BasePath, basePath = "/auth", "/auth/"
		}
		parsed, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			t.Fatalf("a server took what ReadRequest refuses: %v", err)
		}
		event, err := api.Event(parsed, "request-1")
		if err != nil {
			t.Fatal(err)
		}
		var got *seen
		g := newGateway(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			what, err := look(r)
			if err != nil {
				t.Error(err)
			}
			got = &what
		}), basePath)
		answer, err := g.Invoke(t.Context(), event)
		if err != nil || got == nil {
			t.Fatalf("not served: %s %v\n%s", answer, err, event)
		}

		if got.method != want.method || got.path != want.path || got.body != want.body {
			t.Errorf("got %q %q %q, want %q %q %q", got.method, got.path, got.body, want.method, want.path, want.body)
		}
		if canonical := (&url.URL{Path: want.path}).EscapedPath(); got.escaped != canonical {
			t.Errorf("path %q, want %q", got.escaped, canonical)
		}
		if got.query.Encode() != want.query.Encode() {
			t.Errorf("query %q, want %q", got.query, want.query)
		}
		if !maps.Equal(lines(got.header), lines(want.header)) {
			t.Errorf("header\n got %q\nwant %q", lines(got.header), lines(want.header))
		}
	})
}

// lines is a header with its repeated values joined, without what API Gateway
// adds and without an empty Cookie, which says nothing.
func lines(header http.Header) map[string]string {
	joined := make(map[string]string)
	for name, values := range header {
		separator := ","
		if name == "Cookie" {
			separator = "; "
		}
		joined[name] = strings.Join(values, separator)
	}
	maps.DeleteFunc(joined, func(name, value string) bool {
		return strings.HasPrefix(name, "X-Forwarded-") || name == "Cookie" && value == ""
	})
	return joined
}

// FuzzBytes holds that any bytes get an answer that API Gateway understands.
func FuzzBytes(f *testing.F) {
	f.Add([]byte(`{"version":"2.0","rawPath":"/%zz","requestContext":{"domainName":"a b","http":{"method":"GET","sourceIp":"::1"}}}`))
	f.Add([]byte(`{"version":"2.0","rawPath":"x","body":"=","isBase64Encoded":true,"requestContext":{"http":{"method":"POST"}}}`))
	f.Add([]byte(`{"version":"2.0","rawQueryString":"\u0000","headers":{"":"","a":"\n"},"cookies":["\r"],"requestContext":{"http":{"method":"get"}}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, event []byte) {
		handled := false
		g := newGateway(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			handled = true
			if !strings.HasPrefix(r.URL.Path, "/") {
				t.Errorf("path %q", r.URL.Path)
			}
		}), "/auth")
		answer, err := g.Invoke(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		response, err := gatewaytest.Response(answer)
		if err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		want := http.StatusBadRequest
		if handled {
			want = http.StatusOK
		}
		if response.StatusCode != want {
			t.Errorf("handled %v, status %d", handled, response.StatusCode)
		}
	})
}

func TestBasePathEndsWithASegment(t *testing.T) {
	for path, want := range map[string]string{
		"/auth/sessions": "/sessions", "/auth": "/", "/auth/": "/", "/authority": "/authority", "/sessions": "/sessions", "/auth/auth/x": "/auth/x",
	} {
		var got string
		g := newGateway(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.Path }), "auth")
		r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}}
		event, err := gatewaytest.API{}.Event(r, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Invoke(t.Context(), event); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s became %s, want %s", path, got, want)
		}
	}
}

func TestHostIsTheDomainsAndNotTheClients(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	event, err := gatewaytest.API{Domain: "id.example"}.Event(r, "")
	if err != nil {
		t.Fatal(err)
	}
	event = bytes.Replace(event, []byte(`"host":"id.example"`), []byte(`"host":"evil.example"`), 1)
	g := newGateway(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Host != "id.example" || r.URL.Host != "" || r.Header.Get("Host") != "" {
			t.Errorf("host %q, url %q, header %q", r.Host, r.URL.Host, r.Header.Get("Host"))
		}
	}), "")
	if _, err := g.Invoke(t.Context(), event); err != nil {
		t.Fatal(err)
	}
}
