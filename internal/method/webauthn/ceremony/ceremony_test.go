package ceremony

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol"

	"styx/internal/config"
	"styx/internal/identity"
	"styx/internal/method/webauthn/softkey"
)

const origin = "https://app.example.org"

func noon() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

// party is example.org, with these rules.
func party(change ...func(*Rules)) *Party {
	rules := Rules{
		RP:               config.RelyingParty{ID: "example.org", DisplayName: "Example", Origins: []string{origin}},
		UserVerification: "preferred",
	}
	for _, one := range change {
		one(&rules)
	}
	c := new(config.Config)
	c.Serve.Public.BaseURL = &url.URL{Scheme: "https", Host: "id.example.org"}
	return New(c, rules)
}

func verified(r *Rules)  { r.UserVerification = "required" }
func noClones(r *Rules)  { r.RefuseClones = true }
func direct(r *Rules)    { r.Attestation = "direct" }
func none(r *Rules)      { r.Attestation = "none" }
func indirect(r *Rules)  { r.Attestation = "indirect" }
func elsewhere(r *Rules) { r.RP.Origins = nil }

// lie is how a test falsifies an answer.
type lie = func(*softkey.Answer)

// accepted has a key made for a user and accepted.
func accepted(t *testing.T, p *Party, k *softkey.Key, from string, lies ...lie) (identity.Key, error) {
	t.Helper()
	asked := Ask(rand.Reader, []byte("the user handle."), nil)
	answer, err := ReadNewKey(k.Create(t, string(p.Creation(asked, "ann", nil)), from, lies...))
	if err != nil {
		return identity.Key{}, err
	}
	return p.Accept(asked, answer, noon())
}

