package selfservice

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/store"
	"styx/internal/ui"
	"styx/internal/web"
)

// Verification returns the handlers of the verification flow.
func (e *Engine) Verification() Handlers {
	return Handlers{
		"GET /self-service/verification/browser": e.starts(flow.Browser, e.startVerification),
		"GET /self-service/verification/api":     e.starts(flow.API, e.startVerification),
		"GET /self-service/verification/flows":   e.fetches(flow.Verification),
		"GET /self-service/verification":         e.submitVerification,
		"POST /self-service/verification":        e.submitVerification,
	}
}

// Why a flow was replaced, in Kratos' spelling.
const (
	replacedRetry = "An error occured, please retry the flow."   //nolint:misspell // clients see it
	replacedDone  = "An error occured, please use the new flow." //nolint:misspell // clients see it
)

var errNotVerified = fault.InvalidField("", ui.Say(ui.AddressNotVerified))

// startVerification returns a new verification flow, or why there is none.
func (e *Engine) startVerification(r *http.Request, typ string) (*flow.Flow, error) {
	if !e.Config.Flows.Verification.Enabled {
		return nil, fault.Bad("Verification is not allowed because it was disabled.")
	}
	f, err := e.newFlow(r, flow.Verification, typ)
	if err != nil {
		return nil, err
	}
	f.Active = e.Config.Flows.Verification.Use
	return f, e.fill(r.Context(), &flow.Step{Flow: f, Now: e.Now(), Rand: e.Rand})
}

// submitVerification answers a submission to a verification flow, and a link
// that leads into one.
func (e *Engine) submitVerification(w http.ResponseWriter, r *http.Request) {
	sent, step, opening := e.beginProof(w, r, flow.Verification)
	if step == nil {
		return
	}
	link := followed(r, sent.plain)
	switch {
	case step.Flow.State == flow.ChallengePassed && !link:
		e.replace(w, r, ui.Say(ui.VerificationDone), replacedDone)
		return
	case sent.err != nil:
		e.failFlow(w, r, step, sent.err)
		return
	}
	outcome, err := e.settle(r, step, opening, e.judgeProof(r, opening, link), func(_ context.Context, outcome flow.Outcome) error {
		if outcome.Opened && !step.Flow.Native() {
			e.Cookies.RotateCSRF(w, r)
			step.Flow.Browser = e.Cookies.Browser(r)
		}
		return e.storeVerification(r, step, outcome)
	})
	refused := false
	if err == nil && outcome.Proved != "" {
		refused = e.ask(r, e.Config.Flows.Verification.After.Hooks, told{flow: step.Flow, who: outcome.Who}, nil) != nil
	}
	switch {
	case errors.Is(err, errTooOften):
		e.replace(w, r, ui.Reason(errTooOften.Reason), replacedRetry)
	case refused: // the address is verified all the same
		e.replace(w, r, ui.Say(ui.VerificationFailed), replacedRetry)
	case errors.Is(err, store.ErrConsumed):
		e.replace(w, r, ui.Say(ui.VerificationDone), replacedDone)
	case errors.Is(err, flow.ErrLink):
		e.replace(w, r, ui.Say(ui.VerificationTokenInvalid), replacedRetry)
	case isTaken(err): // by somebody who was faster with a change that waited
		e.failFlow(w, r, step, fault.InvalidField("", ui.Say(ui.AccountExists)))
	case err != nil:
		e.failFlow(w, r, step, err)
	default:
		e.answerVerification(w, r, step, outcome)
	}
}

func isTaken(err error) bool {
	_, taken := errors.AsType[*store.TakenError](err)
	return taken
}

// beginProof reads a submission that shows an address to be somebody's, or a link
// that does. Where there is nothing to go on with it has answered and returns no
// step.
func (e *Engine) beginProof(w http.ResponseWriter, r *http.Request, of flow.Kind) (submission, *flow.Step, *store.Opening) {
	if e.looksAhead(w, r) {
		return submission{}, nil, nil
	}
	sent := submitted(w, r)
	step, opening := e.begin(w, r, e.asking(of, sent))
	if step == nil || e.replacedExpired(w, r, step) {
		return sent, nil, nil
	}
	step.Form = sent.plain
	return sent, step, opening
}

// submitted is a submission, or what a link says.
func submitted(w http.ResponseWriter, r *http.Request) submission {
	if r.Method == http.MethodPost {
		return read(w, r)
	}
	return submission{plain: identity.Form{Values: r.URL.Query()}}
}

// judgeProof lets the flow's method judge what shows that an address is
// somebody's.
func (e *Engine) judgeProof(r *http.Request, opening *store.Opening, link bool) judged {
	return func(ctx context.Context, step *flow.Step) (outcome flow.Outcome, err error) {
		var door *flow.Door
		if link {
			_, door, err = e.chosen(step.Flow, step.Form)
		} else {
			_, door, err = e.submitTo(r, step)
		}
		if err != nil {
			return flow.Outcome{}, err
		}
		held, err := e.release(ctx, step, door)
		if err == nil && !held {
			step.Claimed, err = e.claimed(ctx, door, opening)
		}
		if err != nil {
			return flow.Outcome{}, err
		}
		judge := door.Submit
		if link {
			judge = door.Follow
		}
		if judge == nil {
			return flow.Outcome{}, flow.ErrLink
		}
		outcome, err = judge(ctx, step)
		if held && outcome.Proved == "" {
			outcome.Who = nil // the change waits on
		}
		return outcome, err
	}
}

