package cloud

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestIsGateway(t *testing.T) {
	for host, want := range map[string]bool{
		"abc.execute-api.eu-central-1.amazonaws.com":     true,
		"abc.execute-api.eu-central-1.amazonaws.com:443": true,
		"abc.execute-api.cn-north-1.amazonaws.com.cn":    true,
		"127.0.0.1:4434":      false,
		"execute-api.example": false,
		"abc.execute-api.eu-central-1.amazonaws.com.evil.example": false,
		"abcexecute-api.eu-central-1.amazonaws.com":               false,
	} {
		if got := IsGateway(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

// roundTrip keeps what would be sent.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestKnownSignature holds a signature against one that was computed by hand from
// the steps of "Create a signed AWS API request" (AWS IAM User Guide).
func TestKnownSignature(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
	t.Setenv("AWS_SESSION_TOKEN", "")
	const host = "abc.execute-api.eu-central-1.amazonaws.com"
	var sent *http.Request
	made, err := Signer(t.Context(), "", "", host, roundTrip(func(r *http.Request) (*http.Response, error) {
		sent = r
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	made.(*signer).now = func() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPatch, "https://"+host+"/admin/identities/a%2Fb?page_size=2&ids=y&ids=x", strings.NewReader(`{"a":1}`))
	if _, err := made.RoundTrip(r); err != nil {
		t.Fatal(err)
	}
	const want = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261126/eu-central-1/execute-api/aws4_request, SignedHeaders=content-length;host;x-amz-date, Signature=b24f611727d4deb06bdd0c3d8ce4ab32d967b8e8b51d2eebeb6d9e7bc72ca806"
	if got := sent.Header.Get("Authorization"); got != want {
		t.Errorf("signed as\n%s, not\n%s", got, want)
	}
	if body, err := io.ReadAll(sent.Body); err != nil || string(body) != `{"a":1}` || sent.Header.Get("X-Amz-Date") != "20261126T120000Z" {
		t.Errorf("sent %q at %s", body, sent.Header.Get("X-Amz-Date"))
	}
	if r.Header.Get("Authorization") != "" {
		t.Error("the caller's request changed")
	}
}
