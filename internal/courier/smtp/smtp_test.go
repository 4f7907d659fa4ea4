package smtp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"styx/internal/config"
	"styx/internal/courier"
)

func letter() *courier.Letter {
	return &courier.Letter{
		ID: "0198c0de-0000-7000-8000-000000000001", Type: courier.Email, To: "ann@example.org",
		Content: courier.Content{Subject: "Grüße: 123456", Text: "Der Code ist 123456.\n.\nEnde – bald", HTML: "<p>Der Code ist <b>123456</b></p>"},
	}
}

// sender returns a sender to a server; query goes behind its URI.
func sender(t *testing.T, scheme, user string, s *server, query string) *Sender {
	t.Helper()
	made, err := New(Options{
		Config: config.SMTP{
			URI:         config.Secret(scheme + "://" + user + s.Addr().String() + "/" + query),
			FromAddress: "no-reply@shop.example.org", FromName: "Häfen & Co", LocalName: "client.example.org",
			Headers: map[string]string{"X-Campaign": "one\r\nBcc: eve@example.org", "Auto-Submitted": "no"},
		},
		Dial: new(net.Dialer).DialContext, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestMailArrives(t *testing.T) {
	s := serve(t, &server{})
	if err := sender(t, "smtp", "", s, "?disable_starttls=true").Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	mails := s.taken()
	if len(mails) != 1 {
		t.Fatalf("%d mails arrived", len(mails))
	}
	got, err := netmail.ReadMessage(strings.NewReader(mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	from, err := got.Header.AddressList("From")
	if err != nil || from[0].Name != "Häfen & Co" || from[0].Address != "no-reply@shop.example.org" {
		t.Errorf("from %v, %v", from, err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	if err != nil || subject != "Grüße: 123456" {
		t.Errorf("subject %q, %v", subject, err)
	}
	for name, want := range map[string]string{
		"Message-Id": "<0198c0de-0000-7000-8000-000000000001@shop.example.org>", "To": "<ann@example.org>",
		"Auto-Submitted": "no", "X-Campaign": "one Bcc: eve@example.org", "Bcc": "",
	} {
		if is := got.Header.Get(name); is != want {
			t.Errorf("%s: %q, want %q", name, is, want)
		}
	}
	kind, parameters, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	parts := multipart.NewReader(got.Body, parameters["boundary"])
	for _, want := range []struct{ kind, text string }{{"text/plain", letter().Text}, {"text/html", letter().HTML}} {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		plain := strings.ReplaceAll(string(text), "\r\n", "\n")
		if err != nil || plain != want.text || !strings.HasPrefix(part.Header.Get("Content-Type"), want.kind) {
			t.Errorf("%s %q, %v; want %s %q", part.Header.Get("Content-Type"), plain, err, want.kind, want.text)
		}
	}
	if hello := s.said("EHLO"); len(hello) != 1 || hello[0] != "EHLO client.example.org" {
		t.Errorf("said %q", hello)
	}
}

// What an answer means, at each step of the conversation.
func TestAnswers(t *testing.T) {
	type meaning int
	const (
		sent meaning = iota
		passes
		refused
	)
	for name, row := range map[string]struct {
		command, answer string
		want            meaning
	}{
		"nobody there":            {"RCPT", "550 5.1.1 nobody here", refused},
		"sender refused":          {"MAIL", "553 not you", refused},
		"content refused":         {"end of data", "554 spam", refused},
		"data refused":            {"DATA", "503 no", refused},
		"greylisted":              {"RCPT", "450 4.7.1 later", passes},
		"busy":                    {"connect", "421 too many", passes},
		"down for good":           {"connect", "554 no service", passes}, // of the server, not of this mail
		"later":                   {"end of data", "454 later", passes},
		"reset at once":           {"connect", "reset", passes},
		"reset before the data":   {"DATA", "reset", passes},
		"reset after the data":    {"end of data", "reset", passes},
		"rude good-bye":           {"QUIT", "500 what", sent},
		"cut instead of good-bye": {"QUIT", "reset", sent},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, &server{answer: func(command string) string {
				if command == row.command {
					return row.answer
				}
				return ""
			}})
			err := sender(t, "smtp", "", s, "").Send(t.Context(), letter())
			got := passes
			if _, is := errors.AsType[*courier.RefusedError](err); is {
				got = refused
			} else if err == nil {
				got = sent
			}
			if got != row.want {
				t.Errorf("means %d, want %d: %v", got, row.want, err)
			}
		})
	}
}

// A server that goes silent holds a sender no longer than its context, at any
// step; after its yes, no silence matters.
func TestServersThatHang(t *testing.T) {
	for _, command := range []string{"connect", "EHLO", "MAIL", "RCPT", "DATA", "end of data"} {
		s := serve(t, &server{answer: func(c string) string {
			if c == command {
				return "hang"
			}
			return ""
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err := sender(t, "smtp", "", s, "").Send(ctx, letter())
		if _, refused := errors.AsType[*courier.RefusedError](err); err == nil || refused {
			t.Errorf("silent at %s: %v", command, err)
		}
		cancel()
	}
	s := serve(t, &server{answer: func(c string) string {
		if c == "QUIT" {
			return "hang"
		}
		return ""
	}})
	if err := sender(t, "smtp", "", s, "").Send(t.Context(), letter()); err != nil {
		t.Errorf("silent after its yes: %v", err)
	}
}

// A server that says yes when nobody listens any more has the mail, and gets it
// again under the same Message-ID.
func TestYesAfterTheSenderGaveUp(t *testing.T) {
	var late atomic.Bool
	late.Store(true)
	release := make(chan struct{})
	s := serve(t, &server{answer: func(c string) string {
		if c == "end of data" && late.Load() {
			<-release
		}
		return ""
	}})
	from := sender(t, "smtp", "", s, "")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := from.Send(ctx, letter()); err == nil {
		t.Fatal("sent without an answer")
	}
	late.Store(false)
	close(release)
	if err := from.Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	mails := s.taken()
	if len(mails) != 2 {
		t.Fatalf("%d mails arrived", len(mails))
	}
	var ids []string
	for _, mail := range mails {
		got, err := netmail.ReadMessage(strings.NewReader(mail))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, got.Header.Get("Message-Id"))
	}
	if ids[0] != ids[1] || ids[0] == "" {
		t.Errorf("under the names %q", ids)
	}
}

func TestLaterThenNow(t *testing.T) {
	var asked atomic.Int64
	s := serve(t, &server{answer: func(c string) string {
		if c == "RCPT" && asked.Add(1) == 1 {
			return "454 later"
		}
		return ""
	}})
	from := sender(t, "smtp", "", s, "")
	if err := from.Send(t.Context(), letter()); err == nil {
		t.Error("sent although it was to wait")
	}
	if err := from.Send(t.Context(), letter()); err != nil || len(s.taken()) != 1 {
		t.Errorf("%d arrived, %v", len(s.taken()), err)
	}
}

func TestEncryption(t *testing.T) {
	pair := certificate(t)
	roots := x509.NewCertPool()
	own, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(own)
	for name, row := range map[string]struct {
		scheme, query string
		offered       bool
		implicit      bool
		trusted       bool
		sent, secured bool
	}{
		"STARTTLS":                     {"smtp", "", true, false, true, true, true},
		"STARTTLS of a stranger":       {"smtp", "", true, false, false, false, true},
		"STARTTLS of anybody":          {"smtp", "?skip_ssl_verify=true", true, false, false, true, true},
		"STARTTLS not wanted":          {"smtp", "?disable_starttls=true", true, false, false, true, false},
		"STARTTLS not offered":         {"smtp", "", false, false, true, true, false},
		"implicit TLS":                 {"smtps", "", true, true, true, true, true},
		"implicit TLS of a stranger":   {"smtps", "", true, true, false, false, true},
		"implicit TLS of anybody":      {"smtps", "?skip_ssl_verify=true", true, true, false, true, true},
		"implicit TLS that is missing": {"smtps", "?skip_ssl_verify=true", false, false, false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{implicit: row.implicit}
			if row.offered {
				s.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
			}
			serve(t, s)
			from := sender(t, row.scheme, "", s, row.query)
			if row.trusted {
				from.tls.RootCAs = roots
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if err := from.Send(ctx, letter()); (err == nil) != row.sent {
				t.Fatalf("sent: %v", err)
			}
			upgraded := row.implicit || len(s.said("STARTTLS")) > 0
			if row.sent && upgraded != row.secured {
				t.Errorf("encrypted: %v", upgraded)
			}
		})
	}
}

func TestClientCertificate(t *testing.T) {
	pair := certificate(t)
	dir := t.TempDir()
	certPath, keyPath := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{certPath: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, keyPath: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t, &server{implicit: true, tls: &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert,
	}})
	o := Options{
		Config: config.SMTP{
			URI:            config.Secret("smtps://" + s.Addr().String() + "?skip_ssl_verify=true"),
			ClientCertPath: certPath, ClientKeyPath: keyPath, FromAddress: "a@example.org",
		},
		Dial: new(net.Dialer).DialContext, Now: time.Now,
	}
	from, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := from.Send(t.Context(), letter()); err != nil {
		t.Error(err)
	}
	o.Config.ClientKeyPath = filepath.Join(dir, "nothing")
	if _, err := New(o); err == nil {
		t.Error("a key that is not there was read")
	}
}

// A password goes over encrypted connections, and to this machine.
func TestPassword(t *testing.T) {
	s := serve(t, &server{offers: []string{"AUTH PLAIN LOGIN"}})
	if err := sender(t, "smtp", "ann:hunter2@", s, "").Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	if auth := s.said("AUTH PLAIN"); len(auth) != 1 {
		t.Errorf("said %q", auth)
	}
	away := sender(t, "smtp", "ann:hunter2@", s, "")
	away.host = "mail.example.org"
	away.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Addr().String())
	}
	err := away.Send(t.Context(), letter())
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("in the open: %v", err)
	}
	if auth := s.said("AUTH"); len(auth) != 1 {
		t.Errorf("a password went out: %q", auth)
	}
	wrong := serve(t, &server{offers: []string{"AUTH PLAIN"}, answer: func(c string) string {
		if c == "AUTH" {
			return "535 no"
		}
		return ""
	}})
	err = sender(t, "smtp", "ann:hunter2@", wrong, "").Send(t.Context(), letter())
	if _, refused := errors.AsType[*courier.RefusedError](err); err == nil || refused {
		t.Errorf("a wrong password is no fault of the mail: %v", err)
	}
}

func TestRecipients(t *testing.T) {
	s := serve(t, &server{})
	from := sender(t, "smtp", "", s, "")
	for _, to := range []string{"", "ann", "ann@", "Ann <ann@example.org>", "ann@example.org\r\nRCPT TO:<eve@example.org>", "a@example.org, b@example.org", "+4915112345"} {
		l := letter()
		l.To = to
		err := from.Send(t.Context(), l)
		if _, refused := errors.AsType[*courier.RefusedError](err); !refused {
			t.Errorf("%q: %v", to, err)
		}
	}
	if got := s.said("RCPT"); len(got) > 0 {
		t.Errorf("said %q", got)
	}
}

func TestURIs(t *testing.T) {
	for uri, want := range map[string]string{
		"smtp://mail.example.org":            "mail.example.org 25 false",
		"smtp://mail.example.org:587/":       "mail.example.org 587 false",
		"smtps://u:p%40ss@mail.example.org":  "mail.example.org 465 true",
		"smtps://u@mail.example.org:4465/?x": "mail.example.org 4465 true",
		"http://mail.example.org":            "", "smtp:///": "", "mail.example.org:25": "", "smtp://u:p\x00@h": "",
	} {
		s, err := New(Options{Config: config.SMTP{URI: config.Secret(uri)}})
		if want == "" {
			if err == nil || strings.Contains(err.Error(), uri) {
				t.Errorf("%q: %v", uri, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", uri, err)
			continue
		}
		if got := strings.Join([]string{s.host, strconv.Itoa(s.port), strconv.FormatBool(s.implicit)}, " "); got != want {
			t.Errorf("%q: %s, want %s", uri, got, want)
		}
		if strings.Contains(uri, "%40") && (s.username != "u" || s.password != "p@ss") {
			t.Errorf("%q: user %q", uri, s.username)
		}
	}
}

// No goroutine and no connection outlives a sending.
func TestNothingIsLeft(t *testing.T) {
	s := serve(t, &server{answer: func(c string) string {
		if c == "RCPT" {
			return "550 no"
		}
		return ""
	}})
	from := sender(t, "smtp", "", s, "")
	before := runtime.NumGoroutine()
	for range 20 {
		_ = from.Send(t.Context(), letter())
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines became %d", before, runtime.NumGoroutine())
}
