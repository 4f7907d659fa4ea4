package admin

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/secret"
	"styx/internal/store"
	"styx/internal/web"
)

// Sizes of a page of messages.
const (
	defaultMessages = 10
	mostMessages    = 500
)

// hidden is what the admin API shows of what a message says.
const hidden = "<redacted-unless-dev-mode>"

// messageView is a message as the admin API shows it.
type messageView struct {
	ID           string           `json:"id"`
	Status       courier.Status   `json:"status"`
	Type         courier.Type     `json:"type"`
	Recipient    string           `json:"recipient"`
	Body         string           `json:"body"`
	Subject      string           `json:"subject"`
	TemplateType courier.Template `json:"template_type"`
	Channel      string           `json:"channel"`
	SendCount    int              `json:"send_count"`
	Dispatches   []dispatchView   `json:"dispatches,omitempty"`
	CreatedAt    time.Time        `json:"created_at"`
	UpdatedAt    time.Time        `json:"updated_at"`
}

// dispatchView is an attempt to send a message. Error is null for one that went
// well.
type dispatchView struct {
	ID        string         `json:"id"`
	MessageID string         `json:"message_id"`
	Status    string         `json:"status"`
	Error     *dispatchError `json:"error"`
	CreatedAt time.Time      `json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`
}

type dispatchError struct {
	Code    int    `json:"code"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

func (a *API) listMessages(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	filter := store.MessageFilter{Status: courier.Status(query.Get("status")), Recipient: query.Get("recipient")}
	if filter.Status != "" && !filter.Status.Known() {
		return fault.Bad("Message status is not valid")
	}
	at, err := a.readCursor(r, messagesUse(filter), defaultMessages, mostMessages)
	if err != nil {
		return err
	}
	found, err := a.Store.Messages(r.Context(), filter, at.before, at.size)
	if err != nil {
		return err
	}
	rows := make([]messageView, len(found.Messages))
	for n, m := range found.Messages {
		rows[n] = a.messageView(r.Context(), m)
	}
	w.Header().Set("Link", a.cursorLinks(r.URL, messagesUse(filter), at.size, found.Next))
	web.JSON(w, http.StatusOK, rows)
	return nil
}

func (a *API) getMessage(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if _, err := secret.ParseUUID(id); err != nil {
		return &fault.Error{Kind: fault.BadRequest, Message: "could not parse parameter {id} as UUID"}
	}
	m, err := a.Store.Message(r.Context(), id)
	if err != nil {
		return err
	}
	view := a.messageView(r.Context(), m)
	for _, d := range m.Dispatches {
		row := dispatchView{ID: d.ID, MessageID: m.ID, Status: d.Status, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt}
		if d.Status != courier.DispatchOK {
			row.Error = &dispatchError{
				Code: http.StatusInternalServerError, Status: http.StatusText(http.StatusInternalServerError),
				Message: d.Error,
			}
		}
		view.Dispatches = append(view.Dispatches, row)
	}
	web.JSON(w, http.StatusOK, view)
	return nil
}

// retryMessage queues an abandoned message again while what it says still holds:
// 404 for no such message, 409 for one that is not abandoned, 410 for one that
// has expired. Kratos has no such call.
func (a *API) retryMessage(w http.ResponseWriter, r *http.Request) error {
	m, err := a.Store.Requeue(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if a.Posted != nil {
		a.Posted(m.ID)
	}
	web.JSON(w, http.StatusOK, a.messageView(r.Context(), m))
	return nil
}

// messageView shows a message: what it says in development alone.
func (a *API) messageView(ctx context.Context, m *courier.Message) messageView {
	view := messageView{
		ID: m.ID, Status: m.Status, Type: m.Type, Recipient: m.Recipient, Body: hidden, Subject: hidden,
		TemplateType: m.Template, Channel: m.Channel, SendCount: m.SendCount, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
	}
	if !a.Config.Dev {
		return view
	}
	view.Subject, view.Body = m.Subject, m.Body
	if a.Preview != nil {
		// A template that does not render is no reason to hide the message.
		if content, err := a.Preview(ctx, m); err == nil {
			view.Subject, view.Body = content.Subject, content.Text
		}
	}
	return view
}

// messagesUse binds a page token to its endpoint and filter.
func messagesUse(f store.MessageFilter) string {
	return "GET /admin/courier/messages?" + url.Values{"status": {string(f.Status)}, "recipient": {f.Recipient}}.Encode()
}
