package totp

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"image/png"
	"net/url"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/flow"
	"styx/internal/identity"
	"styx/internal/secret"
	"styx/internal/session"
	"styx/internal/ui"
)

// noon is the beginning of a time step.
func noon() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

func ring(t *testing.T, cipher ...string) *secret.Ring {
	t.Helper()
	r, err := secret.New(secret.Lists{Default: []string{"the default secret"}, Cipher: cipher}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func build(r *secret.Ring) flow.Method {
	return New(config.TOTP{Enabled: true, Issuer: "Harbour Shop"}, r)
}

// key is the one of RFC 6238's test vectors.
const key = "12345678901234567890"

// ann is an identity with an app of that key.
func ann(t *testing.T, r *secret.Ring) *identity.Identity {
	t.Helper()
	who := identity.New("11111111-1111-4111-8111-111111111111", "person", noon())
	if err := who.SetTOTP(r, linkOf("Shop", "ann", written().EncodeToString([]byte(key))), noon()); err != nil {
		t.Fatal(err)
	}
	return who
}

func step(of flow.Kind, who *identity.Identity, fields map[string]string) *flow.Step {
	s := &flow.Step{Flow: &flow.Flow{Kind: of}, Owner: who, Now: noon(), Rand: rand.Reader}
	s.Form.Values = map[string][]string{}
	for name, value := range fields {
		s.Form.Values[name] = []string{value}
	}
	return s
}

// messages are what an error puts at the nodes of a form.
func messages(err error) string {
	var at []string
	if known := fault.As(err); known != nil {
		for _, field := range known.Fields {
			at = append(at, fmt.Sprintf("%s:%d %s", field.At, field.Text.ID, field.Text.Text))
		}
	}
	return strings.Join(at, ", ")
}

func names(f ui.Form) string {
	var all []string
	for _, node := range f.Nodes {
		all = append(all, node.Name())
	}
	return strings.Join(all, " ")
}

// TestCodes are RFC 6238's vectors of appendix B, their last six digits.
func TestCodes(t *testing.T) {
	for unix, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := code([]byte(key), unix/period); got != want {
			t.Errorf("at %d the code is %s, want %s", unix, got, want)
		}
		if at, matches := match([]byte(key), want, time.Unix(unix, 0)); !matches || at != unix/period {
			t.Errorf("at %d the code is of step %d, %v", unix, at, matches)
		}
	}
}

// TestWindow: a code counts in its own step and the ones beside it.
func TestWindow(t *testing.T) {
	now := noon().Unix() / period
	typed := code([]byte(key), now)
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{
		{-31 * time.Second, false},
		{-30 * time.Second, true},
		{0, true},
		{30 * time.Second, true},
		{59*time.Second + 999*time.Millisecond, true},
		{60 * time.Second, false},
	} {
		if at, matches := match([]byte(key), typed, noon().Add(c.after)); matches != c.want || matches && at != now {
			t.Errorf("after %s: %v, step %d", c.after, matches, at-now)
		}
	}
}

func TestLoginJudges(t *testing.T) {
	r := ring(t)
	now := noon().Unix() / period
	right := code([]byte(key), now)
	bare := identity.New("22222222-2222-4222-8222-222222222222", "person", noon())
	keyless := identity.New("33333333-3333-4333-8333-333333333333", "person", noon())
	if err := keyless.SetTOTP(r, "otpauth://totp/x?secret=", noon()); err != nil {
		t.Fatal(err)
	}
	const wrong = ":4000008 The provided authentication code is invalid, please try again."
	for _, c := range []struct {
		name, code string
		who        *identity.Identity
		want       string // messages; "" for passed
	}{
		{"the right code", right, ann(t, r), ""},
		{"spaces around it", " " + right + "\n", ann(t, r), ""},
		{"a wrong code", other(right), ann(t, r), wrong},
		{"one digit too many", right + "0", ann(t, r), wrong},
		{"a very long one", strings.Repeat(right, 1000), ann(t, r), wrong},
		{"other digits", "１２３４５６", ann(t, r), wrong},
		{"no digits", "______", ann(t, r), wrong},
		{"one digit too few", right[1:], ann(t, r), "totp_code:4000003 length must be >= 6, but got 5"},
		{"wide characters too few", "１２", ann(t, r), "totp_code:4000003 length must be >= 6, but got 2"},
		{"nothing", "", ann(t, r), "totp_code:4000002 Property totp_code is missing."},
		{"nobody's app", right, bare, ":4000011 You have no TOTP device set up."},
		{"the code of an empty key", code(nil, now), keyless, wrong},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := step(flow.Login, c.who, map[string]string{field: c.code})
			s.Flow.UI.Append(ui.Input(ui.TOTP, field, "text", ""))
			outcome, err := build(r).Login.Submit(t.Context(), s)
			if got := messages(err); got != c.want {
				t.Fatalf("said %q, want %q (%v)", got, c.want, err)
			}
			if value := s.Flow.UI.Find(field).Attributes.Value; value != nil {
				t.Errorf("the form holds %v", value)
			}
			if c.want != "" {
				if outcome.Who != nil {
					t.Errorf("passed as %s", outcome.Who.ID)
				}
				return
			}
			once := outcome.Once
			if outcome.Who != c.who || outcome.Method.Method != "totp" || outcome.Method.AAL != session.AAL2 || outcome.Changed || outcome.Spent {
				t.Errorf("passed by %+v", outcome)
			}
			if once == nil || once.Identity != c.who.ID || once.Name != "totp" || once.To != now || messages(once.Used) != wrong {
				t.Errorf("counts %+v", once)
			}
		})
	}
}

