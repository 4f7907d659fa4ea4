package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestNegotiation holds the three questions a handler may ask against what
// clients send: browsers, axios, curl, the SDKs, and headers that mean nothing.
func TestNegotiation(t *testing.T) {
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
	for _, c := range []struct {
		name, accept, contentType string
		wants, accepts            bool
	}{
		{"nothing", "", "", false, false},
		{"anything", "*/*", "", false, false},
		{"a browser", browser, "", false, false},
		{"a browser's form", browser, "application/x-www-form-urlencoded", false, false},
		{"JSON", "application/json", "", true, true},
		{"JSON in capitals", "Application/JSON", "", true, true},
		{"JSON with a parameter", "application/json; charset=utf-8", "", true, true},
		{"axios", "application/json, text/plain, */*", "", true, true},
		{"any application type", "application/*", "", true, true},
		{"JSON at a lower quality", "text/html, application/json;q=0.9", "", false, false},
		{"JSON at a higher quality", "text/html;q=0.5, application/json", "", true, true},
		{"JSON ahead of anything", "*/*;q=0.1, application/json;q=0.2", "", true, true},
		{"JSON refused", "application/json;q=0", "", false, false},
		{"equal qualities go by exactness", "*/*, application/json", "", true, true},
		{"equal and exact go by our order", "application/json, text/html", "", false, false},
		{"another type", "image/png", "", false, false},
		{"quality that is no number", "application/json;q=high", "", false, false},
		{"quality out of range", "application/json;q=7", "", false, false},
		{"no media type", "json", "", false, false},
		{"garbage", ",;=,/,;q", "", false, false},
		{"JSON is sent", "", "application/json", true, false},
		{"JSON is sent by a browser", browser, "application/json", true, false},
		{"JSON is sent with a charset", "", "application/json; charset=utf-8", false, false},
		{"a form is sent, JSON accepted", "application/json", "application/x-www-form-urlencoded", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
			if c.accept != "" {
				r.Header.Set("Accept", c.accept)
			}
			if c.contentType != "" {
				r.Header.Set("Content-Type", c.contentType)
			}
			if got := WantsJSON(r); got != c.wants {
				t.Errorf("WantsJSON is %v, want %v", got, c.wants)
			}
			if got := AcceptsJSON(r); got != c.accepts {
				t.Errorf("AcceptsJSON is %v, want %v", got, c.accepts)
			}
		})
	}
}

func TestAcceptMayComeInSeveralHeaders(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Add("Accept", "text/html;q=0.3")
	r.Header.Add("Accept", "application/json;q=0.4")
	if !WantsJSON(r) || !AcceptsJSON(r) {
		t.Error("the second Accept header was not read")
	}
}
