package hook_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/hook"
	"styx/internal/identity"
	"styx/internal/jsonnet"
	"styx/internal/outbound"
)

func TestMain(m *testing.M) {
	jsonnet.Main()
	os.Exit(m.Run())
}

// call is what a receiver got.
type call struct {
	Method, Path, Body string
	Header             http.Header
}

// receiver answers each call with the next of its replies, the last one for ever.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	calls   []call
	replies []reply
}

type reply struct {
	status int
	body   string
	header http.Header
	do     func(http.ResponseWriter, *http.Request) // instead
}

func receive(t testing.TB, replies ...reply) *receiver {
	t.Helper()
	r := &receiver{replies: replies}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		r.calls = append(r.calls, call{req.Method, req.URL.RequestURI(), string(body), req.Header})
		next := r.replies[min(len(r.calls), len(r.replies))-1]
		r.mu.Unlock()
		if next.do != nil {
			next.do(w, req)
			return
		}
		maps.Copy(w.Header(), next.header)
		w.WriteHeader(next.status)
		_, _ = io.WriteString(w, next.body)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) got() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}

// hook is a web_hook with that Jsonnet body, none for "".
func (r *receiver) hook(t testing.TB, body string) config.WebHook {
	t.Helper()
	at, err := url.Parse(r.URL + "/hook?key=k3y")
	if err != nil {
		t.Fatal(err)
	}
	h := config.WebHook{Request: config.Request{URL: at, Method: http.MethodPost}}
	if body != "" {
		h.Body = "base64://" + base64.StdEncoding.EncodeToString([]byte(body))
	}
	return h
}

func caller(t testing.TB) *hook.Caller {
	t.Helper()
	limits := jsonnet.DefaultLimits()
	limits.Time = 20 * time.Second // the machine may be busy
	evaluator := jsonnet.NewEvaluator(limits, 1)
	t.Cleanup(evaluator.Close)
	client := outbound.New(outbound.Policy{AllowPrivate: true})
	return &hook.Caller{
		Client:          client,
		Programs:        &jsonnet.Catalog{Evaluator: evaluator, Client: client},
		HeaderAllowlist: []string{"accept", "User-Agent", "Referer", "Content-Type"},
		OwnCookies:      []string{"ory_kratos_session", "ory_kratos_continuity"},
		Rand:            rand.Reader,
	}
}

const everything = `function(ctx) ctx`

func person() hook.Context {
	return hook.Context{
		Flow:           map[string]any{"id": "f1", "type": "api", "transient_payload": map[string]any{"note": "pier"}},
		RequestHeaders: http.Header{"User-Agent": {"test"}, "Cookie": {"a=b"}, "Authorization": {"Bearer t0ken"}, "X-Session-Token": {"ory_st_1"}},
		RequestMethod:  http.MethodPost,
		RequestURL:     "https://id.example/self-service/login?flow=f1",
		RequestCookies: map[string]string{"theme": "dark"},
		Identity:       map[string]any{"id": "i1", "traits": map[string]any{"email": "a@b.c"}},
	}
}

// refused is what a form would show of an error.
func refused(err error) string {
	known := fault.As(err)
	if known == nil {
		return fmt.Sprint(err)
	}
	if known.Kind != fault.BadRequest {
		return fmt.Sprint("kind ", known.Kind, " ", known.Reason)
	}
	var out []string
	for _, field := range known.Fields {
		context, _ := json.Marshal(field.Text.Context)
		out = append(out, fmt.Sprintf("%s=%d %s %s %s", field.At, field.Text.ID, field.Text.Type, field.Text.Text, context))
	}
	return strings.Join(out, "; ")
}

var (
	internal = fmt.Sprint("kind ", fault.Internal, " ")
	improper = fmt.Sprint("kind ", fault.Upstream, " A third-party upstream service responded improperly. Please try again later.")
	tooLate  = fmt.Sprint("kind ", fault.UpstreamTimeout, " A third-party upstream service could not be reached. Please try again later.")
)

const messages = `{"messages":[{"instance_ptr":"#/traits/email","messages":[{"id":4900123,"text":"On our list.","type":"error","context":{"list":"blocked"}}]}]}`

