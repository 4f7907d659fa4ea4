package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"styx/internal/fault"
	"styx/internal/identity/ordered"
	"styx/internal/ui"
)

// Bounds of a submission. A body is at most 5 MB before it gets here.
const (
	maxFields      = 1_000
	maxTraitValues = 5_000
	maxValueDepth  = 32
)

// ErrGarbled is the cause of the fault for a field that has to hold JSON and
// does not, such as "traits": "ann". Kratos answers it with status 400 and the
// code of an internal error.
var ErrGarbled = errors.New("field holds no JSON")

// Form is a submission, whatever its content type: every field beside traits as
// text, and the traits rebuilt along the schema.
type Form struct {
	Values    map[string][]string `json:"values"`              // without traits and transient_payload
	Traits    json.RawMessage     `json:"traits,omitempty"`    // an object; nil without a schema
	Transient json.RawMessage     `json:"transient,omitempty"` // the object of transient_payload, nil when absent
}

// Get returns the first value of a field, "" when it was not sent.
func (f Form) Get(name string) string {
	if values := f.Values[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Has tells whether a field was sent with a value.
func (f Form) Has(name string) bool { return f.Get(name) != "" }

// FlatTraits returns the submitted traits one by one, in their order.
func (f Form) FlatTraits() []Trait { return Flatten(f.Traits) }

// ReadForm reads the body of a POST: a form, a multipart form or JSON. JSON may
// be nested or flat ("traits.email"); a form may hold an object in traits. Each
// is taken apart into fields of text and put together along the schema, so one
// set of rules decides: empty values are dropped, numbers and booleans become
// such or stay text for the validator to refuse, objects that were not sent are
// empty ones. Without a schema there are no traits.
//
// Members of traits that came as JSON stay as they are, known or not: the
// validator names those that the schema lacks. Everything else unknown is
// dropped by whoever does not ask for it.
//
// Errors are faults a person may read.
func ReadForm(contentType string, body []byte, schema *Schema) (Form, error) {
	fields, err := ReadFields(contentType, body)
	if err != nil {
		return Form{}, err
	}
	return fields.Form(schema)
}

// Fields is a body taken apart into fields of text, not yet put together along a
// schema.
type Fields url.Values

// ReadFields takes a body apart, as ReadForm does.
func ReadFields(contentType string, body []byte) (Fields, error) {
	if len(body) == 0 {
		return nil, fault.Bad(`Unable to decode HTTP Request Body because its HTTP Header "Content-Length" is zero.`)
	}
	media, params, _ := mime.ParseMediaType(contentType)
	var fields url.Values
	var err error
	switch media {
	case "application/json":
		fields, err = readJSON(body)
	case "application/x-www-form-urlencoded":
		fields, err = readURLEncoded(body)
	case "multipart/form-data":
		fields, err = readMultipart(body, params["boundary"])
	default:
		err = fault.Bad(fmt.Sprintf(`HTTP POST Request used unknown HTTP Header "Content-Type: %s", `+
			`only [multipart/form-data application/x-www-form-urlencoded application/json] are supported.`, contentType))
	}
	return Fields(fields), err
}

func readJSON(body []byte) (url.Values, error) {
	if !json.Valid(body) {
		return nil, fault.Bad("Unable to decode form as JSON.")
	}
	if kind := leading(body); kind != "" {
		return nil, fault.Bad("Expected JSON sent in request body to be an object but got: " + kind)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	_, _ = decoder.Token() // the opening brace of a body that is valid
	fields := url.Values{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, fault.Bad("Unable to decode form as JSON.")
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, fault.Bad("Unable to decode form as JSON.")
		}
		fields[fmt.Sprint(name)] = texts(value, strings.HasPrefix(fmt.Sprint(name), "traits."))
		if len(fields) > maxFields {
			return nil, tooMany()
		}
	}
	return fields, nil
}

// leading names the type of a JSON document that is no object, as Kratos does.
func leading(body []byte) string {
	switch bytes.TrimLeft(body, " \t\r\n")[0] {
	case '{':
		return ""
	case '[':
		return "JSON"
	case '"':
		return "String"
	case 't':
		return "True"
	case 'f':
		return "False"
	case 'n':
		return "Null"
	default:
		return "Number"
	}
}

// texts writes a member's value as a form would send it. A trait that is an
// array of scalars is a repeated field; anything else with structure stays JSON.
func texts(value json.RawMessage, trait bool) []string {
	var items []json.RawMessage
	if trait && value[0] == '[' && json.Unmarshal(value, &items) == nil &&
		len(items) <= maxFields && !slices.ContainsFunc(items, structured) {
		all := []string{}
		for _, item := range items {
			all = append(all, texts(item, false)...)
		}
		return all
	}
	switch value[0] {
	case 'n':
		return []string{""}
	case '"':
		var text string
		_ = json.Unmarshal(value, &text) // it is a valid string
		return []string{text}
	default:
		return []string{string(value)}
	}
}

func structured(value json.RawMessage) bool { return value[0] == '[' || value[0] == '{' }

func readURLEncoded(body []byte) (url.Values, error) {
	if bytes.Count(body, []byte("&")) >= maxFields {
		return nil, tooMany()
	}
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.Bad("Unable to decode HTTP POST form body.")
	}
	return fields, nil
}

func readMultipart(body []byte, boundary string) (url.Values, error) {
	fields := url.Values{}
	if boundary == "" || !bytes.Contains(body, []byte("--"+boundary+"--")) {
		return nil, fault.Bad("Unable to decode HTTP POST form body.")
	}
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for range maxFields {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, fault.Bad("Unable to decode HTTP POST form body.")
		}
		if part.FormName() == "" || part.FileName() != "" {
			continue // no flow takes files
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, fault.Bad("Unable to decode HTTP POST form body.")
		}
		fields.Add(part.FormName(), string(text))
	}
	return nil, tooMany()
}

