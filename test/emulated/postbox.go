package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// patience is how long a mail may take to arrive.
const patience = 5 * time.Second

// letter is a mail in SES' inbox.
type letter struct {
	To       []string
	Subject  string
	BodyText string
}

// inbox is what SES sent.
func (d *deployment) inbox(ctx context.Context) ([]letter, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.Endpoint+"/_ministack/ses/messages", nil)
	if err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	var box struct {
		Messages map[string][]letter `json:"messages"` // by account
	}
	if err := json.NewDecoder(answer.Body).Decode(&box); err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	var all []letter
	for _, letters := range box.Messages {
		all = append(all, letters...)
	}
	return all, nil
}

// postbox answers for the lists of messages of the admin API. A list is shown
// when all in it have gone out, and a mail's text is the one that arrived in
// SES' inbox: without it there is none.
type postbox struct {
	*deployment

	admin http.RoundTripper
}

func (p *postbox) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/admin/courier/messages") {
		return p.admin.RoundTrip(r)
	}
	for until := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		answer, err := p.admin.RoundTrip(r.Clone(r.Context()))
		if err != nil || answer.StatusCode != http.StatusOK {
			return answer, err
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return nil, fmt.Errorf("read the messages: %w", err)
		}
		_ = answer.Body.Close()
		waiting := bytes.Contains(body, []byte(`"status":"queued"`)) || bytes.Contains(body, []byte(`"status":"processing"`))
		if waiting && time.Now().Before(until) {
			continue
		}
		if body, err = p.arrived(r.Context(), body); err != nil {
			return nil, err
		}
		answer.Body = io.NopCloser(bytes.NewReader(body))
		answer.ContentLength = int64(len(body))
		answer.Header.Set("Content-Length", fmt.Sprint(len(body)))
		return answer, nil
	}
}

// arrived returns the messages with the texts that arrived.
func (p *postbox) arrived(ctx context.Context, body []byte) ([]byte, error) {
	inbox, err := p.inbox(ctx)
	if err != nil {
		return nil, err
	}
	var list []map[string]any
	if err := json.Unmarshal(body, &list); err != nil {
		return body, nil //nolint:nilerr // one message, whose body no test reads
	}
	for _, message := range list {
		if message["type"] != "email" {
			continue
		}
		at := slices.IndexFunc(inbox, func(l letter) bool {
			return l.Subject == message["subject"] && slices.ContainsFunc(l.To, func(to string) bool { return to == message["recipient"] })
		})
		message["body"] = ""
		if at >= 0 {
			message["body"] = inbox[at].BodyText
		}
	}
	return json.Marshal(list)
}