func TestAnswers(t *testing.T) {
	c := caller(t)
	const shown = `traits.email=4900123 error On our list. {"list":"blocked"}`
	for _, row := range []struct {
		status               int
		body                 string
		parse, interrupt, no string // what comes of it with parse, with can_interrupt, with neither
	}{
		{204, ``, "", "", ""},
		{200, `{}`, "", "", ""},
		{200, `{"identity":null}`, "", "", ""},
		{200, `{} and more`, "", "", ""},
		{200, ``, internal, "", ""},
		{200, `rubbish`, internal, "", ""},
		{200, `[]`, internal, "", ""},
		{200, `{"identity":{"state":"asleep"}}`, internal, "", ""},
		{200, `{"identity":{"schema_id":7}}`, internal, "", ""},
		{200, `{"identity":{"verifiable_addresses":[{"id":"x"}]}}`, internal, "", ""},
		{200, messages, "", "", ""},
		{201, `rubbish`, "", "", ""},
		{304, ``, "", "", ""},
		{302, ``, "", "", ""}, // to nowhere
		{400, messages, shown, shown, improper},
		{403, messages, shown, shown, improper},
		{422, messages, shown, shown, improper},
		{501, messages, shown, shown, improper},
		{422, `{"messages":[{"messages":[{"id":1,"text":"Not today.","type":"error"}]}]}`, "=1 error Not today. null", "=1 error Not today. null", improper},
		{
			422, `{"messages":[{"instance_ptr":"#/","messages":[{"id":1,"text":"a","type":"info"},{"id":2,"text":"b","type":"success"},{"id":3,"text":"c"}]}]}`,
			"=1 info a null; =2 info b null; =3 info c null", "=1 info a null; =2 info b null; =3 info c null", improper,
		},
		{422, `{"messages":[{"instance_ptr":"#/code","messages":[{"text":"x","type":"error","context":[1]}]}]}`, "code=0 error x null", "code=0 error x null", improper},
		{422, `{"messages":[]}`, internal, internal, improper},
		{422, `{"messages":[{"instance_ptr":"#/traits/email"}]}`, internal, internal, improper},
		{422, `{"messages":[{"messages":[{"id":"4900123"}]}]}`, internal, internal, improper},
		{422, `rubbish`, internal, internal, improper},
		{404, ``, internal, internal, improper},
	} {
		for _, mode := range []struct {
			name, want       string
			parse, interrupt bool
		}{{"parse", row.parse, true, false}, {"can_interrupt", row.interrupt, false, true}, {"neither", row.no, false, false}} {
			r := receive(t, reply{status: row.status, body: row.body})
			h := r.hook(t, "")
			h.Parse, h.CanInterrupt = mode.parse, mode.interrupt
			result, err := c.Call(t.Context(), h, person())
			got := ""
			if err != nil {
				got = refused(err)
			}
			if got != mode.want || result.Identity != nil || len(r.got()) != 1 {
				t.Errorf("%d %s, %s: %q, %v after %d calls, want %q", row.status, row.body, mode.name, got, result.Identity, len(r.got()), mode.want)
			}
		}
	}
}

func TestAnswerChangesTheIdentity(t *testing.T) {
	c := caller(t)
	r := receive(t, reply{status: 200, body: `{"identity":{"traits":{"email":"x@y.z"},"schema_id":"member","state":"inactive","external_id":"",
		"metadata_public":{"a":1},"metadata_admin":{"b":2},"verified_addresses":[],
		"verifiable_addresses":[{"via":"email","value":"x@y.z","verified":true,"status":"completed","verified_at":null,"planted":1},
			{"id":"00000000-0000-0000-0000-000000000000","via":"sms","value":"+49"}],
		"recovery_addresses":[{"id":"1B4E28BA-2FA1-11D2-883F-0016D3CCA427","via":"email","value":"x@y.z"}]}}`})
	h := r.hook(t, "")
	h.Parse = true
	result, err := c.Call(t.Context(), h, person())
	if err != nil {
		t.Fatal(err)
	}
	none := ""
	want := &hook.Change{
		Traits: json.RawMessage(`{"email":"x@y.z"}`), SchemaID: "member", State: identity.Inactive, ExternalID: &none,
		MetadataPublic: json.RawMessage(`{"a":1}`), MetadataAdmin: json.RawMessage(`{"b":2}`),
		VerifiableAddresses: []identity.VerifiableAddress{
			{Via: identity.ViaEmail, Value: "x@y.z", Verified: true, Status: identity.Completed},
			{Via: identity.ViaSMS, Value: "+49"},
		},
		RecoveryAddresses: []identity.RecoveryAddress{{ID: "1b4e28ba-2fa1-11d2-883f-0016d3cca427", Via: identity.ViaEmail, Value: "x@y.z"}},
	}
	if !reflect.DeepEqual(result.Identity, want) {
		t.Errorf("%+v\nwant %+v", result.Identity, want)
	}

	r.replies = []reply{{status: 200, body: `{"identity":{"traits":null,"metadata_public":null,"external_id":null,"verifiable_addresses":[]}}`}}
	if result, err = c.Call(t.Context(), h, person()); err != nil || !reflect.DeepEqual(result.Identity, &hook.Change{}) {
		t.Errorf("nothing given: %+v, %v", result.Identity, err)
	}
	h.Parse, h.CanInterrupt = false, true
	r.replies = []reply{{status: 200, body: `{"identity":{"schema_id":"member"}}`}}
	if result, err = c.Call(t.Context(), h, person()); err != nil || result.Identity != nil {
		t.Errorf("can_interrupt changes: %+v, %v", result.Identity, err)
	}
}

