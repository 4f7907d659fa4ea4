package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"styx/internal/fault"
)

const jsonType, formType = "application/json", "application/x-www-form-urlencoded"

// small has one trait of each shape.
const small = `{"properties":{"traits":{"type":"object","required":["email","count","terms"],"properties":{
	"email":{"type":"string"},
	"name":{"type":"object","properties":{"first":{"type":"string"},"pet":{"type":"object","properties":{"age":{"type":"integer"}}}}},
	"count":{"type":"integer"},"size":{"type":"number"},
	"terms":{"type":"boolean"},"news":{"type":"boolean"},
	"teams":{"type":"array","items":{"type":"string"}},"scores":{"type":"array","items":{"type":"number"}},
	"extra":{"type":"object"}}}}}`

// blank is what the objects of that schema become when nothing is sent.
const blank = `"name":{"pet":{}},"extra":{}`

func TestTraitsOfAForm(t *testing.T) {
	s := parse(t, small)
	for name, row := range map[string]struct{ body, want string }{
		"nothing":                {"method=password", `{` + blank + `}`},
		"dotted":                 {"traits.email=a%40b&traits.name.first=Ann", `{"email":"a@b","name":{"first":"Ann","pet":{}},"extra":{}}`},
		"an object in traits":    {"traits=" + url.QueryEscape(`{"email":"a@b","hat":1}`), `{"email":"a@b","hat":1,` + blank + `}`},
		"dotted beats an object": {"traits=" + url.QueryEscape(`{"email":"a@b"}`) + "&traits.email=c%40d", `{"email":"c@d",` + blank + `}`},
		"unknown is dropped":     {"traits.hat=1&traits.name=x&traits.name.hat=1", `{` + blank + `}`},
		"empty is dropped":       {"traits.email=&traits.size=&traits.news=&traits.teams=", `{` + blank + `}`},
		"empty but required":     {"traits.count=&traits.terms=", `{"count":0,"terms":false,` + blank + `}`},
		"numbers":                {"traits.count=42&traits.size=1.50", `{"count":42,"size":1.50,` + blank + `}`},
		"exact numbers":          {"traits.count=12345678901234567890", `{"count":12345678901234567890,` + blank + `}`},
		"other notations":        {"traits.count=%2B5&traits.size=007", `{"count":5,"size":7,` + blank + `}`},
		"no numbers":             {"traits.count=old&traits.size=NaN", `{"count":"old","size":"NaN",` + blank + `}`},
		"monstrous numbers":      {"traits.count=1e999999999&traits.size=Inf", `{"count":"1e999999999","size":"Inf",` + blank + `}`},
		"spaces make no number":  {"traits.count=5+", `{"count":"5 ",` + blank + `}`},
		"booleans":               {"traits.terms=true&traits.news=0", `{"terms":true,"news":false,` + blank + `}`},
		"no boolean":             {"traits.terms=on", `{"terms":"on",` + blank + `}`},
		"checkbox, ticked":       {"traits.terms=false&traits.terms=true", `{"terms":true,` + blank + `}`},
		"checkbox, not ticked":   {"traits.terms=true&traits.terms=false", `{"terms":false,` + blank + `}`},
		"lists":                  {"traits.teams=a&traits.teams=&traits.teams=b&traits.scores=1&traits.scores=x", `{"teams":["a","b"],"scores":[1,"x"],` + blank + `}`},
		"an object as JSON":      {"traits.extra=" + url.QueryEscape(`{"a":[1]}`), `{"extra":{"a":[1]},"name":{"pet":{}}}`},
		"no object":              {"traits.extra=x", `{` + blank + `}`},
		"a scalar in the way":    {"traits=" + url.QueryEscape(`{"name":"x"}`) + "&traits.name.first=y", `{"name":"x","extra":{}}`},
		"no UTF-8":               {"traits.email=a%FF%FEb", "{\"email\":\"a\ufffdb\"," + blank + "}"},
		"first text wins":        {"traits.email=a&traits.email=b", `{"email":"a",` + blank + `}`},
	} {
		t.Run(name, func(t *testing.T) {
			form, err := ReadForm(formType, []byte(row.body), s)
			if err != nil {
				t.Fatal(err)
			}
			if string(form.Traits) != row.want {
				t.Errorf("traits are %s, want %s", form.Traits, row.want)
			}
		})
	}
}

