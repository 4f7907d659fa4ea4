//go:build emulated

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// public is where browsers reach what run.sh deploys.
	public = "https://id.shop.example.test"
	// password is long enough for every policy and like no identifier.
	password = "lantern tide orbit maple"
)

// deployed is what run.sh deployed.
func deployed(t *testing.T) *deployment {
	t.Helper()
	d, err := running("../../" + kept)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// to brings requests to an API of the emulator, whatever host they are for.
type to struct {
	host string
	next http.RoundTripper
}

func (via to) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "http", via.host, via.host
	return via.next.RoundTrip(r)
}

// client is somebody's browser or app. It follows no redirect.
type client struct {
	t      *testing.T
	base   string
	http   *http.Client
	header http.Header
}

func newClient(t *testing.T, base string, by http.RoundTripper) *client {
	t.Helper()
	return &client{t: t, base: base, header: http.Header{"Accept": {"application/json"}}, http: &http.Client{
		Transport: by, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// app is a native app before the public API.
func (d *deployment) app(t *testing.T) *client {
	t.Helper()
	return newClient(t, public, to{d.Public, d.dialer()})
}

// browser is one that keeps cookies.
func (d *deployment) browser(t *testing.T) *client {
	t.Helper()
	c := d.app(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c.http.Jar = jar
	c.header.Set("Accept", "text/html")
	return c
}

// administrator signs as the account's root.
func (d *deployment) administrator(t *testing.T) *client {
	t.Helper()
	return d.signing(t, root.AccessKeyID, root.SecretAccessKey)
}

// with returns the client with another header.
func (c *client) with(name, value string) *client {
	other := *c
	other.header = c.header.Clone()
	other.header.Set(name, value)
	return &other
}

// answer is what came back, and of its JSON what tests ask for.
type answer struct {
	status int
	header http.Header
	body   []byte

	ID        string
	Token     string `json:"session_token"`
	LogoutURL string `json:"logout_url"`
	AAL       string `json:"authenticator_assurance_level"`
	State     string
	Session   struct{ ID string }
	Identity  struct {
		ID        string
		Traits    struct{ Email, Name string }
		Addresses []struct{ Verified bool } `json:"verifiable_addresses"`
	}
	ContinueWith []struct {
		Action string
		Flow   struct{ ID string }
	} `json:"continue_with"`
	UI struct {
		Action   string
		Messages []struct{ ID int }
		Nodes    []node
	}
	Error struct{ ID, Reason string }
}

type node struct {
	Attributes struct {
		ID, Name string
		Value    any
		Text     struct {
			Text    string
			Context struct{ Secrets []struct{ Text string } }
		}
	}
	Messages []struct{ ID int }
}

func (a *answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// node is the form's one of that name.
func (a *answer) node(t *testing.T, name string) node {
	t.Helper()
	at := slices.IndexFunc(a.UI.Nodes, func(n node) bool { return n.Attributes.Name == name || n.Attributes.ID == name })
	if at < 0 {
		t.Fatalf("no node %s in %s", name, a)
	}
	return a.UI.Nodes[at]
}

// do sends a request: body is a form, JSON or nil.
func (c *client) do(method, target string, body any) *answer {
	c.t.Helper()
	var payload io.Reader
	kind := ""
	switch body := body.(type) {
	case nil:
	case url.Values:
		payload, kind = strings.NewReader(body.Encode()), "application/x-www-form-urlencoded"
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		payload, kind = bytes.NewReader(encoded), "application/json"
	}
	if strings.HasPrefix(target, "/") {
		target = c.base + target
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, target, payload)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header = c.header.Clone()
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	response, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	a := &answer{status: response.StatusCode, header: response.Header}
	if a.body, err = io.ReadAll(response.Body); err != nil {
		c.t.Fatal(err)
	}
	_ = json.Unmarshal(a.body, a) // lists and pages are read by who asks for them
	return a
}

// wants sends a request that must be answered with a status.
func (c *client) wants(status int, method, target string, body any) *answer {
	c.t.Helper()
	a := c.do(method, target, body)
	if a.status != status {
		c.t.Fatalf("%s %s: want %d, got %s", method, target, status, a)
	}
	return a
}

// starts begins a flow of an app, with the query that follows its name.
func (c *client) starts(kind, query string) *answer {
	c.t.Helper()
	return c.wants(http.StatusOK, http.MethodGet, "/self-service/"+kind+"/api"+query, nil)
}

// opens begins a flow of a browser and reads it as its page does.
func (c *client) opens(kind, query string) *answer {
	c.t.Helper()
	sent := c.wants(http.StatusSeeOther, http.MethodGet, "/self-service/"+kind+"/browser"+query, nil)
	at, err := url.Parse(sent.header.Get("Location"))
	if err != nil || at.Query().Get("flow") == "" {
		c.t.Fatalf("start %s: leads to %q, %v", kind, at, err)
	}
	return c.reads(kind, at.Query().Get("flow"))
}

// reads reads a flow as its page does.
func (c *client) reads(kind, id string) *answer {
	c.t.Helper()
	return c.with("Accept", "application/json").wants(http.StatusOK, http.MethodGet, "/self-service/"+kind+"/flows?id="+id, nil)
}

// sends fills a browser's form in and sends it.
func (c *client) sends(flow *answer, fields map[string]string) *answer {
	c.t.Helper()
	form := url.Values{}
	for _, n := range flow.UI.Nodes {
		if n.Attributes.Name == "csrf_token" {
			form.Set("csrf_token", n.Attributes.Value.(string))
		}
	}
	for name, value := range fields {
		form.Set(name, value)
	}
	return c.wants(http.StatusSeeOther, http.MethodPost, flow.UI.Action, form)
}

// lands fails unless a redirect leads to a URL that begins so.
func (a *answer) lands(t *testing.T, prefix string) {
	t.Helper()
	if got := a.header.Get("Location"); !strings.HasPrefix(got, prefix) {
		t.Fatalf("leads to %q, not to %q", got, prefix)
	}
}

// somebody is an address that nobody had before.
func somebody(name string) string {
	return name + "-" + strings.ToLower(rand.Text()[:8]) + "@example.test"
}

// mail waits for the mails to an address and returns the last of n.
func (d *deployment) mail(t *testing.T, recipient string, n int) letter {
	t.Helper()
	var mine []letter
	for until := time.Now().Add(4 * patience); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if mine = d.mails(t, recipient); len(mine) >= n {
			break
		}
	}
	if len(mine) != n {
		t.Fatalf("%d mails to %s, want %d: %+v", len(mine), recipient, n, mine)
	}
	if n == 0 {
		return letter{}
	}
	return mine[n-1]
}

func (d *deployment) mails(t *testing.T, recipient string) (mine []letter) {
	t.Helper()
	inbox, err := d.inbox(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range inbox {
		if slices.Contains(l.To, recipient) {
			mine = append(mine, l)
		}
	}
	return mine
}
