package courier

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"styx/internal/outbound"
	"styx/internal/secret"
)

const (
	// Timeout is how long one dispatch may take. A claim lasts twice as long, so
	// that its end is never a matter of a slow receiver.
	Timeout = 20 * time.Second
	lease   = 2 * Timeout

	// The pauses after failures: 3 s, 15 s, 75 s, 375 s, then 15 minutes each.
	// The default of five retries reaches over 22 minutes.
	firstPause   = 3 * time.Second
	pauseFactor  = 5
	longestPause = 15 * time.Minute
	// throttlePause is the pause before a throttled receiver is asked again.
	throttlePause = 3 * time.Second

	// secretLife is how long an abandoned message that names no expiry may be
	// queued again.
	secretLife = time.Hour
)

// Courier delivers messages. All fields but Hook are required.
type Courier struct {
	Outbox Outbox
	Press  *Press // opens what it sealed
	// Render makes the text of a message.
	Render func(ctx context.Context, t Template, kind Type, f *Fields) (Content, error)
	// Channels send, by the id of the channel: "email", "sms".
	Channels map[string]Send
	// Hook calls a web hook that nobody waits for; content is what Press.Hook was
	// given, as JSON.
	Hook func(ctx context.Context, content json.RawMessage) error
	// Retries is how often a message is tried again before it is abandoned.
	Retries int
	// Keep keeps the rendered text of each message, for development.
	Keep bool
	Log  *slog.Logger
	Now  func() time.Time
	Rand io.Reader
}

// Deliver sends one message if it is due. It returns when to come back for it,
// the zero time for never. Its error is one of the outbox: the message is as it
// was, or claimed until its lease ends; either way a later call delivers it.
//
// One deadline is enough for a caller to set: what a dispatch may take ends
// early enough to note how it went.
func (c *Courier) Deliver(ctx context.Context, id string) (time.Time, error) {
	within, cancel := outbound.WithBudget(ctx, outbound.Reserve)
	defer cancel()
	if err := within.Err(); err != nil {
		return time.Time{}, fmt.Errorf("deliver message: %w", err) // too late to begin
	}
	m, mine, err := c.Outbox.Claim(ctx, id, lease)
	switch {
	case err != nil:
		return time.Time{}, fmt.Errorf("claim message: %w", err)
	case m == nil:
		return time.Time{}, nil
	case !mine:
		return m.Due, nil
	}
	if m.SendCount > c.Retries+1 {
		// Whoever claimed it before never came back to say how it went.
		m.SendCount--
		return time.Time{}, c.abandon(ctx, m, nil)
	}
	f, err := c.dispatch(within, m)
	now := c.Now()
	m.UpdatedAt = now
	if err == nil {
		m.Add(Dispatch{ID: c.id(now), Status: DispatchOK, CreatedAt: now, UpdatedAt: now})
		c.note(ctx, m, "sent")
		return time.Time{}, c.Outbox.Sent(ctx, m)
	}
	m.Add(Dispatch{ID: c.id(now), Status: DispatchFailed, Error: discreet(err, f), CreatedAt: now, UpdatedAt: now})
	if _, throttled := errors.AsType[*ThrottledError](err); throttled {
		m.SendCount--
		m.Due = now.Add(c.jitter(throttlePause))
		c.note(ctx, m, "throttled")
		return m.Due, c.Outbox.Failed(ctx, m)
	}
	if _, refused := errors.AsType[*RefusedError](err); refused || m.SendCount > c.Retries {
		return time.Time{}, c.abandon(ctx, m, f)
	}
	m.Due = now.Add(c.jitter(pause(m.SendCount)))
	c.note(ctx, m, "failed")
	return m.Due, c.Outbox.Failed(ctx, m)
}