func TestLargeAnswerIsRefused(t *testing.T) {
	c := caller(t)
	for size, want := range map[int]string{5 << 20: "", 5<<20 + 1: internal} {
		body := `{"a":"` + strings.Repeat("x", size-8) + `"}`
		h := receive(t, reply{status: 200, body: body}).hook(t, "")
		h.Parse = true
		got := ""
		if _, err := c.Call(t.Context(), h, person()); err != nil {
			got = refused(err)
		}
		if got != want {
			t.Errorf("%d bytes: %q, want %q", size, got, want)
		}
		h.Parse = false
		if _, err := c.Call(t.Context(), h, person()); err != nil {
			t.Errorf("%d bytes that nobody reads: %v", size, err)
		}
	}
}

func TestManyMessagesAreCut(t *testing.T) {
	one := `{"messages":[{"id":1,"text":"x","type":"error"}]}`
	h := receive(t, reply{status: 400, body: `{"messages":[` + strings.Repeat(one+",", 5000) + one + `]}`}).hook(t, "")
	h.Parse = true
	_, err := caller(t).Call(t.Context(), h, person())
	if known := fault.As(err); known == nil || len(known.Fields) != 100 {
		t.Errorf("%v", refused(err))
	}
}

func TestRequest(t *testing.T) {
	c := caller(t)
	for _, row := range []struct {
		name   string
		body   string
		change func(*config.WebHook)
		method string
		want   string // body
		header map[string]string
	}{
		{"JSON", `{ a: [1, 'x'] }`, nil, "POST", `{"a":[1,"x"]}`, map[string]string{"Content-Type": "application/json"}},
		{"another kind of JSON", `{}`, func(h *config.WebHook) {
			h.Headers = map[string]config.Secret{"content-type": "application/scim+json", "X-One": "1"}
		}, "POST", `{}`, map[string]string{"Content-Type": "application/scim+json", "X-One": "1"}},
		{"form", `{ a: 'x y', n: 1.5, t: true, none: null, 'b&': '=' }`, func(h *config.WebHook) {
			h.Headers = map[string]config.Secret{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
		}, "POST", `a=x+y&b%26=%3D&n=1.5&t=true`, map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}},
		{"no body", ``, nil, "POST", ``, map[string]string{"Content-Type": ""}},
		{"GET with a body", `1`, func(h *config.WebHook) { h.Method = "GET" }, "GET", `1`, nil},
		{"TRACE", `{ a: 1 }`, func(h *config.WebHook) { h.Method = "TRACE" }, "TRACE", ``, map[string]string{"Content-Type": ""}},
		{"key in a header", ``, func(h *config.WebHook) {
			h.Auth = config.Auth{Type: config.AuthAPIKey, Name: "x-shop-key", Value: "k", In: "header"}
		}, "POST", ``, map[string]string{"X-Shop-Key": "k"}},
		{"key in a cookie", ``, func(h *config.WebHook) {
			h.Auth = config.Auth{Type: config.AuthAPIKey, Name: "key", Value: "k", In: "cookie"}
		}, "POST", ``, map[string]string{"Cookie": "key=k"}},
		{"basic", ``, func(h *config.WebHook) {
			h.Auth = config.Auth{Type: config.AuthBasic, User: "shop", Password: "stub-password"}
		}, "POST", ``, map[string]string{"Authorization": "Basic c2hvcDpzdHViLXBhc3N3b3Jk"}},
		{"without ids", ``, nil, "POST", ``, map[string]string{"Ory-Webhook-Trigger-Id": "", "Ory-Webhook-Request-Id": ""}},
	} {
		r := receive(t, reply{status: 204})
		h := r.hook(t, row.body)
		if row.change != nil {
			row.change(&h)
		}
		if _, err := c.Call(t.Context(), h, person()); err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		got := r.got()[0]
		if got.Method != row.method || got.Body != row.want || got.Path != "/hook?key=k3y" {
			t.Errorf("%s: %s %s %q", row.name, got.Method, got.Path, got.Body)
		}
		for name, value := range row.header {
			if got.Header.Get(name) != value {
				t.Errorf("%s: %s is %q, want %q", row.name, name, got.Header.Get(name), value)
			}
		}
	}
}

