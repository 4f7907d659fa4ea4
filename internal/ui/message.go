package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ID is a text id: the number that user interfaces key on. Ids are never reused.
type ID int

// Kind says how a message is meant to be shown.
type Kind string

// The kinds of message.
const (
	Info    Kind = "info"
	Failure Kind = "error"
	Success Kind = "success"
)

// Context holds the values a message was built from.
type Context map[string]any

// Message is one text of a form, {"id", "text", "type", "context"?}.
type Message struct {
	ID      ID      `json:"id"`
	Text    string  `json:"text"`
	Type    Kind    `json:"type"`
	Context Context `json:"context,omitempty"`
}

// Say builds the message of an id, its text filled in from the context.
// An id that the table lacks is a programming error and panics.
func Say(id ID, context ...Context) Message {
	row, known := texts[id]
	if !known {
		panic("ui: no text for message " + strconv.Itoa(int(id)))
	}
	message := Message{ID: id, Text: row.text, Type: row.kind}
	if len(context) > 0 {
		message.Context = context[0]
		message.Text = fill(row.text, context[0])
	}
	return message
}

// fill replaces each {name} in one pass, so that a value that itself holds
// braces is never read as a placeholder.
func fill(text string, values Context) string {
	var out strings.Builder
	for {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(text[open:], '}')
		if end < 0 {
			break
		}
		value, known := values[text[open+1:open+end]]
		if !known {
			out.WriteString(text[:open+end+1])
		} else {
			out.WriteString(text[:open])
			out.WriteString(plain(value))
		}
		text = text[open+end+1:]
	}
	out.WriteString(text)
	return out.String()
}

func plain(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case []string:
		return strings.Join(value, " or ")
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	default:
		return fmt.Sprint(value)
	}
}

// Reason is the message 4000001, which carries a sentence of its own.
func Reason(sentence string) Message {
	return Say(ReasonGiven, Context{"reason": sentence})
}

// Missing is the message for a property that was not sent.
func Missing(property string) Message {
	return Say(PropertyMissing, Context{"property": property})
}

// Expired is the message of a flow that replaces one that expired at that time.
func Expired(id ID, at, now time.Time) Message {
	message := Say(id)
	message.Text = fill(message.Text, Context{"minutes": fmt.Sprintf("%.2f", now.Sub(at).Minutes())})
	message.Context = Context{"expired_at": at.UTC(), "expired_at_unix": at.Unix()}
	return message
}

// Used is the message that takes the place of a backup secret used at that time.
func Used(at time.Time) Message {
	message := Say(BackupSecretUsed)
	message.Text = fill(message.Text, Context{"used_at": at.UTC().Format("2006-01-02 15:04:05 +0000 UTC")})
	message.Context = Context{"used_at": at.UTC(), "used_at_unix": at.Unix()}
	return message
}

// Titled is the label of a node that shows a trait under its schema's title.
func Titled(title, name string) Message {
	return Say(LabelTitle, Context{"title": title, "name": name})
}
