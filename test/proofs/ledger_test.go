package proofs

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"

	"styx/internal/secret"
)

// ledger is every secret that clients saw or sent, and what it is.
type ledger struct {
	mu   sync.Mutex
	what map[string]string
}

func newLedger() *ledger { return &ledger{what: map[string]string{}} }

func (l *ledger) add(what string, values ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, value := range values {
		if len(value) > 1 { // "-" is a cookie that is taken away
			l.what[value] = what
		}
	}
}

// note takes down the secrets of an answer.
func (l *ledger) note(r *http.Response, a *answer) {
	for _, cookie := range r.Cookies() {
		l.add("cookie "+cookie.Name[:10], cookie.Value)
	}
	l.add("logout token", a.LogoutToken)
	l.add("anti-CSRF token", a.csrf())
	l.add("session token", a.token())
}

// kinds are the kinds of secret that were seen, in order.
func (l *ledger) kinds() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	kinds := slices.Sorted(maps.Values(l.what))
	return slices.Compact(kinds)
}

// found says which secrets stand in a text, in any of their forms.
func (l *ledger) found(text []byte) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for value, what := range l.what {
		if what == "code" {
			// Six digits stand by chance within longer numbers and times.
			if regexp.MustCompile(`(^|[^0-9.])` + value + `([^0-9]|$)`).Match(text) {
				found = append(found, what)
			}
			continue
		}
		for form, as := range forms(value) {
			if bytes.Contains(text, []byte(as)) {
				found = append(found, fmt.Sprintf("%s, %s", what, form))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// forms are the ways in which a secret may be written.
func forms(value string) map[string]string {
	forms := map[string]string{"as it is": value, "in a query": url.QueryEscape(value)}
	bare := []byte(value)
	if token, err := secret.ParseToken(value); err == nil {
		bare = token.Secret[:]
	} else if decoded, err := base64.StdEncoding.DecodeString(value); err == nil {
		bare = decoded
	}
	forms["bare"] = string(bare)
	forms["in hex"] = hex.EncodeToString(bare)
	forms["in base64"] = base64.RawStdEncoding.EncodeToString(bare)
	forms["in base64url"] = base64.RawURLEncoding.EncodeToString(bare)
	return forms
}
