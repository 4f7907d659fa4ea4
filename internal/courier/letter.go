package courier

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Fields is the data of a template under the names that templates use. What a
// template's model does not have is zero.
type Fields struct {
	To                 string         `json:"to"`
	RecoveryCode       string         `json:"recovery_code"`
	RecoveryURL        string         `json:"recovery_url"`
	VerificationCode   string         `json:"verification_code"`
	VerificationURL    string         `json:"verification_url"`
	RegistrationCode   string         `json:"registration_code"`
	LoginCode          string         `json:"login_code"`
	Identity           map[string]any `json:"identity"`
	Traits             map[string]any `json:"traits"`
	RequestURL         string         `json:"request_url"`
	RequestURLDomain   string         `json:"request_url_domain"`
	TransientPayload   map[string]any `json:"transient_payload"`
	ExpiresInMinutes   int            `json:"expires_in_minutes"`
	OAuth2LoginRequest *OAuth2Login   `json:"oauth2_login_request"`
	ChangedAt          time.Time      `json:"changed_at"`
	AddedAt            time.Time      `json:"added_at"`
}

// OAuth2Login is what a message says of the OAuth2 client that somebody signs
// in to.
type OAuth2Login struct {
	Challenge string       `json:"challenge"`
	Client    OAuth2Client `json:"client"`
}

// OAuth2Client is a client of the OAuth2 server.
type OAuth2Client struct {
	ClientID   string         `json:"client_id"`
	ClientName string         `json:"client_name"`
	ClientURI  string         `json:"client_uri"`
	LogoURI    string         `json:"logo_uri"`
	Metadata   map[string]any `json:"metadata"`
}

// Letter is a message as a channel takes it.
type Letter struct {
	ID       string // of the message; the same in every attempt
	Type     Type
	Template Template
	To       string
	Content
	// Data is the template's data as HTTP channels see it: one JSON object with
	// every name of the template's model.
	Data    json.RawMessage
	Headers map[string][]string
}

// Send hands a letter to a channel's receiver and returns nil once that one took
// it. The letter is the receiver's from then on. An error is a passing failure
// unless it is a RefusedError or a ThrottledError; its text may be shown to
// administrators.
type Send func(ctx context.Context, l *Letter) error

// RefusedError is the failure that no later attempt would mend.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RefusedError) Unwrap() error { return e.Err }

// ThrottledError says that the receiver takes no more for now. Waiting for it
// is no attempt.
type ThrottledError struct{ Err error }

func (e *ThrottledError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ThrottledError) Unwrap() error { return e.Err }

// fields reads a message's data. Data that is no object is an error.
func fields(raw json.RawMessage) (*Fields, error) {
	f := new(Fields)
	if err := json.Unmarshal(raw, f); err != nil {
		return nil, fmt.Errorf("decode template data: %w", err)
	}
	return f, nil
}

// shown is the data as HTTP channels see it. Of a text message that recovers an
// account they know the code as verification_code, as in Kratos.
func shown(t Template, kind Type, raw json.RawMessage) (json.RawMessage, error) {
	var has map[string]json.RawMessage
	if err := json.Unmarshal(raw, &has); err != nil {
		return nil, fmt.Errorf("decode template data: %w", err)
	}
	empty, err := json.Marshal(Fields{})
	if err != nil {
		return nil, err
	}
	var zero map[string]json.RawMessage
	if err := json.Unmarshal(empty, &zero); err != nil {
		return nil, err
	}
	data := map[string]json.RawMessage{}
	for _, name := range t.names(kind) {
		value, ok := has[name]
		if !ok {
			value = zero[name]
		}
		if kind == SMS && name == RecoveryCode {
			name = VerificationCode
		}
		data[name] = value
	}
	return json.Marshal(data)
}

const (
	redacted = "[redacted]"
	maxError = 500 // bytes of an error that are kept
)

// discreet returns what an error says, without what the message says: receivers
// like to quote what they refuse.
func discreet(err error, f *Fields) string {
	text := err.Error()
	if f != nil {
		for _, secret := range []string{
			f.RecoveryURL, f.VerificationURL, f.RecoveryCode, f.VerificationCode, f.RegistrationCode, f.LoginCode,
		} {
			if secret != "" {
				text = strings.ReplaceAll(text, secret, redacted)
			}
		}
	}
	text = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "?")
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "")
	}
	return text
}
