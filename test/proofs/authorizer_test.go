package proofs

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"styx/internal/web"
)

// authorizations are what another API's authorizer asks, about somebody and
// about nobody. It costs what whoami costs, so no bill lists it.
func authorizations(t *testing.T, over kept) []operation {
	t.Helper()
	h := build(t, over.behind)
	token := h.join("guest@example.com").Token
	return []operation{
		{"authorizer", 1, http.StatusOK, func() answer { return h.authorized(token) }, h.last},
		{"authorizer of nobody", 0, http.StatusUnauthorized, func() answer { return h.authorized("") }, h.last},
	}
}

// authorized asks what the authorizer of another API asks about a session token.
func (h *house) authorized(token string) answer {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.last.record(h.t.Context()), http.MethodGet, "/", nil)
	r.Header.Set("X-Session-Token", token)
	if _, err := h.server.App.Engine.Authorize(r); err != nil {
		return answer{status: web.Status(err)}
	}
	return answer{status: http.StatusOK}
}
