package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	keyID     = "AKIDEXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	region    = "eu-central-1"
)

// credentials puts AWS credentials at hand, and nothing else of AWS.
func credentials(t *testing.T, id, secret string) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": "/none", "AWS_SHARED_CREDENTIALS_FILE": "/none", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

func authorization() *regexp.Regexp {
	return regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/execute-api/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$`)
}

// verified tells whether a request has a signature by the key above, as the steps
// of "Create a signed AWS API request" (AWS IAM User Guide) make it.
func verified(r *http.Request, body []byte) bool {
	parts := authorization().FindStringSubmatch(r.Header.Get("Authorization"))
	if parts == nil || parts[1] != keyID || parts[3] != region {
		return false
	}
	date := r.Header.Get("X-Amz-Date")
	if at, err := time.Parse("20060102T150405Z", date); err != nil || time.Since(at).Abs() > time.Minute || !strings.HasPrefix(date, parts[2]) {
		return false
	}
	signed := strings.Split(parts[4], ";")
	if !slices.Contains(signed, "host") {
		return false
	}
	var headers strings.Builder
	for _, name := range signed {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(len(body))
		}
		_, _ = fmt.Fprintf(&headers, "%s:%s\n", name, strings.TrimSpace(value))
	}
	segments := strings.Split(r.URL.EscapedPath(), "/")
	for at, segment := range segments {
		segments[at] = strings.ReplaceAll(url.QueryEscape(segment), "+", "%20")
	}
	query := strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")
	sum := func(text []byte) string { s := sha256.Sum256(text); return hex.EncodeToString(s[:]) }
	canonical := strings.Join([]string{r.Method, strings.Join(segments, "/"), query, headers.String(), parts[4], sum(body)}, "\n")
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", date, parts[2] + "/" + region + "/execute-api/aws4_request", sum([]byte(canonical))}, "\n")
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		_, _ = h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := []byte("AWS4" + secretKey)
	for _, step := range []string{parts[2], region, "execute-api", "aws4_request"} {
		key = mac(key, step)
	}
	return hex.EncodeToString(mac(key, toSign)) == parts[5]
}

// gateway is an admin API that takes signed requests alone, as API Gateway would
// let them through.
func gateway(t *testing.T, admin string) string {
	t.Helper()
	to, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	behind := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !verified(r, body) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"Forbidden"}`)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestSigned is the command line in front of an API that takes signed requests
// alone.
func TestSigned(t *testing.T) {
	credentials(t, keyID, secretKey)
	s := started(t, nil, "--dev", "-c", file(t, settings))
	at := gateway(t, s.admin)
	environ := []string{"STYX_ADMIN_URL=" + at}
	export := file(t, `{"id":"1a7a6bb4-4d5e-4c6b-9d0e-000000000001","traits":{"nick":"a b+ä"}}`)
	for _, c := range []struct {
		name string
		args string
		code int
		said string // part of what is printed, or complained
	}{
		{"unsigned", "identities list", 1, "the API answers 403 Forbidden: Forbidden"},
		{"no region", "identities list --sign", 1, "name the AWS region with --region"},
		{"no such profile", "identities list --sign --region eu-central-1 --profile none", 1, "load the AWS configuration"},
		{"another region", "identities list --sign --region eu-west-1", 1, "Forbidden"},
		{"a list", "identities list --sign --region eu-central-1 --id 1a7a6bb4-4d5e-4c6b-9d0e-000000000001", 0, "ID"},
		{"a body", "import kratos --sign --region eu-central-1 --from " + export, 0, "IMPORTED       1"},
		{"a path to escape", "identities get --sign --region eu-central-1 --external-id a/b%c", 1, "Unable to locate the resource"},
		{"a query to escape", "courier list --sign --region eu-central-1 --recipient a+b@example.org", 0, "ID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := ended(t, environ, strings.Fields(c.args)...)
			if code != c.code || !strings.Contains(out+errs, c.said) {
				t.Errorf("exits with %d: %s%s", code, out, errs)
			}
		})
	}
	credentials(t, "", "")
	if code, _, errs := ended(t, environ, "identities", "list", "--sign", "--region", region); code != 1 || !strings.Contains(errs, "find AWS credentials") {
		t.Errorf("without credentials: %d, %s", code, errs)
	}
}

// TestProxy signs for a client that can not.
func TestProxy(t *testing.T) {
	credentials(t, keyID, secretKey)
	s := started(t, nil, "--dev", "-c", file(t, settings))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, errs output
	exited := make(chan int, 1)
	go func() {
		exited <- run(ctx, []string{"proxy", "--endpoint", gateway(t, s.admin) + "/", "--region", region, "--listen", "127.0.0.1:0"}, nil, strings.NewReader(""), &out, &errs)
	}()
	var at string
	for at == "" {
		select {
		case code := <-exited:
			t.Fatalf("exits with %d: %s", code, errs.String())
		case <-time.After(10 * time.Millisecond):
		}
		at, _, _ = strings.Cut(out.String(), " stands for")
	}
	if code, said, complained := ended(t, []string{"STYX_ADMIN_URL=" + at}, "import", "kratos", "--from",
		file(t, `{"id":"1a7a6bb4-4d5e-4c6b-9d0e-000000000001","traits":{"long":"`+strings.Repeat("x", 50_000)+`"}}`)); code != 0 || !strings.Contains(said, "IMPORTED       1") {
		t.Errorf("exits with %d: %s%s", code, said, complained)
	}
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"a program", func(*http.Request) {}, http.StatusOK},
		{"a page", func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:3000") }, http.StatusForbidden},
		{"an image on a page", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		{"a name that points here", func(r *http.Request) { r.Host = "evil.example" }, http.StatusForbidden},
		{"a person", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none"); r.Host = "localhost:1" }, http.StatusOK},
		{"what a client brings along", func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer x")
			r.Header.Set("X-Amz-Date", "19700101T000000Z")
			r.Header.Set("Connection", "close")
		}, http.StatusOK},
		{"too much", func(r *http.Request) {
			r.Method, r.Body = http.MethodPost, io.NopCloser(strings.NewReader(strings.Repeat("x", 11<<20)))
		}, http.StatusBadGateway},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/admin/identities?page_size=2", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			c.change(r)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != c.status {
				t.Errorf("%v, %d: %s", err, resp.StatusCode, body)
			}
		})
	}
	cancel()
	if code := <-exited; code != 0 {
		t.Errorf("exits with %d: %s", code, errs.String())
	}
}

// TestProxyRefuses what would hand the credentials to others, and what it can not
// serve.
func TestProxyRefuses(t *testing.T) {
	credentials(t, keyID, secretKey)
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	for args, want := range map[string]string{
		"":                      "2 name the deployed admin API",
		"--endpoint http://x y": "2 unexpected argument",
		"--endpoint http://x --region r --listen 0.0.0.0:4434":                                "2 is no loopback address",
		"--endpoint http://x --region r --listen :4434":                                       "2 is no loopback address",
		"--endpoint http://x --region r --listen localhost:4434":                              "2 is no loopback address",
		"--endpoint http://x":                                                                 "1 name the AWS region",
		"--endpoint http://x --region r --listen " + strings.TrimPrefix(taken.URL, "http://"): "1 listen on",
	} {
		code, _, errs := ended(t, nil, append([]string{"proxy"}, strings.Fields(args)...)...)
		if wanted, said, _ := strings.Cut(want, " "); fmt.Sprint(code) != wanted || !strings.Contains(errs, said) {
			t.Errorf("%s: %d, %s", args, code, errs)
		}
	}
}
