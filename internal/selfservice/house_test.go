package selfservice_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/hook"
	"styx/internal/identity"
	"styx/internal/identity/schema"
	"styx/internal/jsonnet"
	"styx/internal/method"
	"styx/internal/outbound"
	"styx/internal/secret"
	"styx/internal/selfservice"
	"styx/internal/store"
	"styx/internal/table"
	"styx/internal/table/local"
	"styx/internal/ui"
	"styx/internal/web"
)

// The schemas of the tests: a person signs up with an email, a member with a
// name, and nobody chooses to be staff.
const (
	person = `{"type":"object","properties":{"traits":{"type":"object","properties":{
		"email":{"type":"string","format":"email","ory.sh/kratos":{"credentials":{"password":{"identifier":true}},"verification":{"via":"email"},"recovery":{"via":"email"}}},
		"other":{"type":"string","format":"email","ory.sh/kratos":{"verification":{"via":"email"},"recovery":{"via":"email"}}},
		"name":{"type":"string","maxLength":20}},
		"required":["email"],"additionalProperties":false}}}`
	member = `{"type":"object","properties":{"traits":{"type":"object","properties":{
		"nick":{"type":"string","ory.sh/kratos":{"credentials":{"password":{"identifier":true}}}}}}}}`
)

const settings = `
dev: true
serve: {public: {base_url: "https://id.example.org/"}}
identity:
  default_schema_id: person
  schemas:
    - {id: person, url: "base64://PERSON"}
    - {id: member, url: "base64://MEMBER", selfservice_selectable: true}
    - {id: staff, url: "base64://MEMBER"}
selfservice:
  default_browser_return_url: https://app.example.org/
  allowed_return_urls: ["https://app.example.org/", "app://done"]
  methods: {password: {config: {haveibeenpwned_enabled: false}}}
  flows:
    error: {ui_url: "https://app.example.org/error"}
    login: {ui_url: "https://app.example.org/login", lifespan: 10m}
    registration: {ui_url: "https://app.example.org/registration", lifespan: 20m, after: {password: {hooks: [{hook: session}]}}}
    settings: {ui_url: "https://app.example.org/settings"}
    recovery: {ui_url: "https://app.example.org/recovery"}
    verification: {ui_url: "https://app.example.org/verification"}
hashers: {algorithm: bcrypt, bcrypt: {cost: 4}}
secrets: {default: [a secret of the tests]}
log: {level: error}
`

// TestMain is also what a program of the tests' web hooks runs in.
func TestMain(m *testing.M) {
	jsonnet.Main()
	os.Exit(m.Run())
}

// programs runs the bodies of web hooks, in processes that all houses share.
var programs = sync.OnceValue(func() *jsonnet.Evaluator { return jsonnet.NewEvaluator(jsonnet.DefaultLimits(), 2) })

// clock is a clock that the tests turn.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time        { return time.UnixMicro(c.at.Load()).UTC() }
func (c *clock) pass(by time.Duration) { c.at.Add(by.Microseconds()) }
func noon() time.Time                  { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }
func encoded(document string) string   { return base64.StdEncoding.EncodeToString([]byte(document)) }
func uuid() string                     { return secret.NewV4(rand.Reader).String() }
func said(ids ...ui.ID) []ui.ID        { return ids }
func pick(kind, login, other string) string {
	return map[bool]string{true: login, false: other}[kind == "login"]
}

// house is the public API over a table in memory.
type house struct {
	*selfservice.Engine
	clock   *clock
	table   table.Table
	handler http.Handler
}

// open builds a house from the settings above and more of them, which go over.
func open(tb testing.TB, more ...string) *house {
	tb.Helper()
	sources := []config.Source{{Name: "base", Data: []byte(strings.NewReplacer("PERSON", encoded(person), "MEMBER", encoded(member)).Replace(settings))}}
	for _, text := range more {
		sources = append(sources, config.Source{Name: "more", Data: []byte(text)})
	}
	c, _, err := config.Load(sources, nil, nil)
	if err != nil {
		tb.Fatal(err)
	}
	h := &house{clock: new(clock)}
	h.clock.at.Store(noon().UnixMicro())
	memory, err := local.Memory(local.Options{Now: h.clock.now, Rand: rand.Reader})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = memory.Close() })
	h.table = memory
	h.furnish(tb, c)
	return h
}

