package identity

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"styx/internal/ui"
)

const personSchema = `{
  "$id": "https://example.org/person.json",
  "definitions": {"city": {"type": "string", "title": "City"}},
  "type": "object",
  "properties": {
    "beside": {"type": "string"},
    "traits": {
      "type": "object",
      "properties": {
        "email": {"type": "string", "format": "email", "title": "E-mail",
          "ory.sh/kratos": {"credentials": {"password": {"identifier": true}}}},
        "name": {"type": "object", "required": ["last"], "properties": {
          "first": {"type": "string", "title": "Given name"}, "last": {"type": "string"}}},
        "age": {"type": "integer"},
        "newsletter": {"type": "boolean"},
        "plan": {"type": "string", "enum": ["free", "pro", 3]},
        "teams": {"type": "array", "items": {"type": "string"}},
        "scores": {"type": "array", "items": {"type": "number"}},
        "home": {"$ref": "#/definitions/city", "title": "beside a reference"},
        "phone": {"type": ["string", "null"], "format": "tel"},
        "site": {"type": "string", "format": "uri", "pattern": "^https:"},
        "born": {"type": "string", "format": "date"},
        "seen": {"type": "string", "format": "date-time"},
        "terms": {"const": true},
        "anything": {"type": ["string", "number", "boolean"]},
        "extra": {"type": "object"},
        "houses": {"type": "array", "items": {"type": "object"}},
        "a.b": {"type": "string"}
      },
      "required": ["email"],
      "anyOf": [{"required": ["age"]}, {"properties": {"email": {"minLength": 3}, "badge": {"type": "string"}}}],
      "if": {"properties": {"plan": {"const": "pro"}}},
      "then": {"properties": {"card": {"type": "string"}}},
      "else": {"not": {"properties": {"never": {"type": "number"}}}}
    }
  }
}`