func tooMany() error {
	return fault.Bad("Unable to decode HTTP Request Body because it has too many fields or is nested too deeply.")
}

// Form puts the fields together along a schema, nil where there are no traits.
func (f Fields) Form(schema *Schema) (Form, error) {
	fields := url.Values(f)
	form := Form{Values: map[string][]string{}}
	for name, values := range fields {
		if name != "traits" && name != "transient_payload" && !strings.HasPrefix(name, "traits.") {
			form.Values[name] = values
		}
	}
	transient, err := object(fields, "transient_payload")
	if err != nil {
		return Form{}, err
	}
	if transient != nil {
		form.Transient = transient.AppendJSON(nil)
	}
	if schema == nil {
		return form, nil
	}
	traits, err := object(fields, "traits")
	if err != nil {
		return Form{}, err
	}
	if traits == nil {
		traits = ordered.Empty()
	}
	for _, leaf := range schema.leaves {
		if value := leaf.read(fields[leaf.Name]); value != nil {
			put(traits, leaf.Path, value, true)
		}
	}
	for _, leaf := range schema.leaves {
		if leaf.Object() {
			put(traits, leaf.Path, ordered.Empty(), false)
		}
	}
	form.Traits = traits.AppendJSON(nil)
	return form, nil
}

// object reads a field that holds an object as JSON; nil when it was not sent.
func object(fields url.Values, name string) (*ordered.Value, error) {
	text := fields.Get(name)
	if text == "" {
		return nil, nil
	}
	value, err := ordered.Parse([]byte(text), ordered.Limits{Depth: maxValueDepth, Values: maxTraitValues})
	switch {
	case errors.Is(err, ordered.ErrTooLarge):
		return nil, tooMany()
	case err != nil:
		return nil, &fault.Error{
			Kind: fault.BadRequest, Reason: "The field " + name + " has to be an object.", Err: ErrGarbled,
		}
	case value.Kind() != ordered.Object:
		return nil, fault.InvalidField(name, ui.Say(ui.WrongType, ui.Context{
			"allowed_types": []string{"object"}, "actual_type": value.Kind().String(),
		}))
	}
	return value, nil
}

// read turns the texts of a trait's field into its value; nil when there is
// nothing to set.
func (l Leaf) read(values []string) *ordered.Value {
	if len(values) == 0 {
		return nil
	}
	first := values[0]
	switch {
	case l.Object():
		value, err := ordered.Parse([]byte(first), ordered.Limits{Depth: maxValueDepth, Values: maxTraitValues})
		if first == "" || err != nil {
			return nil
		}
		return value
	case l.is("array"):
		var items []*ordered.Value
		for _, text := range values {
			if text != "" {
				items = append(items, scalar(l.Item, text))
			}
		}
		if items == nil {
			return nil
		}
		return ordered.List(items...)
	case l.is("boolean"):
		// A checkbox comes with a hidden field before it that says "false".
		last := values[len(values)-1]
		if last == "" && l.Required {
			last = "false"
		}
		first = last
	case l.is("number"), l.is("integer"):
		if first == "" && l.Required {
			first = "0"
		}
	}
	if first == "" {
		return nil
	}
	kind := ""
	if len(l.Types) > 0 {
		kind = l.Types[0]
	}
	return scalar(kind, first)
}

// scalar reads a text as the type demands; what is not of the type stays text.
func scalar(kind, text string) *ordered.Value {
	switch kind {
	case "boolean":
		if value, err := strconv.ParseBool(text); err == nil {
			return ordered.Literal(ordered.Bool, strconv.FormatBool(value))
		}
	case "number", "integer":
		if ordered.IsNumber(text) {
			return ordered.Literal(ordered.Number, text)
		}
		// Notations that JSON lacks, such as "+5" and "007".
		value, err := strconv.ParseFloat(text, 64)
		if literal := strconv.FormatFloat(value, 'f', -1, 64); err == nil && ordered.IsNumber(literal) {
			return ordered.Literal(ordered.Number, literal)
		}
	}
	return ordered.Text(text)
}

// put sets a value below traits, making the objects on its way. A value that
// stands in the way, or one that exists when it may not be replaced, stays.
func put(at *ordered.Value, path []string, value *ordered.Value, replace bool) {
	for _, name := range path[:len(path)-1] {
		next := at.Get(name)
		if next == nil {
			next = ordered.Empty()
			at.Set(name, next)
		}
		if next.Kind() != ordered.Object {
			return
		}
		at = next
	}
	last := path[len(path)-1]
	if replace || at.Get(last) == nil {
		at.Set(last, value)
	}
}
