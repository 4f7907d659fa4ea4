package proofs

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"styx/internal/flow"
)

// manyGuesses lets more submissions through to a code than the tests make.
const manyGuesses = `selfservice: {methods: {code: {config: {max_submissions: 200}}}}`

// codeMail are the flows in which a code proves an address, and the template of
// the message that brings it.
var codeMail = map[string]string{"recovery": "recovery_code_valid", "verification": "verification_code_valid"}

// awaiting begins a flow in which a code was sent to an address, the first of its
// kind to go there, and returns the id of the flow and the code.
func (c *client) awaiting(kind, address string) (id, code string) {
	c.t.Helper()
	form := c.open(kind, "")
	if a := form.submit(map[string]string{"method": "code", "email": address}); a.status != http.StatusOK || a.State != "sent_email" {
		c.t.Fatalf("%s of %s: %v", kind, address, a)
	}
	return flowOf(c.t, form.action), c.mail(address, codeMail[kind], 1).code
}

// flowOf is the id of the flow that a URL leads to.
func flowOf(t *testing.T, address string) string {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return to.Query().Get("flow")
}

// guess submits a code to a flow.
func (c *client) guess(kind, id, code string) answer {
	return c.do(http.MethodPost, c.public+"/self-service/"+kind+"?flow="+id, map[string]string{"method": "code", "code": code})
}

// proved tells whether an answer says that the code was right.
func (a *answer) proved() bool { return a.State == "passed_challenge" }

// spendOnce submits one right code many times at once, turn by turn through each
// of the ways in, for every kind of flow: one submission wins.
func spendOnce(t *testing.T, ways ...*client) {
	t.Helper()
	for kind := range codeMail {
		address := kind + "@example.com"
		ways[0].create(withPassword(address))
		before := ways[0].enter(address)
		id, code := ways[0].awaiting(kind, address)
		var answers [50]answer
		atOnce(len(answers), func(i int) { answers[i] = ways[i%len(ways)].guess(kind, id, code) })
		won, token := 0, ""
		for _, a := range answers {
			switch {
			case a.status == http.StatusOK && a.proved():
				won++
				token = a.token()
			case a.token() != "":
				t.Errorf("%s: a session for a loser: %v", kind, a)
			case a.status != http.StatusBadRequest && a.status != http.StatusGone:
				t.Errorf("%s: a loser is told %v", kind, a)
			}
		}
		if won != 1 {
			t.Errorf("%s: %d submissions of one code won", kind, won)
		}
		others := ways[0].bearing(before).sessions()
		if want := map[string]int{"recovery": 1}[kind]; len(others) != want {
			t.Errorf("%s: there are %d other sessions, want %d", kind, len(others), want)
		}
		if kind == "recovery" && ways[0].whoami(token).Identity.Traits.Email != address {
			t.Error("the winner of the recovery is not signed in")
		}
	}
}

// TestCodeIsSpentOnce submits the right code through two servers over one table.
func TestCodeIsSpentOnce(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			over := b.open(t)
			spendOnce(t, build(t, over, manyGuesses).client, build(t, over, manyGuesses).client)
		})
	}
}

// counted counts the codes that a house compares with the one that was sent: a
// method does so when it is given a submission or a link, and nowhere else.
func (h *house) counted(kind flow.Kind) *atomic.Int64 {
	compared := new(atomic.Int64)
	for _, method := range h.server.App.Engine.Methods {
		door := method.Door(kind)
		if door == nil || method.ID != "code" {
			continue
		}
		counting := func(judge func(context.Context, *flow.Step) (flow.Outcome, error)) func(context.Context, *flow.Step) (flow.Outcome, error) {
			return func(ctx context.Context, step *flow.Step) (flow.Outcome, error) {
				if step.Form.Has("code") {
					compared.Add(1)
				}
				return judge(ctx, step)
			}
		}
		door.Submit = counting(door.Submit)
		if door.Follow != nil {
			door.Follow = counting(door.Follow)
		}
	}
	return compared
}

// TestGuessesAreCapped sends two hundred wrong codes at once, by forms and by
// links, through two servers: few of them are compared at all, and afterwards
// the right one is not either.
func TestGuessesAreCapped(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			over := b.open(t)
			houses := []*house{build(t, over), build(t, over)}
			most := int64(houses[0].server.App.Config.Methods.Code.MaxSubmissions)
			for kind := range codeMail {
				address := kind + "@example.com"
				houses[0].create(withPassword(address))
				id, code := houses[0].awaiting(kind, address)
				compared := []*atomic.Int64{houses[0].counted(flow.Kind(kind)), houses[1].counted(flow.Kind(kind))}
				atOnce(200, func(i int) {
					guess, h := fmt.Sprintf("%06d", i), houses[i%2]
					if guess == code {
						guess = "999999"
					}
					a := answer{}
					if i%3 == 0 {
						a = h.do(http.MethodGet, h.public+"/self-service/"+kind+"?flow="+id+"&code="+guess, nil)
					} else {
						a = h.guess(kind, id, guess)
					}
					if a.proved() || a.token() != "" || a.status >= http.StatusInternalServerError || a.status == http.StatusConflict {
						t.Errorf("%s: a wrong code: %v", kind, a)
					}
				})
				if all := compared[0].Load() + compared[1].Load(); all > most || all == 0 {
					t.Errorf("%s: %d codes were compared, want at most %d", kind, all, most)
				}
				if a := houses[0].guess(kind, id, code); a.proved() || a.token() != "" {
					t.Errorf("%s: the right code after two hundred wrong ones: %v", kind, a)
				}
				if all := compared[0].Load() + compared[1].Load(); all > most {
					t.Errorf("%s: the right code was compared as number %d", kind, all)
				}
			}
		})
	}
}
