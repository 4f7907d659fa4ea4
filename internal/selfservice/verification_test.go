package selfservice_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"styx/internal/courier"
)

// verifying switches verification on, by code unless more is said.
const verifying = `
selfservice: {methods: {code: {enabled: true}, link: {enabled: true}}, flows: {verification: {enabled: true}}}
courier: {smtp: {from_address: styx@example.org}}
`

const byLink = `selfservice: {flows: {verification: {use: link}}}`

// letter is a message that arrived.
type letter struct {
	To       string
	Template courier.Template
	Code     string `json:"verification_code"`
	URL      string `json:"verification_url"`

	RecoveryCode string `json:"recovery_code"`
	RecoveryURL  string `json:"recovery_url"`

	data string // all that it is made from

	LoginCode        string `json:"login_code"`
	RegistrationCode string `json:"registration_code"`

	Headers string // of the request that caused it
}

// mailbox takes the mail of a house the moment it is written.
type mailbox struct {
	mu      sync.Mutex
	letters []letter
	posted  int
}

func (h *house) mailbox(tb testing.TB) *mailbox {
	tb.Helper()
	box := new(mailbox)
	deliverer := &courier.Courier{
		Outbox: h.Store, Press: h.Press, Log: slog.New(slog.DiscardHandler), Now: h.Now, Rand: h.Rand,
		Render: func(context.Context, courier.Template, courier.Type, *courier.Fields) (courier.Content, error) {
			return courier.Content{}, nil
		},
		Channels: map[string]courier.Send{"email": box.take, "sms": box.take},
	}
	h.Posted = func(id string) {
		if _, err := deliverer.Deliver(context.Background(), id); err != nil {
			tb.Error(err)
		}
		box.mu.Lock()
		defer box.mu.Unlock()
		box.posted++
	}
	return box
}

func (b *mailbox) take(_ context.Context, l *courier.Letter) error {
	arrived := letter{To: l.To, Template: l.Template, Headers: fmt.Sprint(l.Headers), data: string(l.Data)}
	if err := json.Unmarshal(l.Data, &arrived); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letters = append(b.letters, arrived)
	return nil
}

// last is the newest letter.
func (b *mailbox) last(tb testing.TB) letter {
	tb.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.letters) == 0 {
		tb.Fatal("no mail")
	}
	return b.letters[len(b.letters)-1]
}

// all are the letters that arrived so far.
func (b *mailbox) all() []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.letters)
}

func (b *mailbox) counts() (arrived, posted int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.letters), b.posted
}

// shown is the flow after a submission that the flow answers itself: in the
// answer, or where the browser is sent.
func (c *client) shown(tb testing.TB, a answer) flow {
	tb.Helper()
	if to := a.location(tb); to != nil {
		return c.fetch(tb, strings.TrimPrefix(to.Path, "/"), to.Query().Get("flow")).flow(tb)
	}
	if a.Code != http.StatusOK {
		tb.Fatalf("answered %d %s", a.Code, a.Body)
	}
	return a.flow(tb)
}

func (h *house) verified(tb testing.TB, id string) bool {
	tb.Helper()
	return h.stored(tb, id).VerifiableAddresses[0].Verified
}