func TestTraitsOfJSON(t *testing.T) {
	s := parse(t, small)
	for name, row := range map[string]struct{ body, want string }{
		"nested":             {`{"traits":{"email":"a@b","count":3,"name":{"first":"<Ann>"}}}`, `{"email":"a@b","count":3,"name":{"first":"<Ann>","pet":{}},"extra":{}}`},
		"flat":               {`{"traits.email":"a@b","traits.count":3,"traits.terms":true,"traits.teams":["a","b"],"traits.scores":[1,2]}`, `{"email":"a@b","count":3,"terms":true,"teams":["a","b"],"scores":[1,2],` + blank + `}`},
		"kept as sent":       {`{"traits":{"hat":{"a":null},"email":"","count":"old","teams":[]}}`, `{"hat":{"a":null},"email":"","count":"old","teams":[],` + blank + `}`},
		"null":               {`{"traits":null,"traits.email":null}`, `{` + blank + `}`},
		"traits as text":     {`{"traits":"{\"email\":\"a@b\"}"}`, `{"email":"a@b",` + blank + `}`},
		"last of duplicates": {`{"traits":{"email":"a","email":"b"},"traits":{"email":"c","email":"d"}}`, `{"email":"d",` + blank + `}`},
		"a list for a text":  {`{"traits.email":["a","b"]}`, `{"email":"a",` + blank + `}`},
	} {
		t.Run(name, func(t *testing.T) {
			form, err := ReadForm(jsonType+"; charset=utf-8", []byte(row.body), s)
			if err != nil {
				t.Fatal(err)
			}
			if string(form.Traits) != row.want {
				t.Errorf("traits are %s, want %s", form.Traits, row.want)
			}
		})
	}
}

// As in Kratos, whose forms have no such lists: the validator refuses the object.
func TestListsOfObjectsAreNotOffered(t *testing.T) {
	s := parse(t, traitsSchema(`{"properties":{"houses":{"type":"array","items":{"type":"object"}}}}`))
	for body, want := range map[string]string{
		`{"method":"x"}`:                     `{"houses":{}}`,
		`{"traits":{"houses":[{"door":1}]}}`: `{"houses":[{"door":1}]}`,
	} {
		form, err := ReadForm(jsonType, []byte(body), s)
		if err != nil || string(form.Traits) != want {
			t.Errorf("%s became %s, %v, want %s", body, form.Traits, err, want)
		}
	}
}

func TestFields(t *testing.T) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, field := range [][2]string{{"method", "password"}, {"traits.email", "a@b"}, {"transient_payload", `{"a": 1}`}} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			t.Fatal(err)
		}
	}
	file, err := w.CreateFormFile("password", "p.txt")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(file, "from a file")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct{ media, body string }{
		"json":      {jsonType, `{"method":"password","traits":{"email":"a@b"},"transient_payload":{"a":1},"n":5,"yes":true,"none":null,"list":[1,{}]}`},
		"form":      {formType, `method=password&method=other&traits.email=a%40b&transient_payload=%7B%22a%22%3A1%7D`},
		"multipart": {w.FormDataContentType(), body.String()},
	} {
		t.Run(name, func(t *testing.T) {
			form, err := ReadForm(row.media, []byte(row.body), nil)
			if err != nil {
				t.Fatal(err)
			}
			if form.Get("method") != "password" || !form.Has("method") || form.Has("password") || form.Get("nothing") != "" {
				t.Errorf("fields are %v", form.Values)
			}
			if string(form.Transient) != `{"a":1}` || form.Traits != nil || form.Has("traits.email") {
				t.Errorf("the payload is %s, the traits are %s", form.Transient, form.Traits)
			}
			if name == "json" && (form.Get("n") != "5" || form.Get("yes") != "true" || form.Get("list") != "[1,{}]" || form.Has("none")) {
				t.Errorf("fields are %v", form.Values)
			}
		})
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	s := parse(t, small)
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	const only = ", only [multipart/form-data application/x-www-form-urlencoded application/json] are supported."
	for name, row := range map[string]struct{ media, body, want string }{
		"nothing":         {jsonType, "", `Unable to decode HTTP Request Body because its HTTP Header "Content-Length" is zero.`},
		"broken JSON":     {jsonType, "{", "Unable to decode form as JSON."},
		"two documents":   {jsonType, "{} {}", "Unable to decode form as JSON."},
		"an array":        {jsonType, " []", "Expected JSON sent in request body to be an object but got: JSON"},
		"a string":        {jsonType, `"x"`, "Expected JSON sent in request body to be an object but got: String"},
		"a number":        {jsonType, "-1", "Expected JSON sent in request body to be an object but got: Number"},
		"true":            {jsonType, "true", "Expected JSON sent in request body to be an object but got: True"},
		"false":           {jsonType, "false", "Expected JSON sent in request body to be an object but got: False"},
		"null":            {jsonType, "null", "Expected JSON sent in request body to be an object but got: Null"},
		"text":            {"text/plain", "x", `HTTP POST Request used unknown HTTP Header "Content-Type: text/plain"` + only},
		"no type":         {"", "x", `HTTP POST Request used unknown HTTP Header "Content-Type: "` + only},
		"broken form":     {formType, "a=%zz", "Unable to decode HTTP POST form body."},
		"broken parts":    {"multipart/form-data; boundary=x", "--x\r\n", "Unable to decode HTTP POST form body."},
		"no boundary":     {"multipart/form-data", "x", "Unable to decode HTTP POST form body."},
		"many fields":     {formType, strings.Repeat("a=&", maxFields), tooMany().Error()},
		"many members":    {jsonType, `{` + manyMembers() + `}`, tooMany().Error()},
		"deep traits":     {jsonType, `{"traits":{"a":` + deep + `}}`, tooMany().Error()},
		"deep payload":    {jsonType, `{"transient_payload":{"a":` + deep + `}}`, tooMany().Error()},
		"word for traits": {jsonType, `{"traits":"ann"}`, "The field traits has to be an object."},
	} {
		t.Run(name, func(t *testing.T) {
			form, err := ReadForm(row.media, []byte(row.body), s)
			found := fault.As(err)
			if found == nil || found.Kind != fault.BadRequest || found.Reason != row.want {
				t.Errorf("got %v, want %q", err, row.want)
			}
			if !reflect.DeepEqual(form, Form{}) {
				t.Errorf("a refused body left %+v", form)
			}
			if errors.Is(err, ErrGarbled) != (name == "word for traits") {
				t.Errorf("%v is garbled: %v", err, errors.Is(err, ErrGarbled))
			}
		})
	}
}

