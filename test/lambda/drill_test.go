//go:build dynamodb

package lambda_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/test/dynamodb"
	"styx/test/lambda"
)

// drill is a stack whose functions see their table through a proxy, and the app
// in front of it.
type drill struct {
	*stack
	proxy *dynamodb.Proxy
	app   *http.Client
}

func (at deployment) drill(t *testing.T) *drill {
	t.Helper()
	proxy := dynamodb.NewProxy(t, dynamodb.Endpoint(t))
	at.endpoint = proxy.URL
	emulator(t, http.MethodPost, "/v2/email/identities", map[string]string{"EmailIdentity": sender}, nil)
	d := &drill{stack: at.deploy(t), proxy: proxy}
	d.app = &http.Client{Transport: d.public, Timeout: time.Minute}
	return d
}

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	said   string
	body   map[string]any
	err    error // the function's, which an HTTP API turns into a 500 of its own
}

func (a answer) String() string { return fmt.Sprintf("%d %s %v", a.status, a.said, a.err) }

// died says that no function answered.
func (a answer) died() bool { return errors.Is(a.err, lambda.ErrFunction) }

// attempt is a request of an app, ready to be sent.
type attempt struct {
	name     string
	function string // that serves it
	method   string
	target   string
	token    string
	body     any
	// kept checks that what an answer acknowledged is there, once, and works.
	kept func(t *testing.T, acknowledged answer)
	// again is what is said to a request that was carried out before; "" where it
	// is carried out again, or has the same answer.
	again string
}

// acknowledged says whether an answer tells that it was done.
func (a answer) acknowledged() bool { return a.status/100 == 2 }

// repeated says whether the answer is that to a request which was carried out
// before.
func (one attempt) repeated(a answer) bool {
	return one.again != "" && a.status/100 == 4 && strings.Contains(a.said, one.again)
}

func (d *drill) send(one attempt) answer {
	response, said, err := exchange(d.app, one.method, one.target, one.token, one.body)
	a := answer{status: response.StatusCode, header: response.Header, said: string(said), err: err}
	_ = json.Unmarshal(said, &a.body) // what is no object is in said
	return a
}

// together sends requests at once.
func (d *drill) together(all []attempt) []answer {
	answers := make([]answer, len(all))
	var sending sync.WaitGroup
	for n, one := range all {
		sending.Go(func() { answers[n] = d.send(one) })
	}
	sending.Wait()
	return answers
}

// kept checks that all requests were carried out, each once, that nothing is in
// the table by half, and nothing in the logs that does not belong there.
func (d *drill) kept(t *testing.T, all []attempt, answers []answer) {
	t.Helper()
	for n, a := range answers {
		if !a.acknowledged() {
			t.Errorf("%s: %v", all[n].name, a)
			continue
		}
		all[n].kept(t, a)
	}
	d.whole(t)
	d.discreet(t, all)
}

// address is one that nobody had before.
func address() string { return "person-" + strings.ToLower(rand.Text()) + "@example.com" }

// person is somebody who has a password.
func (d *drill) person(t *testing.T) string {
	t.Helper()
	email := address()
	status, made, err := ask(&http.Client{Transport: d.admin}, http.MethodPost, "https://admin.example/admin/identities", "", map[string]any{
		"schema_id": "person", "traits": map[string]string{"email": email},
		"credentials": map[string]any{"password": map[string]any{"config": map[string]string{"password": firstPassword}}},
	})
	if err != nil || status != http.StatusCreated {
		t.Fatalf("create an identity: %d %v %v", status, made, err)
	}
	return email
}

// enters signs somebody in and returns the session's token.
func (d *drill) enters(t *testing.T, email, password string) string {
	t.Helper()
	token, err := signIn(d.app, email, password)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// begins starts a flow.
func (d *drill) begins(t *testing.T, kind, token string) string {
	t.Helper()
	action, err := start(d.app, kind, token)
	if err != nil {
		t.Fatal(err)
	}
	return action
}

// codeOf has a flow mail a code to somebody, and returns the request that submits
// it.
func (d *drill) codeOf(t *testing.T, kind, email string) attempt {
	t.Helper()
	before := mailsTo(t, email)
	one := attempt{function: kind, method: http.MethodPost, target: d.begins(t, kind, ""), body: map[string]string{"method": "code", "email": email}}
	if a := d.send(one); !a.acknowledged() {
		t.Fatalf("asking for a code: %v", a)
	}
	d.sweep(t)
	mails := slices.DeleteFunc(mailsTo(t, email), func(mail string) bool { return slices.Contains(before, mail) })
	if len(mails) != 1 {
		t.Fatalf("%d mails arrived", len(mails))
	}
	one.body = map[string]string{"method": "code", "code": digits.FindString(mails[0])}
	return one
}

// discreet checks that the functions' logs hold nothing that an app sent.
func (d *drill) discreet(t *testing.T, sent []attempt) {
	t.Helper()
	secrets := []string{firstPassword, nextPassword, "example.com"}
	for _, one := range sent {
		if one.token != "" {
			secrets = append(secrets, one.token)
		}
		if body, ok := one.body.(map[string]string); ok && body["code"] != "" {
			secrets = append(secrets, body["code"])
		}
	}
	log := d.log()
	for _, secret := range secrets {
		// Six digits of a time are no code.
		if regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(secret) + `(\W|$)`).MatchString(log) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
