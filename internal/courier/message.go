package courier

import "time"

// Type says how a message travels.
type Type string

// The types. A hook is a web hook that nobody waits for; the admin API does not
// show it.
const (
	Email Type = "email"
	SMS   Type = "sms"
	Hook  Type = "hook"
)

// Status says how far a message has come.
type Status string

// The states. The zero Status is that of a decoy, which is never looked at.
const (
	Queued     Status = "queued"     // to be sent once it is due
	Processing Status = "processing" // claimed until its lease ends
	Sent       Status = "sent"
	Abandoned  Status = "abandoned"
)

// Known tells whether s is a state that a message can be listed by.
func (s Status) Known() bool {
	return s == Queued || s == Processing || s == Sent || s == Abandoned
}

// Open tells whether a message in that state is still to be sent.
func (s Status) Open() bool { return s == Queued || s == Processing }

// Message is the stored document. The members without a name in JSON are kept
// beside the document, where conditions see them.
type Message struct {
	ID        string   `json:"id"` // UUIDv7
	Type      Type     `json:"type"`
	Channel   string   `json:"channel"` // id of the configured channel: "email", "sms"
	Recipient string   `json:"recipient"`
	Template  Template `json:"template_type"` // of a hook: its label
	// Sealed is what the message says. It is gone once the message was sent or
	// abandoned.
	Sealed string `json:"sealed,omitempty"`
	// Subject, Body and HTML are the rendered message, kept in development alone.
	Subject    string     `json:"subject,omitempty"`
	Body       string     `json:"body,omitempty"`
	HTML       string     `json:"html,omitempty"`
	Dispatches []Dispatch `json:"dispatches,omitempty"` // newest first
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`

	Status    Status `json:"-"`
	SendCount int    `json:"-"` // dispatches begun
	// Due is when a queued message is to be tried, and when the lease of one in
	// processing ends; zero when nothing is to be done.
	Due time.Time `json:"-"`

	// V is the version of the item this was read from, Stored its document:
	// members that a newer release put there survive a rewrite.
	V      int64  `json:"-"`
	Stored []byte `json:"-"`
}

// maxDispatches is how many dispatches a message remembers; the newest stay.
const maxDispatches = 20

// Dispatch is one attempt to send a message, or what became of it afterwards.
type Dispatch struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`          // DispatchOK, DispatchFailed
	Error     string    `json:"error,omitempty"` // what the receiver said, without anything the message said
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// How a dispatch went.
const (
	DispatchOK     = "success"
	DispatchFailed = "failed"
)

// Add puts a dispatch in front of those before it.
func (m *Message) Add(d Dispatch) {
	m.Dispatches = append([]Dispatch{d}, m.Dispatches...)
	m.Dispatches = m.Dispatches[:min(len(m.Dispatches), maxDispatches)]
}

// Content is a rendered message. A text message has a Text alone.
type Content struct {
	Subject string
	Text    string
	HTML    string
}