// other returns a code that is not this one.
func other(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// TestVerificationByCode proves an address: after a registration, and on demand.
func TestVerificationByCode(t *testing.T) {
	for _, of := range kinds {
		h := open(t, verifying)
		box := h.mailbox(t)
		c := h.client(of)
		ann := c.signUp(t, "ann@example.org")
		first := box.last(t)
		if first.To != "ann@example.org" || len(first.Code) != 6 || h.verified(t, ann.Identity.ID) {
			t.Errorf("%s: a registration sends %+v", of, first)
		}
		id := c.start(t, "verification", "")
		f := c.shown(t, c.submit(t, "verification", id, fields{"method": "code", "email": "Ann@Example.org"}))
		second := box.last(t)
		if fmt.Sprint(f.messages()) != "[1080003]" || f.State != "sent_email" || f.node("code") == nil || second == first {
			t.Errorf("%s: asking for a code says %v, %s", of, f.messages(), f.State)
		}
		for _, wrong := range []string{other(second.Code), first.Code + "x", second.Code + "0"} {
			f = c.shown(t, c.submit(t, "verification", id, fields{"method": "code", "code": wrong}))
			if fmt.Sprint(f.messages()) != "[4070006]" || h.verified(t, ann.Identity.ID) {
				t.Errorf("%s: %q says %v", of, wrong, f.messages())
			}
		}
		f = c.shown(t, c.submit(t, "verification", id, fields{"method": "code", "code": second.Code}))
		if fmt.Sprint(f.messages()) != "[1080002]" || f.State != "passed_challenge" || !h.verified(t, ann.Identity.ID) {
			t.Errorf("%s: the code says %v, %s", of, f.messages(), f.State)
		}
		a := c.submit(t, "verification", id, fields{"method": "code", "code": second.Code})
		if a.location(t) == nil && a.Code != http.StatusGone {
			t.Errorf("%s: the code's second use is answered %d %s", of, a.Code, a.Body)
		}
	}
}

// TestVerificationCodeEnds with its lifespan, with the next code, and in every
// other flow.
func TestVerificationCodeEnds(t *testing.T) {
	h := open(t, verifying, `selfservice: {methods: {code: {config: {lifespan: 5m}}}}`)
	box := h.mailbox(t)
	c := h.client(api)
	ann := c.signUp(t, "ann@example.org")
	begun := func() (string, string) {
		id := c.start(t, "verification", "")
		c.shown(t, c.submit(t, "verification", id, fields{"method": "code", "email": "ann@example.org"}))
		return id, box.last(t).Code
	}
	id, replaced := begun()
	c.shown(t, c.submit(t, "verification", id, fields{"method": "code", "email": "ann@example.org"}))
	_, foreign := begun()
	late, expired := begun()
	try := func(flow, code string) {
		t.Helper()
		f := c.shown(t, c.submit(t, "verification", flow, fields{"method": "code", "code": code}))
		if fmt.Sprint(f.messages()) != "[4070006]" || h.verified(t, ann.Identity.ID) {
			t.Errorf("says %v", f.messages())
		}
	}
	if replaced != box.last(t).Code {
		try(id, replaced)
	}
	if foreign != expired {
		try(late, foreign)
	}
	h.clock.pass(h.Config.Methods.Code.Lifespan)
	try(late, expired)
}

// TestVerificationOfNobody looks as that of somebody: the same answer, as many
// writes, and mail to nobody unless the configuration wants strangers told.
func TestVerificationOfNobody(t *testing.T) {
	for _, method := range []string{"code", "link"} {
		for _, told := range []bool{false, true} {
			h := open(t, verifying, fmt.Sprintf(`selfservice: {flows: {verification: {use: %s, notify_unknown_recipients: %v}}}`, method, told))
			box := h.mailbox(t)
			c := h.client(api)
			c.signUp(t, "ann@example.org")
			before, _ := box.counts()
			ask := func(address string) string {
				id := c.start(t, "verification", "")
				a := c.submit(t, "verification", id, fields{"method": method, "email": address})
				return strings.NewReplacer(id, "ID", address, "ADDRESS").Replace(a.Body.String())
			}
			if known, unknown := ask("ann@example.org"), ask("bob@example.org"); known != unknown {
				t.Errorf("%s: somebody gets\n%s\nand nobody\n%s", method, known, unknown)
			}
			arrived, posted := box.counts()
			want := map[bool]int{false: 1, true: 2}[told]
			if arrived-before != want || posted != 3 {
				t.Errorf("%s, told %v: %d mails, %d posted", method, told, arrived-before, posted)
			}
			if last := box.last(t); told && (last.To != "bob@example.org" || last.Code != "" || last.URL != "") {
				t.Errorf("%s: a stranger reads %+v", method, last)
			}
		}
	}
}

// TestVerificationByLink: opening the link in any browser proves the address,
// once; a mail client that looks ahead does not.
func TestVerificationByLink(t *testing.T) {
	for _, of := range kinds {
		h := open(t, verifying, byLink)
		box := h.mailbox(t)
		c := h.client(of)
		ann := c.signUp(t, "ann@example.org")
		id := c.start(t, "verification", "")
		f := c.shown(t, c.submit(t, "verification", id, fields{"method": "link", "email": "ann@example.org"}))
		link, err := url.Parse(box.last(t).URL)
		if err != nil || fmt.Sprint(f.messages()) != "[1080001]" {
			t.Fatalf("%s: %v, says %v", of, err, f.messages())
		}
		reader := h.client(html)
		ahead := reader.request(t, http.MethodGet, link.RequestURI(), "", "")
		ahead.Header.Set("Sec-Purpose", "prefetch;prerender")
		reader.send(ahead)
		reader.ask(t, http.MethodHead, link.RequestURI())
		query := link.Query()
		query.Set("token", query.Get("token")+"x")
		if a := reader.ask(t, http.MethodGet, link.Path+"?"+query.Encode()); fmt.Sprint(reader.shown(t, a).messages()) != "[4070001]" {
			t.Errorf("%s: a wrong token is sent to %s", of, a.location(t))
		}
		if h.verified(t, ann.Identity.ID) {
			t.Fatalf("%s: verified by nobody", of)
		}
		if a := reader.ask(t, http.MethodGet, link.RequestURI()); a.location(t).Query().Get("flow") != id || !h.verified(t, ann.Identity.ID) {
			t.Errorf("%s: the link leads to %s", of, a.location(t))
		}
		if a := reader.ask(t, http.MethodGet, link.RequestURI()); a.location(t).Query().Get("flow") == id {
			t.Errorf("%s: the link's second use leads to %s", of, a.location(t))
		}
	}
}

// TestMailAndChangeAreOne: when the change can not be written, no mail goes out.
func TestMailAndChangeAreOne(t *testing.T) {
	h := open(t, verifying)
	box := h.mailbox(t)
	c := h.client(api)
	c.signUp(t, "ann@example.org")
	before, _ := box.counts()
	c = h.client(api)
	id := c.start(t, "registration", "")
	c.again(t, "registration", c.submit(t, "registration", id, fields{"method": "password", "traits.email": "ann@example.org", "password": password}))
	if after, _ := box.counts(); after != before {
		t.Error("a registration that failed sent mail")
	}
	page, err := h.Store.Due(t.Context(), 100)
	if err != nil || len(page) != 0 {
		t.Errorf("%d messages wait, %v", len(page), err)
	}
}

// TestShowVerificationUI leads on to the flow that the registration began.
func TestShowVerificationUI(t *testing.T) {
	for _, of := range kinds {
		h := open(t, verifying, `selfservice: {flows: {registration: {after: {password: {hooks: [{hook: session}, {hook: show_verification_ui}]}}}}}`)
		box := h.mailbox(t)
		c := h.client(of)
		id := c.start(t, "registration", "")
		a := c.submit(t, "registration", id, fields{"method": "password", "traits.email": "ann@example.org", "password": password})
		var next string
		if of == html {
			to := a.location(t)
			if to == nil || to.Path != "/verification" {
				t.Fatalf("answered %d %s, sent to %s", a.Code, a.Body, to)
			}
			next = to.Query().Get("flow")
		} else {
			var body struct {
				ContinueWith []struct {
					Action string `json:"action"`
					Flow   struct {
						ID string `json:"id"`
					} `json:"flow"`
				} `json:"continue_with"`
			}
			a.decode(t, &body)
			for _, way := range body.ContinueWith {
				if way.Action == "show_verification_ui" {
					next = way.Flow.ID
				}
			}
		}
		f := c.shown(t, c.submit(t, "verification", next, fields{"method": "code", "code": box.last(t).Code}))
		if !slices.Equal(f.messages(), said(1080002)) {
			t.Errorf("%s: %s says %v", of, next, f.messages())
		}
	}
}

// TestVerificationFlowEnds: an expired flow is replaced by a fresh one.
func TestVerificationFlowEnds(t *testing.T) {
	for _, of := range kinds {
		h := open(t, verifying)
		h.mailbox(t)
		c := h.client(of)
		id := c.start(t, "verification", "")
		sent := fields{"method": "code", "email": "ann@example.org", "csrf_token": c.csrf(t, "verification", id)}
		h.clock.pass(h.Config.Flows.Verification.Lifespan + time.Second)
		a := c.submit(t, "verification", id, sent)
		to := a.location(t)
		if to == nil || to.Query().Get("flow")+to.Query().Get("id") == id {
			t.Errorf("%s: answered %d %s", of, a.Code, a.Body)
		}
	}
}
