package outbound

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

// ErrRefused says that the policy forbids the address. It says nothing else.
var ErrRefused = errors.New("outbound: destination refused")

// Policy says what may be called.
type Policy struct {
	// AllowPrivate admits addresses that are not public. In a Lambda it does
	// not admit the machine itself.
	AllowPrivate bool
	// Lambda says that this process is a function: loopback, link-local and the
	// Runtime API are refused whatever else is set.
	Lambda bool
	// RuntimeAPI is the value of AWS_LAMBDA_RUNTIME_API, host:port, or "".
	RuntimeAPI string
	// Exceptions are URLs that may be called as if AllowPrivate were set. A
	// request must equal one to the byte; a redirect away from it is no exception.
	Exceptions []string
	// Resolver looks names up; nil means the system's.
	Resolver *net.Resolver
}

// The time a connection may take. All other time belongs to the request's context.
const (
	connectTimeout   = 5 * time.Second
	handshakeTimeout = 5 * time.Second
)

// New returns a client that calls only what the policy admits. Each request has
// a connection of its own that ends with the request's context: a frozen sandbox
// wakes up with dead connections, and a connection of one request must not be a
// pass for another.
//
// Send requests with Do, which keeps refusals opaque. Where a library wants the
// client itself, its errors may name the URL and must not reach a caller.
func New(p Policy) *http.Client {
	return &http.Client{Transport: newGuard(p)}
}

// Do sends a request. A refusal, however deep in redirects, is the bare ErrRefused.
func Do(client *http.Client, req *http.Request) (*http.Response, error) {
	resp, err := client.Do(req)
	if errors.Is(err, ErrRefused) {
		return nil, ErrRefused
	}
	return resp, err
}

// Dialer returns what connects to servers of other protocols, as the policy
// admits them. A refusal is the bare ErrRefused.
func Dialer(p Policy) func(ctx context.Context, network, address string) (net.Conn, error) {
	g := newGuard(p)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := g.dialer.DialContext(ctx, network, address)
		if errors.Is(err, ErrRefused) {
			return nil, ErrRefused
		}
		return conn, err
	}
}

// guard is the client's transport.
type guard struct {
	policy    Policy
	runtime   netip.Addr // of the Runtime API; invalid if there is none
	dialer    net.Dialer
	transport *http.Transport
}

func newGuard(p Policy) *guard {
	g := &guard{policy: p, runtime: runtimeAddr(p.RuntimeAPI)}
	g.dialer = net.Dialer{Timeout: connectTimeout, Resolver: p.Resolver, ControlContext: g.admit}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // with one request a connection, HTTP/2 has nothing to offer
	g.transport = &http.Transport{
		Proxy:                  nil, // not even from the environment
		DialContext:            g.dial,
		DisableKeepAlives:      true,
		TLSHandshakeTimeout:    handshakeTimeout,
		MaxResponseHeaderBytes: 64 << 10,
		Protocols:              protocols,
	}
	return g
}

// call is what the dialer must know of the request it connects for.
// http.Transport hands it the values of the request's context, but neither the
// deadline nor the cancellation.
type call struct {
	ctx      context.Context
	excepted bool
}

type callKey struct{}

// RoundTrip sends one request, of which a redirect is another.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	resp, err := g.transport.RoundTrip(req.WithContext(context.WithValue(ctx, callKey{}, call{
		ctx:      ctx,
		excepted: slices.Contains(g.policy.Exceptions, req.URL.String()),
	})))
	if errors.Is(err, ErrRefused) {
		return nil, ErrRefused // without the address that net wraps around it
	}
	return resp, err
}

// dial connects, and ties the connection to the context of its request.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, ok := ctx.Value(callKey{}).(call)
	if !ok {
		return nil, ErrRefused
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) }) //nolint:contextcheck // the request's, see call
	defer stop()
	conn, err := g.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(c.ctx, func() { _ = conn.Close() }) //nolint:contextcheck // the request's, see call
	return conn, nil
}

// admit is the dialer's last word before it connects to a resolved address.
func (g *guard) admit(ctx context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrRefused
	}
	c, _ := ctx.Value(callKey{}).(call)
	switch r := reachOf(to.Addr()); {
	case g.policy.Lambda && (r == inside || to.Addr().Unmap() == g.runtime):
		return ErrRefused
	case r != public && !g.policy.AllowPrivate && !c.excepted:
		return ErrRefused
	}
	return nil
}

// runtimeAddr returns the address in AWS_LAMBDA_RUNTIME_API. A name there is
// this machine's, so it resolves to an address that is refused anyway.
func runtimeAddr(hostport string) netip.Addr {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}
