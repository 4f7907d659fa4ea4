package lookup

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/ui"
)

func noon() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

func ring(t *testing.T, cipher ...string) *secret.Ring {
	t.Helper()
	r, err := secret.New(secret.Lists{Default: []string{"the default secret"}, Cipher: cipher}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func stranger() *identity.Identity {
	return identity.New("22222222-2222-4222-8222-222222222222", "person", noon())
}

// ann is an identity that has used up the first of three codes.
func ann(t *testing.T, r *secret.Ring) *identity.Identity {
	t.Helper()
	who, used := identity.New("11111111-1111-4111-8111-111111111111", "person", noon()), noon()
	if err := who.SetLookup(r, []identity.LookupCode{{Code: "aaaa1111", UsedAt: &used}, {Code: "bbbb2222"}, {Code: "cccc3333"}}, noon()); err != nil {
		t.Fatal(err)
	}
	return who
}

func step(of flow.Kind, who *identity.Identity, fields map[string]string) *flow.Step {
	s := &flow.Step{Flow: &flow.Flow{Kind: of}, Owner: who, Now: noon().Add(time.Hour), Rand: rand.Reader}
	s.Form.Values = map[string][]string{}
	for name, value := range fields {
		s.Form.Values[name] = []string{value}
	}
	return s
}

// messages are what an error puts at the nodes of a form.
func messages(err error) string {
	known := fault.As(err)
	if known == nil {
		return ""
	}
	at := []string{known.Reason}
	for _, field := range known.Fields {
		at = append(at, fmt.Sprintf("%s:%d", field.At, field.Text.ID))
	}
	return strings.TrimSpace(strings.Join(at, " "))
}

func names(f ui.Form) string {
	var all []string
	for _, node := range f.Nodes {
		all = append(all, node.Name())
	}
	return strings.Join(all, " ")
}

func TestLoginJudges(t *testing.T) {
	r := ring(t)
	for _, c := range []struct {
		name, code string
		who        *identity.Identity
		want       string // messages; "" for passed
	}{
		{"a code", "bbbb2222", ann(t, r), ""},
		{"the last code", "cccc3333", ann(t, r), ""},
		{"a used code", "aaaa1111", ann(t, r), ":4000012"},
		{"capital letters", "BBBB2222", ann(t, r), ":4000016"},
		{"two codes", "bbbb2222, cccc3333", ann(t, r), ":4000016"},
		{"half a code", "bbbb", ann(t, r), ":4000016"},
		{"what a used one is shown as", "used", ann(t, r), ":4000016"},
		{"a very long one", strings.Repeat("b", 1<<20), ann(t, r), ":4000016"},
		{"nothing", "", ann(t, r), "lookup_secret:4000002"},
		{"nobody's code", "bbbb2222", stranger(), ":4000014"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := step(flow.Login, c.who, map[string]string{id: c.code})
			s.Flow.UI.Append(ui.Input(ui.LookupSecret, id, "text", ""))
			outcome, err := New(r).Login.Submit(t.Context(), s)
			if got := messages(err); got != c.want {
				t.Fatalf("said %q, want %q (%v)", got, c.want, err)
			}
			if value := s.Flow.UI.Find(id).Attributes.Value; value != nil {
				t.Errorf("the form holds %v", value)
			}
			if c.want != "" {
				if outcome.Who != nil {
					t.Errorf("passed as %s", outcome.Who.ID)
				}
				return
			}
			if outcome.Who != c.who || !outcome.Changed || outcome.Spent || outcome.Method.Method != id || outcome.Method.AAL != session.AAL2 {
				t.Errorf("passed by %+v", outcome)
			}
			// It works once.
			if outcome, err = New(r).Login.Submit(t.Context(), s); messages(err) != ":4000012" || outcome.Who != nil {
				t.Errorf("again: %q", messages(err))
			}
		})
	}
}

// TestLife of the codes: they are shown, count once they are confirmed, are shown
// again with those that were used, are replaced and taken away.
func TestLife(t *testing.T) {
	r := ring(t)
	door := New(r).Settings
	who := stranger()
	s := step(flow.Settings, who, nil)
	press := func(button string) (flow.Outcome, error) {
		t.Helper()
		s.Form = step(flow.Settings, who, map[string]string{"method": id, button: "true"}).Form
		if !door.Answers(id, s.Form) || !door.Fresh(s.Form) {
			t.Fatalf("%s is for nobody", button)
		}
		return door.Submit(t.Context(), s)
	}
	form := func() string {
		t.Helper()
		s.Flow.UI = ui.Form{}
		if err := door.Form(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		return names(s.Flow.UI)
	}
	if got := form(); got != regenerate {
		t.Errorf("shows %s", got)
	}
	for button, want := range map[string]string{
		confirm: "You must (re-)generate recovery backup codes before you can save them.",
		reveal:  "Can not reveal lookup codes because you have none.",
	} {
		if outcome, err := press(button); messages(err) != want || outcome.Who != nil {
			t.Errorf("%s says %v", button, err)
		}
	}
	s.Flow.UI.Tell("", ui.Reason("an earlier mistake"))
	if outcome, err := press(regenerate); err != nil || outcome.Who != nil || names(s.Flow.UI) != list+" "+confirm || !s.Flow.Private || s.Flow.UI.Messages != nil {
		t.Fatalf("generated: %v, %s", err, names(s.Flow.UI))
	}
	shown := s.Flow.UI.Find(list).Attributes.Text.Text
	if !regexp.MustCompile(`^[0-9a-z]{8}(, [0-9a-z]{8}){11}$`).MatchString(shown) {
		t.Errorf("shows %s", shown)
	}
	if who.Counts().LookupSecret != 0 {
		t.Error("codes count before they are confirmed")
	}
	outcome, err := press(confirm)
	if err != nil || outcome.Who != who || !outcome.Changed || outcome.Method.Method != id || outcome.Method.AAL != session.AAL2 {
		t.Fatalf("enrolled by %+v, %v", outcome, err)
	}
	s.Flow.Kept, s.Flow.Private = nil, false
	if got := form(); got != reveal+" "+disable {
		t.Errorf("then shows %s", got)
	}
	first, _, _ := strings.Cut(shown, ", ")
	if _, err := New(r).Login.Submit(t.Context(), step(flow.Login, who, map[string]string{id: first})); err != nil {
		t.Error(err)
	}
	if outcome, err := press(reveal); err != nil || outcome.Who != nil || names(s.Flow.UI) != list+" "+disable+" "+regenerate || !s.Flow.Private {
		t.Fatalf("revealed: %v, %s", err, names(s.Flow.UI))
	}
	revealed := s.Flow.UI.Find(list).Attributes.Text
	if revealed.Text != "used"+strings.TrimPrefix(shown, first) {
		t.Errorf("shows %s", revealed.Text)
	}
	context, err := json.Marshal(revealed.Context)
	const used = `{"secrets":[{"id":1050014,"text":"Secret was used at 2026-07-01 13:00:00 +0000 UTC","type":"info",` +
		`"context":{"used_at":"2026-07-01T13:00:00Z","used_at_unix":1782910800}},{"id":1050009,`
	if err != nil || !strings.HasPrefix(string(context), used) {
		t.Errorf("says %s, %v", context, err)
	}
	// New codes replace the old ones when they are confirmed, not before.
	if _, err := press(regenerate); err != nil || strings.Contains(s.Flow.UI.Find(list).Attributes.Text.Text, first) {
		t.Errorf("generated again: %v", err)
	}
	if codes, err := who.Lookup(r); err != nil || codes[0].Code != first {
		t.Errorf("then stored is %v, %v", codes, err)
	}
	if _, err := press(confirm); err != nil {
		t.Error(err)
	}
	if codes, err := who.Lookup(r); err != nil || len(codes) != count || codes[0].Code == first || codes[0].UsedAt != nil {
		t.Errorf("then stored is %v, %v", codes, err)
	}
	if outcome, err := press(disable); err != nil || outcome.Who != who || outcome.Method.Method != "" || who.Counts().LookupSecret != 0 {
		t.Errorf("taken away: %+v, %v", outcome, err)
	}
	if door.Answers(id, step(flow.Settings, who, map[string]string{"method": id, reveal: "false"}).Form) {
		t.Error("no button is for the method")
	}
}

// TestSealOutlivesItsKey: what an older secret of the configuration sealed opens,
// and using a code seals all of them by the first.
func TestSealOutlivesItsKey(t *testing.T) {
	older, newer := ring(t, "an older cipher secret"), ring(t, "a newer cipher secret", "an older cipher secret")
	who := ann(t, older)
	if _, err := New(newer).Login.Submit(t.Context(), step(flow.Login, who, map[string]string{id: "bbbb2222"})); err != nil {
		t.Errorf("after the change: %v", err)
	}
	codes, err := who.Lookup(ring(t, "a newer cipher secret"))
	if err != nil || codes[2].Code != "cccc3333" || codes[1].UsedAt == nil {
		t.Errorf("without the older one: %v, %v", codes, err)
	}
	if outcome, err := New(older).Login.Submit(t.Context(), step(flow.Login, who, map[string]string{id: "cccc3333"})); err == nil || outcome.Who != nil {
		t.Error("a secret that is gone opens")
	}
}

// TestOffered to whoever has codes.
func TestOffered(t *testing.T) {
	r := ring(t)
	for want, who := range map[string]*identity.Identity{"lookup_secret method": ann(t, r), "": stranger(), " ": nil} {
		s := step(flow.Login, who, nil)
		if err := New(r).Login.Form(t.Context(), s); err != nil || names(s.Flow.UI) != strings.TrimSpace(want) {
			t.Errorf("offers %q, %v", names(s.Flow.UI), err)
		}
	}
}
