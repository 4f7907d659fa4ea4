package pages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// answerLimit is the size in bytes up to which an answer of the API is read; a
// settings flow with keys and a QR code stays well below 100 KB.
const answerLimit = 2 << 20

// client calls the public API for a browser: with its cookies, with what proxies
// said of its address, which the API believes of those it trusts, and with
// nothing else of its request that could tell one browser from another.
type client struct {
	handler http.Handler // nil = over HTTP
	http    *http.Client
	base    string
}

func newClient(o Options, base string) client {
	c := client{handler: o.API, base: strings.TrimRight(o.BaseURL, "/")}
	if c.base == "" {
		c.base = base
	}
	var own http.Client
	if o.Client != nil {
		own = *o.Client
	}
	// A redirect is an answer for the browser, not for this client; and a jar
	// would mix the cookies of two browsers.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.Jar = nil
	c.http = &own
	return c
}

// answer is an answer of the API, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call sends a request without a body to the API in the name of the browser
// that asked for a page, and passes the cookies the API sets on to it. The
// error is about the connection; the API's own errors are answers.
func (c client) call(w http.ResponseWriter, from *http.Request, method, path string, query url.Values) (answer, error) {
	target := path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	if c.handler == nil {
		target = c.base + target
	}
	req, err := http.NewRequestWithContext(from.Context(), method, target, nil)
	if err != nil {
		return answer{}, fmt.Errorf("ask the API: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	for _, name := range []string{"Cookie", "User-Agent", "Accept-Language", "X-Request-Id", "X-Forwarded-For"} {
		if values := from.Header.Values(name); len(values) > 0 {
			req.Header[name] = values
		}
	}
	var a answer
	if c.handler != nil {
		a = c.inProcess(req, from)
	} else if a, err = c.overHTTP(req); err != nil {
		return answer{}, err
	}
	for _, cookie := range a.header.Values("Set-Cookie") {
		w.Header().Add("Set-Cookie", cookie)
	}
	return a, nil
}

func (c client) inProcess(req, from *http.Request) answer {
	req.RequestURI = req.URL.RequestURI()
	req.Host, req.RemoteAddr, req.TLS = from.Host, from.RemoteAddr, from.TLS
	rec := &recorder{header: http.Header{}}
	c.handler.ServeHTTP(rec, req)
	return answer{status: max(rec.status, http.StatusOK), header: rec.header, body: rec.body.Bytes()}
}

func (c client) overHTTP(req *http.Request) (answer, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		// The error of net/http quotes the URL, and ids stand there.
		if quoting, ok := errors.AsType[*url.Error](err); ok {
			err = quoting.Err
		}
		return answer{}, fmt.Errorf("ask the API: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return answer{}, fmt.Errorf("read the API's answer: %w", err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

// into reads an answer's JSON.
func (a answer) into(v any) error {
	if err := json.Unmarshal(a.body, v); err != nil {
		return fmt.Errorf("read the API's answer: %w", err)
	}
	return nil
}

// fault reads the error an answer carries; the zero value if it carries none.
func (a answer) fault() apiError {
	var e apiError
	if json.Unmarshal(a.body, &e) != nil {
		return apiError{}
	}
	return e
}

// recorder keeps what a handler in this process answers.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
