package outbound_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"styx/internal/outbound"
)

// inner is a server on loopback that counts its visitors.
func inner(t *testing.T) (server *httptest.Server, hits *atomic.Int64) {
	t.Helper()
	hits = new(atomic.Int64)
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		_, _ = io.WriteString(w, "inner")
	}))
	t.Cleanup(server.Close)
	return server, hits
}

func get(t *testing.T, client *http.Client, uri string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, uri, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := outbound.Do(client, req)
	if err != nil {
		return "", err
	}
	body, err := outbound.ReadAll(resp, 1<<10)
	return string(body), err
}

func TestLoopback(t *testing.T) {
	server, hits := inner(t)
	for name, row := range map[string]struct {
		policy outbound.Policy
		passes bool
	}{
		"refused":                    {outbound.Policy{}, false},
		"allowed with private ones":  {outbound.Policy{AllowPrivate: true}, true},
		"never from a function":      {outbound.Policy{AllowPrivate: true, Lambda: true}, false},
		"allowed by an exception":    {outbound.Policy{Exceptions: []string{server.URL + "/hook?a=b"}}, true},
		"not by another exception":   {outbound.Policy{Exceptions: []string{server.URL, server.URL + "/hook", server.URL + "/hook?a=b&c"}}, false},
		"no exception in a function": {outbound.Policy{Lambda: true, Exceptions: []string{server.URL + "/hook?a=b"}}, false},
	} {
		hits.Store(0)
		body, err := get(t, outbound.New(row.policy), server.URL+"/hook?a=b")
		if row.passes && (err != nil || body != "inner" || hits.Load() != 1) {
			t.Errorf("%s: %q, %v, %d hits", name, body, err, hits.Load())
		}
		if !row.passes && (!errors.Is(err, outbound.ErrRefused) || hits.Load() != 0) {
			t.Errorf("%s: %q, %v, %d hits", name, body, err, hits.Load())
		}
	}
}

func TestRedirectsAreCheckedAgain(t *testing.T) {
	server, hits := inner(t)
	var to atomic.Value
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/start" {
			w.Header().Set("Location", to.Load().(string))
			w.WriteHeader(http.StatusTemporaryRedirect)
			return
		}
		hits.Add(1)
	}))
	t.Cleanup(outer.Close)
	port := server.URL[strings.LastIndex(server.URL, ":")+1:]
	client := outbound.New(outbound.Policy{Exceptions: []string{outer.URL + "/start"}})
	for _, target := range []string{
		"http://169.254.169.254/latest/meta-data/",
		"http://[::ffff:169.254.169.254]/latest/meta-data/",
		"http://[::ffff:a9fe:a9fe]/",
		"http://[64:ff9b::a9fe:a9fe]/",
		"http://[fd00:ec2::254]/",
		"http://[fe80::1]/",
		"http://10.0.0.1/",
		"http://0.0.0.0:" + port + "/",
		"http://[::]:" + port + "/",
		"http://[::1]:" + port + "/",
		"http://[::ffff:127.0.0.1]:" + port + "/",
		"http://user:word@127.0.0.1:" + port + "/",
		"http://127.0.0.1:" + port + "/",
		outer.URL + "/elsewhere",
		"/elsewhere",
		"//127.0.0.1:" + port,
	} {
		to.Store(target)
		body, err := get(t, client, outer.URL+"/start")
		if !errors.Is(err, outbound.ErrRefused) || hits.Load() != 0 {
			t.Errorf("to %s: %q, %v, %d hits", target, body, err, hits.Load())
		}
		if err != nil && err.Error() != outbound.ErrRefused.Error() {
			t.Errorf("to %s: the refusal says %q", target, err)
		}
	}
	// Other spellings of 127.0.0.1 are names to us; a resolver that understands
	// them, as some systems' do, gains nothing.
	client = outbound.New(outbound.Policy{
		Exceptions: []string{outer.URL + "/start"},
		Resolver:   names(t, func(int64) []string { return []string{"127.0.0.1"} }),
	})
	for _, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "localhost"} {
		to.Store("http://" + host + ":" + port + "/")
		if body, err := get(t, client, outer.URL+"/start"); err == nil || hits.Load() != 0 {
			t.Errorf("to %s: %q, %v, %d hits", host, body, err, hits.Load())
		}
	}
}

func TestOtherSchemesAreNoWayOut(t *testing.T) {
	client := outbound.New(outbound.Policy{AllowPrivate: true})
	for _, target := range []string{"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/"} {
		if body, err := get(t, client, target); err == nil {
			t.Errorf("%s: %q", target, body)
		}
	}
}