// TestNewKey accepts what is true, and nothing that was falsified.
func TestNewKey(t *testing.T) {
	packed := func(a *softkey.Answer) { a.Format, a.SelfAttests = "packed", true }
	for _, c := range []struct {
		name  string
		party *Party
		lie   lie
		ok    bool
	}{
		{"the truth", party(), func(*softkey.Answer) {}, true},
		{"another origin", party(), func(a *softkey.Answer) { a.Origin = "https://evil.example.org" }, false},
		{"another scheme", party(), func(a *softkey.Answer) { a.Origin = "http://app.example.org" }, false},
		{"another port", party(), func(a *softkey.Answer) { a.Origin = origin + ":8443" }, false},
		{"a page within another's", party(), func(a *softkey.Answer) { a.CrossOrigin = true }, false},
		{"a page around it", party(), func(a *softkey.Answer) { a.CrossOrigin, a.TopOrigin = true, origin }, false},
		{"another relying party", party(), func(a *softkey.Answer) { a.RPID = "evil.example" }, false},
		{"another challenge", party(), func(a *softkey.Answer) { a.Challenge = strings.Repeat("A", 43) }, false},
		{"no challenge", party(), func(a *softkey.Answer) { a.Challenge = "" }, false},
		{"the other ceremony", party(), func(a *softkey.Answer) { a.Type = "webauthn.get" }, false},
		{"nobody present", party(), func(a *softkey.Answer) { a.Flags = 0 }, false},
		{"nobody verified", party(), func(a *softkey.Answer) { a.Flags = softkey.Present }, true},
		{"nobody verified where that is required", party(verified), func(a *softkey.Answer) { a.Flags = softkey.Present }, false},
		{"verified where that is required", party(verified), func(*softkey.Answer) {}, true},
		{"backed up and not able to be", party(), func(a *softkey.Answer) { a.Flags |= softkey.BackedUp }, false},
		{"an algorithm that was not asked for", party(), func(a *softkey.Answer) { a.Algorithm = -47 }, false},
		{"an RSA key", party(), func(a *softkey.Answer) { a.PublicKey = softkey.RSA(1024) }, true},
		{"a key that takes ages to reckon with", party(), func(a *softkey.Answer) { a.PublicKey = softkey.RSA(4096) }, false},
		{"an id that is not the raw id", party(), func(a *softkey.Answer) { a.ID = []byte("another") }, false},
		{"the id of another key", party(), func(a *softkey.Answer) { a.ID, a.RawID = []byte("another"), []byte("another") }, false},
		{"no attestation, unsaid", party(), func(*softkey.Answer) {}, true},
		{"no attestation", party(none), func(*softkey.Answer) {}, true},
		{"a statement called none", party(none), func(a *softkey.Answer) { a.SelfAttests = true }, false},
		{"the key's own word", party(none), packed, true},
		{"a forged word", party(none), func(a *softkey.Answer) { packed(a); a.Unsigned = true }, false},
		{"a maker's word that nobody asked for", party(none), func(a *softkey.Answer) { a.Format, a.Certificates = "packed", [][]byte{{0x42, 0x30, 0}} }, false},
		{"another format that nobody asked for", party(none), func(a *softkey.Answer) { a.Format, a.SelfAttests = "fido-u2f", true }, false},
		{"silence where a word is wanted", party(direct), func(*softkey.Answer) {}, false},
		{"a word where one is wanted", party(direct), packed, true},
		{"a forged word where one is wanted", party(direct), func(a *softkey.Answer) { packed(a); a.Unsigned = true }, false},
		{"an unknown format where a word is wanted", party(direct), func(a *softkey.Answer) { a.Format = "hearsay" }, false},
		{"silence where the browser may choose", party(indirect), func(*softkey.Answer) {}, true},
		{"the public API where no origin is configured", party(elsewhere), func(a *softkey.Answer) { a.Origin = "https://id.example.org" }, true},
		{"elsewhere where no origin is configured", party(elsewhere), func(*softkey.Answer) {}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := softkey.New(t, rand.Reader)
			key, err := accepted(t, c.party, k, origin, c.lie)
			if (err == nil) != c.ok {
				t.Fatalf("answers %v", err)
			}
			if err != nil && key.ID != nil {
				t.Errorf("returns a key all the same: %+v", key)
			}
			if err == nil && (!bytes.Equal(key.ID, k.ID) || len(key.PublicKey) == 0 || !key.AddedAt.Equal(noon())) {
				t.Errorf("accepted %+v", key)
			}
		})
	}
}

// TestWhatIsKeptOfANewKey: how it was made, and what it says of itself unless
// that is nothing.
func TestWhatIsKeptOfANewKey(t *testing.T) {
	for format, lie := range map[string]lie{
		"none":   func(*softkey.Answer) {},
		"packed": func(a *softkey.Answer) { a.Format, a.SelfAttests = "packed", true },
	} {
		key, err := accepted(t, party(none), softkey.New(t, rand.Reader), origin, lie, func(a *softkey.Answer) {
			a.Transports, a.Counter = append([]string{"usb", "nfc", strings.Repeat("x", 33)}, slices.Repeat([]string{"a"}, 9)...), 3
			a.Flags |= softkey.Eligible | softkey.BackedUp
		})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Join(key.Transport, " ") != "usb nfc a a a a a a" || key.Authenticator.SignCount != 3 || key.AttestationType != format ||
			(key.Attestation == nil) != (format == "none") {
			t.Errorf("kept %+v", key)
		}
		if want := (identity.KeyFlags{UserPresent: true, UserVerified: true, BackupEligible: true, BackupState: true}); *key.Flags != want {
			t.Errorf("flags %+v", *key.Flags)
		}
	}
}

