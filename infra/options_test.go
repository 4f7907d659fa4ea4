package main

import (
	"strings"
	"testing"
)

func TestOptionsSayAllThatIsWrong(t *testing.T) {
	for _, row := range []struct {
		name    string
		context map[string]any
		want    []string // parts of the error; none when all is well
	}{
		{"nothing asked for", nil, nil},
		{"a domain and its certificate", map[string]any{"domain": "id.example.com", "certificate": "arn:aws:acm:eu-central-1:111122223333:certificate/x"}, nil},
		{"a domain in a zone", map[string]any{"domain": "id.example.com", "zone": "Z01", "zone-name": "example.com"}, nil},
		{"a domain alone", map[string]any{"domain": "id.example.com"}, []string{"needs either a certificate or a zone"}},
		{"a domain elsewhere", map[string]any{"domain": "id.example.org", "zone": "Z01", "zone-name": "example.com"}, []string{"id.example.org is not in the zone example.com"}},
		{"a domain that only ends alike", map[string]any{"domain": "id.badexample.com", "zone": "Z01", "zone-name": "example.com"}, []string{"is not in the zone"}},
		{"a URL of one's own", map[string]any{"base-url": "https://example.com/id/"}, nil},
		{"a URL of an emulator", map[string]any{"base-url": "http://127.0.0.1:4433/"}, nil},
		{"a URL without TLS", map[string]any{"base-url": "http://id.example.com"}, []string{"context base-url"}},
		{"a URL beside a domain", map[string]any{"base-url": "https://id.example.com", "domain": "id.example.com", "certificate": "arn:aws:acm:eu-central-1:111122223333:certificate/x"}, []string{"one excludes the other"}},
		{"half a zone", map[string]any{"zone": "Z01"}, []string{"one needs the other"}},
		{"two mistakes", map[string]any{"stage": "Production!", "from-address": "nobody"}, []string{"context stage", "context from-address"}},
		{"an unknown list", map[string]any{"secrets": "cookie,default"}, []string{"context secrets"}},
		{"limits", map[string]any{"throttle": "10/20", "throttle-credentials": "5/5", "table-reads": "100", "concurrency": "login=20,courier=0"}, nil},
		{"a throttle without a burst", map[string]any{"throttle": "100"}, []string{"context throttle", "50/100"}},
		{"a function that is none", map[string]any{"concurrency": "logon=20"}, []string{`no function "logon"`}},
		{"days that CloudWatch does not keep", map[string]any{"log-retention": "31"}, []string{"context log-retention", "30", "31"}},
		{"neither yes nor no", map[string]any{"tracing": "on"}, []string{"context tracing", "true or false"}},
		{"a key by its alias", map[string]any{"table-key": "alias/mine"}, []string{"context table-key", "the ARN of a key"}},
		{"an edge where CloudFront looks", map[string]any{"edge": "true", "region": "us-east-1"}, nil},
		{"an edge without an account", map[string]any{"edge": "true"}, nil},
		{"an edge with one secret twice", map[string]any{"edge": "true", "edge-secrets": "3,3"}, []string{"context edge-secrets"}},
		{"an edge elsewhere", map[string]any{"edge": "true", "region": "eu-central-1"}, []string{"a firewall from us-east-1", "context firewall"}},
		{
			"an edge elsewhere with what it needs",
			map[string]any{
				"edge": "true", "region": "eu-central-1", "firewall": "arn:aws:wafv2:us-east-1:111122223333:global/webacl/mine/1",
				"domain": "id.example.com", "certificate": "arn:aws:acm:us-east-1:111122223333:certificate/x",
			},
			nil,
		},
		{
			"an edge with a certificate of elsewhere",
			map[string]any{"edge": "true", "domain": "id.example.com", "certificate": "arn:aws:acm:eu-central-1:111122223333:certificate/x"},
			[]string{"context certificate", "us-east-1"},
		},
		{
			"an edge with a zone elsewhere",
			map[string]any{
				"edge": "true", "region": "eu-central-1", "firewall": "arn:aws:wafv2:us-east-1:111122223333:global/webacl/mine/1",
				"domain": "id.example.com", "zone": "Z01", "zone-name": "example.com",
			},
			[]string{"a certificate from us-east-1"},
		},
		{"a firewall of a region", map[string]any{"firewall": "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/mine/1"}, []string{"context firewall"}},
		{"a table", map[string]any{"table": restored}, nil},
		{"a table without its stream", map[string]any{"table": "arn:aws:dynamodb:eu-central-1:111122223333:table/restored"}, []string{"context table"}},
		{"an unknown architecture", map[string]any{"architecture": "amd64"}, []string{"arm64 or x86_64"}},
	} {
		_, err := read(func(key string) any { return row.context[key] })
		if (err == nil) != (row.want == nil) {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		for _, part := range row.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v does not say %q", row.name, err, part)
			}
		}
	}
}

func TestArchitectureChoosesTheZip(t *testing.T) {
	for architecture, want := range map[string]string{"arm64": "dist/login-arm64.zip", "x86_64": "dist/login-amd64.zip"} {
		if got := (options{Architecture: architecture, Zips: "dist"}).zip("login"); got != want {
			t.Errorf("%s: %s", architecture, got)
		}
	}
}
