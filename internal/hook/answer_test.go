package hook

import (
	"encoding/json"
	"testing"

	"styx/internal/fault"
	"styx/internal/ui"
)

func TestNodeNames(t *testing.T) {
	for pointer, want := range map[string]string{
		"": "", "#": "", "#/": "", "/": "", "nonsense": "", "#traits": "",
		"#/traits/email": "traits.email", "/traits/email": "traits.email", "#/code": "code",
		"#/traits/a~1b/c~0d": "traits.a/b.c~d", "#/traits/a%20b": "traits.a b", "#/traits/v1.2": `traits.v1\.2`,
		"#/traits/%zz": "traits.%zz", "#/traits/list/0": "traits.list.0",
	} {
		if got := nodeName(pointer); got != want {
			t.Errorf("nodeName(%q) = %q, want %q", pointer, got, want)
		}
	}
}

// Whatever a receiver answers, it is a change of valid parts, a refusal that a
// form can show and a flow can store, or an error; never two of them.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"identity":{}}`, `{"identity":{"traits":{"a":1},"state":"active","external_id":""}}`,
		`{"identity":{"verifiable_addresses":[{"id":"1b4e28ba-2fa1-11d2-883f-0016d3cca427","via":"email","value":"a@b.c","verified_at":"2026-01-01T00:00:00Z"}]}}`,
		`{"messages":[{"instance_ptr":"#/traits/email","messages":[{"id":1,"text":"x","type":"error","context":{"a":[1e999]}}]}]}`,
		`{"messages":[{"instance_ptr":"#/%2e/~0","messages":[{"text":"\ud800"}]}]} rest`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		change, err := parseChange(body)
		if change != nil && err != nil {
			t.Fatalf("both a change and %v", err)
		}
		if change != nil {
			if change.State != "" && !change.State.Valid() {
				t.Fatalf("the state %q", change.State)
			}
			if _, err := json.Marshal(change); err != nil {
				t.Fatalf("the change does not print: %v", err)
			}
			for _, a := range change.VerifiableAddresses {
				if a.ID != "" && len(a.ID) != 36 {
					t.Fatalf("the id %q", a.ID)
				}
			}
		}
		err = refusal(body)
		known := fault.As(err)
		if err == nil || known == nil {
			if err == nil {
				t.Fatal("a refusal that is none")
			}
			return
		}
		if known.Kind != fault.BadRequest || len(known.Fields) == 0 || len(known.Fields) > maxMessages {
			t.Fatalf("%d messages of kind %d", len(known.Fields), known.Kind)
		}
		var form ui.Form
		for _, field := range known.Fields {
			if field.Text.Type != ui.Failure && field.Text.Type != ui.Info {
				t.Fatalf("%+v", field)
			}
			form.Tell(field.At, field.Text)
		}
		if _, err := json.Marshal(form); err != nil {
			t.Fatalf("the form does not print: %v", err)
		}
	})
}