// TestSignature lets in by what is true, and by nothing that was falsified.
func TestSignature(t *testing.T) {
	for _, c := range []struct {
		name  string
		party *Party
		lie   lie
		ok    bool
	}{
		{"the truth", party(), func(*softkey.Answer) {}, true},
		{"without a user handle", party(), func(a *softkey.Answer) { a.Handle = nil }, true},
		{"somebody else's user handle", party(), func(a *softkey.Answer) { a.Handle = []byte("somebody else") }, false},
		{"another origin", party(), func(a *softkey.Answer) { a.Origin = "https://evil.example.org" }, false},
		{"a page within another's", party(), func(a *softkey.Answer) { a.CrossOrigin = true }, false},
		{"another relying party", party(), func(a *softkey.Answer) { a.RPID = "evil.example" }, false},
		{"another challenge", party(), func(a *softkey.Answer) { a.Challenge = strings.Repeat("A", 43) }, false},
		{"the other ceremony", party(), func(a *softkey.Answer) { a.Type = "webauthn.create" }, false},
		{"nobody present", party(), func(a *softkey.Answer) { a.Flags = 0 }, false},
		{"nobody verified", party(), func(a *softkey.Answer) { a.Flags = softkey.Present }, true},
		{"nobody verified where that is required", party(verified), func(a *softkey.Answer) { a.Flags = softkey.Present }, false},
		{"able to be backed up all of a sudden", party(), func(a *softkey.Answer) { a.Flags |= softkey.Eligible }, false},
		{"backed up and not able to be", party(), func(a *softkey.Answer) { a.Flags |= softkey.BackedUp }, false},
		{"a broken signature", party(), func(a *softkey.Answer) { a.Unsigned = true }, false},
		{"an id that is not the raw id", party(), func(a *softkey.Answer) { a.ID = []byte("another") }, false},
		{"an unknown key", party(), func(a *softkey.Answer) { a.ID, a.RawID = []byte("another"), []byte("another") }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, stranger := softkey.New(t, rand.Reader), softkey.New(t, rand.Reader)
			key, err := accepted(t, c.party, k, origin)
			if err != nil {
				t.Fatal(err)
			}
			other, err := accepted(t, c.party, stranger, origin)
			if err != nil {
				t.Fatal(err)
			}
			owner := Owner{Handles: [][]byte{[]byte("an older one"), k.Handle}, Keys: []identity.Key{key}}
			for what, keys := range map[string][]identity.Key{"any key": nil, "this key": {key}} {
				asked := Ask(rand.Reader, nil, keys)
				signed, err := verify(t, c.party, asked, k, owner, c.lie)
				if (err == nil) != c.ok {
					t.Errorf("%s: answers %v", what, err)
				}
				if err != nil && signed.ID != nil {
					t.Errorf("%s: returns a key all the same: %+v", what, signed)
				}
				if err == nil && !bytes.Equal(signed.ID, k.ID) {
					t.Errorf("%s: signed by %x", what, signed.ID)
				}
				if _, err := verify(t, c.party, asked, stranger, owner); err == nil {
					t.Errorf("%s: somebody else's key signs", what)
				}
				both := Owner{Handles: owner.Handles, Keys: []identity.Key{key, other}}
				if _, err := verify(t, c.party, asked, stranger, both); (err == nil) != (keys == nil) {
					t.Errorf("%s: a key that was not asked for answers %v", what, err)
				}
			}
		})
	}
}

func verify(t *testing.T, p *Party, asked Challenge, k *softkey.Key, of Owner, lies ...lie) (identity.Key, error) {
	t.Helper()
	answer, err := ReadSignature(k.Get(t, string(p.Request(asked, nil)), origin, lies...))
	if err != nil {
		return identity.Key{}, err
	}
	return p.Verify(t.Context(), asked, answer, of)
}

