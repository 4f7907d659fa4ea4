package courier

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"styx/internal/identity"
	"styx/internal/secret"
)

// Draft is a message to be written.
type Draft struct {
	Template Template
	Via      identity.Via
	To       string
	Data     map[string]any // by the names of template data; what the template does not know is left out
	// Headers are those of the user's request that HTTP channels may see.
	Headers map[string][]string
}

// Press makes messages of drafts.
type Press struct {
	Ring *secret.Ring
	Now  func() time.Time
	Rand io.Reader
}

// sealed is what a message seals.
type sealed struct {
	Data    json.RawMessage     `json:"data,omitempty"` // an object
	Headers map[string][]string `json:"headers,omitempty"`
	Hook    json.RawMessage     `json:"hook,omitempty"`
}

// page is the size that sealed content is filled up to, in bytes, and the step
// in which it grows: a message to somebody who has traits and one to a stranger
// look the same from outside.
const page = 2 << 10

// Message returns a message that is due at once, ready to be written with the
// change that causes it. A draft of an unknown template is an error, as is a
// text message of a template that is mail only.
func (p *Press) Message(d Draft) (*Message, error) {
	m, plain, err := p.draft(d)
	if err != nil {
		return nil, err
	}
	m.Status, m.Due = Queued, m.CreatedAt
	m.Sealed = p.Ring.Seal(secret.UseSeal, plain, belongs(m.ID))
	return m, nil
}

// Decoy returns a message that is never sent nor listed, for the branch on
// which there is nobody to write to. Making and writing it costs what Message
// costs, and it holds nothing of the draft but sizes.
func (p *Press) Decoy(d Draft) (*Message, error) {
	m, plain, err := p.draft(d)
	if err != nil {
		return nil, err
	}
	m.Recipient = strings.Repeat("x", len(m.Recipient))
	for at := range plain {
		plain[at] = ' '
	}
	m.Sealed = p.Ring.Seal(secret.UseSeal, plain, belongs(m.ID))
	return m, nil
}

// Hook returns the outbox item of a web hook that nobody waits for: content is
// handed to [Courier.Hook] as it is, label names the hook for logs. A hook is
// not listed.
func (p *Press) Hook(label string, content any) (*Message, error) {
	raw, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("encode hook: %w", err)
	}
	m := p.blank(Hook, Template(label))
	plain, err := fill(sealed{Hook: raw})
	if err != nil {
		return nil, err
	}
	m.Status, m.Due = Queued, m.CreatedAt
	m.Sealed = p.Ring.Seal(secret.UseSeal, plain, belongs(m.ID))
	return m, nil
}

func (p *Press) blank(kind Type, t Template) *Message {
	now := p.Now()
	return &Message{
		ID: secret.NewV7(now, p.Rand).String(), Type: kind, Channel: string(kind), Template: t,
		CreatedAt: now, UpdatedAt: now,
	}
}

// draft makes a message without a status, and what it is to seal.
func (p *Press) draft(d Draft) (*Message, []byte, error) {
	kind := Type(d.Via)
	names := d.Template.names(kind)
	if names == nil {
		return nil, nil, fmt.Errorf("courier: there is no %s message of template %q", kind, d.Template)
	}
	data := make(map[string]any, len(names))
	for _, name := range names {
		if value, ok := d.Data[name]; ok {
			data[name] = value
		}
	}
	data[To] = d.To
	if kind == SMS {
		if requested, ok := data[RequestURL].(string); ok {
			data[RequestURLDomain] = domain(requested)
		}
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, nil, fmt.Errorf("encode template data: %w", err)
	}
	m := p.blank(kind, d.Template)
	m.Recipient = d.To
	plain, err := fill(sealed{Data: raw, Headers: d.Headers})
	return m, plain, err
}

// domain is the host of a URL, without a port.
func domain(requested string) string {
	parsed, err := url.Parse(requested)
	if err != nil {
		return ""
	}
	return parsed.Hostname()
}

// fill encodes what is sealed and pads it with space, which JSON ignores.
func fill(s sealed) ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	full := (len(plain) + page - 1) / page * page
	return append(plain, strings.Repeat(" ", full-len(plain))...), nil
}

// belongs ties sealed content to the item and field it stands in.
func belongs(id string) string { return "0|M#" + id + "|sealed" }

// open returns what a message sealed. A message whose content is gone or was
// sealed under a key that is gone is secret.ErrSealed.
func (p *Press) open(m *Message) (sealed, error) {
	plain, err := p.Ring.Open(secret.UseSeal, m.Sealed, belongs(m.ID))
	if err != nil {
		return sealed{}, err
	}
	return unfill(plain)
}

// unfill reads what fill wrote.
func unfill(plain []byte) (sealed, error) {
	var s sealed
	if err := json.Unmarshal(plain, &s); err != nil {
		return sealed{}, fmt.Errorf("decode message: %w", err)
	}
	return s, nil
}
