package selfservice_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"styx/internal/selfservice"
)

// TestHandedOverIsOfItsOwner, whoever else is named beside it: what an
// administrator hands over carries no address that would tell.
func TestHandedOverIsOfItsOwner(t *testing.T) {
	for _, method := range []string{"link", "code"} {
		h, _ := proving(t, method)
		mine := h.client(api).signUp(t, ann)
		h.client(api).signUp(t, eve)
		for _, verb := range []string{http.MethodGet, http.MethodPost} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/admin/recovery", nil)
			handed, err := h.HandOver(r, selfservice.HandOver{By: method, Type: "browser", Who: h.stored(t, mine.Identity.ID), Life: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			sent := url.Values{map[string]string{"link": "token", "code": "code"}[method]: {handed.Secret}, "email": {eve}}
			c := h.client(html)
			if verb == http.MethodGet {
				sent.Set("flow", handed.Flow.ID)
				c.ask(t, verb, "/self-service/recovery?"+sent.Encode())
			} else {
				c.post(t, "recovery", handed.Flow.ID, "application/x-www-form-urlencoded", sent.Encode())
			}
			w := c.ask(t, http.MethodGet, "/sessions/whoami")
			if strings.Contains(w.Body.String(), eve) {
				t.Errorf("%s by %s: it signs in as somebody else", method, verb)
			}
		}
	}
}
