package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// recordPath is where the recorder tells what it saw.
const recordPath = "/_recorder"

// recorder stands before the emulator and notes which credentials did what. Its
// clients came by TLS, as far as the emulator knows: policies ask for that.
type recorder struct {
	to   *httputil.ReverseProxy
	mu   sync.Mutex
	seen map[string]map[string]bool // actions by access key
}

func newRecorder(emulator *url.URL) *recorder {
	return &recorder{
		seen: map[string]map[string]bool{},
		to: &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(emulator)
				r.Out.Host = r.In.Host // signed, and the name of an API
				r.Out.Header.Set("X-Forwarded-Proto", "https")
			},
			Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		},
	}
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == recordPath {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		seen := map[string][]string{}
		for key, actions := range rec.seen {
			for action := range actions {
				seen[key] = append(seen[key], action)
			}
			slices.Sort(seen[key])
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(seen) // whoever asked has gone
		return
	}
	if key, service := signer(r.Header.Get("Authorization")); key != "" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec.note(key, actions(service, r, body))
	}
	rec.to.ServeHTTP(w, r)
}

func (rec *recorder) note(key string, actions []string) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.seen[key] == nil {
		rec.seen[key] = map[string]bool{}
	}
	for _, action := range actions {
		rec.seen[key][action] = true
	}
}

var credential = regexp.MustCompile(`Credential=([^/]+)/\d+/[^/]+/([^/]+)/`)

// signer is whose signature a request carries, and for which service.
func signer(authorization string) (key, service string) {
	if found := credential.FindStringSubmatch(authorization); found != nil {
		return found[1], found[2]
	}
	return "", ""
}

// actions are the permissions that a call asks for, as policies name them, each
// with the index it reads, if any.
func actions(service string, r *http.Request, body []byte) []string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch service {
	case "dynamodb":
		return onItems(operation, body)
	case "sqs", "secretsmanager":
		return []string{service + ":" + operation}
	case "ses":
		if r.Method == http.MethodPost && r.URL.Path == "/v2/email/outbound-emails" {
			return []string{"ses:SendEmail"}
		}
	}
	return []string{service + ":" + r.Method + " " + r.URL.Path}
}

// onItems are those of a call to DynamoDB: a transaction asks for the permission
// of each of its operations.
func onItems(operation string, body []byte) []string {
	var call struct {
		IndexName     string
		TransactItems []map[string]json.RawMessage
	}
	_ = json.Unmarshal(body, &call) // what is not JSON, the emulator refuses
	if call.IndexName != "" {
		operation += " index/" + call.IndexName
	}
	if operation != "TransactWriteItems" {
		return []string{"dynamodb:" + operation}
	}
	var parts []string
	for _, item := range call.TransactItems {
		for kind := range item { // Put, Update, Delete or ConditionCheck
			parts = append(parts, "dynamodb:"+kind+"Item")
		}
	}
	return parts
}
