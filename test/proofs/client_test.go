package proofs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// password is long enough for every policy and like no identifier.
const password = "lantern tide orbit maple"

// client speaks to one Styx. It notes in seen every secret that passes by.
type client struct {
	t             *testing.T
	public, admin string // base URLs without a trailing slash
	http          *http.Client
	seen          *ledger
	headers       http.Header
}

func newClient(t *testing.T, public, admin string) *client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{
		t: t, public: public, admin: admin, seen: newLedger(),
		http: &http.Client{
			Transport: transport, Timeout: time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// browser returns a client with cookies of its own that asks for this media type.
func (c *client) browser(accept string) *client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	b, own := *c, *c.http
	own.Jar = jar
	b.http, b.headers = &own, http.Header{"Accept": {accept}}
	return &b
}

// bearing returns a client that sends a session token.
func (c *client) bearing(token string) *client {
	b := *c
	b.headers = c.headers.Clone()
	if b.headers == nil {
		b.headers = http.Header{}
	}
	b.headers.Set("X-Session-Token", token)
	return &b
}

// answer is what came back: the raw response, and of its JSON what tests ask for.
type answer struct {
	status int
	header http.Header
	body   []byte

	ID           string
	Token        string         `json:"session_token"`
	LogoutURL    string         `json:"logout_url"`
	LogoutToken  string         `json:"logout_token"`
	ContinueWith []continuation `json:"continue_with"`
	State        string
	Traits       struct{ Email, Name string }
	Session      struct {
		ID       string
		Identity struct{ ID string }
	}
	Identity struct {
		ID     string
		Traits struct{ Email, Name string }
	}
	UI struct {
		Action   string
		Messages []message
		Nodes    []struct {
			Attributes struct {
				Name  string
				Value any
			}
			Messages []message
		}
	}
	Error struct {
		ID, Reason string
		Code       int
	}
}

type message struct{ ID int }

type continuation struct {
	Token string `json:"ory_session_token"`
	Flow  struct{ ID string }
}

// token is the session token that an answer hands out, "" for none.
func (a *answer) token() string {
	for _, next := range a.ContinueWith {
		if next.Token != "" {
			return next.Token
		}
	}
	return a.Token
}

// String says how a request ended, with nothing secret.
func (a answer) String() string {
	return fmt.Sprintf("%d, messages %v, error %s %q", a.status, a.messages(), a.Error.ID, a.Error.Reason)
}

func (a *answer) messages() []int {
	all := slices.Clone(a.UI.Messages)
	for _, node := range a.UI.Nodes {
		all = append(all, node.Messages...)
	}
	var ids []int
	for _, one := range all {
		ids = append(ids, one.ID)
	}
	return ids
}

// says tells whether the form shows the message of that id.
func (a *answer) says(id int) bool { return slices.Contains(a.messages(), id) }

func (a *answer) csrf() string {
	for _, node := range a.UI.Nodes {
		if node.Attributes.Name == "csrf_token" {
			token, _ := node.Attributes.Value.(string)
			return token
		}
	}
	return ""
}

// do sends one request: body is nil, a url.Values to post as a form, or what is
// sent as JSON. A request without an answer fails the test and has status 0.
func (c *client) do(method, address string, body any) answer {
	a, err := c.try(method, address, body)
	if err != nil {
		c.t.Errorf("%s %s: %v", method, address, err)
	}
	return a
}

// try is do where no answer is no failure.
func (c *client) try(method, address string, body any) (answer, error) {
	var (
		sent    io.Reader
		content string
	)
	switch body := body.(type) {
	case nil:
	case url.Values:
		sent, content = strings.NewReader(body.Encode()), "application/x-www-form-urlencoded"
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		sent, content = bytes.NewReader(encoded), "application/json"
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, address, sent)
	if err != nil {
		return answer{}, err
	}
	maps.Copy(r.Header, c.headers)
	if content != "" {
		r.Header.Set("Content-Type", content)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, header: response.Header}
	if a.body, err = io.ReadAll(response.Body); err != nil {
		return answer{}, err
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") && len(a.body) > 0 && a.body[0] == '{' {
		if err := json.Unmarshal(a.body, &a); err != nil {
			return answer{}, err
		}
	}
	c.seen.note(response, &a)
	return a, nil
}

// flow starts a flow of a native app and returns where to submit it.
func (c *client) flow(kind string) string {
	return c.do(http.MethodGet, c.public+"/self-service/"+kind+"/api", nil).UI.Action
}

// email is a body's trait.
func email(address string) map[string]string { return map[string]string{"email": address} }

// signUp submits a registration.
func (c *client) signUp(action, address, password string) answer {
	c.seen.add("password", password)
	return c.do(http.MethodPost, action, map[string]any{"method": "password", "password": password, "traits": email(address)})
}

// signIn submits a login.
func (c *client) signIn(action, identifier, password string) answer {
	c.seen.add("password", password)
	return c.do(http.MethodPost, action, map[string]any{"method": "password", "password": password, "identifier": identifier})
}

// join registers somebody and returns the answer of it.
func (c *client) join(address string) answer {
	c.t.Helper()
	a := c.signUp(c.flow("registration"), address, password)
	if a.status != http.StatusOK || a.Token == "" {
		c.t.Fatalf("registration of %s: %v", address, a)
	}
	return a
}

// enter logs somebody in and returns the session token.
func (c *client) enter(address string) string {
	c.t.Helper()
	a := c.signIn(c.flow("login"), address, password)
	if a.status != http.StatusOK || a.Token == "" {
		c.t.Fatalf("login of %s: %v", address, a)
	}
	return a.Token
}

// whoami is what a session token is worth.
func (c *client) whoami(token string) answer {
	return c.bearing(token).do(http.MethodGet, c.public+"/sessions/whoami", nil)
}

// identities are all that there are.
func (c *client) identities() []answer {
	c.t.Helper()
	return c.list(c.admin + "/admin/identities?page_size=1000")
}

// list is what is listed at an address.
func (c *client) list(address string) []answer {
	c.t.Helper()
	var all []answer
	a := c.do(http.MethodGet, address, nil)
	if err := json.Unmarshal(a.body, &all); err != nil || a.status != http.StatusOK {
		c.t.Fatalf("list at %s: %v %v", address, a, err)
	}
	return all
}

// atOnce runs n calls that begin together and waits for all.
func atOnce(n int, call func(i int)) {
	var wait sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wait.Go(func() {
			<-start
			call(i)
		})
	}
	close(start)
	wait.Wait()
}

