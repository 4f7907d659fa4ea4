package dynamo

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// connections are kept for reuse, as many as one process may use at once; DynamoDB closes idle ones after a while,
	// and so do we, earlier.
	connections = 128
	idleTime    = 50 * time.Second
)

// keepingClient returns a client that keeps connections open between calls. Go sets TCP_NODELAY on them by itself.
func keepingClient() *http.Client {
	dialer := net.Dialer{Timeout: attemptTime, KeepAlive: 15 * time.Second}
	return &http.Client{
		Transport: wholeBodies{&http.Transport{
			DialContext:         dialer.DialContext,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: attemptTime,
			MaxIdleConns:        connections,
			MaxIdleConnsPerHost: connections,
			IdleConnTimeout:     idleTime,
			DisableCompression:  true, // the SDK checks what DynamoDB sent, byte for byte
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// wholeBodies gives net/http each request's body as bytes that nobody else holds.
//
// The SDK closes a body as soon as the answer begins. When an answer is quick, net/http may not have noticed yet that
// it has sent everything; it then takes the closed body for a failure and cuts the connection under the answer: about
// one call in a thousand against a server on the same machine. Known to be in memory, a body also leaves in one packet
// with its header.
type wholeBodies struct{ next http.RoundTripper }

func (w wholeBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return w.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err = errors.Join(err, r.Body.Close()); err != nil {
		return nil, err
	}
	own := r.WithContext(r.Context())
	own.Body = io.NopCloser(bytes.NewReader(body))
	return w.next.RoundTrip(own)
}
