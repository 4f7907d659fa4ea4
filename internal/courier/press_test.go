package courier

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"styx/internal/identity"
	"styx/internal/secret"
)

func noon() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

func press(tb testing.TB) *Press {
	tb.Helper()
	ring, err := secret.New(secret.Lists{Default: []string{"a secret of the tests"}}, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return &Press{Ring: ring, Now: noon, Rand: rand.Reader}
}

func draft() Draft {
	return Draft{
		Template: VerificationCodeValid, Via: identity.ViaEmail, To: "ann@example.org",
		Data: map[string]any{
			VerificationCode: "123456",
			VerificationURL:  "https://id.example.org/self-service/verification?code=123456&flow=x",
			Identity:         map[string]any{"traits": map[string]any{"name": "Ann of the Harbour"}},
			RequestURL:       "https://id.example.org:8443/self-service/verification/browser",
			ExpiresInMinutes: 15,
			"colour":         "left out",
		},
		Headers: map[string][]string{"Accept-Language": {"de"}},
	}
}

func TestMessageSealsWhatItSays(t *testing.T) {
	p := press(t)
	m, err := p.Message(draft())
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{"123456", "Harbour", "verification?code", "8443", "Accept-Language"} {
		if bytes.Contains(stored, []byte(said)) {
			t.Errorf("%q stands in the clear: %s", said, stored)
		}
	}
	if m.Status != Queued || !m.Due.Equal(noon()) || m.Type != Email || m.Channel != "email" || m.Recipient != "ann@example.org" {
		t.Errorf("made %+v", m)
	}
	said, err := p.open(m)
	if err != nil {
		t.Fatal(err)
	}
	f, err := fields(said.Data)
	if err != nil {
		t.Fatal(err)
	}
	if f.VerificationCode != "123456" || f.To != "ann@example.org" || f.ExpiresInMinutes != 15 || said.Headers["Accept-Language"][0] != "de" {
		t.Errorf("says %+v, %+v", f, said.Headers)
	}
	if bytes.Contains(said.Data, []byte("colour")) {
		t.Errorf("keeps what the template has no name for: %s", said.Data)
	}
}

func TestSealedContentBelongsToItsMessage(t *testing.T) {
	p := press(t)
	one, err := p.Message(draft())
	if err != nil {
		t.Fatal(err)
	}
	other, err := p.Message(draft())
	if err != nil {
		t.Fatal(err)
	}
	other.Sealed = one.Sealed
	if _, err := p.open(other); !errors.Is(err, secret.ErrSealed) {
		t.Errorf("opened in another message: %v", err)
	}
}

// A decoy and a message to somebody with traits have one size.
func TestDecoyIsAsLargeAsAMessage(t *testing.T) {
	p := press(t)
	m, err := p.Message(draft())
	if err != nil {
		t.Fatal(err)
	}
	unknown := draft()
	unknown.To = "bea@example.org"
	delete(unknown.Data, Identity)
	decoy, err := p.Decoy(unknown)
	if err != nil {
		t.Fatal(err)
	}
	if decoy.Status != "" || !decoy.Due.IsZero() {
		t.Errorf("the decoy is to be sent: %+v", decoy)
	}
	one, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	other, err := json.Marshal(decoy)
	if err != nil {
		t.Fatal(err)
	}
	if len(one) != len(other) {
		t.Errorf("%d and %d bytes", len(one), len(other))
	}
	plain, err := p.Ring.Open(secret.UseSeal, decoy.Sealed, belongs(decoy.ID))
	if err != nil || len(bytes.TrimSpace(plain)) > 0 || strings.Contains(string(other), "bea@") {
		t.Errorf("the decoy holds %q, %v, in %s", plain, err, other)
	}
}

func TestTextMessagesAreBoundToTheDomain(t *testing.T) {
	p := press(t)
	d := draft()
	d.Via, d.To = identity.ViaSMS, "+4915112345"
	m, err := p.Message(d)
	if err != nil {
		t.Fatal(err)
	}
	said, err := p.open(m)
	if err != nil {
		t.Fatal(err)
	}
	f, err := fields(said.Data)
	if err != nil {
		t.Fatal(err)
	}
	if f.RequestURLDomain != "id.example.org" || f.VerificationURL != "" || m.Channel != "sms" {
		t.Errorf("domain %q, URL %q, channel %s", f.RequestURLDomain, f.VerificationURL, m.Channel)
	}
}

func TestMessagesThatDoNotExist(t *testing.T) {
	p := press(t)
	for name, d := range map[string]Draft{
		"unknown template":  {Template: "birthday", Via: identity.ViaEmail},
		"text of a mail":    {Template: RecoveryValid, Via: identity.ViaSMS},
		"unknown channel":   {Template: RecoveryValid, Via: "pigeon"},
		"data JSON has not": {Template: RecoveryCodeValid, Via: identity.ViaEmail, Data: map[string]any{Identity: func() {}}},
	} {
		if m, err := p.Message(d); err == nil {
			t.Errorf("%s: made %+v", name, m)
		}
		if _, err := p.Decoy(d); err == nil {
			t.Errorf("%s: made a decoy", name)
		}
	}
}

// HTTP channels see every name of the model and no other.
func TestDataAsChannelsSeeIt(t *testing.T) {
	got, err := shown(RecoveryCodeValid, SMS, json.RawMessage(`{"to":"+49","recovery_code":"654321","identity":{"n":12345678901234567890},"extra":1}`))
	want := `{"expires_in_minutes":0,"identity":{"n":12345678901234567890},"request_url":"","request_url_domain":"",` +
		`"to":"+49","transient_payload":null,"verification_code":"654321"}`
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s, want\n%s", err, got, want)
	}
}