// names is a resolver whose every lookup is answered by a function of the number
// of lookups so far.
func names(t *testing.T, answer func(n int64) []string) *net.Resolver {
	t.Helper()
	var lookups atomic.Int64
	return &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go answerDNS(server, func(want dnsmessage.Type) []netip.Addr {
				var addrs []netip.Addr
				for _, s := range answer(lookups.Add(1)) {
					if addr := netip.MustParseAddr(s); addr.Is4() == (want == dnsmessage.TypeA) {
						addrs = append(addrs, addr)
					}
				}
				return addrs
			})
			return client, nil
		},
	}
}

// answerDNS answers one query, framed as over TCP, since a pipe is a stream.
func answerDNS(conn net.Conn, addrs func(dnsmessage.Type) []netip.Addr) {
	defer conn.Close()
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return
	}
	query := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, query); err != nil {
		return
	}
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return
	}
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	for _, q := range m.Questions {
		for _, addr := range addrs(q.Type) {
			header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET}
			var body dnsmessage.ResourceBody = &dnsmessage.AAAAResource{AAAA: addr.As16()}
			if addr.Is4() {
				body = &dnsmessage.AResource{A: addr.As4()}
			}
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: body})
		}
	}
	packed, err := m.Pack()
	if err != nil {
		return
	}
	_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...))
}

func TestNamesThatPointInsideAreRefused(t *testing.T) {
	server, hits := inner(t)
	port := server.URL[strings.LastIndex(server.URL, ":")+1:]
	for _, addrs := range [][]string{
		{"127.0.0.1"},
		{"10.0.0.1"},
		{"169.254.169.254"},
		{"0.0.0.0"},
		{"10.0.0.1", "127.0.0.1"},
		{"::1"},
		{"::ffff:127.0.0.1"},
		{"64:ff9b::7f00:1"},
		{"fd00::1"},
		{"::1", "127.0.0.1"},
	} {
		client := outbound.New(outbound.Policy{Resolver: names(t, func(int64) []string { return addrs })})
		body, err := get(t, client, "http://hooks.example:"+port+"/")
		if !errors.Is(err, outbound.ErrRefused) || err.Error() != outbound.ErrRefused.Error() || hits.Load() != 0 {
			t.Errorf("%v: %q, %v, %d hits", addrs, body, err, hits.Load())
		}
	}
}

// A name that is public when it is looked at and private when it is called gains
// nothing: what is looked at is what is called.
func TestRebindingGainsNothing(t *testing.T) {
	server, hits := inner(t)
	port := server.URL[strings.LastIndex(server.URL, ":")+1:]
	var rebound atomic.Bool
	resolver := names(t, func(int64) []string {
		if rebound.Load() {
			return []string{"127.0.0.1"}
		}
		return []string{"8.8.8.8"}
	})
	client := outbound.New(outbound.Policy{Resolver: resolver})

	seen, err := resolver.LookupNetIP(t.Context(), "ip4", "hooks.example")
	if err != nil || len(seen) != 1 || seen[0].Unmap() != netip.MustParseAddr("8.8.8.8") {
		t.Fatalf("the name is %v, %v", seen, err)
	}
	rebound.Store(true)
	if body, err := get(t, client, "http://hooks.example:"+port+"/"); !errors.Is(err, outbound.ErrRefused) || hits.Load() != 0 {
		t.Errorf("rebound: %q, %v, %d hits", body, err, hits.Load())
	}
	// The resolver does lead to the server where the policy lets it.
	allowed := outbound.New(outbound.Policy{AllowPrivate: true, Resolver: resolver})
	if body, err := get(t, allowed, "http://hooks.example:"+port+"/"); err != nil || body != "inner" {
		t.Errorf("allowed: %q, %v", body, err)
	}
}

func TestProxiesOfTheEnvironmentAreIgnored(t *testing.T) {
	server, hits := inner(t)
	proxy, proxied := inner(t)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	client := outbound.New(outbound.Policy{
		AllowPrivate: true,
		Resolver:     names(t, func(int64) []string { return []string{"127.0.0.1"} }),
	})
	port := server.URL[strings.LastIndex(server.URL, ":")+1:]
	if body, err := get(t, client, "http://hooks.example:"+port+"/"); err != nil || body != "inner" {
		t.Errorf("%q, %v", body, err)
	}
	if hits.Load() != 1 || proxied.Load() != 0 {
		t.Errorf("%d hits, %d through the proxy", hits.Load(), proxied.Load())
	}
}

// One request's connection is no pass for the next: not for an exception, and
// not for a name that moved.
func TestConnectionsAreNotReused(t *testing.T) {
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := outbound.New(outbound.Policy{Exceptions: []string{server.URL + "/hook"}})
	for range 3 {
		if _, err := get(t, client, server.URL+"/hook"); err != nil {
			t.Fatal(err)
		}
	}
	if opened.Load() != 3 {
		t.Errorf("3 requests opened %d connections", opened.Load())
	}
	if body, err := get(t, client, server.URL+"/other"); !errors.Is(err, outbound.ErrRefused) {
		t.Errorf("%q, %v", body, err)
	}
}

