package flow

import (
	"context"
	"errors"
	"io"
	"time"

	"styx/internal/courier"
	"styx/internal/identity"
	"styx/internal/session"
	"styx/internal/ui"
)

// Method is one way to prove or to change who one is.
type Method struct {
	ID    string
	Group ui.Group
	AAL   session.AAL // what passing it proves

	Login        *Door
	Registration *Door
	Verification *Door
}

// Door returns the method's part in that kind of flow, nil when it has none.
func (m Method) Door(kind Kind) *Door {
	switch kind {
	case Login:
		return m.Login
	case Registration:
		return m.Registration
	case Verification:
		return m.Verification
	default:
		return nil
	}
}

// Door is a method's part in one kind of flow.
type Door struct {
	// Takes tells whether a submission is meant for this door; nil means that
	// the form's method names it.
	Takes func(identity.Form) bool

	// Claims names the identifier or address that a submission claims to own, as
	// its guard, "" for none. The engine fetches the owner before Submit judges;
	// in a login it has paid for the attempt by then.
	Claims func(identity.Form) string

	// Guesses tells that a submission guesses at what the flow's proof is. The
	// engine pays for the attempt before Submit judges.
	Guesses func(identity.Form) bool

	// Form adds the door's nodes to the flow's form.
	Form func(context.Context, *Step) error

	// Submit judges a submission.
	Submit func(context.Context, *Step) (Outcome, error)

	// Begin sends the first message of a flow to an address that is known
	// already; nil where nothing can be sent.
	Begin func(*Step, *identity.VerifiableAddress) (Outcome, error)

	// Follow takes a link that leads into the flow; nil takes none.
	Follow func(context.Context, *Step) (Outcome, error)

	// Unguarded tells that a submission changes nothing, so that it needs no
	// anti-CSRF token.
	Unguarded func(identity.Form) bool
}

// Answers tells whether a submission is meant for the door of that method.
func (d *Door) Answers(method string, form identity.Form) bool {
	if d.Takes != nil {
		return d.Takes(form)
	}
	return form.Get("method") == method
}

// Screen is which of a registration's forms is being filled.
type Screen int

// The screens of a registration: everything at once, or traits first and a
// credential second.
const (
	Unified Screen = iota
	ProfileScreen
	CredentialScreen
)

// Step is what a door sees of a request.
type Step struct {
	Flow    *Flow
	Form    identity.Form // the submission; empty while a form is filled
	Screen  Screen
	Schema  *identity.Schema
	Session *session.Session   // the caller's live session, if any
	Owner   *identity.Identity // whose session it is
	Claimed *identity.Identity // who owns the claimed identifier, nil for nobody
	Draft   *identity.Identity // the identity that a registration would make
	Rules   identity.Rules     // of the draft's schema
	Now     time.Time
	Rand    io.Reader
}

// KeepTraits shows the submitted traits that the form asks for again.
func (s *Step) KeepTraits() {
	for _, trait := range s.Form.FlatTraits() {
		if s.Flow.UI.Find(trait.Name) != nil {
			s.Flow.UI.SetValue(trait.Name, trait.Value)
		}
	}
}

// Derive validates the draft and derives its identifiers and addresses.
func (s *Step) Derive() error { return s.Rules.Apply(s.Draft, s.Now, s.Rand) }

// Outcome is how a submission ended.
type Outcome struct {
	// Who passed. Nil: nobody yet, the form is shown again.
	Who *identity.Identity

	// Method is the entry that the session gets.
	Method session.Method

	// Proved is how the address is reached that was just proved, "" for none.
	Proved identity.Via

	// Opened tells that whoever opened a link holds what it carries: the flow
	// belongs to that browser from now on.
	Opened bool

	// Mail is what is sent with the change; to nobody when Stranger is set, at the
	// same cost.
	Mail     []courier.Draft
	Stranger bool

	// Upgrade, when set, improves the stored identity after the session exists,
	// such as a stronger hash of the same password. Losing it costs nothing.
	Upgrade func(*identity.Identity)
}

// Passed ends a submission: who proved to be themselves.
func Passed(who *identity.Identity, method string, aal session.AAL) Outcome {
	return Outcome{Who: who, Method: session.Method{Method: method, AAL: aal}}
}

// Proved ends a submission by which somebody showed that an address is theirs.
func Proved(who *identity.Identity, via identity.Via) Outcome { return Outcome{Who: who, Proved: via} }

// Again ends a submission that leads to a further screen of the same flow.
func Again() Outcome { return Outcome{} }

// ErrLink says that a link is wrong, used or too old; the engine tells.
var ErrLink = errors.New("link is not valid")