// storeVerification writes what a method decided, with the mail that goes out.
func (e *Engine) storeVerification(r *http.Request, step *flow.Step, outcome flow.Outcome) error {
	f := step.Flow
	passed := outcome.Proved != ""
	if passed {
		e.passVerification(f, outcome.Proved)
	}
	mail, err := e.press(nil, outcome)
	if err != nil {
		return err
	}
	change := store.Change{
		Flow: f, Consume: passed, Fresh: len(mail) > 0, Who: outcome.Who, Stranger: len(mail) > 0 && outcome.Who == nil,
		Mail: mail, To: addressees(outcome),
	}
	if passed {
		posted, err := e.post(r, e.Config.Flows.Verification.After.Hooks, told{flow: f, who: outcome.Who})
		if err != nil {
			return err
		}
		change.Mail = append(change.Mail, posted...)
	}
	return e.commit(r.Context(), change)
}

// posted wakes whoever delivers messages in this process.
func (e *Engine) posted(mail []*courier.Message) {
	if e.Posted == nil {
		return
	}
	for _, m := range mail {
		e.Posted(m.ID)
	}
}

// press makes the messages of an outcome; to a stranger they are decoys. HTTP
// channels may see what the allow-list names of the headers, nil for none.
func (e *Engine) press(headers http.Header, outcome flow.Outcome) ([]*courier.Message, error) {
	var mail []*courier.Message
	for _, draft := range outcome.Mail {
		draft.Headers = e.Hooks.Headers(headers)
		write := e.Press.Message
		if outcome.Stranger {
			write = e.Press.Decoy
		}
		message, err := write(draft)
		if err != nil {
			return nil, err
		}
		mail = append(mail, message)
	}
	return mail, nil
}

// passVerification turns the form into the way on.
func (e *Engine) passVerification(f *flow.Flow, via identity.Via) {
	target, err := e.Returns.Resolve(f.ReturnTo, e.Config.Flows.Verification.After.ReturnURL)
	if err != nil {
		target, _ = e.Returns.Resolve("", e.Config.Flows.Verification.After.ReturnURL) // nothing asked is allowed
	}
	done := ui.EmailVerified
	if via == identity.ViaSMS {
		done = ui.PhoneVerified
	}
	f.State, f.Proofs = flow.ChallengePassed, nil
	f.UI = ui.Form{
		Action: target.String(), Method: http.MethodGet,
		Nodes:    []ui.Node{ui.CSRF(""), ui.Anchor(ui.Group(f.Active), "continue", target.String(), ui.Continue)},
		Messages: []ui.Message{ui.Say(done)},
	}
}

func (e *Engine) answerVerification(w http.ResponseWriter, r *http.Request, step *flow.Step, outcome flow.Outcome) {
	f := step.Flow
	if !f.Native() && !web.WantsJSON(r) || followed(r, step.Form) {
		web.Redirect(w, r, e.page(f), http.StatusSeeOther)
		return
	}
	if outcome.Who == nil && outcome.Mail == nil {
		f.Transient = shownTransient(step.Form)
	}
	web.JSON(w, http.StatusOK, e.show(r, f))
}

// shownTransient is a submission's transient payload as answers show it.
func shownTransient(form identity.Form) json.RawMessage {
	if form.Transient == nil {
		return json.RawMessage("{}")
	}
	return form.Transient
}

// replace answers that a flow is over with a new one for the browser, which
// says why.
func (e *Engine) replace(w http.ResponseWriter, r *http.Request, why ui.Message, reason string) {
	e.Cookies.RotateCSRF(w, r)
	fresh, err := e.startVerification(r, flow.Browser)
	if err == nil {
		fresh.UI.Messages = []ui.Message{why}
		err = e.open(r, fresh, nil)
	}
	if err != nil {
		e.failBrowser(w, r, err)
		return
	}
	if !web.WantsJSON(r) {
		web.Redirect(w, r, e.page(fresh), http.StatusSeeOther)
		return
	}
	web.Fail(w, r, &fault.Error{
		Kind: fault.Gone, ID: "self_service_flow_replaced", Message: "self-service flow replaced", Reason: reason,
		Beside: map[string]any{"use_flow_id": fresh.ID},
	})
}

