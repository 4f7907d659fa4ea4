package ordered

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ErrTooLarge tells that a document is deeper or has more values than allowed.
var ErrTooLarge = errors.New("JSON document is too deep or has too many values")

// ErrNumber tells that a number is of a size that nobody means and that exact
// arithmetic would take minutes and gigabytes for, such as 1e999999999.
var ErrNumber = errors.New("JSON document has a number out of range")

// Bounds of a number's literal.
const (
	maxLiteral  = 400
	maxExponent = 400
)

// Limits bound a document.
type Limits struct {
	Depth  int // nested objects and arrays
	Values int // values of any kind
}

// Kind is the JSON type of a value.
type Kind uint8

// The kinds of value. The zero Kind is null.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// String returns the name that JSON Schema gives the kind.
func (k Kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "array", "object"}[k]
}

// Value is one JSON value. The zero Value is null.
type Value struct {
	kind    Kind
	scalar  string // the text of a string, the literal of a number or boolean
	items   []*Value
	members []Member
	index   map[string]int // member name → place, built once an object is wide
}

// Member is one member of an object.
type Member struct {
	Name  string
	Value *Value
}

// Text builds a string; bytes that are no UTF-8 become U+FFFD, as in JSON that is
// read, so that a value prints the same however it came.
func Text(text string) *Value {
	return &Value{kind: String, scalar: strings.ToValidUTF8(text, "\ufffd")}
}

// Literal builds a number or a boolean from its JSON literal.
func Literal(kind Kind, literal string) *Value { return &Value{kind: kind, scalar: literal} }

// List builds an array.
func List(items ...*Value) *Value { return &Value{kind: Array, items: items} }

// Empty builds an object without members.
func Empty() *Value { return &Value{kind: Object} }

// Parse reads one JSON document and nothing after it.
func Parse(raw []byte, limits Limits) (*Value, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	p := parser{decoder: decoder, limits: limits}
	value, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("JSON document is followed by more")
	}
	return value, nil
}

type parser struct {
	decoder *json.Decoder
	limits  Limits
	values  int
}

func (p *parser) value(depth int) (*Value, error) {
	token, err := p.decoder.Token()
	if err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return p.after(token, depth)
}

// after reads the value that begins with the token.
func (p *parser) after(token json.Token, depth int) (*Value, error) {
	if p.values++; p.values > p.limits.Values || depth > p.limits.Depth {
		return nil, ErrTooLarge
	}
	switch token := token.(type) {
	case nil:
		return &Value{}, nil
	case bool:
		return Literal(Bool, fmt.Sprint(token)), nil
	case json.Number:
		if !bounded(token.String()) {
			return nil, ErrNumber
		}
		return Literal(Number, token.String()), nil
	case string:
		return Text(token), nil
	case json.Delim:
		if token == '[' {
			return p.array(depth)
		}
		return p.object(depth)
	default:
		return nil, fmt.Errorf("read JSON: unexpected %v", token)
	}
}

// IsNumber tells whether the text is the literal of a number that Parse takes.
func IsNumber(text string) bool {
	return text != "" && strings.ContainsAny(text[:1], "-0123456789") && strings.TrimSpace(text) == text &&
		bounded(text) && json.Valid([]byte(text))
}

// bounded tells whether a float64 can hold the number and exact arithmetic can
// afford it: 1e-999999999 is zero to the one and a gigabyte to the other.
func bounded(literal string) bool {
	if len(literal) > maxLiteral {
		return false
	}
	if _, err := strconv.ParseFloat(literal, 64); err != nil {
		return false
	}
	_, exponent, found := strings.Cut(strings.ToLower(literal), "e")
	if !found {
		return true
	}
	size, err := strconv.Atoi(exponent)
	return err == nil && -maxExponent <= size && size <= maxExponent
}

func (p *parser) array(depth int) (*Value, error) {
	list := List()
	for p.decoder.More() {
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list.items = append(list.items, item)
	}
	_, err := p.decoder.Token()
	return list, err
}

func (p *parser) object(depth int) (*Value, error) {
	object := Empty()
	for p.decoder.More() {
		token, err := p.decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("read JSON: %w", err)
		}
		name, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("read JSON: member name %v is no string", token)
		}
		member, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		object.Set(name, member)
	}
	_, err := p.decoder.Token()
	return object, err
}

