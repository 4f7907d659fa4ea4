package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/url"

	"styx/internal/config"
	"styx/internal/jsonnet"
	"styx/internal/outbound"
	"styx/internal/secret"
)

// ErrSkip says that the body's program cancels the call. It is no failure.
var ErrSkip = errors.New("hook: the call is cancelled by its body")

var (
	errContradiction = errors.New("response.ignore contradicts response.parse and can_interrupt")
	errRedirects     = errors.New("too many redirects")
)

const maxRedirects = 10

// Request is one call, ready to be sent now or later. It holds credentials and
// what a person told: encoded as JSON it must be sealed. It prints as its method.
type Request struct {
	Method  string      `json:"method"`
	URL     string      `json:"url"`
	Header  http.Header `json:"header,omitempty"`
	Body    []byte      `json:"body,omitempty"`
	Trigger string      `json:"trigger,omitempty"` // Ory-Webhook-Trigger-ID, "" when it is not wanted
}

// Format prints the method for every verb.
func (r Request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.Method) }

// LogValue logs the method.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.Method) }

// StatusError is an answer of 400 or more to a call that Send made.
type StatusError struct{ Status int }

// Error names the status.
func (e *StatusError) Error() string { return fmt.Sprintf("hook: answered with status %d", e.Status) }

// Prepare writes the call: its body is made now, from what is known now, and
// Send sends it whenever the time has come. ErrSkip when there is nothing to send.
func (c *Caller) Prepare(ctx context.Context, h config.WebHook, in Context) (Request, error) {
	if h.Ignore && (h.Parse || h.CanInterrupt) {
		return Request{}, errContradiction
	}
	if h.URL == nil {
		return Request{}, errors.New("no URL is configured")
	}
	plain, err := http.NewRequestWithContext(ctx, h.Method, h.URL.String(), nil)
	if err != nil {
		return Request{}, bare(err)
	}
	header := plain.Header
	for name, value := range h.Headers {
		header.Set(name, value.Reveal())
	}
	switch h.Auth.Type {
	case config.AuthAPIKey:
		if h.Auth.In == "cookie" {
			plain.AddCookie(&http.Cookie{Name: h.Auth.Name, Value: h.Auth.Value.Reveal()})
		} else {
			header.Set(h.Auth.Name, h.Auth.Value.Reveal())
		}
	case config.AuthBasic:
		plain.SetBasicAuth(h.Auth.User, h.Auth.Password.Reveal())
	}
	req := Request{Method: plain.Method, URL: h.URL.String(), Header: header}
	if h.Analytics {
		req.Trigger = secret.NewV4(c.Rand).String()
	}
	if h.Body == "" || req.Method == http.MethodTrace {
		return req, nil
	}
	req.Body, err = c.body(ctx, h.Body, header, in)
	return req, err
}

// body runs the program at uri. It becomes a form when the headers say so, else
// JSON, and a JSON body says that it is one.
func (c *Caller) body(ctx context.Context, uri string, header http.Header, in Context) ([]byte, error) {
	program, err := c.Programs.Program(ctx, uri)
	if err != nil {
		return nil, err
	}
	shown, err := c.shown(in)
	if err != nil {
		return nil, err
	}
	value, err := program.Eval(ctx, jsonnet.Arguments{Top: map[string]any{"ctx": shown}})
	if errors.Is(err, jsonnet.ErrCancel) {
		return nil, ErrSkip
	}
	if err != nil {
		return nil, fmt.Errorf("make the body: %w", err)
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	if kind, _, _ := mime.ParseMediaType(header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		return form(value)
	}
	return value, nil
}

// form encodes a JSON object as a form: texts as they are, numbers and booleans
// as JSON prints them, null not at all.
func form(value []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(value, &members); err != nil {
		return nil, errors.New("make the body: a form needs an object")
	}
	fields := make(url.Values, len(members))
	for name, raw := range members {
		var text string
		switch raw[0] {
		case '"':
			if err := json.Unmarshal(raw, &text); err != nil {
				return nil, fmt.Errorf("make the body: %w", err)
			}
		case '{', '[':
			return nil, fmt.Errorf("make the body: the member %q does not fit a form", name)
		case 'n':
			continue
		default:
			text = string(raw)
		}
		fields.Set(name, text)
	}
	return []byte(fields.Encode()), nil
}

// Send sends a prepared request once. It is an error of its own kind, a
// *StatusError, when the receiver answers 400 or more; else
// outbound.ErrRefused or the net's, without the URL.
func (c *Caller) Send(ctx context.Context, req Request) error {
	status, _, err := c.attempt(ctx, req, never)
	if err != nil {
		return err
	}
	if status >= http.StatusBadRequest {
		return &StatusError{Status: status}
	}
	return nil
}

// attempt sends the request once, and reads the body of an answer whose status
// is wanted.
func (c *Caller) attempt(ctx context.Context, r Request, wanted func(status int) bool) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	status, body, err := c.exchange(ctx, r, wanted)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // whatever broke because of it
	}
	return status, body, err
}

func (c *Caller) exchange(ctx context.Context, r Request, wanted func(status int) bool) (int, []byte, error) {
	var content io.Reader = http.NoBody
	if len(r.Body) > 0 {
		content = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, content)
	if err != nil {
		return 0, nil, bare(err)
	}
	maps.Copy(req.Header, r.Header)
	if r.Trigger != "" {
		req.Header.Set("Ory-Webhook-Trigger-ID", r.Trigger)
		req.Header.Set("Ory-Webhook-Request-ID", secret.NewV4(c.Rand).String())
	}
	resp, err := outbound.Do(c.discreet(req), req)
	if err != nil {
		return 0, nil, bare(err)
	}
	if !wanted(resp.StatusCode) {
		return resp.StatusCode, nil, resp.Body.Close()
	}
	body, err := outbound.ReadAll(resp, maxAnswer)
	return resp.StatusCode, body, err
}

func never(int) bool { return false }

// discreet is the client that does not hand a receiver's keys to another host,
// whoever sends it there. net/http holds back the usual headers alone.
func (c *Caller) discreet(first *http.Request) *http.Client {
	client := *c.Client
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) >= maxRedirects {
			return errRedirects
		}
		req.Header.Del("Referer") // the URL of a hook may hold a key
		if req.URL.Host == first.URL.Host {
			return nil
		}
		for name := range first.Header {
			if name != "Content-Type" {
				req.Header.Del(name)
			}
		}
		return nil
	}
	return &client
}

// bare takes the URL out of an error of net/http: it may hold a key.
func bare(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}