func TestRequestFails(t *testing.T) {
	c := caller(t)
	asForm := func(h *config.WebHook) {
		h.Headers = map[string]config.Secret{"Content-Type": "application/x-www-form-urlencoded"}
	}
	for name, row := range map[string]struct {
		body   string
		change func(*config.WebHook)
	}{
		"a program that is wrong":     {`function(ctx) ctx.nobody`, nil},
		"a program that is no more":   {``, func(h *config.WebHook) { h.Body = "file:///nowhere.jsonnet" }},
		"a program elsewhere":         {``, func(h *config.WebHook) { h.Body = "ftp://x/y" }},
		"a form of a list":            {`[1]`, asForm},
		"a form with a list":          {`{ a: [1] }`, asForm},
		"a form with an object":       {`{ a: {} }`, asForm},
		"no URL":                      {``, func(h *config.WebHook) { h.URL = nil }},
		"a method that is none":       {``, func(h *config.WebHook) { h.Method = "A B" }},
		"ignored and parsed":          {``, func(h *config.WebHook) { h.Ignore, h.Parse = true, true }},
		"ignored and able to refuse":  {``, func(h *config.WebHook) { h.Ignore, h.CanInterrupt = true, true }},
		"a scheme that is not spoken": {``, func(h *config.WebHook) { h.URL = &url.URL{Scheme: "gopher", Host: "x"} }},
	} {
		r := receive(t, reply{status: 204})
		h := r.hook(t, row.body)
		if row.change != nil {
			row.change(&h)
		}
		if _, err := c.Call(t.Context(), h, person()); refused(err) != internal || len(r.got()) != 0 {
			t.Errorf("%s: %v after %d calls", name, err, len(r.got()))
		}
	}
}

func TestCancelSkipsTheCall(t *testing.T) {
	c := caller(t)
	r := receive(t, reply{status: 500})
	h := r.hook(t, `function(ctx) if ctx.flow.type == 'api' then error 'cancel' else ctx`)
	h.Parse = true
	if result, err := c.Call(t.Context(), h, person()); err != nil || result.Identity != nil {
		t.Errorf("%v, %v", result, err)
	}
	h.Parse, h.Ignore = false, true
	if req, err := c.Prepare(t.Context(), h, person()); !errors.Is(err, hook.ErrSkip) {
		t.Errorf("%v, %v", req, err)
	}
	if len(r.got()) > 0 {
		t.Errorf("%d calls", len(r.got()))
	}
}