func TestDialingEndsWithTheRequest(t *testing.T) {
	ended := make(chan struct{}, 1)
	client := outbound.New(outbound.Policy{Resolver: &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			select {
			case ended <- struct{}{}:
			default:
			}
			return nil, ctx.Err()
		},
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://hooks.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := outbound.Do(client, req); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v, %v", resp, err)
	}
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		t.Error("the lookup outlives its request")
	}
}

func TestHandshakeEndsWithTheRequest(t *testing.T) {
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	hungUp := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			hungUp <- err
			return
		}
		defer conn.Close()
		_, err = io.Copy(io.Discard, conn) // says nothing, and waits for the end
		hungUp <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+listener.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := outbound.Do(outbound.New(outbound.Policy{AllowPrivate: true}), req); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v, %v", resp, err)
	}
	select {
	case <-hungUp:
	case <-time.After(2 * time.Second):
		t.Error("the connection outlives its request")
	}
}

func TestReadAllKeepsItsLimit(t *testing.T) {
	for _, row := range []struct {
		size, limit int
		fits        bool
	}{{0, 0, true}, {10, 10, true}, {11, 10, false}, {1 << 20, 10, false}} {
		body := &closing{Reader: strings.NewReader(strings.Repeat("x", row.size))}
		got, err := outbound.ReadAll(&http.Response{Body: body}, int64(row.limit))
		if row.fits && (err != nil || len(got) != row.size) || !row.fits && (!errors.Is(err, outbound.ErrTooLarge) || got != nil) {
			t.Errorf("%d of %d: %d bytes, %v", row.size, row.limit, len(got), err)
		}
		if !body.closed {
			t.Errorf("%d of %d: the body stays open", row.size, row.limit)
		}
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// The limit counts what a small compressed answer unpacks to.
func TestCompressedBombIsTooLarge(t *testing.T) {
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	if _, err := packer.Write(make([]byte, 10<<20)); err != nil {
		t.Fatal(err)
	}
	if err := packer.Close(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	}))
	t.Cleanup(server.Close)
	if body, err := get(t, outbound.New(outbound.Policy{AllowPrivate: true}), server.URL); !errors.Is(err, outbound.ErrTooLarge) {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

func TestWithBudgetLeavesTheReserve(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 27*time.Second)
	defer cancel()
	whole, _ := ctx.Deadline()
	budget, done := outbound.WithBudget(ctx, outbound.Reserve)
	defer done()
	if left, ok := budget.Deadline(); !ok || whole.Sub(left) != 3*time.Second || budget.Err() != nil {
		t.Errorf("%v of %v, %v", left, whole, budget.Err())
	}

	short, cancelShort := context.WithTimeout(t.Context(), time.Second)
	defer cancelShort()
	spent, doneSpent := outbound.WithBudget(short, outbound.Reserve)
	defer doneSpent()
	if !errors.Is(spent.Err(), context.DeadlineExceeded) || short.Err() != nil {
		t.Errorf("less than the reserve is left: %v", spent.Err())
	}

	free, doneFree := outbound.WithBudget(t.Context(), outbound.Reserve)
	if _, ok := free.Deadline(); ok || free.Err() != nil {
		t.Errorf("a budget without a deadline: %v", free.Err())
	}
	doneFree()
	if free.Err() == nil {
		t.Error("it cannot be cancelled")
	}
}

func TestPlainClientErrorsStayTheNetsOwn(t *testing.T) {
	server, _ := inner(t)
	server.Close()
	_, err := get(t, outbound.New(outbound.Policy{AllowPrivate: true}), server.URL)
	if _, ok := errors.AsType[*url.Error](err); !ok || errors.Is(err, outbound.ErrRefused) {
		t.Errorf("a server that is gone: %v", err)
	}
}

// TestDialer refuses what the policy forbids, and says nothing of the address.
func TestDialer(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	for _, c := range []struct {
		name    string
		policy  outbound.Policy
		refused bool
	}{
		{"private addresses are allowed", outbound.Policy{AllowPrivate: true}, false},
		{"private addresses are not", outbound.Policy{}, true},
		{"a function's own machine", outbound.Policy{AllowPrivate: true, Lambda: true}, true},
	} {
		conn, err := outbound.Dialer(c.policy)(t.Context(), "tcp", listener.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		if c.refused && err != outbound.ErrRefused || !c.refused && err != nil { //nolint:errorlint // nothing wraps it
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