// form is a flow that waits for its submission.
type form struct {
	*client

	action, csrf string
}

// open starts a flow of this client's kind and returns its form.
func (c *client) open(kind, query string) form {
	c.t.Helper()
	kindOf := "api"
	if c.http.Jar != nil {
		kindOf = "browser"
	}
	return c.follow(kind, c.public+"/self-service/"+kind+"/"+kindOf+query)
}

// follow goes where a flow starts and returns its form.
func (c *client) follow(kind, address string) form {
	c.t.Helper()
	a := c.do(http.MethodGet, address, nil)
	if a.status == http.StatusSeeOther { // to the page, which reads the flow as the browser's
		a = c.do(http.MethodGet, c.public+"/self-service/"+kind+"/flows?id="+flowOf(c.t, a.header.Get("Location")), nil)
	}
	if a.status != http.StatusOK || a.UI.Action == "" {
		c.t.Fatalf("start of %s: %v", kind, a)
	}
	return form{c, a.UI.Action, a.csrf()}
}

// submit fills the form in: as a form where the client asks for pages, else as
// JSON.
func (f form) submit(fields map[string]string) answer {
	f.seen.add("password", fields["password"])
	form, body := url.Values{"csrf_token": {f.csrf}}, map[string]string{"csrf_token": f.csrf}
	for name, value := range fields {
		form.Set(name, value)
		body[name] = value
	}
	if f.headers.Get("Accept") == "text/html" {
		return f.do(http.MethodPost, f.action, form)
	}
	return f.do(http.MethodPost, f.action, body)
}

func (f form) login(identifier, password string) answer {
	return f.submit(map[string]string{"method": "password", "identifier": identifier, "password": password})
}

func (f form) register(address, password string) answer {
	return f.submit(map[string]string{"method": "password", "traits.email": address, "password": password})
}

// byLink are the settings under which addresses are proved by a link.
const byLink = `selfservice: {flows: {recovery: {use: link}, verification: {use: link}}}`

// letter is what somebody finds in a mail.
type letter struct{ code, link string }

var (
	codeInMail = regexp.MustCompile(`\b\d{6}\b`)
	linkInMail = regexp.MustCompile(`https?://\S+`)
)

// mail waits until so many messages of a template went to an address and reads
// the last: in development the admin API shows what they say.
func (c *client) mail(address, template string, count int) letter {
	c.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var all []struct {
			Body     string
			Template string `json:"template_type"`
		}
		a := c.do(http.MethodGet, c.admin+"/admin/courier/messages?recipient="+url.QueryEscape(address), nil)
		if err := json.Unmarshal(a.body, &all); err != nil {
			c.t.Fatalf("messages: %v %v", a, err)
		}
		var found []letter
		for _, one := range all {
			if one.Template == template {
				found = append(found, letter{codeInMail.FindString(one.Body), linkInMail.FindString(one.Body)})
			}
		}
		if len(found) < count {
			continue
		}
		c.seen.add("code", found[0].code)
		if link, err := url.Parse(found[0].link); err == nil {
			c.seen.add("link token", link.Query().Get("token"))
		}
		return found[0]
	}
	c.t.Fatalf("no %s came to %s", template, address)
	return letter{}
}
