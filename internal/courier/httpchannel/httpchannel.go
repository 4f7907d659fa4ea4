package httpchannel

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/outbound"
)

// maxBody bounds what is sent, in bytes.
const maxBody = 1 << 20

// Options are what a Sender needs.
type Options struct {
	Request config.Request
	Client  *http.Client
	// Eval calls the Jsonnet function that stands at a URI with one argument,
	// given as JSON, and returns its result as JSON. It keeps what it compiled.
	Eval func(ctx context.Context, uri string, argument []byte) ([]byte, error)
}

// Sender sends messages to one service. It is safe for concurrent use.
type Sender struct{ Options }

// New returns a sender.
func New(o Options) *Sender { return &Sender{o} }

// message is what the body's function is called with.
type message struct {
	Recipient      string              `json:"recipient"`
	Subject        string              `json:"subject"`
	Body           string              `json:"body"`
	HTMLBody       string              `json:"html_body,omitempty"`
	TemplateType   courier.Template    `json:"template_type"`
	MessageType    courier.Type        `json:"message_type"`
	TemplateData   json.RawMessage     `json:"template_data"`
	RequestHeaders map[string][]string `json:"request_headers"`
}

// plain is the default body.
type plain struct {
	Recipient        string           `json:"recipient"`
	TemplateType     courier.Template `json:"template_type"`
	To               *string          `json:"to"`
	RecoveryCode     *string          `json:"recovery_code"`
	RecoveryURL      *string          `json:"recovery_url"`
	VerificationURL  *string          `json:"verification_url"`
	VerificationCode *string          `json:"verification_code"`
	Subject          string           `json:"subject"`
	Body             string           `json:"body"`
}

// Send implements courier.Send.
func (s *Sender) Send(ctx context.Context, l *courier.Letter) error {
	body, err := s.body(ctx, l)
	if err != nil {
		return err
	}
	if len(body) > maxBody {
		return errors.New("the request body is too large")
	}
	if s.Request.URL == nil {
		return errors.New("the channel has no URL")
	}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(s.Request.Method, http.MethodPost), s.Request.URL.String(), bytes.NewReader(body))
	if err != nil {
		return errors.New("the channel's method or URL is not one of HTTP")
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range s.Request.Headers {
		req.Header.Set(name, value.Reveal())
	}
	authenticate(req, s.Request.Auth)
	resp, err := outbound.Do(s.Client, req)
	if err != nil {
		return fmt.Errorf("call the channel: %w", cause(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("the channel answered %d", resp.StatusCode)
	}
	return nil
}

// cause is what went wrong with a request, without its URL, which may hold a key.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// authenticate proves to the service who is calling.
func authenticate(req *http.Request, a config.Auth) {
	switch a.Type {
	case config.AuthBasic:
		req.SetBasicAuth(a.User, a.Password.Reveal())
	case config.AuthAPIKey:
		if a.In == "cookie" {
			req.AddCookie(&http.Cookie{Name: a.Name, Value: a.Value.Reveal()})
		} else {
			req.Header.Set(a.Name, a.Value.Reveal())
		}
	}
}

// body makes the request's body.
func (s *Sender) body(ctx context.Context, l *courier.Letter) ([]byte, error) {
	if s.Request.Body == "" {
		body := plain{Recipient: l.To, TemplateType: l.Template, Subject: l.Subject, Body: l.Text}
		if err := json.Unmarshal(l.Data, &struct {
			To               **string `json:"to"`
			RecoveryCode     **string `json:"recovery_code"`
			RecoveryURL      **string `json:"recovery_url"`
			VerificationURL  **string `json:"verification_url"`
			VerificationCode **string `json:"verification_code"`
		}{&body.To, &body.RecoveryCode, &body.RecoveryURL, &body.VerificationURL, &body.VerificationCode}); err != nil {
			return nil, fmt.Errorf("read template data: %w", err)
		}
		return json.Marshal(body)
	}
	headers := l.Headers
	if headers == nil {
		headers = map[string][]string{}
	}
	argument, err := json.Marshal(message{
		Recipient: l.To, Subject: l.Subject, Body: l.Text, HTMLBody: l.HTML,
		TemplateType: l.Template, MessageType: l.Type, TemplateData: l.Data, RequestHeaders: headers,
	})
	if err != nil {
		return nil, err
	}
	body, err := s.Eval(ctx, s.Request.Body, argument)
	if err != nil {
		return nil, fmt.Errorf("make the body: %w", err)
	}
	return body, nil
}
