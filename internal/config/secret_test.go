package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"
)

// However a configuration is printed, no secret shows. Every secret in
// everything.yml has "marker" in it.
func TestNothingPrintsASecret(t *testing.T) {
	src := read(t, "testdata/everything.yml")
	c, notices := mustLoad(t, nil, nil, src)
	if n := strings.Count(dump(c), "marker-"); n < 18 {
		t.Fatalf("only %d secrets arrived, the test would prove little", n)
	}
	var log bytes.Buffer
	for _, l := range []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))} {
		l.Info("all", "config", c, "value", *c)
		l.Info("parts", "secrets", c.Secrets, "smtp", c.Courier.SMTP, "hooks", c.Flows.Registration.After, "hook", c.Flows.Registration.After.Hooks[0])
		l.Info("leaves", "secret", c.Secrets.Default[0], "web", c.Flows.Registration.After.Hooks[0].Web())
	}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	printed := log.String() + string(data)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed += fmt.Sprintf(format, c) + fmt.Sprintf(format, *c) + fmt.Sprintf(format, c.Secrets.Default) + fmt.Sprintf(format, c.Flows.Registration.After.Hooks[0].Web()) + fmt.Sprintf(format, c.OAuth2.URL)
	}
	for _, n := range notices {
		printed += n.String()
	}
	for _, hidden := range []string{"marker", "bWFya2Vy", fmt.Sprintf("%x", "marker"), "109 97 114 107 101 114"} {
		if i := strings.Index(printed, hidden); i >= 0 {
			t.Errorf("printed: …%s…", printed[max(0, i-80):min(len(printed), i+40)])
		}
	}
}

// Nor does a mistake, whatever else is wrong around it.
func TestNoMistakeRepeatsASecret(t *testing.T) {
	src := read(t, "testdata/everything.yml")
	spoiled := bytes.ReplaceAll(src.Data, []byte("marker-"), []byte("%zz marker-"))
	spoiled = bytes.ReplaceAll(spoiled, []byte("type: api_key"), []byte("type: api_kex"))
	for _, data := range [][]byte{
		spoiled,
		bytes.ReplaceAll(src.Data, []byte("marker-"), []byte("*marker-")),
		bytes.ReplaceAll(src.Data, []byte("marker-"), []byte("!!int marker-")),
		[]byte(good + "secrets: {default: [marker]}\nlog: {level: marker, format: [marker]}\ncookies: marker\nhashers: {bcrypt: {cost: marker}}\n"),
	} {
		_, _, err := Load([]Source{{"x.yml", data}}, []string{"SESSION_LIFESPAN=marker", "SECRETS=marker", "SECRETS_DEFAULT=marker"}, nil)
		if err == nil {
			t.Error("was accepted")
		} else if strings.Contains(err.Error(), "marker") {
			t.Errorf("repeats a value:\n%v", err)
		}
	}
}

func TestSecretsComplete(t *testing.T) {
	seeded := bytes.NewReader(bytes.Repeat([]byte("0123456789abcdef"), 2))
	got, err := Secrets{}.Complete(seeded)
	if err != nil {
		t.Fatal(err)
	}
	const random = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
	for name, list := range map[string][]Secret{"default": got.Default, "cookie": got.Cookie, "cipher": got.Cipher, "pagination": got.Pagination} {
		if len(list) != 1 || list[0].Reveal() != random {
			t.Errorf("%s: got %d secrets", name, len(list))
		}
	}
	full := Secrets{Default: []Secret{"d"}, Cookie: []Secret{"c"}}
	got, err = full.Complete(iotest.ErrReader(errors.New("not needed")))
	if err != nil || got.Cookie[0] != "c" || got.Cipher[0] != "d" {
		t.Errorf("configured lists stay, missing ones fall back: %v", err)
	}
	if _, err := (Secrets{}).Complete(iotest.ErrReader(errors.New("no entropy"))); err == nil {
		t.Error("no randomness must not pass for a secret")
	}
}