// Kind returns the JSON type; a nil Value is null.
func (v *Value) Kind() Kind {
	if v == nil {
		return Null
	}
	return v.kind
}

// Text returns the text of a string, and whether it is one.
func (v *Value) Text() (string, bool) {
	if v.Kind() != String {
		return "", false
	}
	return v.scalar, true
}

// SetText turns the value into a string.
func (v *Value) SetText(text string) { *v = *Text(text) }

// Literal returns the text of a string or the literal of a number, and whether
// it is either.
func (v *Value) Literal() (string, bool) {
	if v == nil {
		return "", false
	}
	return v.scalar, v.Kind() == String || v.Kind() == Number
}

// True tells whether the value is the boolean true.
func (v *Value) True() bool { return v.Kind() == Bool && v.scalar == "true" }

// Items returns the items of an array.
func (v *Value) Items() []*Value {
	if v == nil {
		return nil
	}
	return v.items
}

// Members returns the members of an object in their order.
func (v *Value) Members() []Member {
	if v == nil {
		return nil
	}
	return v.members
}

// wide is the number of members from which an object keeps an index.
const wide = 16

// Get returns the member of that name, or nil.
func (v *Value) Get(name string) *Value {
	if at, ok := v.place(name); ok {
		return v.members[at].Value
	}
	return nil
}

func (v *Value) place(name string) (int, bool) {
	if v == nil {
		return 0, false
	}
	if v.index != nil {
		at, ok := v.index[name]
		return at, ok
	}
	for at := range v.members {
		if v.members[at].Name == name {
			return at, true
		}
	}
	return 0, false
}

// Set replaces the member of that name where it stands, or appends it.
func (v *Value) Set(name string, member *Value) {
	if at, ok := v.place(name); ok {
		v.members[at].Value = member
		return
	}
	v.members = append(v.members, Member{name, member})
	switch {
	case v.index != nil:
		v.index[name] = len(v.members) - 1
	case len(v.members) > wide:
		v.index = make(map[string]int, 2*wide)
		for at := range v.members {
			v.index[v.members[at].Name] = at
		}
	}
}

// Plain returns a scalar as encoding/json would: nil, bool, float64 or string.
func (v *Value) Plain() any {
	switch v.Kind() {
	case Bool:
		return v.True()
	case Number:
		number, _ := json.Number(v.scalar).Float64() // Parse refuses what no float64 holds
		return number
	case String:
		return v.scalar
	default:
		return nil
	}
}

// Any returns the value as map[string]any, []any and scalars, numbers as
// json.Number: the form that a JSON Schema validator takes.
func (v *Value) Any() any {
	switch v.Kind() {
	case Number:
		return json.Number(v.scalar)
	case Array:
		items := make([]any, len(v.items))
		for i, item := range v.items {
			items[i] = item.Any()
		}
		return items
	case Object:
		members := make(map[string]any, len(v.members))
		for _, member := range v.members {
			members[member.Name] = member.Value.Any()
		}
		return members
	default:
		return v.Plain()
	}
}

// String prints the value as compact JSON.
func (v *Value) String() string { return string(v.AppendJSON(nil)) }

// MarshalJSON prints the value as compact JSON.
func (v *Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends the value as compact JSON.
func (v *Value) AppendJSON(to []byte) []byte {
	switch v.Kind() {
	case Bool, Number:
		return append(to, v.scalar...)
	case String:
		return appendText(to, v.scalar)
	case Array:
		to = append(to, '[')
		for i, item := range v.items {
			if i > 0 {
				to = append(to, ',')
			}
			to = item.AppendJSON(to)
		}
		return append(to, ']')
	case Object:
		to = append(to, '{')
		for i, member := range v.members {
			if i > 0 {
				to = append(to, ',')
			}
			to = append(appendText(to, member.Name), ':')
			to = member.Value.AppendJSON(to)
		}
		return append(to, '}')
	default:
		return append(to, "null"...)
	}
}

// appendText prints a string without encoding/json's escapes for HTML: traits
// are stored as they were sent.
func appendText(to []byte, text string) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return append(to, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}