func manyMembers() string {
	var members []string
	for i := range maxFields + 1 {
		members = append(members, fmt.Sprintf(`"%d":1`, i))
	}
	return strings.Join(members, ",")
}

func TestObjectsOfAnotherType(t *testing.T) {
	s := parse(t, small)
	for body, want := range map[string]string{
		`{"traits":[1]}`:             "traits 4000026 expected object, but got array",
		`{"traits":5}`:               "traits 4000026 expected object, but got number",
		`{"traits":true}`:            "traits 4000026 expected object, but got boolean",
		`{"transient_payload":[1]}`:  "transient_payload 4000026 expected object, but got array",
		`{"transient_payload":"\""}`: "",
	} {
		_, err := ReadForm(jsonType, []byte(body), s)
		found := fault.As(err)
		if want == "" {
			if !errors.Is(err, ErrGarbled) {
				t.Errorf("%s: got %v, want garbled", body, err)
			}
			continue
		}
		if found == nil || len(found.Fields) != 1 {
			t.Fatalf("%s: got %v", body, err)
		}
		field := found.Fields[0]
		if got := fmt.Sprint(field.At, " ", field.Text.ID, " ", field.Text.Text); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

func TestFlatten(t *testing.T) {
	got := Flatten(json.RawMessage(`{"b":"x","a":{"d":1.5,"c":{}},"e.f":[true,null,["y"]]}`))
	want := []Trait{
		{"traits.b", "x"}, {"traits.a.d", 1.5}, {`traits.e\.f.0`, true}, {`traits.e\.f.1`, nil}, {`traits.e\.f.2.0`, "y"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, raw := range []string{"", "[1]", "null", "{"} {
		if got := Flatten(json.RawMessage(raw)); got != nil {
			t.Errorf("Flatten(%q) = %v", raw, got)
		}
	}
}

func FuzzReadForm(f *testing.F) {
	for _, seed := range [][2]string{
		{jsonType, `{"method":"password","traits":{"email":"a","name":{"first":"x"},"hat":[1]},"transient_payload":{"a":1}}`},
		{jsonType, `{"traits.teams":["a"],"traits.count":"5","traits.name.pet.age":1}`},
		{formType, "traits.email=a&traits.count=1e5&traits.terms=false&traits.terms=true&traits=%7B%7D"},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"traits.email\"\r\n\r\na\r\n--x--\r\n"},
		{"text/plain", "x"},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	s := parse(f, small)
	f.Fuzz(func(t *testing.T, media string, body []byte) {
		form, err := ReadForm(media, body, s)
		if err != nil {
			if found := fault.As(err); found == nil || found.Kind != fault.BadRequest {
				t.Fatalf("got %v", err)
			}
			return
		}
		if !json.Valid(form.Traits) || form.Traits[0] != '{' {
			t.Fatalf("traits are %q", form.Traits)
		}
		// Traits that were read are read as themselves.
		again, err := ReadForm(jsonType, fmt.Appendf(nil, `{"traits":%s}`, form.Traits), s)
		if err != nil {
			t.Fatalf("traits %s answered %v", form.Traits, err)
		}
		if !bytes.Equal(again.Traits, form.Traits) {
			t.Fatalf("%s became %s", form.Traits, again.Traits)
		}
		for name := range form.Values {
			if name == "traits" || strings.HasPrefix(name, "traits.") {
				t.Fatalf("%q is no field", name)
			}
		}
	})
}

func BenchmarkReadForm(b *testing.B) {
	s := parse(b, personSchema)
	body := []byte(`{"method":"password","password":"copper lantern","traits":{"email":"ann@example.org","name":{"first":"Ann"},"age":33}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadForm(jsonType, body, s); err != nil {
			b.Fatal(err)
		}
	}
}