func parse(t testing.TB, raw string) *Schema {
	t.Helper()
	s, err := ParseSchema("person", []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// traitsSchema wraps the schema of the traits.
func traitsSchema(traits string) string { return `{"properties":{"traits":` + traits + `}}` }

func TestNodes(t *testing.T) {
	var got []string
	for _, node := range parse(t, personSchema).Nodes(ui.Default) {
		a := node.Attributes
		line := a.Name + " " + a.Type
		if a.Required {
			line += " required"
		}
		if a.Autocomplete != "" {
			line += " autocomplete=" + a.Autocomplete
		}
		if a.Pattern != "" {
			line += " pattern=" + a.Pattern
		}
		if len(a.Options) > 0 {
			raw, err := json.Marshal(a.Options)
			if err != nil {
				t.Fatal(err)
			}
			line += " " + string(raw)
		}
		if label := node.Meta.Label; label != nil {
			line += fmt.Sprintf(" | %d %s %v", label.ID, label.Text, label.Context["name"])
		}
		if a.Value != nil || node.Group != ui.Default {
			t.Errorf("node %s is %+v", a.Name, node)
		}
		got = append(got, line)
	}
	want := []string{
		"traits.email email required autocomplete=email | 1070002 E-mail traits.email",
		"traits.name.first text | 1070002 Given name traits.name.first",
		"traits.name.last text required",
		"traits.age number",
		"traits.newsletter checkbox",
		`traits.plan text [{"value":"free"},{"value":"pro"},{"value":3}]`,
		"traits.teams text",
		"traits.scores text",
		"traits.home text | 1070002 City traits.home",
		"traits.phone tel autocomplete=tel",
		"traits.site url autocomplete=url pattern=^https:",
		"traits.born date",
		"traits.seen datetime-local",
		"traits.terms checkbox",
		`traits.a\.b text`,
		"traits.badge text",
		"traits.card text",
		"traits.never number",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	var names []string
	for _, node := range parse(t, personSchema).Nodes(ui.Profile) {
		names = append(names, node.Name())
	}
	if !slices.Equal(parse(t, personSchema).Names(), names) {
		t.Error("Names are not those of the nodes")
	}
}

func TestOptionsAreBounded(t *testing.T) {
	var values []string
	for i := range 600 {
		values = append(values, fmt.Sprint(i))
	}
	s := parse(t, traitsSchema(`{"properties":{"x":{"enum":[`+strings.Join(values, ",")+`]}}}`))
	if got := len(s.Nodes(ui.Default)[0].Attributes.Options); got != 500 {
		t.Errorf("%d options, want 500", got)
	}
}

func TestIdentifierLabel(t *testing.T) {
	mark := func(what string) string { return `"ory.sh/kratos":{"credentials":{` + what + `}}` }
	password := mark(`"password":{"identifier":true}`)
	for name, row := range map[string]struct {
		properties string
		want       string
	}{
		"nothing marked":       {`"x":{"title":"X"}`, "ID"},
		"no title":             {`"x":{` + password + `}`, "ID"},
		"password":             {`"x":{"title":"X",` + password + `}`, "X traits.x"},
		"webauthn":             {`"x":{"title":"X",` + mark(`"webauthn":{"identifier":true}`) + `}`, "X traits.x"},
		"code":                 {`"x":{"title":"X",` + mark(`"code":{"identifier":true,"via":"sms"}`) + `}`, "X traits.x"},
		"passkey":              {`"x":{"title":"X",` + mark(`"passkey":{"display_name":true}`) + `}`, "X traits.x"},
		"totp":                 {`"x":{"title":"X",` + mark(`"totp":{"account_name":true}`) + `}`, "X traits.x"},
		"marked false":         {`"x":{"title":"X",` + mark(`"password":{"identifier":false}`) + `}`, "ID"},
		"two titles":           {`"x":{"title":"X",` + password + `},"y":{"title":"Y",` + password + `}`, "ID"},
		"one title of two":     {`"x":{` + password + `},"y":{"title":"Y",` + password + `}`, "Y traits.y"},
		"an address is no one": {`"x":{"title":"X","ory.sh/kratos":{"recovery":{"via":"email"}}}`, "ID"},
	} {
		label := parse(t, traitsSchema(`{"properties":{`+row.properties+`}}`)).IdentifierLabel()
		got := label.Text
		if label.Context != nil {
			got += fmt.Sprint(" ", label.Context["name"])
		}
		if got != row.want {
			t.Errorf("%s: the label is %q, want %q", name, got, row.want)
		}
	}
}

func TestReferencesAreFollowed(t *testing.T) {
	remote := base64.StdEncoding.EncodeToString([]byte(`{"definitions":{"a":{"properties":{"in":{"$ref":"#/definitions/b"}}},"b":{"type":"number"}}}`))
	for name, row := range map[string]struct {
		schema string
		want   []string
	}{
		"through the root":  {`{"$ref":"#/definitions/root","definitions":{"root":{"properties":{"traits":{"properties":{"x":{}}}}}}}`, []string{"traits.x"}},
		"by the own id":     {`{"$id":"https://e.org/a.json","definitions":{"x/y":{"type":"number"}},"properties":{"traits":{"properties":{"x":{"$ref":"https://e.org/a.json#/definitions/x~1y"}}}}}`, []string{"traits.x"}},
		"into a list":       {`{"any":[{"properties":{"x":{}}}],"properties":{"traits":{"$ref":"#/any/0"}}}`, []string{"traits.x"}},
		"inline document":   {traitsSchema(`{"properties":{"x":{"$ref":"base64://` + remote + `#/definitions/a"}}}`), []string{"traits.x.in"}},
		"elsewhere":         {traitsSchema(`{"properties":{"x":{"$ref":"https://example.org/other.json"},"y":{}}}`), []string{"traits.y"}},
		"to nothing":        {traitsSchema(`{"properties":{"x":{"$ref":"#/nothing/0"},"y":{}}}`), []string{"traits.y"}},
		"in a circle":       {traitsSchema(`{"properties":{"x":{"properties":{"again":{"$ref":"#/properties/traits/properties/x"},"y":{}}}}}`), []string{"traits.x.again.y", "traits.x.y"}},
		"to itself":         {`{"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}},"properties":{"traits":{"properties":{"x":{"$ref":"#/definitions/a"},"y":{}}}}}`, []string{"traits.y"}},
		"of a list's items": {`{"definitions":{"a":{"$ref":"#/definitions/a"},"n":{"type":"number"}},"properties":{"traits":{"properties":{"x":{"items":{"$ref":"#/definitions/n"}},"y":{"items":{"$ref":"#/definitions/a"}}}}}}`, []string{"traits.x"}},
	} {
		if got := parse(t, row.schema).Names(); !slices.Equal(got, row.want) {
			t.Errorf("%s: leaves %q, want %q", name, got, row.want)
		}
	}
}

func TestSchemasThatAreRefused(t *testing.T) {
	doubling := `{"definitions":{"d0":{"type":"string"}`
	for i := range 40 {
		doubling += fmt.Sprintf(`,"d%d":{"allOf":[{"$ref":"#/definitions/d%d"},{"$ref":"#/definitions/d%d"}]}`, i+1, i, i)
	}
	doubling += `},"properties":{"traits":{"properties":{"x":{"$ref":"#/definitions/d40"}}}}}`
	endless := traitsSchema(strings.Repeat(`{"properties":{"x":`, 30) + `{}` + strings.Repeat(`}}`, 30))
	for name, row := range map[string]struct {
		raw  string
		want error
	}{
		"branches that multiply": {doubling, ErrSchemaTooLarge},
		"deep traits":            {endless, ErrSchemaTooLarge},
		"a megabyte":             {`{"a":"` + strings.Repeat("x", 1<<20) + `"}`, ErrSchemaTooLarge},
		"nested without end":     {strings.Repeat("[", 100_000), nil},
		"an array":               {`[]`, nil},
		"no JSON":                {`{`, nil},
		"a misspelt mark":        {traitsSchema(`{"properties":{"x":{"ory.sh/kratos":{"credentials":{"password":{"identified":true}}}}}}`), nil},
		"an unknown channel":     {traitsSchema(`{"properties":{"x":{"ory.sh/kratos":{"verification":{"via":"pigeon"}}}}}`), nil},
		"a broken inline":        {traitsSchema(`{"properties":{"x":{"$ref":"base64://!"}}}`), nil},
	} {
		s, err := ParseSchema("person", []byte(row.raw))
		if s != nil || err == nil || row.want != nil && !errors.Is(err, row.want) {
			t.Errorf("%s: got %v and %v, want the error %v", name, s, err, row.want)
		}
	}
}

func TestMarksOfItemsBelongToTheList(t *testing.T) {
	s := parse(t, traitsSchema(`{"properties":{"x":{"type":"array","items":{"type":"string","ory.sh/kratos":{"recovery":{"via":"email"}}}}}}`))
	if got := s.Leaves()[0]; got.Marks.Recovery != ViaEmail || got.Item != "string" {
		t.Errorf("the list is %+v", got)
	}
}

func FuzzParseSchema(f *testing.F) {
	for _, seed := range []string{personSchema, `{"$ref":"#"}`, traitsSchema(`{"$ref":"#/properties"}`), traitsSchema(`{"items":{"$ref":"#"}}`)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := ParseSchema("person", raw)
		if err != nil {
			if s != nil {
				t.Fatal("an error came with a schema")
			}
			return
		}
		seen := map[string]bool{}
		for _, leaf := range s.Leaves() {
			if !strings.HasPrefix(leaf.Name, "traits.") || len(leaf.Path) == 0 {
				t.Fatalf("leaf %+v", leaf)
			}
			seen[leaf.Name] = true
		}
		for _, node := range s.Nodes(ui.Default) {
			if !seen[node.Name()] {
				t.Fatalf("node %s belongs to no leaf", node.Name())
			}
		}
	})
}

// TestDisplayNames of passkeys: the traits that are marked, else one without a
// title, which names nothing that is stored.
func TestDisplayNames(t *testing.T) {
	const mark = `"ory.sh/kratos": {"credentials": {`
	for _, c := range []struct{ traits, names, stored, want string }{
		{`"nick": {"title": "Nick"}`, "", `{"nick":"ann"}`, ""},
		{`"nick": {"title": "Nick"}, "name": {"properties": {"first": {"title": "First"}}}, "city": {}`, "traits.name", `{"city":"Rome"}`, ""},
		{`"nick": {` + mark + `"passkey": {"display_name": true}}}}, "city": {}`, "traits.nick", `{"nick":"ann","city":"Rome"}`, "ann"},
		{
			`"nick": {` + mark + `"webauthn": {"identifier": true}}}}, "email": {` + mark + `"passkey": {"display_name": true}}}}`,
			"traits.email traits.nick", `{"nick":"ann","email":"ann@example.org"}`, "ann@example.org",
		},
		{
			`"nick": {` + mark + `"webauthn": {"identifier": true}}}}, "email": {` + mark + `"passkey": {"display_name": true}}}}`,
			"traits.email traits.nick", `{"nick":"ann","email":""}`, "ann",
		},
		{`"age": {"type": "number", ` + mark + `"passkey": {"display_name": true}}}}`, "traits.age", `{"age":7}`, ""},
	} {
		s := parse(t, `{"properties": {"traits": {"properties": {`+c.traits+`}}}}`)
		if got := strings.Join(s.DisplayNames(), " "); got != c.names {
			t.Errorf("%s: named by %q, want %q", c.traits, got, c.names)
		}
		if got := s.DisplayName(json.RawMessage(c.stored)); got != c.want {
			t.Errorf("%s: %s is called %q, want %q", c.traits, c.stored, got, c.want)
		}
	}
}