func TestRepetition(t *testing.T) {
	c := caller(t)
	hangUp := reply{do: func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}}
	for _, row := range []struct {
		name    string
		replies []reply
		calls   int
		want    string // with parse
	}{
		{"500, then well", []reply{{status: 500}, {status: 200, body: `{}`}}, 2, ""},
		{"503 twice, then refusal", []reply{{status: 503}, {status: 503}, {status: 400, body: messages}}, 3, `traits.email=4900123 error On our list. {"list":"blocked"}`},
		{"500 for ever", []reply{{status: 500, body: `{"oops":true}`}}, 3, internal},
		{"501 is an answer", []reply{{status: 501}}, 1, internal},
		{"429 is an answer", []reply{{status: 429}}, 1, internal},
		{"hung up once", []reply{hangUp, {status: 204}}, 2, ""},
		{"hung up for ever", []reply{hangUp}, 3, internal},
	} {
		r := receive(t, row.replies...)
		h := r.hook(t, everything)
		h.Parse, h.Analytics = true, true
		got := ""
		if _, err := c.Call(t.Context(), h, person()); err != nil {
			got = refused(err)
		}
		calls := r.got()
		if got != row.want || len(calls) != row.calls {
			t.Errorf("%s: %q after %d calls, want %q after %d", row.name, got, len(calls), row.want, row.calls)
		}
		ids := map[string]bool{}
		for _, one := range calls {
			if one.Body != calls[0].Body || one.Header.Get("Ory-Webhook-Trigger-ID") != calls[0].Header.Get("Ory-Webhook-Trigger-ID") {
				t.Errorf("%s: another call than the first", row.name)
			}
			ids[one.Header.Get("Ory-Webhook-Request-ID")] = true
		}
		if len(ids) != row.calls || ids[""] || ids[calls[0].Header.Get("Ory-Webhook-Trigger-ID")] || len(calls[0].Header.Get("Ory-Webhook-Trigger-ID")) != 36 {
			t.Errorf("%s: request ids %v", row.name, ids)
		}
	}
}

func TestReceiverIsGone(t *testing.T) {
	r := receive(t, reply{status: 204})
	h := r.hook(t, "")
	r.Close()
	_, err := caller(t).Call(t.Context(), h, person())
	if refused(err) != internal || strings.Contains(err.Error(), "k3y") {
		t.Errorf("%v", err)
	}
}

// Whatever a receiver does, the reserve for the commit is left.
func TestSlowReceiverIsLeftInTime(t *testing.T) {
	c := caller(t)
	hang := func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }
	drip := func(w http.ResponseWriter, req *http.Request) {
		for req.Context().Err() == nil {
			if _, err := io.WriteString(w, " "); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}
	for name, do := range map[string]func(http.ResponseWriter, *http.Request){"hangs": hang, "drips": drip} {
		for _, parse := range []bool{true, false} {
			if name == "drips" && !parse {
				continue // nobody waits for it
			}
			r := receive(t, reply{do: do})
			h := r.hook(t, "")
			h.Parse = parse
			ctx, cancel := context.WithTimeout(t.Context(), outbound.Reserve+300*time.Millisecond)
			_, err := c.Call(ctx, h, person())
			if refused(err) != tooLate || ctx.Err() != nil || len(r.got()) != 1 {
				t.Errorf("%s: %v after %d calls", name, err, len(r.got()))
			}
			cancel()
		}
	}
}

func TestNoTimeIsLeft(t *testing.T) {
	r := receive(t, reply{status: 204})
	ctx, cancel := context.WithTimeout(t.Context(), outbound.Reserve/2)
	defer cancel()
	if _, err := caller(t).Call(ctx, r.hook(t, everything), person()); refused(err) != tooLate || len(r.got()) != 0 {
		t.Errorf("%v after %d calls", err, len(r.got()))
	}
}

func TestPauseEndsWithTheTime(t *testing.T) {
	r := receive(t, reply{status: 503})
	h := r.hook(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), outbound.Reserve+150*time.Millisecond)
	defer cancel()
	if _, err := caller(t).Call(ctx, h, person()); refused(err) != improper || len(r.got()) != 1 {
		t.Errorf("%v after %d calls", err, len(r.got()))
	}
}

func TestRefusedDestinationSaysNothing(t *testing.T) {
	c := caller(t)
	r := receive(t, reply{status: 204})
	c.Client = outbound.New(outbound.Policy{})
	var first string
	for _, at := range []string{r.URL, "http://169.254.169.254/latest", "http://[::1]:9", "http://10.0.0.1"} {
		h := r.hook(t, "")
		var err error
		if h.URL, err = url.Parse(at); err != nil {
			t.Fatal(err)
		}
		h.ID = "shop"
		_, err = c.Call(t.Context(), h, person())
		if refused(err) != internal || !errors.Is(err, outbound.ErrRefused) {
			t.Errorf("%s: %v", at, err)
		}
		if first == "" {
			first = err.Error()
		}
		if err.Error() != first {
			t.Errorf("%q and %q tell one destination from another", first, err)
		}
	}
	if len(r.got()) > 0 {
		t.Error("it was called")
	}
}