// TestForgottenChallenge is answered by nothing, not even by an answer to none.
func TestForgottenChallenge(t *testing.T) {
	k := softkey.New(t, rand.Reader)
	key, err := accepted(t, party(), k, origin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify(t, party(), Challenge{}, k, Owner{Handles: [][]byte{k.Handle}, Keys: []identity.Key{key}}); err == nil {
		t.Error("it signs")
	}
}

// TestSignatureCounter marks a key whose counter does not rise, tells the
// operator without telling who, and refuses it where that is configured.
func TestSignatureCounter(t *testing.T) {
	for _, c := range []struct {
		name            string
		stored, said    uint32
		want            uint32
		marked, already bool
	}{
		{"rises", 7, 8, 8, false, false},
		{"jumps", 7, 4_000_000_000, 4_000_000_000, false, false},
		{"is not kept by the authenticator", 0, 0, 0, false, false},
		{"begins", 0, 1, 1, false, false},
		{"stands still", 7, 7, 7, true, false},
		{"goes back", 7, 3, 7, true, false},
		{"is not told any more", 7, 0, 7, true, false},
		{"rises after it went back", 7, 8, 8, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, refused := range []bool{false, true} {
				var log bytes.Buffer
				before := slog.Default()
				slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
				defer slog.SetDefault(before)
				p := party()
				if refused {
					p = party(noClones)
				}
				k := softkey.New(t, rand.Reader)
				key, err := accepted(t, p, k, origin)
				if err != nil {
					t.Fatal(err)
				}
				key.Authenticator = identity.Authenticator{SignCount: c.stored, CloneWarning: c.already}
				owner := Owner{Handles: [][]byte{k.Handle}, Keys: []identity.Key{key}}
				signed, err := verify(t, p, Ask(rand.Reader, nil, nil), k, owner, func(a *softkey.Answer) { a.Counter = c.said })
				suspicious := c.marked && !c.already
				if (err != nil) != (suspicious && refused) || strings.Contains(log.String(), "may have been copied") != suspicious {
					t.Fatalf("answers %v and logs %q", err, log.String())
				}
				if err == nil && (signed.Authenticator.SignCount != c.want || signed.Authenticator.CloneWarning != c.marked) {
					t.Errorf("the key is now %+v", signed.Authenticator)
				}
				for _, private := range []string{string(k.ID), string(k.Handle), "ann"} {
					if strings.Contains(log.String(), private) {
						t.Errorf("the log tells who: %s", log.String())
					}
				}
			}
		})
	}
}

// TestKeyFromBeforeFlags has the flags of its next signature.
func TestKeyFromBeforeFlags(t *testing.T) {
	k := softkey.New(t, rand.Reader)
	synced := func(a *softkey.Answer) { a.Flags |= softkey.Eligible | softkey.BackedUp }
	key, err := accepted(t, party(), k, origin, synced)
	if err != nil {
		t.Fatal(err)
	}
	key.Flags = nil
	signed, err := verify(t, party(), Ask(rand.Reader, nil, nil), k, Owner{Handles: [][]byte{k.Handle}, Keys: []identity.Key{key}}, synced)
	if err != nil || signed.Flags == nil || !signed.Flags.BackupEligible || !signed.Flags.BackupState {
		t.Errorf("answers %v, flags %+v", err, signed.Flags)
	}
}

// TestAnswersOfAnyLength are not read.
func TestAnswersOfAnyLength(t *testing.T) {
	long := `{"id":"` + strings.Repeat("A", maxAnswer) + `"}`
	if _, err := ReadNewKey(long); err != errTooLong { //nolint:errorlint // our own value, returned as it is
		t.Errorf("a new key answers %v", err)
	}
	if _, err := ReadSignature(long); err != errTooLong { //nolint:errorlint // our own value, returned as it is
		t.Errorf("a signature answers %v", err)
	}
}

