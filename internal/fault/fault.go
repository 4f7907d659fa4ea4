package fault

import (
	"errors"
	"strings"

	"styx/internal/ui"
)

// Kind classifies an error; the web room gives each kind its status.
type Kind uint8

// The kinds of error.
const (
	Internal Kind = iota
	BadRequest
	Unauthorized
	Forbidden
	NotFound
	Conflict
	Gone
	Unprocessable
	TooMany
	Upstream
	UpstreamTimeout
	Busy
)

// Error is an error that a caller may see.
type Error struct {
	Kind    Kind
	ID      string         // error.id of the contract, often empty
	Message string         // replaces the kind's general message
	Reason  string         // what was wrong, for a person
	Details map[string]any // error.details
	Beside  map[string]any // members beside "error" in the body
	Fields  []Field        // messages that belong into a form
	Err     error          // the cause, for the log alone
}

// Field is one message that belongs to a node of a form.
type Field struct {
	At   string // the node's name, "" for the form as a whole
	Text ui.Message
	// Note is the validator's own line about it, shown by the admin API.
	Note string
}

// Error describes the error for the log.
func (e *Error) Error() string {
	parts := []string{}
	for _, part := range []string{e.ID, e.Message, e.Reason} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	for _, field := range e.Fields {
		parts = append(parts, strings.TrimSpace(field.At+" "+field.Text.Text))
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// As returns the fault within err, or nil.
func As(err error) *Error {
	if found, ok := errors.AsType[*Error](err); ok {
		return found
	}
	return nil
}

// Is tells whether err is a fault of that kind.
func Is(err error, kind Kind) bool {
	found := As(err)
	return found != nil && found.Kind == kind
}

// HasID tells whether err is a fault with that error.id.
func HasID(err error, id string) bool {
	found := As(err)
	return found != nil && found.ID == id
}

// Invalid says which fields of a submission were wrong.
func Invalid(fields ...Field) *Error { return &Error{Kind: BadRequest, Fields: fields} }

// InvalidField says that one field of a submission was wrong.
func InvalidField(at string, text ui.Message) *Error { return Invalid(Field{At: at, Text: text}) }

// Bad is a 400 with a reason.
func Bad(reason string) *Error { return &Error{Kind: BadRequest, Reason: reason} }

// Missing is the 404 of a record that is not there.
func Missing() *Error { return &Error{Kind: NotFound, Message: "Unable to locate the resource"} }

// CodeUsed says that a code was used by another submission.
func CodeUsed() *Error { return Bad("The code was already used. Please request another code.") }

// InvalidCredentials is the one answer to a wrong password and to an unknown
// identifier (ASVS 5.0, 6.3.8).
func InvalidCredentials() *Error {
	return InvalidField("", ui.Say(ui.CredentialsInvalid))
}
