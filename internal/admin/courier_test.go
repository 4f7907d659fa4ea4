package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"styx/internal/courier"
	"styx/internal/identity"
)

// mail writes a message and returns its id.
func (h house) mail(t *testing.T, to string) string {
	t.Helper()
	m, err := h.press().Message(courier.Draft{
		Template: courier.RecoveryCodeValid, Via: identity.ViaEmail, To: to,
		Data: map[string]any{courier.RecoveryCode: "918273"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Store.Post(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return m.ID
}

func (h house) press() *courier.Press {
	return &courier.Press{Ring: h.Ring, Now: h.Now, Rand: h.Rand}
}

// courier returns one whose receiver gives that answer.
func (h house) courier(answer error) *courier.Courier {
	return &courier.Courier{
		Outbox: h.Store, Press: h.press(), Retries: 5,
		Render: func(_ context.Context, _ courier.Template, _ courier.Type, f *courier.Fields) (courier.Content, error) {
			return courier.Content{Subject: "Recovery", Text: "Code " + f.RecoveryCode}, nil
		},
		Channels: map[string]courier.Send{"email": func(context.Context, *courier.Letter) error { return answer }},
		Keep:     h.Config.Dev, Log: slog.New(slog.DiscardHandler), Now: h.Now, Rand: h.Rand,
	}
}

func (h house) deliver(t *testing.T, id string, answer error) {
	t.Helper()
	if _, err := h.courier(answer).Deliver(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

// neutral replaces what differs from run to run.
func neutral(body string) string {
	body = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(body)
	body = regexp.MustCompile(`"[0-9a-f]{8}-[0-9a-f-]{27}"`).ReplaceAllString(body, `"ID"`)
	return strings.TrimSpace(strings.ReplaceAll(body, noon().Format(time.RFC3339Nano), "NOON"))
}

func TestMessageShown(t *testing.T) {
	h := open(t)
	const tail = `"template_type":"recovery_code_valid","channel":"email","send_count":1`
	sent, failed := h.mail(t, "ann@example.org"), h.mail(t, "bea@example.org")
	h.deliver(t, sent, nil)
	h.deliver(t, failed, errors.New("454 not now"))
	for _, row := range []struct{ id, status, to, error string }{
		{sent, "sent", "ann@example.org", `{"id":"ID","message_id":"ID","status":"success","error":null`},
		{failed, "queued", "bea@example.org", `{"id":"ID","message_id":"ID","status":"failed","error":{"code":500,"status":"Internal Server Error",` +
			`"message":"454 not now"}`},
	} {
		head := `{"id":"ID","status":"` + row.status + `","type":"email","recipient":"` + row.to + `","body":"<redacted-unless-dev-mode>",` +
			`"subject":"<redacted-unless-dev-mode>",` + tail
		times := `,"created_at":"NOON","updated_at":"NOON"}`
		for _, prefix := range []string{"", "/admin"} {
			if got, want := neutral(h.expect(t, 200, "GET", prefix+"/courier/messages/"+row.id, "").Body.String()), head+`,"dispatches":[`+row.error+times+`]`+times; got != want {
				t.Errorf("one is\n%s, want\n%s", got, want)
			}
			if got, want := neutral(h.expect(t, 200, "GET", prefix+"/courier/messages?recipient="+row.to, "").Body.String()), "["+head+times+"]"; got != want {
				t.Errorf("listed is\n%s, want\n%s", got, want)
			}
		}
	}
}

// What a message says is shown in development, before it is sent and after.
func TestMessageInDevelopment(t *testing.T) {
	h := open(t)
	h.Config.Dev = true
	h.Preview = h.courier(nil).Preview
	id := h.mail(t, "ann@example.org")
	for _, status := range []string{"queued", "sent"} {
		got := h.expect(t, 200, "GET", "/admin/courier/messages/"+id, "").object(t)
		if got["status"] != status || got["subject"] != "Recovery" || got["body"] != "Code 918273" {
			t.Errorf("%s is shown as %v", status, got)
		}
		h.deliver(t, id, nil)
	}
	h.Preview = func(context.Context, *courier.Message) (courier.Content, error) {
		return courier.Content{}, errors.New("broken template")
	}
	if got := h.expect(t, 200, "GET", "/admin/courier/messages/"+id, "").object(t); got["body"] != "Code 918273" {
		t.Errorf("with a broken template it is shown as %v", got)
	}
}

func TestMessagesRefused(t *testing.T) {
	h := open(t)
	for target, want := range map[string]struct {
		status int
		text   string
	}{
		"/admin/courier/messages?status=floating":                      {400, "Message status is not valid"},
		"/admin/courier/messages?page_size=many":                       {400, "invalid syntax"},
		"/admin/courier/messages?page_token=v1.a.b":                    {400, "do not craft"},
		"/admin/courier/messages/zzz":                                  {400, "UUID"},
		"/admin/courier/messages/6f0c6a0e-0000-4000-8000-000000000000": {404, "Unable to locate the resource"},
	} {
		if got := h.expect(t, want.status, "GET", target, "").Body.String(); !strings.Contains(got, want.text) {
			t.Errorf("%s: %s", target, got)
		}
	}
}

// Pages put side by side are the whole list, newest first; a token of one list
// opens no other.
func TestMessagesInPages(t *testing.T) {
	h := open(t)
	var ids []string
	for at := range 25 {
		at := time.Duration(at) * time.Millisecond
		h.Now = func() time.Time { return noon().Add(at) }
		ids = append(ids, h.mail(t, "ann@example.org"))
	}
	slices.Reverse(ids)
	next := regexp.MustCompile(`<([^>]*)>; rel="next"`)
	for size, want := range map[string]int{"": 10, "page_size=7&": 7, "page_size=0&": 10, "page_size=100000&": 25} {
		target, got := "/admin/courier/messages?"+size+"recipient=ann%40example.org", []string(nil)
		for target != "" {
			answered := h.expect(t, 200, "GET", target, "")
			var rows []struct{ ID string }
			if err := json.Unmarshal(answered.Body.Bytes(), &rows); err != nil {
				t.Fatal(err)
			}
			if len(got) == 0 && len(rows) != want {
				t.Errorf("%q: the first page has %d", size, len(rows))
			}
			for _, row := range rows {
				got = append(got, row.ID)
			}
			link := answered.Header().Get("Link")
			if !strings.Contains(link, `rel="first"`) {
				t.Errorf("%q: the links are %s", size, link)
			}
			target = ""
			if found := next.FindStringSubmatch(link); found != nil {
				target = found[1]
			}
		}
		if !slices.Equal(got, ids) {
			t.Errorf("%q: listed %d of %d, or in another order", size, len(got), len(ids))
		}
	}
	link := h.expect(t, 200, "GET", "/admin/courier/messages", "").Header().Get("Link")
	target, err := url.Parse(next.FindStringSubmatch(link)[1])
	if err != nil {
		t.Fatal(err)
	}
	token := url.QueryEscape(target.Query().Get("page_token"))
	h.expect(t, 400, "GET", "/admin/courier/messages?status=sent&page_token="+token, "")
	h.expect(t, http.StatusBadRequest, "GET", "/admin/identities?page_token="+token, "")
	if rows := h.expect(t, 200, "GET", fmt.Sprintf("/admin/courier/messages?page_token=%s", ids[20]), "").Body.String(); strings.Count(rows, `"recipient"`) != 4 {
		t.Errorf("after an id: %s", rows)
	}
}

// TestRetry queues an abandoned message again, once, while what it says holds.
func TestRetry(t *testing.T) {
	h := open(t)
	id := h.mail(t, "ann@example.org")
	path := "/admin/courier/messages/" + id + "/retry"
	h.expect(t, http.StatusConflict, http.MethodPost, path, "") // it waits to be sent
	refused := &courier.RefusedError{Err: errors.New("no such mailbox")}
	h.deliver(t, id, refused)
	var told string
	h.Posted = func(id string) { told = id }
	if a := h.expect(t, http.StatusOK, http.MethodPost, path, ""); !strings.Contains(a.Body.String(), `"status":"queued"`) || told != id {
		t.Errorf("answers %s, and told %q", a.Body, told)
	}
	h.expect(t, http.StatusConflict, http.MethodPost, path, "")
	h.deliver(t, id, refused)
	h.Store.Now = func() time.Time { return noon().Add(48 * time.Hour) }
	h.expect(t, http.StatusGone, http.MethodPost, path, "")
	for _, nobody := range []string{"x", "0198c2a4-7b7e-7000-8000-000000000000", "..%2fidentities"} {
		h.expect(t, http.StatusNotFound, http.MethodPost, "/admin/courier/messages/"+nobody+"/retry", "")
	}
}
