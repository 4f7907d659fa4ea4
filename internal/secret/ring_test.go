package secret_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"styx/internal/secret"
)

var allUses = []secret.Use{
	secret.UseCode, secret.UseSeal, secret.UseTOTP, secret.UsePage,
	secret.UseCookie, secret.UseCSRF, secret.UseLogout, secret.UseState,
}

// fourLists has another secret in every list.
var fourLists = secret.Lists{
	Default:    []string{"default-secret-one"},
	Cookie:     []string{"cookie-secret-one!"},
	Cipher:     []string{"cipher-secret-of-32-bytes-exact!"},
	Pagination: []string{"page-secret-number-one"},
}

func ring(t *testing.T, l secret.Lists) *secret.Ring {
	t.Helper()
	return ringOf(t, l, seeded())
}

func ringOf(t *testing.T, l secret.Lists, random io.Reader) *secret.Ring {
	t.Helper()
	r, err := secret.New(l, random)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// counting yields 0, 1, 2, …: the nonce of the golden values.
func counting() io.Reader {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return bytes.NewReader(b)
}

// The golden values of this file, token_test.go and csrf_test.go were computed
// with an implementation of HKDF, HMAC, XChaCha20-Poly1305 and base62 that
// shares no line with this one. A change of any of them locks every identity,
// session and message written before it.
func TestGoldenMAC(t *testing.T) {
	r := ring(t, fourLists)
	for use, want := range map[secret.Use]string{
		secret.UseCode:   "mXT_e9OhCjGZwGovRezz0t1VdGNisXtD4xd1qBPV-IU",
		secret.UseSeal:   "DB7HpVscrGtDlmjGA0UW5_lYA7IFxBSd7zc4La-V7hA",
		secret.UseTOTP:   "1C80563CLVmFh2RE_zImde_8MRXopPDNz4Cq3WyCbLQ",
		secret.UsePage:   "FraVDCf3bZKC3191yxNHI8CW8537qmLWCy8xCMl6lUw",
		secret.UseCookie: "o9HLKvxKUwh3RoELZ2Wpm_mxd1KGrAxUsW-URJoTwaQ",
		secret.UseCSRF:   "qx9YIZBtKmf53gaNPMxTHgAYxNfHPCJZtetLuVLCpmg",
		secret.UseLogout: "_nXLDL9OLB2iWgJyT9Bt5ct2P-VRzjGnscWTELpSR-Y",
		secret.UseState:  "vp7xNGKa5TcyZFIBaXuOKGoCSE3K8tvKHAoA7gOBirs",
	} {
		if got := base64.RawURLEncoding.EncodeToString(r.MAC(use, "ab", "", "c")); got != want {
			t.Errorf("%s: MAC = %s, want %s", use, got, want)
		}
	}
}

func TestGoldenSeal(t *testing.T) {
	const ad, want = "0|0.I#id|totp", "v1.mgvh94JX.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX.pX2uU5vbGtLxdj1Gajif6ONXP-ra-BjR"
	r := ringOf(t, fourLists, counting())
	if got := r.Seal(secret.UseSeal, []byte("a secret"), ad); got != want {
		t.Errorf("Seal = %s, want %s", got, want)
	}
	if got, err := r.Open(secret.UseSeal, want, ad); err != nil || string(got) != "a secret" {
		t.Errorf("Open = %q, %v", got, err)
	}
}

func TestSealedOpensOnlyWhereItBelongs(t *testing.T) {
	r := ring(t, fourLists)
	sealed := r.Seal(secret.UseSeal, []byte("a secret"), "0|0.I#a|totp")
	if got, err := r.Open(secret.UseSeal, sealed, "0|0.I#a|totp"); err != nil || string(got) != "a secret" {
		t.Fatalf("Open = %q, %v", got, err)
	}
	for _, ad := range []string{"", "0|0.I#b|totp", "1|0.I#a|totp", "0|0.I#a|oidc"} {
		if got, err := r.Open(secret.UseSeal, sealed, ad); !errors.Is(err, secret.ErrSealed) || got != nil {
			t.Errorf("under %q: Open = %q, %v", ad, got, err)
		}
	}
	for _, use := range allUses {
		if use == secret.UseSeal {
			continue
		}
		if got, err := r.Open(use, sealed, "0|0.I#a|totp"); !errors.Is(err, secret.ErrSealed) || got != nil {
			t.Errorf("for %s: Open = %q, %v", use, got, err)
		}
	}
}

func TestTornSealedDoesNotOpen(t *testing.T) {
	r := ring(t, fourLists)
	sealed := r.Seal(secret.UseSeal, []byte("a secret"), "ad")
	for i := range sealed {
		for _, c := range []byte{'.', 'A', 'B', 'x', '\n', 0} {
			if torn := sealed[:i] + string(c) + sealed[i+1:]; torn != sealed {
				if got, err := r.Open(secret.UseSeal, torn, "ad"); !errors.Is(err, secret.ErrSealed) || got != nil {
					t.Errorf("Open(%q) = %q, %v", torn, got, err)
				}
			}
			grown := sealed[:i] + string(c) + sealed[i:]
			if got, err := r.Open(secret.UseSeal, grown, "ad"); !errors.Is(err, secret.ErrSealed) || got != nil {
				t.Errorf("Open(%q) = %q, %v", grown, got, err)
			}
		}
		if got, err := r.Open(secret.UseSeal, sealed[:i], "ad"); !errors.Is(err, secret.ErrSealed) || got != nil {
			t.Errorf("Open(%q) = %q, %v", sealed[:i], got, err)
		}
	}
}

func TestFirstOfAListWritesAndAllRead(t *testing.T) {
	const older, newer = "the-older-secret-of-two", "the-newer-secret-of-two"
	before := ring(t, secret.Lists{Default: []string{older}})
	during := ring(t, secret.Lists{Default: []string{newer, older}})
	after := ring(t, secret.Lists{Default: []string{newer}})
	for _, use := range allUses {
		old, fresh := before.Seal(use, []byte("x"), ""), during.Seal(use, []byte("x"), "")
		oldMAC, freshMAC := before.MAC(use, "x"), during.MAC(use, "x")
		for _, row := range []struct {
			name       string
			ring       *secret.Ring
			old, fresh bool
		}{{"before", before, true, false}, {"during", during, true, true}, {"after", after, false, true}} {
			if _, err := row.ring.Open(use, old, ""); (err == nil) != row.old {
				t.Errorf("%s: the ring %s opens the old value: %v", use, row.name, err)
			}
			if _, err := row.ring.Open(use, fresh, ""); (err == nil) != row.fresh {
				t.Errorf("%s: the ring %s opens the new value: %v", use, row.name, err)
			}
			if row.ring.MatchMAC(use, oldMAC, "x") != row.old || row.ring.MatchMAC(use, freshMAC, "x") != row.fresh {
				t.Errorf("%s: the ring %s matches the wrong MACs", use, row.name)
			}
		}
	}
}

func TestMissingListFallsBackToDefault(t *testing.T) {
	bare := ring(t, secret.Lists{Default: fourLists.Default})
	full := ring(t, secret.Lists{
		Default: fourLists.Default, Cookie: fourLists.Default,
		Cipher: fourLists.Default, Pagination: fourLists.Default,
	})
	for _, use := range allUses {
		if !bytes.Equal(bare.MAC(use, "x"), full.MAC(use, "x")) {
			t.Errorf("%s does not fall back", use)
		}
	}
}

// Rows name the list that a use draws from: another secret there, and there
// alone, is another key.
func TestEachUseDrawsFromItsList(t *testing.T) {
	other := []string{"some other secret, long enough"}
	base := ring(t, fourLists)
	for name, row := range map[string]struct {
		change func(*secret.Lists)
		uses   []secret.Use
	}{
		"default":    {func(l *secret.Lists) { l.Default = other }, []secret.Use{secret.UseCode}},
		"cipher":     {func(l *secret.Lists) { l.Cipher = other }, []secret.Use{secret.UseSeal, secret.UseTOTP}},
		"pagination": {func(l *secret.Lists) { l.Pagination = other }, []secret.Use{secret.UsePage}},
		"cookie": {func(l *secret.Lists) { l.Cookie = other }, []secret.Use{
			secret.UseCookie, secret.UseCSRF, secret.UseLogout, secret.UseState,
		}},
	} {
		lists := fourLists
		row.change(&lists)
		changed := ring(t, lists)
		for _, use := range allUses {
			moved := !bytes.Equal(base.MAC(use, "x"), changed.MAC(use, "x"))
			if want := slices.Contains(row.uses, use); moved != want {
				t.Errorf("another %s secret: key of %s changed: %t, want %t", name, use, moved, want)
			}
		}
	}
}

func TestMACPartsAreUnambiguous(t *testing.T) {
	r := ring(t, fourLists)
	seen := map[string][]string{}
	for _, parts := range [][]string{
		nil,
		{""},
		{"", ""},
		{"abc"},
		{"ab", "c"},
		{"a", "bc"},
		{"a", "b", "c"},
		{"abc", ""},
		{"", "abc"},
		{"\x00\x00\x00\x00\x00\x00\x00\x01a"},
		{"a", "\x00\x00\x00\x00\x00\x00\x00\x00"},
	} {
		mac := r.MAC(secret.UseCode, parts...)
		if len(mac) != 32 {
			t.Errorf("MAC of %q has %d bytes", parts, len(mac))
		}
		if twin, ok := seen[string(mac)]; ok {
			t.Errorf("%q and %q have one MAC", parts, twin)
		}
		seen[string(mac)] = parts
		if !r.MatchMAC(secret.UseCode, mac, parts...) {
			t.Errorf("the MAC of %q does not match", parts)
		}
		if r.MatchMAC(secret.UseCode, mac[:31], parts...) || r.MatchMAC(secret.UseCode, nil, parts...) ||
			r.MatchMAC(secret.UseState, mac, parts...) {
			t.Errorf("the MAC of %q matches torn or for another use", parts)
		}
	}
}

func TestRingRefusesWeakLists(t *testing.T) {
	for name, row := range map[string]struct {
		lists secret.Lists
		want  error
	}{
		"no list":               {secret.Lists{}, secret.ErrNoSecret},
		"no default":            {secret.Lists{Cookie: fourLists.Cookie}, secret.ErrNoSecret},
		"an empty secret":       {secret.Lists{Default: []string{""}}, secret.ErrShortSecret},
		"a short old secret":    {secret.Lists{Default: []string{"long enough to pass", "fifteen letters"}}, secret.ErrShortSecret},
		"a short cookie secret": {secret.Lists{Default: fourLists.Default, Cookie: []string{"short"}}, secret.ErrShortSecret},
	} {
		if r, err := secret.New(row.lists, seeded()); !errors.Is(err, row.want) || r != nil {
			t.Errorf("%s: New = %v, %v, want %v", name, r, err, row.want)
		}
	}
}

func TestRingIsSafeForConcurrentUse(t *testing.T) {
	r := ringOf(t, fourLists, &locked{Reader: seeded()})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for _, use := range allUses {
				if got, err := r.Open(use, r.Seal(use, []byte("x"), "ad"), "ad"); err != nil || string(got) != "x" {
					t.Errorf("%s: Open = %q, %v", use, got, err)
				}
			}
		})
	}
	group.Wait()
}

