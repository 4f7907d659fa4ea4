//go:build emulated

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"styx/cmd/styx/cloud"
)

// root are the credentials of the emulated account itself.
var root = aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}

// post asks a service of the account, as its root, and returns what it says.
func (d *deployment) post(t *testing.T, service, target, kind, body string) []byte {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // it cleans up, too
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Endpoint, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(ctx, root, r, hex.EncodeToString(sum[:]), service, region, time.Now()); err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s, %v: %s", service, target, response.Status, err, said)
	}
	return said
}

// asks calls a service that speaks JSON.
func (d *deployment) asks(t *testing.T, service, target string, body, into any) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	said := d.post(t, service, target, "application/x-amz-json-1.1", string(encoded))
	if into == nil {
		return
	}
	if err := json.NewDecoder(bytes.NewReader(said)).Decode(into); err != nil {
		t.Fatalf("%s: %v: %s", target, err, said)
	}
}

// iam calls IAM and returns its answer, which is XML.
func (d *deployment) iam(t *testing.T, action string, parameters ...string) string {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	return string(d.post(t, "iam", "", "application/x-www-form-urlencoded", form.Encode()))
}

// element is the text of an XML element.
func element(document, name string) string {
	_, after, _ := strings.Cut(document, "<"+name+">")
	text, _, _ := strings.Cut(after, "</"+name+">")
	return text
}

// policy is a policy's document.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string
	Action    several
	Resource  several
	Condition any `json:",omitempty"`
}

// several is a list that may be written as its only member.
type several []string

func (s *several) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*s = several{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(s))
}

// allows is a policy of one statement.
func allows(action, resource string) string {
	document, err := json.Marshal(policy{"2012-10-17", []statement{{"Allow", several{action}, several{resource}, nil}}})
	if err != nil {
		panic(err) // texts always are JSON
	}
	return string(document)
}

// operator makes an IAM user with a policy, or none, and returns a client that
// signs as that user.
func (d *deployment) operator(t *testing.T, name, document string) *client {
	t.Helper()
	name += "-" + rand.Text()[:8]
	d.iam(t, "CreateUser", "UserName", name)
	made := d.iam(t, "CreateAccessKey", "UserName", name)
	if document != "" {
		d.iam(t, "PutUserPolicy", "UserName", name, "PolicyName", "own", "PolicyDocument", document)
	}
	return d.signing(t, element(made, "AccessKeyId"), element(made, "SecretAccessKey"))
}

// signing returns a client of the admin API with these credentials.
func (d *deployment) signing(t *testing.T, key, secret string) *client {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", key)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	by, err := cloud.Signer(t.Context(), "", region, d.Admin, d.dialer())
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, "http://"+d.Admin, by)
}