// TestOptions have what browsers and the contract want, and nothing else.
func TestOptions(t *testing.T) {
	asked := Challenge{Value: bytes.Repeat([]byte{1}, 32), User: []byte("user")}
	known := []identity.Key{{ID: []byte("key"), Transport: []string{"usb"}}}
	with := func(change func(*Rules)) *Party {
		return party(func(r *Rules) { r.UserVerification = "discouraged" }, change)
	}
	passkeys := func(r *Rules) {
		r.UserVerification, r.ResidentKey, r.Attestation, r.Attachment = "preferred", "required", "none", "platform"
	}
	algorithms := `"pubKeyCredParams":[`
	for at, number := range []string{"-7", "-35", "-36", "-257", "-258", "-259", "-37", "-38", "-39", "-8"} {
		if at > 0 {
			algorithms += ","
		}
		algorithms += `{"type":"public-key","alg":` + number + `}`
	}
	algorithms += "]"
	const start = `{"publicKey":{"rp":{"name":"Example","id":"example.org"},"user":{"name":"ann","displayName":"ann","id":"dXNlcg"},"challenge":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",`
	const ask = `{"publicKey":{"challenge":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE",`
	for _, c := range []struct {
		name string
		got  json.RawMessage
		want string
	}{
		{
			"a security key", with(func(*Rules) {}).Creation(asked, "ann", nil),
			start + algorithms + `,"timeout":120000,"authenticatorSelection":{"userVerification":"discouraged"}}}`,
		},
		{
			"another security key", with(func(*Rules) {}).Creation(asked, "ann", known),
			start + algorithms + `,"timeout":120000,"excludeCredentials":[{"type":"public-key","id":"a2V5","transports":["usb"]}],"authenticatorSelection":{"userVerification":"discouraged"}}}`,
		},
		{
			"a passkey", with(passkeys).Creation(asked, "ann", nil),
			start + algorithms + `,"timeout":300000,"authenticatorSelection":{"authenticatorAttachment":"platform","requireResidentKey":true,"residentKey":"required","userVerification":"preferred"},"attestation":"none"}}`,
		},
		{
			"a passkey that is only preferred", party(func(r *Rules) { r.ResidentKey, r.Registration = "preferred", time.Minute }).Creation(asked, "ann", nil),
			start + algorithms + `,"timeout":60000,"authenticatorSelection":{"requireResidentKey":false,"residentKey":"preferred","userVerification":"preferred"}}}`,
		},
		{
			"a signature of a key", with(func(*Rules) {}).Request(asked, known),
			ask + `"timeout":120000,"rpId":"example.org","allowCredentials":[{"type":"public-key","id":"a2V5","transports":["usb"]}],"userVerification":"discouraged"}}`,
		},
		{
			"a signature of any key", party(func(r *Rules) { r.Login = time.Second }).Request(asked, nil),
			ask + `"timeout":1000,"rpId":"example.org","userVerification":"preferred"}}`,
		},
	} {
		if string(c.got) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, c.got, c.want)
		}
	}
}

// FuzzAnswers: what cannot be read is nothing, what can names its key once.
func FuzzAnswers(f *testing.F) {
	k, p := softkey.New(f, rand.Reader), party()
	asked := Ask(rand.Reader, []byte("user"), nil)
	f.Add(k.Create(f, string(p.Creation(asked, "ann", nil)), origin))
	f.Add(k.Create(f, string(p.Creation(asked, "ann", nil)), origin, func(a *softkey.Answer) { a.Format, a.Certificates = "packed", [][]byte{{0x41, 1}} }))
	f.Add(k.Get(f, string(p.Request(asked, nil)), origin))
	f.Fuzz(func(t *testing.T, answer string) {
		if made, err := ReadNewKey(answer); err != nil && made.parsed != nil {
			t.Error("a new key that cannot be read")
		} else if err == nil {
			_, _ = p.Accept(asked, made, noon())
		}
		signed, err := ReadSignature(answer)
		if err != nil {
			if signed.parsed != nil {
				t.Error("a signature that cannot be read")
			}
			return
		}
		if id := protocol.URLEncodedBase64(signed.KeyID()).String(); len(signed.KeyID()) == 0 || id != strings.NewReplacer("\r", "", "\n", "").Replace(signed.parsed.ID) {
			t.Errorf("names the key %q and %q", id, signed.parsed.ID)
		}
		if _, err := p.Verify(t.Context(), asked, signed, Owner{}); err == nil {
			t.Error("nobody's key signs")
		}
	})
}