// locked makes a reader safe for concurrent use.
type locked struct {
	sync.Mutex
	io.Reader
}

func (l *locked) Read(b []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.Reader.Read(b)
}

// What opens was sealed, and was sealed here: a fuzzed text that opens is the
// seed itself.
func FuzzOpen(f *testing.F) {
	r, err := secret.New(fourLists, seeded())
	if err != nil {
		f.Fatal(err)
	}
	sealed := r.Seal(secret.UseSeal, []byte("plain"), "ad")
	f.Add(sealed, "ad")
	f.Add(sealed, "")
	f.Add("v1...", "ad")
	f.Add("v1."+strings.Repeat("A", 8)+"."+strings.Repeat("A", 32)+"."+strings.Repeat("A", 22), "ad")
	f.Fuzz(func(t *testing.T, value, ad string) {
		got, err := r.Open(secret.UseSeal, value, ad)
		if err != nil {
			if !errors.Is(err, secret.ErrSealed) || got != nil {
				t.Fatalf("Open = %q, %v", got, err)
			}
			return
		}
		if value != sealed || ad != "ad" || string(got) != "plain" {
			t.Fatalf("Open(%q, %q) = %q", value, ad, got)
		}
	})
}

// The property of sealing: every value and place goes in and comes out.
func FuzzSeal(f *testing.F) {
	r, err := secret.New(fourLists, &locked{Reader: seeded()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(nil), "")
	f.Add([]byte("plain"), "0|0.I#id|totp")
	f.Fuzz(func(t *testing.T, plain []byte, ad string) {
		got, err := r.Open(secret.UseSeal, r.Seal(secret.UseSeal, plain, ad), ad)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("Open = %q, %v, want %q", got, err, plain)
		}
	})
}
