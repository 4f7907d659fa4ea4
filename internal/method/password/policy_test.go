package password

import (
	"fmt"
	"strings"
	"testing"

	"styx/internal/config"
	"styx/internal/fault"
	"styx/internal/ui"
)

// distance is Levenshtein's, by its definition.
func distance(a, b []rune) int {
	if len(a) == 0 || len(b) == 0 {
		return len(a) + len(b)
	}
	last := 1
	if a[len(a)-1] == b[len(b)-1] {
		last = 0
	}
	a1, b1 := a[:len(a)-1], b[:len(b)-1]
	return min(distance(a1, b1)+last, distance(a, b1)+1, distance(a1, b)+1)
}

// shared is the longest run of two texts, by its definition.
func shared(a, b []rune) int {
	longest := 0
	for i := range a {
		for j := range b {
			n := 0
			for i+n < len(a) && j+n < len(b) && a[i+n] == b[j+n] {
				n++
			}
			longest = max(longest, n)
		}
	}
	return longest
}

// TestCompareByDefinition goes through all texts of up to four letters out of
// three, the empty one included.
func TestCompareByDefinition(t *testing.T) {
	texts := [][]rune{{}}
	for from := 0; from < len(texts); from++ {
		if len(texts[from]) < 4 {
			for _, letter := range "aäb" {
				texts = append(texts, append([]rune(string(texts[from])), letter))
			}
		}
	}
	for _, a := range texts {
		for _, b := range texts {
			gotDistance, gotShared := compare(a, b)
			if gotDistance != distance(a, b) || gotShared != shared(a, b) {
				t.Fatalf("%q and %q: %d apart, %d shared, want %d and %d", string(a), string(b), gotDistance, gotShared, distance(a, b), shared(a, b))
			}
		}
	}
}

// FuzzCompare holds what is true of any two texts.
func FuzzCompare(f *testing.F) {
	f.Add("ann@example.org", "ann@example.com")
	f.Add("", "x")
	f.Add("kitten", "sitting")
	f.Fuzz(func(t *testing.T, one, two string) {
		a, b := []rune(one), []rune(two)
		if len(a) > maxCompared || len(b) > maxCompared {
			return
		}
		distance, run := compare(a, b)
		back, runBack := compare(b, a)
		if distance != back || run != runBack {
			t.Fatalf("%q and %q: %d, %d, and the other way round %d, %d", one, two, distance, run, back, runBack)
		}
		least := max(len(a), len(b)) - min(len(a), len(b))
		if distance < least || distance > max(len(a), len(b)) || (distance == 0) != (string(a) == string(b)) {
			t.Fatalf("%q and %q are %d apart", one, two, distance)
		}
		if run != shared(a, b) || distance > max(len(a), len(b))-run+max(len(a), len(b)) {
			t.Fatalf("%q and %q share %d", one, two, run)
		}
	})
}

// TestSimilarity is a corpus of what people make of their names.
func TestSimilarity(t *testing.T) {
	const email = "ann.miller@example.org"
	for password, want := range map[string]bool{
		email:                       true,
		"ann.miller@example.com":    true,
		"ANN.MILLER@EXAMPLE.ORG":    true,
		"Ann.Miller":                true,
		"annmiller":                 true,
		"miller@example":            true,
		"ann.miller1":               true,
		"ann.miller2026!":           true,
		"xxann.miller@example.org":  true,
		"grö.elpmaxe@rellim.nna":    false,
		"reticulating splines 4711": false,
		"correct horse battery":     false,
		"miller and some more of it, longer than the run": false,
	} {
		if got := similar(email, strings.ToLower(password)); got != want {
			t.Errorf("%q is similar: %v, want %v", password, got, want)
		}
	}
}

// TestLongTextsAreNotCompared: the comparison costs the product of the lengths.
func TestLongTextsAreNotCompared(t *testing.T) {
	longest, longer := strings.Repeat("ä", maxCompared), strings.Repeat("ä", maxCompared+1)
	if !similar(longest, longest) {
		t.Error("two equal texts of the most characters are compared")
	}
	if similar(longer, longest) || similar(longest, longer) {
		t.Error("a longer text is compared")
	}
}

// TestPolicy takes each rule on its own. Length is counted in bytes, as clients
// know it.
func TestPolicy(t *testing.T) {
	strict := config.Password{MinLength: 8, SimilarityCheck: true}
	for _, c := range []struct {
		name, password string
		settings       config.Password
		identifiers    []string
		want           ui.ID // 0: good enough
		context        string
	}{
		{"good enough", "correct horse", strict, []string{"ann@example.org"}, 0, ""},
		{"just long enough", "cozymoss", strict, []string{"ann@example.org"}, 0, ""},
		{"too short", "cozymos", strict, []string{"ann@example.org"}, ui.PasswordTooShort, "map[actual_length:7 min_length:8]"},
		{"letters of two bytes", "äöüß", strict, nil, 0, ""},
		{"no composition is asked for", "aaaaaaaa", strict, nil, 0, ""},
		{"spaces alone", "        ", strict, nil, 0, ""},
		{"like the identifier", "ann@example.org", strict, []string{"ann@example.org"}, ui.PasswordLikeID, "map[]"},
		{"like the second identifier", "bob@example.net", strict, []string{"ann@example.org", "bob@example.net"}, ui.PasswordLikeID, "map[]"},
		{"like it, in capitals", "ANN@EXAMPLE.ORG", strict, []string{"ann@example.org"}, ui.PasswordLikeID, "map[]"},
		{"like it, and nobody minds", "ann@example.org", config.Password{MinLength: 8}, []string{"ann@example.org"}, 0, ""},
		{"short and like it", "ann", strict, []string{"ann"}, ui.PasswordTooShort, "map[actual_length:3 min_length:8]"},
		{"as long as one likes", strings.Repeat("long ", 1000), strict, []string{"ann@example.org"}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := newPolicy(c.settings, nil).check(t.Context(), c.password, c.identifiers)
			if c.want == 0 {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			known := fault.As(err)
			if known == nil || len(known.Fields) != 1 || known.Fields[0].At != "password" || known.Fields[0].Text.ID != c.want {
				t.Fatalf("answers %v, want %d", err, c.want)
			}
			if got := fmt.Sprint(map[string]any(known.Fields[0].Text.Context)); got != c.context {
				t.Errorf("the context is %s, want %s", got, c.context)
			}
			if strings.Contains(err.Error(), c.password) && len(c.password) > 3 {
				t.Error("the error holds the password")
			}
		})
	}
}
