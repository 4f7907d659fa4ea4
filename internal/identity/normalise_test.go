package identity

import (
	"strings"
	"testing"
	"unicode"
)

func TestNormalize(t *testing.T) {
	for value, want := range map[string]string{
		"":                      "",
		"ann@example.org":       "ann@example.org",
		" \t ANN@Example.ORG\n": "ann@example.org",
		"ａｎｎ＠ｅｘａｍｐｌｅ．ｏｒｇ":             "ann@example.org", // full width
		"an\u200bn@example.org":       "ann@example.org", // zero-width space
		"an\u200d\u200cn@example.org": "ann@example.org", // joiners
		"\ufeffann@example.org":       "ann@example.org", // byte order mark
		"\u202eann@example.org\u202c": "ann@example.org", // bidirectional override
		"\u2066ann@example.org\u2069": "ann@example.org", // bidirectional isolate
		"a\u00adnn@example.org":       "ann@example.org", // soft hyphen
		"ann\ufe0f@example.org":       "ann@example.org", // variation selector
		"ann\U000e0041@example.org":   "ann@example.org", // tag
		"ann\u3164@example.org":       "ann@example.org", // Hangul filler
		"ann\u034f@example.org":       "ann@example.org", // grapheme joiner
		"ann\u2800@example.org":       "ann@example.org", // blank Braille
		"ann\x00\x07@example.org":     "ann@example.org",
		"\u00a0ann@example.org\u3000": "ann@example.org", // spaces that are not ASCII
		"a\u030ann@example.org":       "ånn@example.org", // composed
		"ÅNN@example.org":             "ånn@example.org",
		"\u212bnn@example.org":        "ånn@example.org", // Ångström sign
		"\u2126":                      "ω",               // ohm sign
		"ﬁn":                          "fin",             // ligature
		"℠":                           "sm",              // a sign that unfolds into capitals
		"Ann Smith":                   "ann smith",
		"аnn@example.org":             "аnn@example.org", // Cyrillic а stays itself
		"+49 (151) 234-567.8":         "+491512345678",
		"＋４９ 151 2345678":             "+491512345678",
		"+49\u00a0151\u20112345678":   "+491512345678",
		"+49/151/2345678":             "+491512345678",
		"0151 2345678":                "0151 2345678",
		"+12":                         "+12",
		"+0151 234567":                "+0151 234567",
		"+1234567890123456":           "+1234567890123456",
		"+49151CALLME":                "+49151callme",
		"ann\r\nsmith":                "annsmith",
		"\xff":                        "\ufffd",
	} {
		if got := Normalize(value); got != want {
			t.Errorf("Normalize(%+q) = %+q, want %+q", value, got, want)
		}
	}
}

func TestPhone(t *testing.T) {
	for value, want := range map[string]string{
		"+1234567": "+1234567", " +49 30 1234567 ": "+49301234567", "+123456789012345": "+123456789012345",
		"": "", "+": "", "+123456": "", "+1234567890123456": "", "030 1234567": "", "0049301234567": "", "+49 30 12x4567": "", "++4930123456": "", "ann": "",
	} {
		if got, ok := Phone(value); ok != (want != "") || ok && got != want {
			t.Errorf("Phone(%q) = %q, %v, want %q", value, got, ok, want)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, seed := range []string{"Ann@Example.org", "a\u0345\u0301", "℠℡", "İstanbul", "\u1e9e\u0307", "+49\u200b 151 1234567", "ᾼ", "\u03a3", "한글\u1160"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		once := Normalize(value)
		if twice := Normalize(once); twice != once {
			t.Fatalf("%+q became %+q and then %+q", value, once, twice)
		}
		if strings.TrimSpace(once) != once {
			t.Fatalf("%+q kept space around: %+q", value, once)
		}
		for _, r := range once {
			if unicode.In(r, unicode.Cc, unicode.Cf) {
				t.Fatalf("%+q kept %U: %+q", value, r, once)
			}
		}
		// A mark that nobody sees makes no other account.
		if value == strings.ToValidUTF8(value, "") && Normalize(value+"\u200b") != once {
			t.Fatalf("%+q and the same with a zero-width space differ", value)
		}
	})
}

func TestHashIsShortAndSafeInKeys(t *testing.T) {
	const want = "Q4xMev5gDN8eRVw2m-x23JcPyMo"
	got := Hash("ann@example.org")
	if len(got) != 27 || strings.ContainsAny(got, "#/+=@") {
		t.Errorf("Hash gave %q", got)
	}
	if got != want {
		t.Errorf("Hash(ann@example.org) = %q, want %q: guards in the table would be lost", got, want)
	}
}

func BenchmarkNormalize(b *testing.B) {
	for _, value := range []string{"Ann.Smith@Example.org", "Ånn@example.org"} {
		b.Run(value, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Normalize(value)
			}
		})
	}
}
