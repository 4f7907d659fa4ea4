package ordered

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

var roomy = Limits{Depth: 64, Values: 10_000}

func TestOrderIsKept(t *testing.T) {
	for raw, want := range map[string]string{
		`{"b":1,"a":{"d":[1,"x",null,true,false],"c":{}}}`: "",
		` { "b" : 1.50 , "a" : -0e+5 } `:                   `{"b":1.50,"a":-0e+5}`,
		`{"a":1,"b":2,"a":3}`:                              `{"a":3,"b":2}`,
		`"<a & \u00e5\n>"`:                                 `"<a & å\n>"`,
		`[]`:                                               "",
	} {
		value, err := Parse([]byte(raw), roomy)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = raw
		}
		if got := value.String(); got != want {
			t.Errorf("%s printed as %s, want %s", raw, got, want)
		}
	}
}

func TestWideObjectsAreFoundByName(t *testing.T) {
	var raw strings.Builder
	raw.WriteString("{")
	for i := range 3 * wide {
		raw.WriteString(`"` + strings.Repeat("k", i) + `":0,`)
	}
	raw.WriteString(`"":1,"kk":2}`)
	value, err := Parse([]byte(raw.String()), roomy)
	if err != nil {
		t.Fatal(err)
	}
	if len(value.Members()) != 3*wide || value.Get("").Plain() != 1.0 || value.Get("kk").Plain() != 2.0 || value.Get("x") != nil {
		t.Errorf("parsed %s", value)
	}
}

func TestRefused(t *testing.T) {
	for raw, want := range map[string]error{
		`[[[[]]]]`:               ErrTooLarge,
		`[1,2,3,4,5]`:            ErrTooLarge,
		`1e401`:                  ErrNumber,
		`1e-999999999`:           ErrNumber,
		`1e99999999999999999999`: ErrNumber,
		strings.Repeat("9", 401): ErrNumber,
		`{}x`:                    nil, `{`: nil, `[1,]`: nil, ``: nil, `{"a"}`: nil, "\"\n\"": nil, `{} {}`: nil,
	} {
		value, err := Parse([]byte(raw), Limits{Depth: 2, Values: 5})
		if err == nil || value != nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%.20q gave %v and %v, want nothing and %v", raw, value, err, want)
		}
	}
}

func TestIsNumber(t *testing.T) {
	for text, want := range map[string]bool{
		"0": true, "-1.5e3": true, "12345678901234567890": true,
		"": false, " 1": false, "1 ": false, "+1": false, "01": false, "1e999": false, "NaN": false, `"1"`: false, "[1]": false,
	} {
		if IsNumber(text) != want {
			t.Errorf("IsNumber(%q) = %v", text, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"\ud800"}],"a":null}`, `"\u0000"`, `-0`, `{"":{}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		value, err := Parse(raw, roomy)
		if err != nil {
			return
		}
		// What was read prints as the same document, and prints again as itself.
		var want, got any
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatalf("%q was read, encoding/json says %v", raw, err)
		}
		printed := value.AppendJSON(nil)
		if err := json.Unmarshal(printed, &got); err != nil {
			t.Fatalf("%q printed as %q: %v", raw, printed, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q printed as %q", raw, printed)
		}
		again, err := Parse(printed, roomy)
		if err != nil || again.String() != string(printed) {
			t.Fatalf("%q printed again as %q, %v", printed, again, err)
		}
	})
}
