package selfservice

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"styx/internal/config"
	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/hook"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/ui"
)

// blocking tells whether a web hook may refuse or change what is about to be
// stored, so that it has to run before the write.
func blocking(h config.Hook) bool {
	return h.Name == config.HookWeb && (h.Web().Parse || h.Web().CanInterrupt)
}

// observing is every other hook: it runs on what is stored.
func observing(h config.Hook) bool { return !blocking(h) }

func anyHook(config.Hook) bool { return true }

// hooksAfter returns those hooks of a method that count, or the flow's own
// where the method has none.
func hooksAfter(after config.After, method string, counts func(config.Hook) bool) []config.Hook {
	if own := only(after.Methods[method].Hooks, counts); len(own) > 0 {
		return own
	}
	return only(after.Hooks, counts)
}

func only(hooks []config.Hook, counts func(config.Hook) bool) []config.Hook {
	return slices.DeleteFunc(slices.Clone(hooks), func(h config.Hook) bool { return !counts(h) })
}

func has(hooks []config.Hook, name string) bool {
	return slices.ContainsFunc(hooks, func(h config.Hook) bool { return h.Name == name })
}

// told is what a web hook is told of.
type told struct {
	flow    *flow.Flow
	who     *identity.Identity // nil for nobody
	session *session.Session   // nil for none
}

// hookContext is what the body of a web hook may be made from.
func (e *Engine) hookContext(r *http.Request, of told) hook.Context {
	in := hook.Context{
		Flow: e.show(r, of.flow), RequestHeaders: r.Header, RequestMethod: r.Method, RequestURL: e.requestURL(r),
		RequestCookies: map[string]string{},
	}
	for _, cookie := range r.Cookies() {
		in.RequestCookies[cookie.Name] = cookie.Value
	}
	if of.who != nil {
		in.Identity = of.who.Public(e.base())
	}
	if of.session != nil {
		in.Session = e.showSession(of.session, of.who)
	}
	return in
}

// ask calls the web hooks of a list one after the other, and lets what they
// answer change the identity: of a web hook that is told nothing but reads the
// answer, apply may be nil. The first error ends it.
func (e *Engine) ask(r *http.Request, hooks []config.Hook, of told, apply func(*hook.Change) error) error {
	for _, h := range hooks {
		if h.Name != config.HookWeb || h.Web().Ignore {
			continue
		}
		result, err := e.Hooks.Call(r.Context(), h.Web(), e.hookContext(r, of))
		if err != nil {
			return err
		}
		if result.Identity != nil && apply != nil {
			if err := apply(result.Identity); err != nil {
				return err
			}
		}
	}
	return nil
}

// post returns the messages of those web hooks of a list that nobody waits for:
// they travel with the write, and are called once it is stored.
func (e *Engine) post(r *http.Request, hooks []config.Hook, of told) ([]*courier.Message, error) {
	var mail []*courier.Message
	for _, h := range hooks {
		if h.Name != config.HookWeb || !h.Web().Ignore {
			continue
		}
		call, err := e.Hooks.Prepare(r.Context(), h.Web(), e.hookContext(r, of))
		if errors.Is(err, hook.ErrSkip) {
			continue
		}
		if err != nil {
			return nil, hook.Failed(h.Web(), err)
		}
		message, err := e.Press.Hook(hook.Label(h.Web()), call)
		if err != nil {
			return nil, err
		}
		mail = append(mail, message)
	}
	return mail, nil
}

// change makes an identity what a web hook wants it to be. What it says is
// judged like what a person says.
func (e *Engine) change(step *flow.Step, who *identity.Identity, wanted *hook.Change) error {
	replace := func(into *json.RawMessage, with json.RawMessage) {
		if len(with) > 0 {
			*into = with
		}
	}
	replace(&who.Traits, wanted.Traits)
	replace(&who.MetadataPublic, wanted.MetadataPublic)
	replace(&who.MetadataAdmin, wanted.MetadataAdmin)
	if wanted.State != "" {
		who.SetState(wanted.State, step.Now)
	}
	if wanted.ExternalID != nil {
		who.ExternalID = *wanted.ExternalID
	}
	if len(wanted.VerifiableAddresses) > 0 {
		who.VerifiableAddresses = wanted.VerifiableAddresses
	}
	if len(wanted.RecoveryAddresses) > 0 {
		who.RecoveryAddresses = wanted.RecoveryAddresses
	}
	err := step.Rules.Apply(who, step.Now, step.Rand)
	if known := fault.As(err); known != nil {
		return e.disown(step.Flow, known)
	}
	return err
}

// disown says what is wrong with what a web hook made of an identity. The form
// does not show it: nobody typed it. Clients have seen what the validator says of
// an address beside what a person is told.
func (e *Engine) disown(f *flow.Flow, wrong *fault.Error) error {
	told := *wrong
	told.Fields = nil
	for _, field := range wrong.Fields {
		f.UI.SetValue(field.At, nil)
		told.Fields = append(told.Fields, field)
		if kind := addressKinds[field.Text.ID]; kind != "" {
			reason := ui.Reason(fmt.Sprintf("%q is not valid %q", field.Text.Context["value"], kind))
			told.Fields = append(told.Fields, fault.Field{At: field.At, Text: reason})
		}
	}
	return &told
}

var addressKinds = map[ui.ID]string{ui.NotAnEmail: "email", ui.NotAPhone: "tel"}

// unshown is what a hook's refusal becomes where no form can show it.
func unshown(err error) error {
	if known := fault.As(err); known != nil && len(known.Fields) > 0 {
		return &fault.Error{Kind: fault.Internal, Message: "a hook refused to go on", Err: err}
	}
	return err
}

// stranger is a new identity as web hooks see it before it is stored.
func stranger(draft *identity.Identity) *identity.Identity {
	shown := *draft
	shown.ID = secret.UUID{}.String()
	return &shown
}