// abandon gives a message up. It can be queued again while its code lives.
func (c *Courier) abandon(ctx context.Context, m *Message, f *Fields) error {
	m.UpdatedAt = c.Now()
	life := secretLife
	if f != nil && f.ExpiresInMinutes > 0 {
		life = time.Duration(f.ExpiresInMinutes) * time.Minute
	}
	c.note(ctx, m, "abandoned")
	return c.Outbox.Abandon(ctx, m, m.CreatedAt.Add(life))
}

// dispatch makes one attempt. It returns the message's data as far as it could
// be read. A panic is a failure of this message: others are being sent beside it.
func (c *Courier) dispatch(ctx context.Context, m *Message) (f *Fields, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			// What was thrown may hold what the message says.
			err = fmt.Errorf("panic: %T", thrown)
			c.Log.ErrorContext(ctx, "courier panicked", slog.String("message", m.ID), slog.Any("error", err),
				slog.String("stack", string(debug.Stack())))
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	content, err := c.Press.open(m)
	if errors.Is(err, secret.ErrSealed) {
		return nil, &RefusedError{errors.New("what the message says can not be read: its key is gone")}
	}
	if err != nil {
		return nil, &RefusedError{err}
	}
	if m.Type == Hook {
		if c.Hook == nil {
			return nil, errors.New("no web hooks are called from here")
		}
		return nil, c.Hook(ctx, content.Hook)
	}
	f, err = fields(content.Data)
	if err != nil {
		return nil, &RefusedError{err}
	}
	text, err := c.Render(ctx, m.Template, m.Type, f)
	if err != nil {
		return f, fmt.Errorf("render: %w", err)
	}
	if c.Keep {
		m.Subject, m.Body, m.HTML = text.Subject, text.Text, text.HTML
	}
	data, err := shown(m.Template, m.Type, content.Data)
	if err != nil {
		return f, err
	}
	send := c.Channels[m.Channel]
	if send == nil {
		return f, fmt.Errorf("no channel is configured for messages of type %s", m.Type)
	}
	return f, send(ctx, &Letter{
		ID: m.ID, Type: m.Type, Template: m.Template, To: m.Recipient,
		Content: text, Data: data, Headers: content.Headers,
	})
}

// Preview renders a message that may not have been sent yet, for development.
// A message whose content is gone is shown as it was kept.
func (c *Courier) Preview(ctx context.Context, m *Message) (Content, error) {
	kept := Content{Subject: m.Subject, Text: m.Body, HTML: m.HTML}
	if kept != (Content{}) || m.Sealed == "" || m.Type == Hook {
		return kept, nil
	}
	content, err := c.Press.open(m)
	if err != nil {
		return Content{}, err
	}
	f, err := fields(content.Data)
	if err != nil {
		return Content{}, err
	}
	return c.Render(ctx, m.Template, m.Type, f)
}

// note logs how an attempt went, without saying to whom or why: receivers quote
// addresses. The message itself has the reason.
func (c *Courier) note(ctx context.Context, m *Message, outcome string) {
	level := slog.LevelWarn
	if outcome == "sent" {
		level = slog.LevelDebug
	}
	c.Log.Log(ctx, level, "courier", "message", m.ID, "type", string(m.Type), "template_type", string(m.Template),
		"outcome", outcome, "send_count", m.SendCount)
}

func (c *Courier) id(now time.Time) string { return secret.NewV7(now, c.Rand).String() }

// pause is how long to wait after so many dispatches failed.
func pause(count int) time.Duration {
	wait := firstPause
	for range count - 1 {
		if wait *= pauseFactor; wait >= longestPause {
			return longestPause
		}
	}
	return wait
}

// jitter takes up to a quarter off a pause, so that what failed together is not
// tried again together.
func (c *Courier) jitter(wait time.Duration) time.Duration {
	var b [8]byte
	if _, err := io.ReadFull(c.Rand, b[:]); err != nil {
		return wait
	}
	return wait - time.Duration(binary.BigEndian.Uint64(b[:])%uint64(wait/4)) //nolint:gosec // both are positive and small
}
