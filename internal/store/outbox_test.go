package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"styx/internal/courier"
	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/table"
	"styx/internal/table/local"
)

// clock is a time that moves when it is told to.
type clock struct{ now atomic.Int64 }

func (c *clock) Now() time.Time           { return time.UnixMicro(c.now.Load()).UTC() }
func (c *clock) advance(by time.Duration) { c.now.Add(by.Microseconds()) }

// post is an outbox and what writes to it.
type post struct {
	*Store
	*courier.Press
	clock *clock
}

func openPost(tb testing.TB) post {
	tb.Helper()
	c := newClock()
	memory, err := local.Memory(local.Options{Now: c.Now, Rand: rand.Reader})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = memory.Close() })
	return postOn(tb, memory, c)
}

func newClock() *clock { return clockAt(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)) }

func clockAt(now time.Time) *clock {
	c := new(clock)
	c.now.Store(now.UnixMicro())
	return c
}

func postOn(tb testing.TB, on table.Table, c *clock) post {
	tb.Helper()
	ring, err := secret.New(secret.Lists{Default: []string{"a secret of the tests"}}, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return post{
		Store: &Store{Table: on, Ring: ring, Now: c.Now, Rand: rand.Reader},
		Press: &courier.Press{Ring: ring, Now: c.Now, Rand: rand.Reader},
		clock: c,
	}
}

func (p post) draft(to string) courier.Draft {
	return courier.Draft{
		Template: courier.LoginCodeValid, Via: identity.ViaEmail, To: to,
		Data: map[string]any{courier.LoginCode: "918273", courier.ExpiresInMinutes: 15},
	}
}

// write stores a message to somebody and returns its id.
func (p post) write(tb testing.TB, to string) string {
	tb.Helper()
	m, err := p.Press.Message(p.draft(to))
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.Post(tb.Context(), m); err != nil {
		tb.Fatal(err)
	}
	return m.ID
}

func (p post) read(tb testing.TB, id string) *courier.Message {
	tb.Helper()
	m, err := p.Store.Message(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// courier returns a courier for mail alone.
func (p post) courier(send courier.Send) *courier.Courier {
	return &courier.Courier{
		Outbox: p.Store, Press: p.Press, Channels: map[string]courier.Send{"email": send}, Retries: 5,
		Render: func(_ context.Context, t courier.Template, _ courier.Type, f *courier.Fields) (courier.Content, error) {
			return courier.Content{Subject: string(t), Text: f.LoginCode}, nil
		},
		Log: slog.New(slog.DiscardHandler), Now: p.clock.Now, Rand: rand.Reader,
	}
}

func (p post) deliver(tb testing.TB, c *courier.Courier, id string) time.Time {
	tb.Helper()
	again, err := c.Deliver(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	return again
}

func TestClaimHasOneWinner(t *testing.T) { claimHasOneWinner(t, openPost(t)) }

func claimHasOneWinner(t *testing.T, p post) {
	t.Helper()
	id := p.write(t, "ann@example.org")
	for round := range 3 {
		var won atomic.Int64
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if _, mine, err := p.Claim(t.Context(), id, time.Minute); err != nil {
					t.Error(err)
				} else if mine {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("round %d: %d claims won", round, won.Load())
		}
		if m := p.read(t, id); m.Status != courier.Processing || m.SendCount != round+1 {
			t.Errorf("round %d: %s after %d", round, m.Status, m.SendCount)
		}
		p.clock.advance(time.Minute + time.Millisecond) // the lease ends: the next may
	}
}

func TestSentIsForgotten(t *testing.T) { sentIsForgotten(t, openPost(t)) }

func sentIsForgotten(t *testing.T, p post) {
	t.Helper()
	id := p.write(t, "ann@example.org")
	var letters []*courier.Letter
	c := p.courier(func(_ context.Context, l *courier.Letter) error {
		letters = append(letters, l)
		return nil
	})
	for range 3 {
		if again := p.deliver(t, c, id); !again.IsZero() {
			t.Errorf("to be tried again at %v", again)
		}
	}
	if len(letters) != 1 || letters[0].Text != "918273" || letters[0].To != "ann@example.org" {
		t.Fatalf("sent %d times: %+v", len(letters), letters)
	}
	m := p.read(t, id)
	if m.Status != courier.Sent || m.SendCount != 1 || m.Sealed != "" || m.Body != "" || len(m.Dispatches) != 1 || m.Dispatches[0].Status != courier.DispatchOK {
		t.Errorf("noted as %+v", m)
	}
}

func TestKeptInDevelopment(t *testing.T) {
	p := openPost(t)
	id := p.write(t, "ann@example.org")
	c := p.courier(func(context.Context, *courier.Letter) error { return nil })
	c.Keep = true
	if content, err := c.Preview(t.Context(), p.read(t, id)); err != nil || content.Text != "918273" {
		t.Errorf("before it is sent it says %+v, %v", content, err)
	}
	p.deliver(t, c, id)
	m := p.read(t, id)
	if content, err := c.Preview(t.Context(), m); err != nil || m.Body != "918273" || content.Text != m.Body || m.Sealed != "" {
		t.Errorf("afterwards it says %+v, %v, %+v", content, err, m)
	}
}

// A receiver that is down for a while gets each message once; one that stays
// down is given up after so many retries.
func TestRetriesEnd(t *testing.T) {
	p := openPost(t)
	id := p.write(t, "ann@example.org")
	tries := 0
	c := p.courier(func(context.Context, *courier.Letter) error { tries++; return errors.New("454 later, not 918273") })
	for at := p.clock.Now(); !at.IsZero(); {
		p.clock.advance(at.Sub(p.clock.Now()) - time.Millisecond*2)
		if early := p.deliver(t, c, id); tries > 0 && early.IsZero() {
			t.Fatal("tried too early")
		}
		p.clock.advance(3 * time.Millisecond)
		at = p.deliver(t, c, id)
	}
	m := p.read(t, id)
	if tries != 6 || m.Status != courier.Abandoned || m.SendCount != 6 || len(m.Dispatches) != 6 || m.Sealed != "" {
		t.Errorf("%d tries, %+v", tries, m)
	}
	if reason := m.Dispatches[0].Error; reason != "454 later, not [redacted]" {
		t.Errorf("the reason is %q", reason)
	}
}

// A receiver that is down for a quarter of an hour costs nobody a message and
// gives nobody two, though nothing but the sweep delivers.
func TestReceiverDownForAWhile(t *testing.T) {
	p := openPost(t)
	sent := map[string]int{}
	down := true
	c := p.courier(func(_ context.Context, l *courier.Letter) error {
		if down {
			return errors.New("connection refused")
		}
		sent[l.To]++
		return nil
	})
	for at := range 30 {
		p.write(t, fmt.Sprintf("ann%d@example.org", at))
	}
	for minute := range 60 {
		down = minute < 15
		due, err := p.Due(t.Context(), 7)
		for ; err == nil && len(due) > 0; due, err = p.Due(t.Context(), 7) {
			for _, id := range due {
				p.deliver(t, c, id)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		p.clock.advance(time.Minute)
	}
	if len(sent) != 30 {
		t.Errorf("%d of 30 arrived", len(sent))
	}
	for to, count := range sent {
		if count != 1 {
			t.Errorf("%s got %d", to, count)
		}
	}
}

func TestRefusedIsAbandonedAtOnce(t *testing.T) {
	p := openPost(t)
	id := p.write(t, "ann@example.org")
	p.deliver(t, p.courier(func(context.Context, *courier.Letter) error {
		return &courier.RefusedError{Err: errors.New("550 nobody here")}
	}), id)
	if m := p.read(t, id); m.Status != courier.Abandoned || m.SendCount != 1 {
		t.Errorf("noted as %+v", m)
	}
}

func TestThrottlingIsNoAttempt(t *testing.T) {
	p := openPost(t)
	id := p.write(t, "ann@example.org")
	busy := true
	c := p.courier(func(context.Context, *courier.Letter) error {
		if busy {
			return &courier.ThrottledError{Err: errors.New("slow down")}
		}
		return nil
	})
	for range 30 {
		again := p.deliver(t, c, id)
		p.clock.advance(again.Sub(p.clock.Now()) + time.Millisecond)
	}
	if m := p.read(t, id); m.Status != courier.Queued || m.SendCount != 0 {
		t.Fatalf("throttled, it is %s after %d", m.Status, m.SendCount)
	}
	busy = false
	p.deliver(t, c, id)
	if m := p.read(t, id); m.Status != courier.Sent || m.SendCount != 1 {
		t.Errorf("noted as %s after %d", m.Status, m.SendCount)
	}
}

// With too little time left to note how it went, nothing is begun.
func TestTooLateToBegin(t *testing.T) {
	p := openPost(t)
	id := p.write(t, "ann@example.org")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	c := p.courier(func(context.Context, *courier.Letter) error { t.Error("sent"); return nil })
	if _, err := c.Deliver(ctx, id); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("begun: %v", err)
	}
	if m := p.read(t, id); m.Status != courier.Queued || m.SendCount != 0 {
		t.Errorf("it is %s after %d", m.Status, m.SendCount)
	}
}

// TestPanicIsAFailureOfItsMessage: it ends neither the process nor what is
// being sent beside it, and is tried again and abandoned like any other.
func TestPanicIsAFailureOfItsMessage(t *testing.T) {
	p := openPost(t)
	c := p.courier(func(_ context.Context, l *courier.Letter) error { panic("cannot send " + l.Text) })
	var log bytes.Buffer
	c.Log = slog.New(slog.NewJSONHandler(&log, nil))
	id := p.write(t, "ann@example.com")
	for range c.Retries + 1 {
		if _, err := c.Deliver(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		p.clock.advance(time.Hour)
	}
	m := p.read(t, id)
	if m.Status != courier.Abandoned || m.SendCount != c.Retries+1 || m.Dispatches[0].Error != "panic: string" {
		t.Errorf("got %+v", m)
	}
	if !strings.Contains(log.String(), `"stack":`) || strings.Contains(log.String(), "918273") {
		t.Errorf("logged %s", &log)
	}
}

func TestNoChannel(t *testing.T) {
	p := openPost(t)
	id := p.write(t, "ann@example.org")
	c := p.courier(nil)
	c.Channels = nil
	c.Retries = 1
	again := p.deliver(t, c, id)
	if m := p.read(t, id); m.Status != courier.Queued || !strings.Contains(m.Dispatches[0].Error, "no channel") {
		t.Errorf("noted as %+v", m)
	}
	p.clock.advance(again.Sub(p.clock.Now()) + time.Millisecond)
	p.deliver(t, c, id)
	if m := p.read(t, id); m.Status != courier.Abandoned {
		t.Errorf("noted as %+v", m)
	}
}

// A process that dies after the receiver's yes and before it noted it leaves a
// message that is sent once more, and no more than that. One that dies each
// time is given up.
func TestKilledBetweenSendAndNote(t *testing.T) { killedBetweenSendAndNote(t, openPost(t)) }

func killedBetweenSendAndNote(t *testing.T, p post) {
	t.Helper()
	id := p.write(t, "ann@example.org")
	sent := 0
	c := p.courier(func(context.Context, *courier.Letter) error { sent++; return nil })
	dead := *c
	dead.Outbox = deadly{p.Store}
	if _, err := dead.Deliver(t.Context(), id); err == nil {
		t.Fatal("the process lived")
	}
	due, err := p.Due(t.Context(), 10)
	if err != nil || len(due) != 0 {
		t.Errorf("due within the lease: %v, %v", due, err)
	}
	lease := p.deliver(t, c, id)
	if sent != 1 || !lease.After(p.clock.Now()) {
		t.Fatalf("sent %d times within the lease, which ends %v", sent, lease)
	}
	p.clock.advance(lease.Sub(p.clock.Now()) + time.Millisecond)
	if due, err := p.Due(t.Context(), 10); err != nil || !slices.Equal(due, []string{id}) {
		t.Errorf("due after the lease: %v, %v", due, err)
	}
	for range 3 {
		p.deliver(t, c, id)
	}
	if m := p.read(t, id); sent != 2 || m.Status != courier.Sent || m.SendCount != 2 {
		t.Errorf("sent %d times, %s after %d", sent, m.Status, m.SendCount)
	}

	cursed := p.write(t, "bea@example.org")
	for range 20 {
		_, _ = dead.Deliver(t.Context(), cursed)
		p.clock.advance(time.Hour)
	}
	p.deliver(t, c, cursed)
	if m := p.read(t, cursed); m.Status != courier.Abandoned || m.SendCount != 6 || sent != 2+6 {
		t.Errorf("sent %d times in all, %s after %d", sent, m.Status, m.SendCount)
	}
}

// deadly is an outbox whose process dies before it can note how it went.
type deadly struct{ *Store }

func (deadly) Sent(context.Context, *courier.Message) error { return errors.New("killed") }

// Who lost its lease does not undo what the next one did.
func TestLateNoteChangesNothing(t *testing.T) {
	p := openPost(t)
	id := p.write(t, "ann@example.org")
	slow, mine, err := p.Claim(t.Context(), id, time.Second)
	if err != nil || !mine {
		t.Fatalf("%v, %v", mine, err)
	}
	p.clock.advance(2 * time.Second)
	p.deliver(t, p.courier(func(context.Context, *courier.Letter) error { return nil }), id)
	slow.Due = p.clock.Now()
	if err := p.Failed(t.Context(), slow); err != nil {
		t.Fatal(err)
	}
	if m := p.read(t, id); m.Status != courier.Sent || m.SendCount != 2 {
		t.Errorf("it is %s after %d", m.Status, m.SendCount)
	}
}

func TestRequeue(t *testing.T) { requeue(t, openPost(t)) }

func requeue(t *testing.T, p post) {
	t.Helper()
	id := p.write(t, "ann@example.org")
	if _, err := p.Requeue(t.Context(), id); !fault.Is(err, fault.Conflict) {
		t.Errorf("a queued message: %v", err)
	}
	c := p.courier(func(context.Context, *courier.Letter) error { return &courier.RefusedError{Err: errors.New("550 no")} })
	p.deliver(t, c, id)
	if m := p.read(t, id); m.Sealed != "" {
		t.Error("an abandoned message still says something")
	}
	var said string
	again := p.courier(func(_ context.Context, l *courier.Letter) error { said = l.Text; return nil })
	if m, err := p.Requeue(t.Context(), id); err != nil || m.Status != courier.Queued || m.SendCount != 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	p.deliver(t, again, id)
	if said != "918273" || p.read(t, id).Status != courier.Sent {
		t.Errorf("said %q", said)
	}
	items, err := p.Table.Query(t.Context(), table.Query{PK: messageKey(id).PK})
	if err != nil || len(items.Items) != 1 {
		t.Errorf("%d items are left, %v", len(items.Items), err)
	}

	old := p.write(t, "bea@example.org")
	p.deliver(t, c, old)
	p.clock.advance(16 * time.Minute) // the code lived for 15
	if _, err := p.Requeue(t.Context(), old); !fault.Is(err, fault.Gone) {
		t.Errorf("a message whose code is dead: %v", err)
	}
	if _, err := p.Requeue(t.Context(), "6f0c6a0e-0000-4000-8000-000000000000"); !fault.Is(err, fault.NotFound) {
		t.Errorf("no message: %v", err)
	}
}

// Nothing that a message says stands in any item, whatever became of it.
func TestNothingInTheClear(t *testing.T) {
	p := openPost(t)
	ids := []string{p.write(t, "ann@example.org"), p.write(t, "bea@example.org"), p.write(t, "cid@example.org")}
	p.deliver(t, p.courier(func(context.Context, *courier.Letter) error { return nil }), ids[0])
	p.deliver(t, p.courier(func(_ context.Context, l *courier.Letter) error {
		return &courier.RefusedError{Err: errors.New("550 I will not take " + l.Text)}
	}), ids[1])
	for _, id := range ids {
		page, err := p.Table.Query(t.Context(), table.Query{PK: messageKey(id).PK})
		if err != nil || len(page.Items) == 0 {
			t.Fatalf("%d items, %v", len(page.Items), err)
		}
		for _, item := range page.Items {
			if bytes.Contains(item.Doc, []byte("918273")) {
				t.Errorf("the code stands in %s", item.Doc)
			}
		}
	}
}

func TestDecoysAndHooksAreNobodysMail(t *testing.T) {
	p := openPost(t)
	decoy, err := p.Decoy(p.draft("ann@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	hook, err := p.Hook("audit", map[string]string{"url": "https://hooks.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Post(t.Context(), decoy, hook); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{decoy.ID, hook.ID} {
		if m, err := p.Store.Message(t.Context(), id); !fault.Is(err, fault.NotFound) {
			t.Errorf("found %+v, %v", m, err)
		}
	}
	if due, err := p.Due(t.Context(), 10); err != nil || !slices.Equal(due, []string{hook.ID}) {
		t.Errorf("due: %v, %v", due, err)
	}
	c := p.courier(nil)
	var called string
	c.Hook = func(_ context.Context, content json.RawMessage) error { called = string(content); return nil }
	p.deliver(t, c, decoy.ID)
	p.deliver(t, c, hook.ID)
	if called != `{"url":"https://hooks.example.org"}` {
		t.Errorf("the hook was called with %q", called)
	}
	if page, err := p.Messages(t.Context(), MessageFilter{}, "", 10); err != nil || len(page.Messages) != 0 || page.Next != "" {
		t.Errorf("listed: %+v, %v", page, err)
	}
}

// A decoy costs what a message costs.
func TestDecoyIsTheSameWork(t *testing.T) {
	p := openPost(t)
	cost := func(m *courier.Message, err error) table.Call {
		if err != nil {
			t.Fatal(err)
		}
		ctx, tally := table.WithTally(t.Context())
		if err := p.Post(ctx, m); err != nil {
			t.Fatal(err)
		}
		return tally.Calls()[0]
	}
	message, decoy := cost(p.Press.Message(p.draft("ann@example.org"))), cost(p.Decoy(p.draft("bea@example.org")))
	if message.Verb != decoy.Verb || message.Items != decoy.Items || message.Trip != decoy.Trip {
		t.Errorf("%+v and %+v", message, decoy)
	}
}

// Pages put side by side are the whole list, newest first, whatever its filter.
func TestMessagesInPages(t *testing.T) { messagesInPages(t, openPost(t)) }

func messagesInPages(t *testing.T, p post) {
	t.Helper()
	c := p.courier(func(_ context.Context, l *courier.Letter) error {
		if strings.HasPrefix(l.To, "no") {
			return &courier.RefusedError{Err: errors.New("550 no")}
		}
		return nil
	})
	want := map[MessageFilter][]string{}
	for at := range 60 {
		to, status := "ann@example.org", courier.Queued
		if at%3 == 1 {
			to = "no@example.org"
		}
		id := p.write(t, to)
		if at%2 == 0 {
			p.deliver(t, c, id)
			status = p.read(t, id).Status
		}
		for _, f := range []MessageFilter{{}, {Status: status}, {Recipient: to}, {status, to}} {
			want[f] = append(want[f], id)
		}
		p.clock.advance(time.Millisecond)
	}
	for f, ids := range want {
		slices.Reverse(ids)
		for _, size := range []int{1, 7, 60, 500} {
			var got []string
			for before, pages := "", 0; ; pages++ {
				page, err := p.Messages(t.Context(), f, before, size)
				if err != nil || len(page.Messages) > size || pages > 100 {
					t.Fatalf("%+v by %d: page %d has %d, %v", f, size, pages, len(page.Messages), err)
				}
				for _, m := range page.Messages {
					got = append(got, m.ID)
				}
				if before = page.Next; before == "" {
					break
				}
			}
			if !slices.Equal(got, ids) {
				t.Errorf("%+v by %d: listed %d, want %d, or in another order", f, size, len(got), len(ids))
			}
		}
	}
}

func TestRemark(t *testing.T) {
	p := openPost(t)
	id := p.write(t, "ann@example.org")
	p.deliver(t, p.courier(func(context.Context, *courier.Letter) error { return nil }), id)
	bounce := courier.Dispatch{ID: "b", Status: courier.DispatchFailed, Error: "bounced", UpdatedAt: p.clock.Now()}
	for range 30 {
		if err := p.Remark(t.Context(), id, bounce); err != nil {
			t.Fatal(err)
		}
	}
	if m := p.read(t, id); m.Status != courier.Sent || len(m.Dispatches) != 20 || m.Dispatches[0].Error != "bounced" {
		t.Errorf("noted as %+v", m)
	}
	if err := p.Remark(t.Context(), "6f0c6a0e-0000-4000-8000-000000000000", bounce); err != nil {
		t.Errorf("a message that is gone: %v", err)
	}
}

// What a receiver reports may come while the one who sends still waits for its
// yes, and though that yes is lost: the mail was taken, and is not sent again.
func TestRemarkOvertakesTheYes(t *testing.T) { remarkOvertakesTheYes(t, openPost(t)) }

func remarkOvertakesTheYes(t *testing.T, p post) {
	t.Helper()
	for name, lost := range map[string]error{"the yes is late": nil, "the yes is lost": errors.New("connection reset")} {
		id, times := p.write(t, "ann@example.org"), 0
		c := p.courier(func(ctx context.Context, l *courier.Letter) error {
			times++
			if err := p.Remark(ctx, l.ID, courier.Dispatch{ID: "c", Status: courier.DispatchFailed, Error: "Complaint"}); err != nil {
				t.Error(err)
			}
			return lost
		})
		for range 3 {
			p.deliver(t, c, id)
			p.clock.advance(time.Hour)
		}
		m := p.read(t, id)
		if times != 1 || m.Status != courier.Sent || m.SendCount != 1 || m.Sealed != "" || m.Dispatches[0].Error != "Complaint" {
			t.Errorf("%s: sent %d times, noted as %+v", name, times, m)
		}
		if due, err := p.Due(t.Context(), 10); err != nil || len(due) != 0 {
			t.Errorf("%s: due %v, %v", name, due, err)
		}
	}
}

// A message and what causes it are written together or not at all.
func TestMessageGoesWithItsCause(t *testing.T) {
	p := openPost(t)
	m, err := p.Press.Message(p.draft("ann@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	var c commit
	taken := errors.New("taken")
	c.add(taken, table.Check(key(flows, "nothing"), table.Exists()))
	if err := p.putMessage(&c, m); err != nil {
		t.Fatal(err)
	}
	if err := c.write(t.Context(), p.Table); !errors.Is(err, taken) {
		t.Fatalf("written: %v", err)
	}
	if _, err := p.Store.Message(t.Context(), m.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("the message is there: %v", err)
	}
}

// live is a post whose clock is the machine's.
func live(t *testing.T) post {
	t.Helper()
	p := openPost(t)
	p.Store.Now = func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	p.Press.Now = p.Store.Now
	return p
}

// run runs a worker until the test ends, and fails the test when it does not stop.
func run(t *testing.T, p post, c *courier.Courier) *courier.Worker {
	t.Helper()
	c.Now = p.Store.Now
	w := courier.NewWorker(c)
	w.Every, w.Grace = 50*time.Millisecond, 200*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Error("the worker does not stop")
		}
	})
	return w
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 1000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// One recipient that always fails and some that hang hold up nobody.
func TestWorkerGoesOnBesideFailures(t *testing.T) {
	p := live(t)
	var mu sync.Mutex
	got := map[string]int{}
	c := p.courier(func(ctx context.Context, l *courier.Letter) error {
		switch {
		case strings.HasPrefix(l.To, "hang"):
			<-ctx.Done()
			return ctx.Err()
		case strings.HasPrefix(l.To, "fail"):
			return errors.New("454 not now")
		}
		mu.Lock()
		defer mu.Unlock()
		got[l.To]++
		return nil
	})
	var ids []string
	for at := range 100 {
		if at%25 == 0 {
			ids = append(ids, p.write(t, fmt.Sprintf("hang%d@example.org", at)), p.write(t, "fail@example.org"))
		}
		ids = append(ids, p.write(t, fmt.Sprintf("ann%d@example.org", at)))
	}
	w := run(t, p, c)
	for _, id := range ids {
		w.Wake(id)
		w.Wake(id)
	}
	eventually(t, "a hundred are delivered", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(got) == 100
	})
	mu.Lock()
	defer mu.Unlock()
	for to, count := range got {
		if count != 1 {
			t.Errorf("%s got %d", to, count)
		}
	}
}

// Nobody wakes the worker: the sweep finds everything.
func TestWorkerSweeps(t *testing.T) {
	p := live(t)
	var sent atomic.Int64
	run(t, p, p.courier(func(context.Context, *courier.Letter) error { sent.Add(1); return nil }))
	for at := range 40 {
		p.write(t, fmt.Sprintf("ann%d@example.org", at))
	}
	eventually(t, "forty are delivered", func() bool { return sent.Load() == 40 })
}

// A worker that is told to stop lets what has begun come to its end.
func TestWorkerStopsCleanly(t *testing.T) {
	p := live(t)
	begun, release := make(chan struct{}), make(chan struct{})
	c := p.courier(func(context.Context, *courier.Letter) error {
		close(begun)
		<-release
		return nil
	})
	c.Now = p.Store.Now
	w := courier.NewWorker(c)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	id := p.write(t, "ann@example.org")
	w.Wake(id)
	<-begun
	cancel()
	w.Wake("6f0c6a0e-0000-4000-8000-000000000000")
	close(release)
	<-done
	if m := p.read(t, id); m.Status != courier.Sent {
		t.Errorf("it is %s", m.Status)
	}
	for range 5000 {
		w.Wake(id) // nobody listens, and nobody waits
	}
}