// furnish makes the handlers anew, such as after a deployment of other settings.
func (h *house) furnish(tb testing.TB, c *config.Config) {
	tb.Helper()
	ring, err := secret.New(secret.Lists{Default: []string{c.Secrets.Default[0].Reveal()}}, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	hash, err := secret.NewHasher(secret.HasherConfig{
		Algorithm: c.Hashers.Algorithm, BcryptCost: c.Hashers.Bcrypt.Cost, Argon2: secret.Argon2(c.Hashers.Argon2),
	}, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	own := *c.Serve.Public.BaseURL
	own.Path = "/self-service"
	h.Engine = &selfservice.Engine{
		Config: c,
		Store:  &store.Store{Table: h.table, Ring: ring, Now: h.clock.now, Rand: rand.Reader},
		Schemas: identity.NewCatalog(c.Identity.Schemas,
			func(ctx context.Context, uri string) ([]byte, error) { return outbound.Fetch(ctx, nil, "", uri, 1<<20) },
			func(_ context.Context, s *identity.Schema) (identity.Rules, error) {
				return schema.Compile(s, schema.Options{})
			}),
		Methods: method.All(c, hash, ring, rand.Reader, nil),
		Policy:  identity.Policy{Password: true, TOTP: true, Passwordless: c.Methods.Code.Passwordless, CodeMFA: c.Methods.Code.MFA},
		Cookies: web.NewCookies(c, ring, rand.Reader),
		Returns: web.Returns{Default: c.SelfService.DefaultReturnURL, Allowed: append(slices.Clone(c.SelfService.AllowedReturns), &own)},
		Proxies: web.Proxies(c.Styx.TrustedProxies),
		Press:   &courier.Press{Ring: ring, Now: h.clock.now, Rand: rand.Reader},
		Hooks: &hook.Caller{
			Client: http.DefaultClient, Programs: &jsonnet.Catalog{Evaluator: programs(), Client: http.DefaultClient}, Rand: rand.Reader,
			HeaderAllowlist: c.Clients.HeaderAllowlist,
		},
		Now: h.clock.now, Rand: rand.Reader,
	}
	mux := http.NewServeMux()
	for _, handlers := range []selfservice.Handlers{h.Login(), h.Registration(), h.Settings(), h.Recovery(), h.Verification(), h.Sessions(), h.Errors(), h.Meta()} {
		for pattern, handler := range handlers {
			mux.HandleFunc(pattern, handler)
		}
	}
	h.handler = web.Public(c.Serve.Public.CORS, h.Cookies, mux)
}

// The three kinds of client.
const (
	api  = "api"  // JSON and a session token
	spa  = "spa"  // JSON and cookies
	html = "html" // forms, redirects and cookies
)

var kinds = []string{api, spa, html}

// client is one app or one browser.
type client struct {
	*house
	kind  string
	jar   map[string]string
	token string
}

func (h *house) client(kind string) *client {
	return &client{house: h, kind: kind, jar: map[string]string{}}
}

// answer is what a client got.
type answer struct {
	*httptest.ResponseRecorder
}

// request makes a request of the client: its cookies or token, its Accept.
func (c *client) request(tb testing.TB, verb, target, contentType, body string) *http.Request {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), verb, target, strings.NewReader(body))
	r.Header.Set("Accept", map[string]string{api: "application/json", spa: "application/json", html: "text/html"}[c.kind])
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.Header.Set("User-Agent", "the tests")
	if c.kind == api {
		if c.token != "" {
			r.Header.Set("X-Session-Token", c.token)
		}
		return r
	}
	for name, value := range c.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

// send sends a request and keeps the cookies of its answer.
func (c *client) send(r *http.Request) answer {
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	for _, cookie := range w.Result().Cookies() {
		c.jar[cookie.Name] = cookie.Value
		if cookie.MaxAge < 0 {
			delete(c.jar, cookie.Name)
		}
	}
	return answer{w}
}

func (c *client) ask(tb testing.TB, verb, target string) answer {
	tb.Helper()
	return c.send(c.request(tb, verb, target, "", ""))
}

// opened starts a flow and returns its answer.
func (c *client) opened(tb testing.TB, kind, query string) answer {
	tb.Helper()
	return c.ask(tb, http.MethodGet, "/self-service/"+kind+"/"+map[string]string{api: "api", spa: "browser", html: "browser"}[c.kind]+"?"+query)
}

// start starts a flow and returns its id.
func (c *client) start(tb testing.TB, kind, query string) string {
	tb.Helper()
	a := c.opened(tb, kind, query)
	id := a.flowID(tb)
	if id == "" {
		tb.Fatalf("%s: no flow of %s: %d %s %s", c.kind, kind, a.Code, a.Header().Get("Location"), a.Body)
	}
	return id
}

// fetch reads a flow as the pages of a client do: as JSON, with its cookies.
func (c *client) fetch(tb testing.TB, kind, id string) answer {
	tb.Helper()
	r := c.request(tb, http.MethodGet, "/self-service/"+kind+"/flows?id="+id, "", "")
	r.Header.Set("Accept", "application/json")
	return c.send(r)
}

// fields are a submission, by name.
type fields map[string]string

// submit sends fields to a flow as the client's kind does, with its form's
// anti-CSRF token unless there is one among the fields.
func (c *client) submit(tb testing.TB, kind, id string, sent fields) answer {
	tb.Helper()
	form := url.Values{}
	for name, value := range sent {
		form.Set(name, value)
	}
	if _, given := sent["csrf_token"]; !given && c.kind != api {
		form.Set("csrf_token", c.csrf(tb, kind, id))
	}
	contentType, body := "application/x-www-form-urlencoded", form.Encode()
	if c.kind != html {
		flat := map[string]string{}
		for name := range form {
			flat[name] = form.Get(name)
		}
		encoded, err := json.Marshal(flat)
		if err != nil {
			tb.Fatal(err)
		}
		contentType, body = "application/json", string(encoded)
	}
	return c.post(tb, kind, id, contentType, body)
}

func (c *client) post(tb testing.TB, kind, id, contentType, body string) answer {
	tb.Helper()
	return c.send(c.request(tb, http.MethodPost, "/self-service/"+kind+"?flow="+id, contentType, body))
}

// csrf is the token in the form of a flow.
func (c *client) csrf(tb testing.TB, kind, id string) string {
	tb.Helper()
	for _, node := range c.fetch(tb, kind, id).flow(tb).UI.Nodes {
		if node.Attributes.Name == "csrf_token" {
			value, _ := node.Attributes.Value.(string)
			return value
		}
	}
	return ""
}

// flow is a flow as clients see it.
type flow struct {
	ID         string    `json:"id"`
	State      string    `json:"state"`
	Active     string    `json:"active"`
	RequestURL string    `json:"request_url"`
	ReturnTo   string    `json:"return_to"`
	Refresh    bool      `json:"refresh"`
	Schema     string    `json:"identity_schema"`
	ExpiresAt  time.Time `json:"expires_at"`
	UI         ui.Form   `json:"ui"`

	ContinueWith []next `json:"continue_with"`
}

// next is what a client is asked to do next.
type next struct {
	Action   string `json:"action"`
	Token    string `json:"ory_session_token"`
	Redirect string `json:"redirect_browser_to"`
	Flow     struct {
		ID      string `json:"id"`
		URL     string `json:"url"`
		Address string `json:"verifiable_address"`
	} `json:"flow"`
}

// messages are the ids of all messages of a form, its nodes' after its own.
func (f flow) messages() []ui.ID {
	ids := []ui.ID{}
	for _, message := range f.UI.Messages {
		ids = append(ids, message.ID)
	}
	for _, node := range f.UI.Nodes {
		for _, message := range node.Messages {
			ids = append(ids, message.ID)
		}
	}
	return ids
}

// node is the node of that name, nil when the form has none.
func (f flow) node(name string) *ui.Node { return f.UI.Find(name) }

func (a answer) decode(tb testing.TB, into any) {
	tb.Helper()
	if err := json.Unmarshal(a.Body.Bytes(), into); err != nil {
		tb.Fatalf("%v in %d %s", err, a.Code, a.Body)
	}
}

func (a answer) flow(tb testing.TB) flow {
	tb.Helper()
	var f flow
	a.decode(tb, &f)
	return f
}

// flowID is the id of the flow that an answer shows or redirects to.
func (a answer) flowID(tb testing.TB) string {
	tb.Helper()
	if location := a.location(tb); location != nil {
		return location.Query().Get("flow")
	}
	if a.Code >= http.StatusBadRequest && !strings.Contains(a.Body.String(), `"ui"`) {
		return ""
	}
	return a.flow(tb).ID
}

// location is where an answer redirects to, nil for nowhere.
func (a answer) location(tb testing.TB) *url.URL {
	tb.Helper()
	given := a.Header().Get("Location")
	if given == "" {
		return nil
	}
	parsed, err := url.Parse(given)
	if err != nil {
		tb.Fatal(err)
	}
	return parsed
}

// problem is an error as clients see it.
type problem struct {
	ID      string         `json:"id"`
	Code    int            `json:"code"`
	Message string         `json:"message"`
	Reason  string         `json:"reason"`
	Details map[string]any `json:"details"`
}

// problem is the error that an answer tells, or shows on the page for errors.
func (c *client) problem(tb testing.TB, a answer) problem {
	tb.Helper()
	var body struct {
		Error problem `json:"error"`
	}
	if to := a.location(tb); to != nil {
		if to.Path != "/error" {
			tb.Fatalf("redirected to %s", to)
		}
		a = c.ask(tb, http.MethodGet, "/self-service/errors?id="+to.Query().Get("id"))
	}
	a.decode(tb, &body)
	return body.Error
}

// again is the flow that a submission leads back to: in the answer, or where
// the browser is sent.
func (c *client) again(tb testing.TB, kind string, a answer) flow {
	tb.Helper()
	if to := a.location(tb); to != nil {
		if to.Path != "/"+kind {
			tb.Fatalf("redirected to %s: %+v", to, c.problem(tb, a))
		}
		return c.fetch(tb, kind, to.Query().Get("flow")).flow(tb)
	}
	if a.Code != http.StatusBadRequest {
		tb.Fatalf("answered %d %s", a.Code, a.Body)
	}
	return a.flow(tb)
}

// sessionView is a session as clients see it.
type sessionView struct {
	ID              string    `json:"id"`
	Active          bool      `json:"active"`
	AAL             string    `json:"authenticator_assurance_level"`
	ExpiresAt       time.Time `json:"expires_at"`
	AuthenticatedAt time.Time `json:"authenticated_at"`
	IssuedAt        time.Time `json:"issued_at"`
	Methods         []struct {
		Method string `json:"method"`
	} `json:"authentication_methods"`
	Identity *struct {
		ID string `json:"id"`
	} `json:"identity"`
	Devices []struct {
		IPAddress string `json:"ip_address"`
	} `json:"devices"`
}

// done takes the session that a login or a registration ended with.
func (c *client) done(tb testing.TB, a answer) sessionView {
	tb.Helper()
	if c.kind == html && a.Code == http.StatusSeeOther && a.location(tb).Host == "app.example.org" && a.location(tb).Path == "/" || a.Code == http.StatusOK {
		var body struct {
			Token string `json:"session_token"`
		}
		if c.kind != html {
			a.decode(tb, &body)
		}
		c.token = body.Token
		return c.whoami(tb)
	}
	tb.Fatalf("%s: not signed in: %d %s %s", c.kind, a.Code, a.Header().Get("Location"), a.Body)
	return sessionView{}
}

// whoami is the client's session; its zero value for nobody.
func (c *client) whoami(tb testing.TB) sessionView {
	tb.Helper()
	var view sessionView
	if a := c.ask(tb, http.MethodGet, "/sessions/whoami"); a.Code == http.StatusOK {
		a.decode(tb, &view)
	}
	return view
}

const password = "correct horse battery"

// signUp registers a new person, who is then signed in.
func (c *client) signUp(tb testing.TB, email string) sessionView {
	tb.Helper()
	id := c.start(tb, "registration", "")
	return c.done(tb, c.submit(tb, "registration", id, fields{"method": "password", "traits.email": email, "password": password}))
}

// signIn signs a person in through a new flow.
func (c *client) signIn(tb testing.TB, email, query string) sessionView {
	tb.Helper()
	return c.done(tb, c.tryIn(tb, email, password, query))
}

func (c *client) tryIn(tb testing.TB, identifier, password, query string) answer {
	tb.Helper()
	return c.submit(tb, "login", c.start(tb, "login", query), fields{"method": "password", "identifier": identifier, "password": password})
}

// stored is the identity as the table has it.
func (h *house) stored(tb testing.TB, id string) *identity.Identity {
	tb.Helper()
	who, err := h.Store.Identity(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	return who
}

// change changes a stored identity.
func (h *house) change(tb testing.TB, id string, change func(*identity.Identity)) {
	tb.Helper()
	if err := h.Store.Upgrade(tb.Context(), h.stored(tb, id), change); err != nil {
		tb.Fatal(err)
	}
}

// inactive switches an identity off.
func (h *house) inactive(tb testing.TB, id string) {
	tb.Helper()
	h.change(tb, id, func(who *identity.Identity) { who.SetState(identity.Inactive, h.Now()) })
}

// multipartOf writes fields as a multipart form.
func multipartOf(tb testing.TB, sent fields) (contentType, body string) {
	tb.Helper()
	var buffer bytes.Buffer
	writer := multipart.NewWriter(&buffer)
	for name, value := range sent {
		if err := writer.WriteField(name, value); err != nil {
			tb.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		tb.Fatal(err)
	}
	return writer.FormDataContentType(), buffer.String()
}