// other is a code of as many digits that is not the given one.
func other(code string) string {
	return string('0'+(code[0]-'0'+1)%10) + code[1:]
}

// schema marks the email as the name that an app shows.
func schema(t *testing.T) *identity.Schema {
	t.Helper()
	s, err := identity.ParseSchema("person", []byte(`{"properties":{"traits":{"type":"object","properties":{
		"email":{"type":"string","ory.sh/kratos":{"credentials":{"totp":{"account_name":true}}}},"name":{"type":"string"}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLife of an app: a secret is shown, stays through mistakes, is stored once a
// code proves it, and is taken away.
func TestLife(t *testing.T) {
	r := ring(t)
	door := build(r).Settings
	who := identity.New("11111111-1111-4111-8111-111111111111", "person", noon())
	who.Traits = []byte(`{"name":"Ann","email":"ann+shop@example.org"}`)
	s := step(flow.Settings, who, nil)
	s.Schema = schema(t)
	form := func() {
		t.Helper()
		s.Flow.UI = ui.Form{}
		if err := door.Form(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	submit := func(fields map[string]string) (flow.Outcome, error) {
		t.Helper()
		s.Form = step(flow.Settings, who, fields).Form
		if !door.Answers("totp", s.Form) || !door.Fresh(s.Form) {
			t.Fatalf("%v is for nobody", fields)
		}
		return door.Submit(t.Context(), s)
	}
	form()
	if got := names(s.Flow.UI); got != "totp_qr totp_secret_key totp_code method" || !s.Flow.Private {
		t.Fatalf("shows %s, private %v", got, s.Flow.Private)
	}
	shown := s.Flow.UI.Find("totp_secret_key").Attributes.Text.Text
	now := noon().Unix() / period
	raw, err := written().DecodeString(shown)
	if err != nil || len(raw) != secretSize {
		t.Fatalf("shows %q, %v", shown, err)
	}
	for _, c := range []struct{ code, want string }{
		{"", "totp_code:4000002 Property totp_code is missing."},
		{"1", "totp_code:4000008 The provided authentication code is invalid, please try again."},
		{other(code(raw, now)), "totp_code:4000008 The provided authentication code is invalid, please try again."},
	} {
		if outcome, err := submit(map[string]string{"method": "totp", field: c.code}); messages(err) != c.want || outcome.Who != nil {
			t.Errorf("%q says %v", c.code, err)
		}
	}
	outcome, err := submit(map[string]string{"method": "totp", field: code(raw, now)})
	if err != nil || outcome.Who != who || !outcome.Changed || outcome.Method.Method != "totp" || outcome.Method.AAL != session.AAL2 {
		t.Fatalf("enrolled by %+v, %v", outcome, err)
	}
	link, err := who.TOTP(r)
	want := "otpauth://totp/Harbour%20Shop:ann+shop@example.org?algorithm=SHA1&digits=6&issuer=Harbour%20Shop&period=30&secret=" + shown
	if err != nil || link != want {
		t.Errorf("stored is %q, %v", link, err)
	}
	form()
	if got := names(s.Flow.UI); got != "totp_unlink" {
		t.Errorf("then shows %s", got)
	}
	// With an app there, a code changes nothing and says so.
	if outcome, err = submit(map[string]string{"method": "totp", field: "000000", unlink: "false"}); err != nil || outcome.Who != who || outcome.Method.Method != "" {
		t.Errorf("a code again: %+v, %v", outcome, err)
	}
	if still, err := who.TOTP(r); err != nil || still != link {
		t.Errorf("then stored is %q, %v", still, err)
	}
	if outcome, err = submit(map[string]string{unlink: "true"}); err != nil || outcome.Who != who || outcome.Method.Method != "" || who.Counts().TOTP != 0 {
		t.Errorf("taken away: %+v, %v", outcome, err)
	}
	form()
	if again := s.Flow.UI.Find("totp_secret_key").Attributes.Text.Text; again == shown {
		t.Error("the next secret is the same")
	}
	// What a flow did not show cannot be enrolled, such as the code of no key.
	s.Flow.Kept = nil
	if outcome, err = submit(map[string]string{"method": "totp", field: code(nil, now)}); messages(err) == "" || outcome.Who != nil {
		t.Errorf("a flow without a secret enrols %+v", outcome)
	}
}

// TestSealOutlivesItsKey: what an older secret of the configuration sealed opens,
// what is written is sealed by the first.
func TestSealOutlivesItsKey(t *testing.T) {
	older, newer := ring(t, "an older cipher secret"), ring(t, "a newer cipher secret", "an older cipher secret")
	right := map[string]string{field: code([]byte(key), noon().Unix()/period)}
	who := ann(t, older)
	if outcome, err := build(newer).Login.Submit(t.Context(), step(flow.Login, who, right)); err != nil || outcome.Who == nil {
		t.Errorf("after the change: %v", err)
	}
	who = ann(t, newer)
	if outcome, err := build(ring(t, "a newer cipher secret")).Login.Submit(t.Context(), step(flow.Login, who, right)); err != nil || outcome.Who == nil {
		t.Errorf("without the older one: %v", err)
	}
	if outcome, err := build(older).Login.Submit(t.Context(), step(flow.Login, who, right)); err == nil || outcome.Who != nil {
		t.Error("a secret that is gone opens")
	}
	// Whoever lost the key can still take the app away.
	s := step(flow.Settings, who, map[string]string{unlink: "true"})
	if err := build(older).Settings.Form(t.Context(), s); err != nil || s.Flow.UI.Find(unlink) == nil {
		t.Errorf("settings say %v", err)
	}
	if _, err := build(older).Settings.Submit(t.Context(), s); err != nil || who.Counts().TOTP != 0 {
		t.Errorf("taking it away says %v", err)
	}
}

// TestOffered to whoever has an app.
func TestOffered(t *testing.T) {
	r := ring(t)
	for want, who := range map[string]*identity.Identity{
		"totp_code method": ann(t, r), "": identity.New("22222222-2222-4222-8222-222222222222", "person", noon()), " ": nil,
	} {
		s := step(flow.Login, who, nil)
		if err := build(r).Login.Form(t.Context(), s); err != nil || names(s.Flow.UI) != strings.TrimSpace(want) {
			t.Errorf("offers %q, %v", names(s.Flow.UI), err)
		}
	}
}

func TestKeyIn(t *testing.T) {
	for link, want := range map[string]string{
		"otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ":     key,
		"otpauth://totp/x?secret=gezdgnbvgy3tqojqgezdgnbvgy3tqojq":     key,
		"otpauth://totp/x?secret=%20GEZDGNBVGY3TQOI%3D":                key[:9],
		"otpauth://totp/x?secret=GEZDGNBVGY3TQOI&secret=AAAAAAAAAAAAA": key[:9],
		"otpauth://totp/x?secret=":                                     "",
		"otpauth://totp/x?secret=1":                                    "",
		"otpauth://totp/x":                                             "",
		"otpauth://totp/%zz?secret=GEZDGNBVGY3TQOI":                    "",
		"": "",
	} {
		if got := keyIn(link); string(got) != want {
			t.Errorf("%s holds %q, want %q", link, got, want)
		}
	}
}

func TestAccount(t *testing.T) {
	who := identity.New("11111111-1111-4111-8111-111111111111", "person", noon())
	for traits, want := range map[string]string{
		`{}`:                           who.ID,
		`{"name":"Ann"}`:               who.ID,
		`{"email":"  "}`:               who.ID,
		`{"email":null}`:               who.ID,
		`{"email":"ann@example.org"}`:  "ann@example.org",
		`{"email":7,"name":"Ann"}`:     "7",
		`{"email":{"x":"a"}}`:          who.ID,
		`{"email":" ann: & co / 50%"}`: "ann: & co / 50%",
		`{"email":"` + strings.Repeat("é", 200) + `"}`: strings.Repeat("é", 127),
	} {
		who.Traits = []byte(traits)
		name := account(schema(t), who)
		if name != want {
			t.Errorf("%s is named %q, want %q", traits, name, want)
		}
		parsed, err := url.Parse(linkOf("A: B+", name, "KEY"))
		if err != nil || parsed.Path != "/A: B+:"+name || parsed.Query().Get("issuer") != "A: B+" || parsed.Query().Get("secret") != "KEY" {
			t.Errorf("%s becomes %s, %v", traits, parsed, err)
		}
	}
}

// TestPicture is a QR code with its margin, however long the name is.
func TestPicture(t *testing.T) {
	for _, name := range []string{"a", "ann@example.org", strings.Repeat("ä", maxAccount/2)} {
		text := linkOf("Harbour Shop", name, strings.Repeat("A", 32))
		src, err := picture(text)
		if err != nil {
			t.Fatal(err)
		}
		raw, found := strings.CutPrefix(src, "data:image/png;base64,")
		file, err := base64.StdEncoding.DecodeString(raw)
		if !found || err != nil {
			t.Fatalf("%.40s: %v", src, err)
		}
		drawn, err := png.Decode(bytes.NewReader(file))
		if err != nil || drawn.Bounds().Dx() != side || drawn.Bounds().Dy() != side {
			t.Fatalf("%v %v", drawn.Bounds(), err)
		}
		want, err := qr.Encode(text, qr.M)
		if err != nil {
			t.Fatal(err)
		}
		modules := want.Size
		scale := side / (modules + 2*margin)
		edge := (side - modules*scale) / 2
		if edge < margin*scale {
			t.Errorf("%d modules have a margin of %d pixels", modules, edge)
		}
		for y := range side {
			for x := range side {
				column, row := (x-edge)/scale, (y-edge)/scale
				dark := x >= edge && y >= edge && column < modules && row < modules && want.Black(column, row)
				if got, _, _, _ := drawn.At(x, y).RGBA(); (got == 0) != dark {
					t.Fatalf("%s: the pixel at %d, %d is wrong", name, x, y)
				}
			}
		}
	}
}
