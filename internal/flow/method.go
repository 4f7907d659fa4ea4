package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	Settings     *Door
	Recovery     *Door
	Verification *Door
}

// Door returns the method's part in that kind of flow, nil when it has none.
func (m Method) Door(kind Kind) *Door {
	switch kind {
	case Login:
		return m.Login
	case Registration:
		return m.Registration
	case Settings:
		return m.Settings
	case Recovery:
		return m.Recovery
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

	// Aliases names further guards by which the same person may be known. They are
	// read together with the claimed one, which is all that is paid for; where
	// nobody owns that one, the first alias that somebody owns counts.
	Aliases func(identity.Form) []string

	// Guesses tells that a submission guesses at what the flow's proof is. The
	// engine pays for the attempt before Submit judges.
	Guesses func(identity.Form) bool

	// Spends tells that a submission guesses at the caller's own second factor.
	// The engine pays for the attempt before Submit judges.
	Spends func(identity.Form) bool

	// Fresh tells that a submission changes how somebody signs in. The engine
	// asks for a recent authentication before Submit judges; whatever it is told
	// here, it asks again when credentials or addresses did change.
	Fresh func(identity.Form) bool

	// Form adds the door's nodes to the flow's form.
	Form func(context.Context, *Step) error

	// Alone is asked when no other method had anything to add to a form that
	// somebody reached who is known: it may take the first step at once, such as
	// sending a code where there is one address to send it to. An outcome without
	// mail leaves the form as it is.
	Alone func(*Step) (Outcome, error)

	// Submit judges a submission. It may be called again for the same submission,
	// with the form as it was and the identity as it is now, when another change
	// came first.
	Submit func(context.Context, *Step) (Outcome, error)

	// Begin sends the first message of a flow to an address that is known
	// already; nil where nothing can be sent.
	Begin func(*Step, *identity.VerifiableAddress) (Outcome, error)

	// Issue makes what an administrator hands over in place of a message: a code or
	// a token that is good for that long. Nil where there is no such thing.
	Issue func(s *Step, life time.Duration) (string, error)

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

// Screen is which of a flow's forms is being filled.
//
// A registration shows everything at once, or the traits first and the
// credentials second. A login shows everything at once, or asks first who it is
// and then only for what that person has; a login that confirms a session or
// adds a factor knows who it is and shows everything at once.
//
// What a login door's Form adds follows from the screen:
//
//	Unified           its nodes, and the field for the identifier if it needs one
//	IdentifierScreen  only what works without knowing who it is, such as the
//	                  buttons of providers or a discoverable passkey; the field for
//	                  the identifier is there already
//	CredentialScreen  what it added on the IdentifierScreen is still there, and so is
//	                  the identifier, hidden; its other nodes, if Step.Shows them
//
// A form is filled from the start whenever it is filled, so a door meets no nodes
// of its own but those.
type Screen int

// The screens.
const (
	Unified Screen = iota
	ProfileScreen
	IdentifierScreen
	CredentialScreen
)

// Step is what a door sees of a request.
type Step struct {
	Flow    *Flow
	Form    identity.Form // the submission; empty while a form is filled
	Screen  Screen
	Schema  *identity.Schema
	Session *session.Session   // the caller's live session, if any
	Owner   *identity.Identity // whose session it is; settings change it in place
	Claimed *identity.Identity // who owns the claimed identifier, nil for nobody
	Draft   *identity.Identity // the identity that a registration would make
	Rules   identity.Rules     // of the draft's or the owner's schema
	Now     time.Time
	Rand    io.Reader

	// Known asks the older system that people move in from whether a password is
	// right; set in logins.
	Known func(ctx context.Context, identifier, password string) (bool, error)
}

// Shows tells whether a login's CredentialScreen shows a method, by whether who is
// about to sign in has what it takes. Nobody is claimed where the screen must not
// tell what somebody has: every method is shown then.
func (s *Step) Shows(has func(*identity.Identity) bool) bool {
	return s.Claimed == nil || has(s.Claimed)
}

// Recovered ends the recovery of an account by an address of its owner's: it is
// theirs, so where it can be verified it is.
func (s *Step) Recovered(via identity.Via, address, method string) Outcome {
	outcome := Passed(s.Claimed, method, session.AAL1)
	outcome.Spent = true
	if owned := s.Claimed.Addressed(via, address); owned != nil {
		owned.Verify(s.Now)
		outcome.Changed = true
	}
	return outcome
}

// AskTraits adds the traits to a registration that asks for everything at once.
func (s *Step) AskTraits() {
	if s.Screen != Unified {
		return
	}
	for _, node := range s.Schema.Nodes(ui.Default) {
		s.Flow.UI.Upsert(node)
	}
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

// Keep remembers a value for the next submission, sealed, under the id of the
// method; nil forgets it.
func (s *Step) Keep(method string, value any) error {
	if value == nil {
		delete(s.Flow.Kept, method)
		return nil
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("keep state of %s: %w", method, err)
	}
	if s.Flow.Kept == nil {
		s.Flow.Kept = map[string]json.RawMessage{}
	}
	s.Flow.Kept[method] = raw
	return nil
}

// Recall reads what the method kept and tells whether there was anything.
func (s *Step) Recall(method string, into any) (bool, error) {
	raw, kept := s.Flow.Kept[method]
	if !kept {
		return false, nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return false, fmt.Errorf("recall state of %s: %w", method, err)
	}
	return true, nil
}

// Outcome is how a submission ended.
type Outcome struct {
	// Who passed, or whose settings changed. Nil: nobody yet, the form is shown
	// again.
	Who *identity.Identity

	// Method is the entry that the session gets; none where it has no name.
	Method session.Method

	// Changed tells that Who is stored together with what passing writes, such as
	// a lookup secret that is used up now.
	Changed bool

	// Spent tells that what the flow held is used up, such as a code or a
	// challenge: of several submissions one wins, and the flow is over. Late is
	// the error for a login that does not win.
	Spent bool
	Late  error

	// Navigates tells that the further screen is a page of its own: a script is
	// told to send the browser there.
	Navigates bool

	// Once is a number that may only rise, nil for none.
	Once *Once

	// Proved is how the address is reached that was just proved, "" for none.
	Proved identity.Via

	// Opened tells that whoever opened a link holds what it carries: the flow
	// belongs to that browser from now on.
	Opened bool

	// Mail is what is sent with the change; to nobody when Stranger is set, at the
	// same cost.
	Mail     []courier.Draft
	Stranger bool

	// Refused is why a submission failed that is written like one that did not. The
	// form says so.
	Refused error

	// Upgrade, when set, improves the stored identity after the session exists,
	// such as a stronger hash of the same password. Losing it costs nothing.
	Upgrade func(*identity.Identity)
}

// Once makes a value count once: of an identity's numbers of that name, To has
// to be above the last. Used is the error for one that is not.
type Once struct {
	Identity string
	Name     string
	To       int64
	Used     error
}

// Passed ends a submission: who proved to be themselves.
func Passed(who *identity.Identity, method string, aal session.AAL) Outcome {
	return Outcome{Who: who, Method: session.Method{Method: method, AAL: aal}}
}

// Proved ends a submission by which somebody showed that an address is theirs.
func Proved(who *identity.Identity, via identity.Via) Outcome {
	return Outcome{Who: who, Changed: true, Spent: true, Proved: via}
}

// Changed ends a submission to the settings: who was changed.
func Changed(who *identity.Identity) Outcome { return Outcome{Who: who, Changed: true} }

// Enrolled ends a submission to the settings that added a factor: setting it up
// proved it, so the session has it from now on.
func Enrolled(who *identity.Identity, method string, aal session.AAL) Outcome {
	outcome := Passed(who, method, aal)
	outcome.Changed = true
	return outcome
}

// Again ends a submission that leads to a further screen of the same flow.
func Again() Outcome { return Outcome{} }

// ErrLink says that a link is wrong, used or too old; the engine tells.
var ErrLink = errors.New("link is not valid")
