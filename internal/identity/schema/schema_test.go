package schema

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/ui"
)

var noon = time.Date(2026, 11, 5, 12, 0, 0, 123_456_789, time.UTC)

func parsed(t testing.TB, raw string) *identity.Schema {
	t.Helper()
	s, err := identity.ParseSchema("person", []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compiled(t testing.TB, raw string) *Validator {
	t.Helper()
	v, err := Compile(parsed(t, raw), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func shop(t testing.TB) *Validator {
	t.Helper()
	raw, err := os.ReadFile("testdata/shop.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled(t, string(raw))
}

// traits wraps the schema of one trait.
func traits(properties string) string {
	return `{"properties":{"traits":{"type":"object","properties":` + properties + `}}}`
}

// said is a fault in the form that a person sees: "<node>: <id> <text>" each.
func said(t testing.TB, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	found := fault.As(err)
	if found == nil || found.Kind != fault.BadRequest {
		t.Fatalf("validation answered %v, want a bad request", err)
	}
	var lines []string
	for _, field := range found.Fields {
		context, err := json.Marshal(field.Text.Context)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, field.At+" "+jsonNumber(field.Text.ID)+" "+field.Text.Text+" "+string(context))
	}
	return lines
}

func jsonNumber(id ui.ID) string {
	raw, _ := json.Marshal(id)
	return string(raw)
}

func TestMessages(t *testing.T) {
	v := shop(t)
	for name, row := range map[string]struct {
		traits string
		want   []string
	}{
		"all good":          {`{"email":"ann@example.org","age":13,"teams":["ab","cd"],"terms":true,"size":59.5}`, nil},
		"nothing":           {``, []string{`traits.email 4000002 Property email is missing. {"property":"email"}`}},
		"null":              {`null`, []string{`traits.email 4000002 Property email is missing. {"property":"email"}`}},
		"no address":        {`{}`, []string{`traits.email 4000002 Property email is missing. {"property":"email"}`}},
		"bad address":       {`{"email":"nobody"}`, []string{`traits.email 4000040 Enter a valid email address {"value":"nobody"}`}},
		"short address":     {`{"email":"a@b"}`, []string{`traits.email 4000003 length must be \u003e= 5, but got 3`}},
		"two about one":     {`{"email":"x"}`, []string{`traits.email 4000040 Enter a valid email address {"value":"x"}`, `traits.email 4000003 length must be >= 5, but got 1 {"actual_length":1,"min_length":5}`}},
		"empty address":     {`{"email":""}`, []string{`traits.email 4000001 "" is not valid "email" {"reason":"\"\" is not valid \"email\""}`, `traits.email 4000003 length must be >= 5, but got 0 {"actual_length":0,"min_length":5}`}},
		"bad number":        {`{"email":"ann@example.org","phone":"0151 234567"}`, []string{`traits.phone 4000041 Enter a valid phone number {"value":"0151 234567"}`}},
		"long name":         {`{"email":"ann@example.org","name":{"last":"A-family-name-that-is-far-too-long"}}`, []string{`traits.name.last 4000017 length must be <= 24, but got 34 {"actual_length":34,"max_length":24}`}},
		"word for a number": {`{"email":"ann@example.org","age":"old"}`, []string{`traits.age 4000026 expected integer, but got string {"actual_type":"string","allowed_types":["integer"]}`}},
		"half a year":       {`{"email":"ann@example.org","age":13.5}`, []string{`traits.age 4000026 expected integer, but got number {"actual_type":"number","allowed_types":["integer"]}`}},
		"too young":         {`{"email":"ann@example.org","age":12}`, []string{`traits.age 4000018 must be >= 13 but found 12 {"actual":12,"minimum":13}`}},
		"too large":         {`{"email":"ann@example.org","size":60}`, []string{`traits.size 4000021 must be < 60 but found 60 {"actual":60,"maximum":60}`}},
		"not a half":        {`{"email":"ann@example.org","size":1.2}`, []string{`traits.size 4000022 1.2 not multipleOf 0.5 {"actual":1.2,"base":0.5}`}},
		"no such plan":      {`{"email":"ann@example.org","plan":"gold"}`, []string{`traits.plan 4000001 value must be one of "free", "pro" {"reason":"value must be one of \"free\", \"pro\""}`}},
		"unknown traits":    {`{"email":"ann@example.org","hat":1,"it's":2}`, []string{`traits 4000001 additionalProperties "hat", "it's" not allowed {"reason":"additionalProperties \"hat\", \"it's\" not allowed"}`}},
		"terms refused":     {`{"email":"ann@example.org","terms":false}`, []string{`traits.terms 4000029 must be equal to constant true {"expected":"true"}`}},
		"pattern":           {`{"email":"ann@example.org","code":"A1"}`, []string{`traits.code 4000004 does not match pattern "^[a-z]+$" {"pattern":"^[a-z]+$"}`}},
		"no date":           {`{"email":"ann@example.org","born":"soon"}`, []string{`traits.born 4000001 "soon" is not valid "date" {"reason":"\"soon\" is not valid \"date\""}`}},
		"too many":          {`{"email":"ann@example.org","teams":["ab","cd","ef","gh"]}`, []string{`traits.teams 4000023 maximum 3 items allowed, but found 4 items {"actual_items":4,"max_items":3}`}},
		"twice":             {`{"email":"ann@example.org","teams":["ab","cd","ab"]}`, []string{`traits.teams 4000025 items at index 0 and 2 are equal {"index_a":0,"index_b":2}`}},
		"in a list":         {`{"email":"ann@example.org","teams":["ab","c"]}`, []string{`traits.teams.1 4000003 length must be >= 2, but got 1 {"actual_length":1,"min_length":2}`}},
		"object for a list": {`{"email":"ann@example.org","teams":{}}`, []string{`traits.teams 4000026 expected array, but got object {"actual_type":"object","allowed_types":["array"]}`}},
		"in the schema's order": {`{"plan":"gold","age":1,"hat":1}`, []string{
			`traits 4000001 additionalProperties "hat" not allowed {"reason":"additionalProperties \"hat\" not allowed"}`,
			`traits.email 4000002 Property email is missing. {"property":"email"}`,
			`traits.age 4000018 must be >= 13 but found 1 {"actual":1,"minimum":13}`,
			`traits.plan 4000001 value must be one of "free", "pro" {"reason":"value must be one of \"free\", \"pro\""}`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := said(t, v.Validate(json.RawMessage(row.traits)))
			if len(got) != len(row.want) {
				t.Fatalf("got %q, want %q", got, row.want)
			}
			for i := range got {
				want := strings.ReplaceAll(row.want[i], `\u003e`, ">")
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("got  %s\nwant %s", got[i], want)
				}
			}
		})
	}
}

func TestReport(t *testing.T) {
	v := shop(t)
	for traits, want := range map[string]string{
		`{}`:                                  `I[#/traits] S[#/properties/traits/required] missing properties: "email"`,
		`{"email":"ann@example.org","hat":1}`: `I[#/traits] S[#/properties/traits/additionalProperties] additionalProperties "hat" not allowed`,
		`{"email":"zz"}`: `I[#/traits] S[#/properties/traits] validation failed
  I[#/traits/email] S[#/properties/traits/properties/email/format] "zz" is not valid "email"
  I[#/traits/email] S[#/properties/traits/properties/email/minLength] length must be >= 5, but got 2`,
	} {
		if got := Report(fault.As(v.Validate(json.RawMessage(traits)))); got != want {
			t.Errorf("report of %s:\ngot  %s\nwant %s", traits, got, want)
		}
	}
	two := compiled(t, `{"properties":{"traits":{"required":["a","b"]}}}`)
	want := `I[#/traits] S[#/properties/traits/required] missing properties: "a", "b"`
	if got := Report(fault.As(two.Validate(nil))); got != want {
		t.Errorf("two missing properties are reported as %s", got)
	}
}

func TestFurtherKeywords(t *testing.T) {
	for name, row := range map[string]struct{ property, value, want string }{
		"constant object":   {`{"const":{"a":1}}`, `{}`, `traits.x 4000030 const failed`},
		"constant text":     {`{"const":"yes"}`, `"no"`, `traits.x 4000029 must be equal to constant yes {"expected":"yes"}`},
		"constant null":     {`{"const":null}`, `1`, `traits.x 4000029 must be equal to constant null`},
		"enum of numbers":   {`{"enum":[1,2.5,null,true]}`, `3`, `traits.x 4000001 value must be one of 1, 2.5, null, true`},
		"enum of one":       {`{"enum":["a"]}`, `"b"`, `traits.x 4000001 value must be "a"`},
		"enum of objects":   {`{"enum":[{}]}`, `1`, `traits.x 4000001 enum failed`},
		"two types":         {`{"type":["string","null"]}`, `1`, `traits.x 4000026 expected string or null, but got number`},
		"above":             {`{"exclusiveMinimum":5}`, `5`, `traits.x 4000019 must be > 5 but found 5 {"actual":5,"minimum":5}`},
		"at most":           {`{"maximum":5}`, `6`, `traits.x 4000020 must be <= 5 but found 6 {"actual":6,"maximum":5}`},
		"large minimum":     {`{"minimum":1000000000000000000000000}`, `1`, `traits.x 4000018 must be >= 1000000000000000000000000 but found 1`},
		"few items":         {`{"minItems":2}`, `[]`, `traits.x 4000024 minimum 2 items allowed, but found 0 items`},
		"dependency":        {`{"dependencies":{"a":["b"]}}`, `{"a":1}`, `traits.x 4000001 property "b" is required, if "a" property exists`},
		"not":               {`{"not":{"type":"string"}}`, `"a"`, `traits.x 4000001 not failed`},
		"never":             {`false`, `1`, `traits.x 4000001 not allowed`},
		"through allOf":     {`{"allOf":[{"minLength":3}]}`, `"ab"`, `traits.x 4000003 length must be >= 3, but got 2`},
		"through then":      {`{"if":{"type":"string"},"then":{"pattern":"^a'$"}}`, `"b"`, `traits.x 4000004 does not match pattern "^a'$"`},
		"through a pattern": {`{"patternProperties":{"^a/b":{"type":"string"}}}`, `{"a/b":1}`, `traits.x.a/b 4000026 expected string`},
		"through the rest":  {`{"additionalProperties":{"type":"string"}}`, `{"a.b":1}`, `traits.x.a\.b 4000026 expected string`},
		"a name with tilde": {`{"properties":{"a~1 %":{"enum":["v"]}}}`, `{"a~1 %":1}`, `traits.x.a~1 % 4000001 value must be "v"`},
		"tuple":             {`{"items":[{"const":1}],"additionalItems":{"const":2}}`, `[1,3]`, `traits.x.1 4000029 must be equal to constant 2`},
		"loose email":       {`{"type":"string","format":"email_loose"}`, `"a b@c.org"`, `traits.x 4000040 Enter a valid email address {"value":"a b@c.org"}`},
		"no tel":            {`{"type":"string","format":"tel"}`, `""`, `traits.x 4000041 Enter a valid phone number {"value":""}`},
		"email by mark":     {`{"type":"string","ory.sh/kratos":{"verification":{"via":"email"}}}`, `"zz"`, `traits.x 4000040 Enter a valid email address {"value":"zz"}`},
		"recovery by mark":  {`{"type":"string","ory.sh/kratos":{"recovery":{"via":"email"}}}`, `"zz"`, `traits.x 4000040 Enter a valid email address {"value":"zz"}`},
		"code by mark":      {`{"type":"string","ory.sh/kratos":{"credentials":{"code":{"identifier":true,"via":"sms"}}}}`, `"zz"`, `traits.x 4000041 Enter a valid phone number {"value":"zz"}`},
		"sms lacks format":  {`{"type":"string","ory.sh/kratos":{"verification":{"via":"sms"}}}`, `"zz"`, `traits.x 4000001 no format specified. A format is required if verification is enabled. If this was intentional, please set "format" to "no-validate"`},
	} {
		t.Run(name, func(t *testing.T) {
			v := compiled(t, traits(`{"x":`+row.property+`}`))
			got := said(t, v.Validate(json.RawMessage(`{"x":`+row.value+`}`)))
			if len(got) != 1 || !strings.HasPrefix(got[0], row.want) {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
		})
	}
}

func TestOneMistakeFoundTwiceIsSaidOnce(t *testing.T) {
	v := compiled(t, traits(`{"x":{"minLength":3,"anyOf":[{"minLength":3},{"minLength":3}]}}`))
	if got := said(t, v.Validate(json.RawMessage(`{"x":"a"}`))); len(got) != 1 {
		t.Errorf("got %q, want one message", got)
	}
}

func identityOf(t *testing.T, v *Validator, traits string) *identity.Identity {
	t.Helper()
	who := identity.New("5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11", v.Schema().ID(), noon)
	who.Traits = json.RawMessage(traits)
	if err := v.Apply(who, noon, seeded()); err != nil {
		t.Fatal(err)
	}
	return who
}

func seeded() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1}) }

func TestApplyDerives(t *testing.T) {
	who := identityOf(t, shop(t), `{"phone":"+49 (151) 234-567","email":" Ann@Example.ORG"}`)
	if got, want := string(who.Traits), `{"phone":"+49151234567","email":" Ann@Example.ORG"}`; got != want {
		t.Errorf("traits are %s, want %s: numbers in E.164, anything else as typed", got, want)
	}
	for kind, want := range map[identity.CredentialType][]string{
		identity.Password: {"ann@example.org"},
		identity.WebAuthn: {"ann@example.org"},
		identity.Code:     {"ann@example.org", "+49151234567"},
	} {
		if got := who.Credentials[kind]; !reflect.DeepEqual(got.Identifiers, want) || !got.CreatedAt.Equal(noon.Truncate(time.Microsecond)) {
			t.Errorf("%s is %v, want %v", kind, got, want)
		}
	}
	if got, want := string(who.Credentials[identity.Code].Config),
		`{"addresses":[{"channel":"email","address":"ann@example.org"},{"channel":"sms","address":"+49151234567"}]}`; got != want {
		t.Errorf("the code credential is %s, want %s", got, want)
	}
	if len(who.VerifiableAddresses) != 2 || who.VerifiableAddresses[0].Value != "ann@example.org" ||
		who.VerifiableAddresses[0].Status != identity.Pending || who.VerifiableAddresses[1].Via != identity.ViaSMS {
		t.Errorf("verifiable addresses are %+v", who.VerifiableAddresses)
	}
	if len(who.RecoveryAddresses) != 1 || who.RecoveryAddresses[0].Value != "ann@example.org" {
		t.Errorf("recovery addresses are %+v", who.RecoveryAddresses)
	}
	if who.PasswordHash() != "" || string(who.Credentials[identity.Password].Config) != "{}" {
		t.Error("a credential exists before there is a secret, without one")
	}
}

func TestApplyKeepsWhatDidNotChange(t *testing.T) {
	v := shop(t)
	who := identityOf(t, v, `{"email":"ann@example.org","phone":"+49151234567"}`)
	who.VerifiableAddresses[0].Verify(noon)
	if err := who.SetPasswordHash("$2a$04$x", noon); err != nil {
		t.Fatal(err)
	}
	before := *who
	later := noon.Add(time.Hour)

	who.Traits = json.RawMessage(`{"email":"ANN@example.org","phone":"+49151234568"}`)
	if err := v.Apply(who, later, seeded()); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(who.VerifiableAddresses[0], before.VerifiableAddresses[0]) {
		t.Errorf("an address equal in normal form became %+v, was %+v", who.VerifiableAddresses[0], before.VerifiableAddresses[0])
	}
	if who.VerifiableAddresses[1].Value != "+49151234568" || who.VerifiableAddresses[1].Verified {
		t.Errorf("a changed number is %+v, want a new unverified row", who.VerifiableAddresses[1])
	}
	if !reflect.DeepEqual(who.RecoveryAddresses, before.RecoveryAddresses) {
		t.Errorf("recovery addresses became %+v", who.RecoveryAddresses)
	}
	if got := who.Credentials[identity.Password]; !got.UpdatedAt.Equal(noon.Truncate(time.Microsecond)) || who.PasswordHash() != "$2a$04$x" {
		t.Errorf("the password became %+v", got)
	}

	who.Traits = json.RawMessage(`{"email":"bea@example.org"}`)
	if err := v.Apply(who, later, seeded()); err != nil {
		t.Fatal(err)
	}
	if got := who.Credentials[identity.Password].Identifiers; !reflect.DeepEqual(got, []string{"bea@example.org"}) {
		t.Errorf("the password's identifiers are %v", got)
	}
	if len(who.VerifiableAddresses) != 1 || who.VerifiableAddresses[0].Verified {
		t.Errorf("addresses are %+v, want one, unverified", who.VerifiableAddresses)
	}
}

func TestApplyRefusedChangesNothing(t *testing.T) {
	v := shop(t)
	who := identityOf(t, v, `{"email":"ann@example.org"}`)
	who.Traits = json.RawMessage(`{"email":"x"}`)
	before, _ := json.Marshal(who)
	if err := v.Apply(who, noon.Add(time.Hour), seeded()); fault.As(err) == nil {
		t.Fatalf("got %v, want a fault", err)
	}
	if after, _ := json.Marshal(who); string(after) != string(before) {
		t.Errorf("a refused change left %s, was %s", after, before)
	}
}

func TestImportedAddresses(t *testing.T) {
	v := shop(t)
	who := identity.New("5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11", "person", noon)
	who.Traits = json.RawMessage(`{"email":"ann@example.org"}`)
	who.VerifiableAddresses = []identity.VerifiableAddress{
		{Via: identity.ViaEmail, Value: "ANN@example.org", Verified: true},
		{Via: identity.ViaEmail, Value: "bea@example.org", Verified: true},
	}
	if err := v.Apply(who, noon, seeded()); err != nil {
		t.Fatal(err)
	}
	if len(who.VerifiableAddresses) != 1 {
		t.Fatalf("addresses are %+v, want the one that a trait holds", who.VerifiableAddresses)
	}
	got := who.VerifiableAddresses[0]
	if !got.Verified || got.Status != identity.Completed || got.VerifiedAt.IsZero() || got.Value != "ann@example.org" || len(got.ID) != 36 {
		t.Errorf("the imported address is %+v", got)
	}
}

func TestFindThroughBranches(t *testing.T) {
	const address = `{"type":"string","format":"email","ory.sh/kratos":{"credentials":{"password":{"identifier":true}}}}`
	for name, row := range map[string]struct {
		schema, traits string
		want           []string
	}{
		"$ref":             {`{"definitions":{"a":` + address + `},"properties":{"traits":{"properties":{"x":{"$ref":"#/definitions/a"}}}}}`, `{"x":"a@x.org"}`, []string{"a@x.org"}},
		"allOf":            {`{"properties":{"traits":{"allOf":[{"properties":{"x":` + address + `}}]}}}`, `{"x":"a@x.org"}`, []string{"a@x.org"}},
		"items":            {traits(`{"x":{"type":"array","items":` + address + `}}`), `{"x":["b@x.org","a@x.org","B@x.org"]}`, []string{"b@x.org", "a@x.org"}},
		"satisfied branch": {traits(`{"x":{"anyOf":[` + address + `,{"type":"number"}]}}`), `{"x":"a@x.org"}`, []string{"a@x.org"}},
		"other branch":     {traits(`{"x":{"anyOf":[` + address + `,{"minLength":1}]}}`), `{"x":"nobody"}`, nil},
		"then":             {`{"properties":{"traits":{"if":{"required":["y"]},"then":{"properties":{"x":` + address + `}}}}}`, `{"x":"a@x.org","y":1}`, []string{"a@x.org"}},
		"else":             {`{"properties":{"traits":{"if":{"required":["y"]},"then":{"properties":{"x":` + address + `}}}}}`, `{"x":"a@x.org"}`, nil},
		"patterns":         {`{"properties":{"traits":{"patternProperties":{"^x":` + address + `}}}}`, `{"xx":"a@x.org"}`, []string{"a@x.org"}},
		"the rest":         {`{"properties":{"traits":{"additionalProperties":` + address + `}}}`, `{"b":"b@x.org","a":"a@x.org"}`, []string{"b@x.org", "a@x.org"}},
		"schema's order":   {traits(`{"b":` + address + `,"a":` + address + `}`), `{"a":"a@x.org","b":"b@x.org"}`, []string{"b@x.org", "a@x.org"}},
		"a number":         {traits(`{"x":{"type":"integer","ory.sh/kratos":{"credentials":{"password":{"identifier":true}}}}}`), `{"x":4711}`, []string{"4711"}},
		"blank":            {traits(`{"x":{"type":"string","ory.sh/kratos":{"credentials":{"password":{"identifier":true}}}}}`), "{\"x\":\" \u200b\"}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := compiled(t, row.schema).Extract(json.RawMessage(row.traits))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(found.Password, row.want) {
				t.Errorf("got %q, want %q", found.Password, row.want)
			}
		})
	}
}

