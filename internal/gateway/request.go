package gateway

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// errMalformed says that an event is not one of an HTTP API. It names no part
// of the event: paths and queries carry codes and tokens.
var errMalformed = errors.New("malformed event")

// passage is one request on its way through the adapter: the event the adapter
// can carry unharmed, and beside it what the adapter would lose or change.
type passage struct {
	event  events.APIGatewayV2HTTPRequest
	method string
	header http.Header
	host   string
	remote string // "address:0"; API Gateway does not tell the port. "" when the address is none.
}

// translate prepares an event for the adapter. base is the path under which a
// custom domain mounts the API ("" for none, else "/auth"). It is pure, and
// its only error is errMalformed.
func translate(event events.APIGatewayV2HTTPRequest, base string) (passage, error) {
	about := event.RequestContext
	if event.Version != "2.0" || !isToken(about.HTTP.Method) {
		return passage{}, errMalformed
	}
	body, err := body(event)
	if err != nil {
		return passage{}, err
	}
	header, err := header(event.Headers, event.Cookies, len(body))
	if err != nil {
		return passage{}, err
	}
	if hasControl(event.RawQueryString) || strings.Contains(event.RawQueryString, "\t") {
		return passage{}, errMalformed
	}
	return passage{
		event: events.APIGatewayV2HTTPRequest{
			RawPath: escapedPath(event, base),
			// A server keeps a "#" in the query, url.Parse would start a fragment.
			RawQueryString:        strings.ReplaceAll(event.RawQueryString, "#", "%23"),
			QueryStringParameters: event.QueryStringParameters,
			Body:                  body,
			RequestContext: events.APIGatewayV2HTTPRequestContext{
				HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: about.HTTP.Method},
			},
		},
		method: about.HTTP.Method,
		header: header,
		host:   about.DomainName,
		remote: remote(about.HTTP.SourceIP),
	}, nil
}

// escapedPath is the request's path, percent-encoded again: an HTTP API decodes
// rawPath before it hands it over. The stage and the base path are taken off.
func escapedPath(event events.APIGatewayV2HTTPRequest, base string) string {
	path := event.RawPath
	if path == "" {
		path = event.RequestContext.HTTP.Path
	}
	if stage := event.RequestContext.Stage; stage != "" && stage != "$default" {
		path = without(path, "/"+stage)
	}
	path = without(path, base)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return (&url.URL{Path: path}).EscapedPath()
}

// without takes prefix off path where it ends with a segment.
func without(path, prefix string) string {
	rest, found := strings.CutPrefix(path, prefix)
	if !found || rest != "" && rest[0] != '/' {
		return path
	}
	return rest
}

// body is the request's body, decoded.
func body(event events.APIGatewayV2HTTPRequest) (string, error) {
	if !event.IsBase64Encoded {
		return event.Body, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(event.Body)
	if err != nil {
		return "", errMalformed
	}
	return string(decoded), nil
}

// header is the request's header. A value stays one value, commas and all: a
// User-Agent, a date or a cookie must not be cut, and where a comma does part
// a list net/http's own users part it.
func header(headers map[string]string, cookies []string, length int) (http.Header, error) {
	header := make(http.Header, len(headers)+1)
	var cookie string
	for name, value := range headers {
		if !isToken(name) || hasControl(value) {
			return nil, errMalformed
		}
		value = strings.Trim(value, " \t")
		switch name = http.CanonicalHeaderKey(name); name {
		case "Cookie":
			cookie = value
		case "Host", "Transfer-Encoding":
			// A server takes both out of the header as well.
		case "Content-Length":
			header.Set(name, strconv.Itoa(length))
		default:
			header[name] = append(header[name], value)
		}
	}
	line, err := cookieLine(cookies, cookie)
	if err != nil {
		return nil, err
	}
	if line != "" {
		header.Set("Cookie", line)
	}
	return header, nil
}

// cookieLine is the Cookie header as the client sent it. AWS gives cookies in
// the array and takes the header away, emulators do the reverse; of an event
// with both, a cookie in both counts once.
func cookieLine(array []string, header string) (string, error) {
	if slices.ContainsFunc(array, hasControl) {
		return "", errMalformed
	}
	line := strings.Join(array, "; ")
	if line == "" {
		return header, nil
	}
	var known []string
	for cookie := range strings.SplitSeq(line, ";") {
		known = append(known, strings.TrimSpace(cookie))
	}
	for cookie := range strings.SplitSeq(header, ";") {
		if cookie = strings.TrimSpace(cookie); cookie != "" && !slices.Contains(known, cookie) {
			line += "; " + cookie
		}
	}
	return line, nil
}

// remote gives an address the port that net/http's RemoteAddr has.
func remote(address string) string {
	if _, err := netip.ParseAddr(address); err != nil {
		return ""
	}
	return net.JoinHostPort(address, "0")
}

// isToken tells whether text is a token of RFC 9110, 5.6.2: a method's or a
// header's name.
func isToken(text string) bool {
	for _, c := range []byte(text) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && !('0' <= c && c <= '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return text != ""
}

// hasControl tells whether text holds a byte that no request line and no header
// may hold; a tab is allowed.
func hasControl(text string) bool {
	for _, c := range []byte(text) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// passageKey finds the passage in the context that crosses the adapter.
type passageKey struct{}

// restored gives the handler the request as a server would have: what the
// adapter lost is put back from the passage in the request's context.
func restored(r *http.Request) *http.Request {
	passed, ok := r.Context().Value(passageKey{}).(passage)
	if !ok {
		return r
	}
	r.Method = passed.method
	r.Header = passed.header
	r.Host = passed.host
	r.RemoteAddr = passed.remote
	// A server's request knows only path and query.
	r.URL.Scheme, r.URL.Host = "", ""
	r.RequestURI = r.URL.RequestURI()
	return r
}

func withPassage(ctx context.Context, passed passage) context.Context {
	return context.WithValue(ctx, passageKey{}, passed)
}