// net/http hands every header but a few to wherever a redirect leads.
func TestRedirectToAnotherHostGetsNoKey(t *testing.T) {
	c := caller(t)
	other := receive(t, reply{status: 204})
	for _, row := range []struct {
		name string
		same bool
	}{{"another host", false}, {"the same host", true}} {
		target := other.URL + "/there"
		if row.same {
			target = "/there"
		}
		r := receive(t, reply{status: 307, header: http.Header{"Location": {target}}}, reply{status: 204})
		h := r.hook(t, `{ a: 1 }`)
		h.Headers = map[string]config.Secret{"X-Other": "o"}
		h.Auth = config.Auth{Type: config.AuthAPIKey, Name: "X-Shop-Key", Value: "k", In: "header"}
		if _, err := c.Call(t.Context(), h, person()); err != nil {
			t.Fatal(err)
		}
		last := append(r.got(), other.got()...)[1]
		if last.Path != "/there" || last.Body != `{"a":1}` || last.Header.Get("Content-Type") != "application/json" || last.Header.Get("Referer") != "" {
			t.Errorf("%s: %+v", row.name, last)
		}
		if kept := last.Header.Get("X-Shop-Key") == "k" && last.Header.Get("X-Other") == "o"; kept != row.same {
			t.Errorf("%s: %v", row.name, last.Header)
		}
	}
	r := receive(t, reply{status: 307, header: http.Header{"Location": {"/hook"}}})
	h := r.hook(t, "")
	if _, err := c.Call(t.Context(), h, person()); refused(err) != internal || len(r.got()) != 10 {
		t.Errorf("round and round: %v after %d calls", err, len(r.got()))
	}
}

func TestPreparedRequestIsSentLater(t *testing.T) {
	c := caller(t)
	r := receive(t, reply{status: 204}, reply{status: 503}, reply{status: 410})
	h := r.hook(t, `function(ctx) { mail: ctx.identity.traits.email }`)
	h.Ignore, h.Analytics = true, true
	h.Auth = config.Auth{Type: config.AuthAPIKey, Name: "X-Shop-Key", Value: "s3cret", In: "header"}
	req, err := c.Prepare(t.Context(), h, person())
	if err != nil || len(r.got()) != 0 {
		t.Fatalf("%v after %d calls", err, len(r.got()))
	}
	if printed := fmt.Sprintf("%v %+v %#v %s", req, req, req, req); strings.Contains(printed, "s3cret") || strings.Contains(printed, "a@b.c") || strings.Contains(printed, "k3y") {
		t.Errorf("it prints as %s", printed)
	}
	raw, err := json.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	var later hook.Request
	if err := json.Unmarshal(raw, &later); err != nil || !reflect.DeepEqual(later, req) {
		t.Fatalf("%s: %v", raw, err)
	}
	if err := c.Send(t.Context(), later); err != nil {
		t.Error(err)
	}
	for _, want := range []int{503, 410} {
		err := c.Send(t.Context(), later)
		if got, ok := errors.AsType[*hook.StatusError](err); !ok || got.Status != want {
			t.Errorf("%v, want %d", err, want)
		}
	}
	calls := r.got()
	if len(calls) != 3 || calls[0].Body != `{"mail":"a@b.c"}` || calls[0].Header.Get("X-Shop-Key") != "s3cret" || calls[0].Header.Get("Ory-Webhook-Trigger-ID") != req.Trigger {
		t.Errorf("%+v", calls)
	}
	r.Close()
	if err := c.Send(t.Context(), later); err == nil || strings.Contains(err.Error(), "k3y") {
		t.Errorf("nobody is there: %v", err)
	}
	if err := c.Send(t.Context(), hook.Request{Method: "A B", URL: "http://\x00k3y"}); err == nil || strings.Contains(err.Error(), "k3y") {
		t.Errorf("no request: %v", err)
	}
}

func TestNoGoroutineIsLeft(t *testing.T) {
	c := caller(t)
	r := receive(t, reply{do: func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }})
	before := runtime.NumGoroutine()
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), outbound.Reserve+100*time.Millisecond)
		_, _ = c.Call(ctx, r.hook(t, everything), person())
		cancel()
	}
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
}