func TestAddressesThatAreNotValidatedKeepTheirForm(t *testing.T) {
	v := compiled(t, traits(`{"x":{"type":"string","format":"no-validate","ory.sh/kratos":{"verification":{"via":"sms"}}}}`))
	found, err := v.Extract(json.RawMessage(`{"x":" Room 5 "}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := []identity.Address{{Via: identity.ViaSMS, Value: "Room 5"}}; !reflect.DeepEqual(found.Verifiable, want) {
		t.Errorf("got %+v, want %+v", found.Verifiable, want)
	}
}

func TestReferencesToOtherDocuments(t *testing.T) {
	const remote = `{"properties":{"traits":{"properties":{"x":{"$ref":"%s"}}}}}`
	fetched := ""
	fetch := func(url string) ([]byte, error) {
		fetched = url
		return []byte(`{"type":"string"}`), nil
	}
	for name, row := range map[string]struct {
		ref     string
		options Options
		refused bool
	}{
		"file":                 {"file:///etc/passwd", Options{}, true},
		"http":                 {"http://169.254.169.254/latest", Options{}, true},
		"file, disallowed":     {"file:///etc/passwd", Options{DisallowRefs: true, Fetch: fetch}, true},
		"https, disallowed":    {"https://example.org/a.json", Options{DisallowRefs: true, Fetch: fetch}, true},
		"https, fetched":       {"https://example.org/a.json", Options{Fetch: fetch}, false},
		"base64, disallowed":   {"base64://eyJ0eXBlIjoic3RyaW5nIn0=", Options{DisallowRefs: true}, false},
		"base64 with fragment": {"base64://eyJhIjp7InR5cGUiOiJzdHJpbmcifX0=#/a", Options{DisallowRefs: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			fetched = ""
			v, err := Compile(parsed(t, strings.Replace(remote, "%s", row.ref, 1)), row.options)
			if row.refused {
				if !errors.Is(err, ErrRefRefused) {
					t.Errorf("got %v, want a refusal", err)
				}
				if fetched != "" {
					t.Errorf("%s was fetched", fetched)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := said(t, v.Validate(json.RawMessage(`{"x":1}`))); len(got) != 1 {
				t.Errorf("the referenced schema said %q, want one message", got)
			}
		})
	}
}

func TestSchemasThatDoNotCompile(t *testing.T) {
	for name, raw := range map[string]string{
		"endless":         `{"properties":{"traits":{"$ref":"#/properties/traits"}}}`,
		"endless in two":  `{"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}},"properties":{"traits":{"$ref":"#/definitions/a"}}}`,
		"dangling":        `{"properties":{"traits":{"$ref":"#/definitions/nothing"}}}`,
		"wrong type":      `{"properties":{"traits":{"type":"thing"}}}`,
		"wrong pattern":   traits(`{"x":{"pattern":"("}}`),
		"unknown mark":    `{"properties":{"traits":{"patternProperties":{"x":{"ory.sh/kratos":{"credential":{}}}}}}}`,
		"unknown channel": `{"properties":{"traits":{"patternProperties":{"x":{"ory.sh/kratos":{"recovery":{"via":"pigeon"}}}}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Compile(parsed(t, raw), Options{}); err == nil {
				t.Error("it compiled")
			}
		})
	}
}

func TestRecursiveSchemaEnds(t *testing.T) {
	v := compiled(t, traits(`{"friend":{"$ref":"#"},"x":{"type":"string","ory.sh/kratos":{"credentials":{"password":{"identifier":true}}}}}`))
	deep := strings.Repeat(`{"traits":{"friend":`, 8) + `{"traits":{"x":"last"}}` + strings.Repeat(`}}`, 8)
	found, err := v.Extract(json.RawMessage(`{"friend":` + deep + `,"x":"first"}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Password) != 2 {
		t.Errorf("got %q", found.Password)
	}
}

func TestTraitsAreBounded(t *testing.T) {
	v := compiled(t, `{}`)
	for name, raw := range map[string]string{
		"bytes":    `{"a":"` + strings.Repeat("x", maxTraits) + `"}`,
		"values":   `{"a":[` + strings.Repeat("1,", maxTraitValues) + `1]}`,
		"depth":    `{"a":` + strings.Repeat("[", 2*maxTraitDepth) + strings.Repeat("]", 2*maxTraitDepth) + `}`,
		"exponent": `{"a":1e999999999}`,
		"fraction": `{"a":1e-999999999}`,
		"broken":   `{"a":`,
	} {
		if err := v.Validate(json.RawMessage(raw)); !fault.Is(err, fault.BadRequest) {
			t.Errorf("%s: got %v, want a bad request", name, err)
		}
	}
}

func FuzzValidate(f *testing.F) {
	v := shop(f)
	for _, seed := range []string{
		`{"email":"ann@example.org","phone":"+49 151 2345678","name":{"first":"Ann"},"age":33}`, `{"email":"x","teams":["a","a"]}`,
		`{"email":"vera＠example.org，m@example.org"}`, `{"phone":"+12345678901234567"}`, `{"age":1e400}`, `[]`, `"x"`, `{"a~1/b":{}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		who := identity.New("5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11", "person", noon)
		who.Traits = json.RawMessage(raw)
		if err := v.Apply(who, noon, seeded()); err != nil {
			found := fault.As(err)
			if found == nil || found.Kind != fault.BadRequest || len(found.Fields) == 0 && found.Reason == "" {
				t.Fatalf("traits answered %v", err)
			}
			return
		}
		// What was accepted is accepted again and changes nothing.
		before, _ := json.Marshal(who)
		if err := v.Apply(who, noon, seeded()); err != nil {
			t.Fatal(err)
		}
		if after, _ := json.Marshal(who); string(after) != string(before) {
			t.Fatalf("applied twice:\n%s\n%s", before, after)
		}
		for _, name := range who.Credentials[identity.Password].Identifiers {
			if identity.Normalize(name) != name || !identity.IsEmail(name) {
				t.Fatalf("identifier %q", name)
			}
		}
	})
}

func BenchmarkApply(b *testing.B) {
	v := shop(b)
	random := seeded()
	b.ReportAllocs()
	for b.Loop() {
		who := identity.New("5a4b8f5c-5a0e-4a3e-9a53-0d8f6f5a3f11", "person", noon)
		who.Traits = json.RawMessage(`{"email":"ann@example.org","name":{"first":"Ann","last":"Åström"},"age":33,"newsletter":true,"plan":"pro"}`)
		if err := v.Apply(who, noon, random); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRefused(b *testing.B) {
	v := shop(b)
	b.ReportAllocs()
	for b.Loop() {
		if v.Validate(json.RawMessage(`{"email":"x","plan":"gold"}`)) == nil {
			b.Fatal("accepted")
		}
	}
}