func TestErrorsKeepTheSecret(t *testing.T) {
	f := &Fields{RecoveryCode: "123456", VerificationURL: "https://id.example.org/?code=777777"}
	err := errors.New("554 no:\r\n \"Use code 123456\" https://id.example.org/?code=777777\xff" + strings.Repeat("x", 2*maxError))
	got := discreet(err, f)
	if strings.Contains(got, "123456") || strings.Contains(got, "777777") || len(got) > maxError || strings.ContainsAny(got, "\r\n") || !utf8.ValidString(got) {
		t.Errorf("kept %q", got)
	}
}

func TestPauses(t *testing.T) {
	var got []time.Duration
	for count := range 8 {
		got = append(got, pause(count+1))
	}
	want := []time.Duration{3 * time.Second, 15 * time.Second, 75 * time.Second, 375 * time.Second, longestPause, longestPause, longestPause, longestPause}
	for at := range want {
		if got[at] != want[at] {
			t.Fatalf("pauses are %v, want %v", got, want)
		}
	}
	c := &Courier{Rand: rand.Reader}
	for range 100 {
		if wait := c.jitter(20 * time.Second); wait > 20*time.Second || wait < 15*time.Second {
			t.Fatalf("20 s became %v", wait)
		}
	}
}

// What was sealed may have been written by another release, and still either is
// refused or says what it says.
func FuzzUnfill(f *testing.F) {
	plain, err := fill(sealed{Data: json.RawMessage(`{"to":"a","expires_in_minutes":5}`), Headers: map[string][]string{"A": {"b"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Add([]byte(`{"data":[]}`))
	f.Add([]byte(`{"data":{"identity":{"traits":{"a":1e999}}}}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, plain []byte) {
		said, err := unfill(plain)
		if err != nil {
			return
		}
		data, err := fields(said.Data)
		if err != nil {
			return
		}
		if _, err := shown(VerificationCodeValid, Email, said.Data); err != nil {
			t.Fatalf("%v of %q", err, plain)
		}
		again, err := json.Marshal(data)
		if err != nil {
			return // a time that JSON has no form for
		}
		if second, err := fields(again); err != nil || second.To != data.To || second.ExpiresInMinutes != data.ExpiresInMinutes {
			t.Fatalf("%q does not print back: %v", plain, err)
		}
	})
}
