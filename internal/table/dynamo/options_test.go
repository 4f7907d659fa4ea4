package dynamo

import (
	"cmp"
	"crypto/rand"
	"strings"
	"testing"
)

func TestOptions(t *testing.T) {
	full := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": "session",
	}
	for _, c := range []struct {
		name    string
		opts    Options
		unset   string
		set     map[string]string
		where   string
		problem string
	}{
		{name: "AWS itself", opts: Options{Table: "t"}, where: "eu-west-1"},
		{name: "region of the options", opts: Options{Table: "t", Region: "us-east-2"}, where: "us-east-2"},
		{name: "default region", opts: Options{Table: "t"}, unset: "AWS_REGION", set: map[string]string{"AWS_DEFAULT_REGION": "sa-east-1"}, where: "sa-east-1"},
		{name: "endpoint of the environment", opts: Options{Table: "t"}, set: map[string]string{"AWS_ENDPOINT_URL": "http://a"}, where: "eu-west-1 at http://a"},
		{name: "its own endpoint first", opts: Options{Table: "t"}, set: map[string]string{"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_DYNAMODB": "http://b"}, where: "eu-west-1 at http://b"},
		{name: "endpoint of the options", opts: Options{Table: "t", Endpoint: "http://c"}, set: map[string]string{"AWS_ENDPOINT_URL": "http://a"}, where: "eu-west-1 at http://c"},
		{name: "no table", problem: "table name"},
		{name: "no region", opts: Options{Table: "t"}, unset: "AWS_REGION", problem: "AWS_REGION"},
		{name: "no credentials", opts: Options{Table: "t"}, unset: "AWS_SECRET_ACCESS_KEY", problem: "AWS_SECRET_ACCESS_KEY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.opts.Rand = rand.Reader
			c.opts.Getenv = func(name string) string {
				if name == c.unset {
					return ""
				}
				return cmp.Or(c.set[name], full[name])
			}
			tab, err := New(c.opts)
			switch {
			case c.problem != "":
				if err == nil || !strings.Contains(err.Error(), c.problem) {
					t.Errorf("got error %v, want one about %s", err, c.problem)
				}
				return
			case err != nil:
				t.Fatal(err)
			case tab.where != c.where:
				t.Errorf("goes to %s, want %s", tab.where, c.where)
			}
			who, err := tab.client.Options().Credentials.Retrieve(t.Context())
			if err != nil || who.SessionToken != "session" || who.AccessKeyID != "id" {
				t.Errorf("credentials: %v", err)
			}
		})
	}
}
