package hook_test

import (
	"net/http"
	"strings"
	"testing"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/hook"
)

// TestKnown is what an older system may answer about a password.
func TestKnown(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer reply
		known  bool
		kind   fault.Kind // of the error, Internal for none
	}{
		{"right", reply{status: 200, body: `{"status":"password_match"}`}, true, fault.Internal},
		{"right, with more", reply{status: 200, body: `{"id":7,"status":"password_match"}`}, true, fault.Internal},
		{"another status", reply{status: 200, body: `{"status":"no"}`}, false, fault.Internal},
		{"nothing", reply{status: 200}, false, fault.Internal},
		{"rubbish", reply{status: 200, body: "password_match"}, false, fault.Internal},
		{"too much", reply{status: 200, body: `{"x":"` + strings.Repeat("x", 2<<10) + `","status":"password_match"}`}, false, fault.Internal},
		{"wrong", reply{status: 403, body: `{"status":"password_match"}`}, false, fault.Internal},
		{"gone", reply{status: 404}, false, fault.Upstream},
		{"no content", reply{status: 204}, false, fault.Upstream},
		{"broken", reply{status: 500}, false, fault.Upstream},
	} {
		t.Run(c.name, func(t *testing.T) {
			shop := receive(t, c.answer)
			known, err := caller(t).Known(t.Context(), config.MigrateHook{Request: shop.hook(t, "").Request}, hook.Context{}, "ann", "s3cret")
			if known != c.known || (err != nil) != (c.kind != fault.Internal) || err != nil && !fault.Is(err, c.kind) {
				t.Errorf("known %v, %v", known, err)
			}
			if calls := shop.got(); len(calls) != 1 || calls[0].Body != `{"identifier":"ann","password":"s3cret"}` || calls[0].Header.Get("Content-Type") != "application/json" {
				t.Errorf("asked was %+v", calls)
			}
		})
	}
}

// TestKnownByProgram lets a program write the question.
func TestKnownByProgram(t *testing.T) {
	shop := receive(t, reply{status: 200, body: `{"status":"password_match"}`})
	asks := shop.hook(t, "function(ctx) {login: ctx.identifier, secret: ctx.password, at: ctx.request_url}").Request
	known, err := caller(t).Known(t.Context(), config.MigrateHook{Request: asks}, hook.Context{RequestURL: "https://id.example.org/x"}, "ann", "s3cret")
	if got := shop.got(); err != nil || !known || got[0].Body != `{"at":"https://id.example.org/x","login":"ann","secret":"s3cret"}` {
		t.Errorf("known %v, %v, asked was %+v", known, err, got)
	}
}

// TestKnownOutOfReach is the upstream's fault, and names neither it nor the password.
func TestKnownOutOfReach(t *testing.T) {
	shop := receive(t, reply{do: func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = connection.Close()
		}
	}})
	_, err := caller(t).Known(t.Context(), config.MigrateHook{Request: shop.hook(t, "").Request}, hook.Context{}, "ann", "s3cret")
	if !fault.Is(err, fault.Upstream) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "k3y") {
		t.Errorf("answers %v", err)
	}
}
