package selfservice

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Authorize tells another API who sends a request to it: whom whoami would
// answer with. Its error is whoami's. It never tells a token, nor a trait.
func (e *Engine) Authorize(r *http.Request) (map[string]string, error) {
	caller, err := e.signedIn(r, errNoCredentials)
	if err != nil {
		return nil, err
	}
	s := caller.Session
	var methods []string
	for _, m := range s.Methods {
		if !slices.Contains(methods, m.Method) {
			methods = append(methods, m.Method)
		}
	}
	return map[string]string{
		"identity_id":      caller.Owner.ID,
		"session_id":       s.ID,
		"aal":              string(s.AAL),
		"methods":          strings.Join(methods, " "),
		"authenticated_at": s.AuthenticatedAt.Format(time.RFC3339),
		"expires_at":       s.ExpiresAt.Format(time.RFC3339),
	}, nil
}
