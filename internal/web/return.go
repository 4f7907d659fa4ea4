package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"styx/internal/fault"
)

// Returns decides where a browser may be sent once a flow is done.
type Returns struct {
	Default *url.URL
	Allowed []*url.URL // a host may start with "*."; the path is a prefix
}

// Redirect sends the browser to a URL that the configuration names, that is
// below a configured one, or that Resolve let through.
func Redirect(w http.ResponseWriter, r *http.Request, target string, status int) {
	http.Redirect(w, r, target, status)
}

// Resolve returns the asked URL, made absolute, if it is allowed; with nothing
// asked it is fallback, or the default where that is nil.
func (t Returns) Resolve(asked string, fallback *url.URL) (*url.URL, error) {
	if fallback == nil {
		fallback = t.Default
	}
	if asked == "" {
		return fallback, nil
	}
	target, err := url.Parse(asked)
	if err != nil || ambiguous(asked, target) {
		return nil, forbiddenReturn(asked)
	}
	if target.Scheme == "" {
		target.Scheme = fallback.Scheme
		if target.Host == "" {
			target.Host = fallback.Host
		}
	}
	for _, entry := range t.Allowed {
		if covers(entry, target) {
			return target, nil
		}
	}
	return nil, forbiddenReturn(target.String())
}

// ambiguous tells whether a browser may read a URL otherwise than net/url does:
// it drops spaces, takes a backslash for a slash and any number of slashes for
// two, and resolves dot segments before anybody compares paths.
func ambiguous(asked string, parsed *url.URL) bool {
	return strings.ContainsAny(asked, "\\\t\r\n") ||
		strings.HasPrefix(asked, " ") ||
		parsed.Host == "" && strings.HasPrefix(asked, "//") ||
		slices.Contains(strings.Split(parsed.Path, "/"), "..")
}

func forbiddenReturn(asked string) error {
	return &fault.Error{
		Kind:   fault.BadRequest,
		ID:     "self_service_flow_return_to_forbidden",
		Reason: fmt.Sprintf("Requested return_to URL %q is not allowed.", asked),
	}
}

func covers(entry, target *url.URL) bool {
	if target.User != nil || target.Opaque != "" || !strings.EqualFold(entry.Scheme, target.Scheme) {
		return false
	}
	host, wildcard := strings.CutPrefix(entry.Host, "*")
	if wildcard && !strings.HasSuffix(target.Host, host) || !wildcard && entry.Host != target.Host {
		return false
	}
	return strings.HasPrefix(rooted(target.Path), rooted(entry.Path))
}

func rooted(path string) string {
	if path == "" {
		return "/"
	}
	return path
}