// replaceExpiredVerification leads to a fresh flow for the browser, whatever
// client the expired one was for.
func (e *Engine) replaceExpiredVerification(w http.ResponseWriter, r *http.Request, old *flow.Flow) {
	fresh, err := e.startVerification(r, flow.Browser)
	if err == nil {
		fresh.RequestURL, fresh.ReturnTo = old.RequestURL, old.ReturnTo
		fresh.UI.Messages = []ui.Message{ui.Expired(ui.VerificationExpired, old.ExpiresAt, e.Now())}
		err = e.open(r, fresh, nil)
	}
	if err != nil {
		e.failSubmit(w, r, old, err)
		return
	}
	e.Cookies.EnsureCookie(w, r)
	if old.Native() || web.WantsJSON(r) {
		web.Redirect(w, r, e.url("/self-service/verification/flows", url.Values{"id": {fresh.ID}}), http.StatusSeeOther)
		return
	}
	web.Redirect(w, r, e.page(fresh), http.StatusSeeOther)
}

// unverified tells whether an address still has to be proved.
func unverified(a identity.VerifiableAddress) bool { return !a.Verified }

// verifying is what goes with a change to prove addresses of who; its zero value,
// nothing.
type verifying struct {
	begun  []*flow.Flow
	mail   []*courier.Message
	to     []identity.Address
	who    *identity.Identity // to whom it is noted that something was sent
	before *identity.Identity // as it was until then
}

// verify begins the verification of the first address that is to be proved, or
// of all of them where the configuration says so. It begins nothing when no
// method can reach an address.
func (e *Engine) verify(
	r *http.Request, from *flow.Flow, who *identity.Identity, due func(identity.VerifiableAddress) bool,
) (verifying, error) {
	if !e.Config.Flows.Verification.Enabled {
		return verifying{}, nil
	}
	started := verifying{who: who, before: who.Clone()}
	for at := range who.VerifiableAddresses {
		address := &who.VerifiableAddresses[at]
		if !due(*address) {
			continue
		}
		f, mail, err := e.beginVerification(r, from, who, address)
		if err != nil || f == nil {
			return verifying{}, err
		}
		started.begun, started.mail = append(started.begun, f), append(started.mail, mail...)
		started.to = append(started.to, identity.Address{Via: address.Via, Value: address.Value})
		if !e.Config.FeatureFlags.LegacyContinueVerificationUI {
			break
		}
	}
	return started, nil
}

// with is a change and the verification that begins with it.
func (v verifying) with(change store.Change) store.Change {
	if len(v.begun) > 0 {
		change.Who, change.New = v.who, append(slices.Clone(change.New), v.begun...)
		change.Mail, change.Unasked = append(slices.Clone(change.Mail), v.mail...), v.to
	}
	return change
}

// commitVerifying stores a change and the verification that begins with it, and
// returns the flows that began. Nobody asked for their messages: where it would be
// too many to one address, none is sent, and the change is stored all the same.
func (e *Engine) commitVerifying(ctx context.Context, change store.Change, v verifying) ([]*flow.Flow, error) {
	err := e.commit(ctx, v.with(change))
	if len(v.begun) > 0 && fault.Is(err, fault.TooMany) {
		*v.who = *v.before
		return nil, e.commit(ctx, change)
	}
	return v.begun, err
}

// beginVerification returns the flow in which an address is proved, and what is
// sent there; no flow when no method can send anything.
func (e *Engine) beginVerification(
	r *http.Request, from *flow.Flow, who *identity.Identity, address *identity.VerifiableAddress,
) (*flow.Flow, []*courier.Message, error) {
	now := e.Now()
	f := &flow.Flow{
		ID: e.newID(), Kind: flow.Verification, Type: from.Type, Active: e.Config.Flows.Verification.Use, State: flow.ChooseMethod,
		RequestURL: from.RequestURL, ReturnTo: afterVerification(from), Transient: from.Transient,
		IssuedAt: now, ExpiresAt: now.Add(e.settings(flow.Verification).Lifespan), UpdatedAt: now,
	}
	e.bind(r, f)
	if !f.Native() && from.Kind == flow.Registration {
		f.Browser = e.Cookies.NextBrowser(r) // the browser gets another token with its answer
	}
	methods := e.offered(f)
	if len(methods) == 0 {
		return nil, nil, nil
	}
	outcome, err := methods[0].Verification.Begin(&flow.Step{Flow: f, Claimed: who, Now: now, Rand: e.Rand}, address)
	if err != nil {
		return nil, nil, err
	}
	mail, err := e.press(nil, outcome)
	return f, mail, err
}

// afterVerification is where a browser asked to go once its address is proved.
func afterVerification(from *flow.Flow) string {
	asked, err := url.Parse(from.RequestURL)
	if err != nil {
		return ""
	}
	return asked.Query().Get("after_verification_return_to")
}

// showVerifications asks a client to show verification flows that were begun.
func (e *Engine) showVerifications(begun []*flow.Flow) []continuation {
	var next []continuation
	for _, f := range begun {
		target := &flowTarget{ID: f.ID, Address: f.Proofs[0].Address}
		if !f.Native() {
			target.URL = e.page(f)
		}
		next = append(next, continuation{Action: "show_verification_ui", Flow: target})
	}
	return next
}
