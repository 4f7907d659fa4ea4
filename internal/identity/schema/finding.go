package schema

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"styx/internal/fault"
	"styx/internal/identity/ordered"
	"styx/internal/ui"
)

// translate turns what the validator found into one fault. The validator goes
// through properties in no order, so findings are sorted by the schema's.
func (v *Validator) translate(err *jsonschema.ValidationError, instance *ordered.Value) error {
	type placed struct {
		fault.Field
		rank int
	}
	var all []placed
	for _, leaf := range leaves(err) {
		f := finding{leaf, tokens(leaf.InstanceLocation), instance, v.root}
		for _, field := range f.fields() {
			if !slices.ContainsFunc(all, func(old placed) bool { return same(old.Field, field.Field) }) {
				all = append(all, placed{field.Field, v.rank(field.path)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return strings.Compare(a.At, b.At)
	})
	fields := make([]fault.Field, len(all))
	for at := range all {
		fields[at] = all[at].Field
	}
	return fault.Invalid(fields...)
}

func same(a, b fault.Field) bool {
	return a.At == b.At && a.Text.ID == b.Text.ID && a.Text.Text == b.Text.Text
}

// leaves returns the findings that no further finding explains.
func leaves(err *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(err.Causes) == 0 {
		return []*jsonschema.ValidationError{err}
	}
	var all []*jsonschema.ValidationError
	for _, cause := range err.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

// Report writes a fault of Validate or Apply as the admin API shows it: the one
// line of a single finding, or several lines under a heading.
func Report(found *fault.Error) string {
	var lines []string
	for _, field := range found.Fields {
		if field.Note != "" && !slices.Contains(lines, field.Note) {
			lines = append(lines, field.Note)
		}
	}
	if len(lines) < 2 {
		return strings.Join(lines, "")
	}
	return "I[#/traits] S[#/properties/traits] validation failed\n  " + strings.Join(lines, "\n  ")
}

// finding is one leaf of a validation error.
type finding struct {
	*jsonschema.ValidationError
	path     []string // of the instance
	instance *ordered.Value
	root     *jsonschema.Schema
}

// located is a message and the path that it belongs to.
type located struct {
	fault.Field
	path []string
}

// fields returns the messages of a finding: one per missing property, else one.
func (f finding) fields() []located {
	schema, keyword := f.subject()
	value := at(f.instance, f.path)
	if keyword == "required" {
		return f.missing(schema, value)
	}
	text, reason := f.message(schema, keyword, value)
	return []located{f.located(f.path, text, reason)}
}

func (f finding) located(path []string, text ui.Message, reason string) located {
	return located{fault.Field{At: dotted(path), Text: text, Note: f.note(reason)}, path}
}

func (f finding) note(reason string) string {
	return fmt.Sprintf("I[#%s] S[#%s] %s", f.InstanceLocation, f.KeywordLocation, reason)
}

func (f finding) missing(schema *jsonschema.Schema, value *ordered.Value) []located {
	var names []string
	for _, name := range schema.Required {
		if value.Get(name) == nil {
			names = append(names, name)
		}
	}
	note := "missing properties: " + quoted(names)
	fields := make([]located, len(names))
	for i, name := range names {
		fields[i] = f.located(append(slices.Clone(f.path), name), ui.Missing(name), note)
	}
	return fields
}

// message returns the contract's message for a finding and the validator's own
// words for it. Numbers come from the validator's text, words from the schema
// and the instance: only those would need unquoting.
func (f finding) message(schema *jsonschema.Schema, keyword string, value *ordered.Value) (ui.Message, string) {
	if message, ok := f.counted(keyword); ok {
		return message, message.Text
	}
	plain := func(message ui.Message) (ui.Message, string) { return message, message.Text }
	switch keyword {
	case "type":
		return plain(ui.Say(ui.WrongType, ui.Context{
			"allowed_types": schema.Types, "actual_type": value.Kind().String(),
		}))
	case "pattern":
		return plain(ui.Say(ui.NotThePattern, ui.Context{"pattern": schema.Pattern.String()}))
	case "const":
		return plain(constant(schema.Constant[0]))
	case "enum":
		return plain(ui.Reason(oneOf(schema.Enum)))
	case "format":
		return f.format(schema, value)
	case "additionalProperties":
		return plain(ui.Reason(fmt.Sprintf("additionalProperties %s not allowed", quoted(extra(schema, value)))))
	case "dependencies":
		return plain(ui.Reason(f.dependency(schema)))
	default:
		return plain(ui.Reason(f.Message))
	}
}

// counted translates the findings that are made of numbers alone.
func (f finding) counted(keyword string) (ui.Message, bool) {
	row, known := map[string]struct {
		id     ui.ID
		scan   string
		first  string
		second string
	}{
		"minLength":        {ui.TooShort, "length must be >= %g, but got %g", "min_length", "actual_length"},
		"maxLength":        {ui.TooLong, "length must be <= %g, but got %g", "max_length", "actual_length"},
		"minimum":          {ui.BelowMinimum, "must be >= %g but found %g", "minimum", "actual"},
		"exclusiveMinimum": {ui.NotAboveMinimum, "must be > %g but found %g", "minimum", "actual"},
		"maximum":          {ui.AboveMaximum, "must be <= %g but found %g", "maximum", "actual"},
		"exclusiveMaximum": {ui.NotBelowMaximum, "must be < %g but found %g", "maximum", "actual"},
		"multipleOf":       {ui.NotMultipleOf, "%g not multipleOf %g", "actual", "base"},
		"maxItems":         {ui.TooManyItems, "maximum %g items required, but found %g items", "max_items", "actual_items"},
		"minItems":         {ui.TooFewItems, "minimum %g items required, but found %g items", "min_items", "actual_items"},
		"uniqueItems":      {ui.ItemsEqual, "items at index %g and %g are equal", "index_a", "index_b"},
	}[keyword]
	if !known {
		return ui.Message{}, false
	}
	var first, second float64
	if _, err := fmt.Sscanf(f.Message, row.scan, &first, &second); err != nil {
		return ui.Message{}, false
	}
	return ui.Say(row.id, ui.Context{row.first: first, row.second: second}), true
}

// format translates a refused format. The marks check addresses that name none,
// in the words used here, so the subschema's own format may be empty.
func (f finding) format(schema *jsonschema.Schema, value *ordered.Value) (ui.Message, string) {
	text, isText := value.Text()
	if schema.Format == "" && f.Message == noFormat {
		return ui.Reason(noFormat), noFormat
	}
	name := schema.Format
	if name == "" {
		name = formatEmail
		if strings.HasSuffix(f.Message, strconv.Quote(formatTel)) {
			name = formatTel
		}
	}
	shown := value.String()
	if isText {
		shown = strconv.Quote(text)
	}
	reason := fmt.Sprintf("%s is not valid %q", shown, name)
	switch {
	case name == formatTel:
		return ui.Say(ui.NotAPhone, ui.Context{"value": text}), reason
	case (name == formatEmail || name == formatEmailLoose) && text != "":
		return ui.Say(ui.NotAnEmail, ui.Context{"value": text}), reason
	default:
		return ui.Reason(reason), reason
	}
}

func (f finding) dependency(schema *jsonschema.Schema) string {
	parts := tokens(f.KeywordLocation)
	if len(parts) < 2 {
		return f.Message
	}
	name := parts[len(parts)-2]
	needs, _ := schema.Dependencies[name].([]string)
	at, err := strconv.Atoi(parts[len(parts)-1])
	if err != nil || at >= len(needs) {
		return f.Message
	}
	return fmt.Sprintf("property %q is required, if %q property exists", needs[at], name)
}

func constant(value any) ui.Message {
	switch value := value.(type) {
	case map[string]any, []any:
		return ui.Say(ui.ConstantFailed)
	case nil:
		return ui.Say(ui.NotTheConstant, ui.Context{"expected": "null"})
	default:
		return ui.Say(ui.NotTheConstant, ui.Context{"expected": fmt.Sprint(value)})
	}
}

func oneOf(values []any) string {
	words := make([]string, len(values))
	for i, value := range values {
		switch value := value.(type) {
		case map[string]any, []any:
			return "enum failed"
		case string:
			words[i] = strconv.Quote(value)
		case nil:
			words[i] = "null"
		case json.Number:
			words[i] = value.String()
		default:
			words[i] = fmt.Sprint(value)
		}
	}
	if len(words) == 1 {
		return "value must be " + words[0]
	}
	return "value must be one of " + strings.Join(words, ", ")
}

// extra returns the members that no property and no pattern of the schema names.
func extra(schema *jsonschema.Schema, value *ordered.Value) []string {
	var names []string
	for _, member := range value.Members() {
		_, known := schema.Properties[member.Name]
		for pattern := range schema.PatternProperties {
			known = known || pattern.MatchString(member.Name)
		}
		if !known {
			names = append(names, member.Name)
		}
	}
	return names
}

func quoted(names []string) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = strconv.Quote(name)
	}
	return strings.Join(words, ", ")
}

// subject follows the finding's path through the schema: it returns the
// subschema that complained and the keyword it complained with.
func (f finding) subject() (*jsonschema.Schema, string) {
	schema, rest := f.root, tokens(f.KeywordLocation)
	for len(rest) > 0 {
		next, used := step(schema, rest)
		if next == nil {
			return schema, rest[0]
		}
		schema, rest = next, rest[used:]
	}
	return schema, ""
}

// step goes one keyword deeper; nil when the tokens name a keyword that holds no
// schema.
func step(s *jsonschema.Schema, path []string) (*jsonschema.Schema, int) {
	switch path[0] {
	case "$ref":
		return s.Ref, 1
	case "$recursiveRef":
		return s.RecursiveRef, 1
	case "$dynamicRef":
		return s.DynamicRef, 1
	case "not":
		return s.Not, 1
	case "if":
		return s.If, 1
	case "then":
		return s.Then, 1
	case "else":
		return s.Else, 1
	case "propertyNames":
		return s.PropertyNames, 1
	case "contains":
		return s.Contains, 1
	case "unevaluatedProperties":
		return s.UnevaluatedProperties, 1
	case "unevaluatedItems":
		return s.UnevaluatedItems, 1
	case "additionalProperties":
		return sub(s.AdditionalProperties), 1
	case "additionalItems":
		return sub(s.AdditionalItems), 1
	case "items":
		if s.Items2020 != nil {
			return s.Items2020, 1
		}
		if one := sub(s.Items); one != nil {
			return one, 1
		}
		list, _ := s.Items.([]*jsonschema.Schema)
		return nth(list, path)
	case "allOf":
		return nth(s.AllOf, path)
	case "anyOf":
		return nth(s.AnyOf, path)
	case "oneOf":
		return nth(s.OneOf, path)
	case "prefixItems":
		return nth(s.PrefixItems, path)
	}
	if len(path) < 2 {
		return nil, 0
	}
	switch path[0] {
	case "properties":
		return s.Properties[path[1]], 2
	case "dependencies":
		return sub(s.Dependencies[path[1]]), 2
	case "dependentSchemas":
		return s.DependentSchemas[path[1]], 2
	case "patternProperties":
		for pattern, found := range s.PatternProperties {
			if pattern.String() == path[1] {
				return found, 2
			}
		}
	}
	return nil, 0
}

func sub(keyword any) *jsonschema.Schema {
	found, _ := keyword.(*jsonschema.Schema)
	return found
}

func nth(list []*jsonschema.Schema, path []string) (*jsonschema.Schema, int) {
	if len(path) < 2 {
		return nil, 0
	}
	at, err := strconv.Atoi(path[1])
	if err != nil || at < 0 || at >= len(list) {
		return nil, 0
	}
	return list[at], 2
}

// at follows a path of names and indexes through an instance.
func at(value *ordered.Value, path []string) *ordered.Value {
	for _, name := range path {
		if value.Kind() != ordered.Array {
			value = value.Get(name)
			continue
		}
		index, err := strconv.Atoi(name)
		if err != nil || index < 0 || index >= len(value.Items()) {
			return nil
		}
		value = value.Items()[index]
	}
	return value
}

// tokens splits a JSON pointer as the validator writes it.
func tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil {
			part = plain
		}
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
	}
	return parts
}

// dotted is the name of the node that a path belongs to.
func dotted(path []string) string {
	names := make([]string, len(path))
	for i, name := range path {
		names[i] = strings.ReplaceAll(name, ".", `\.`)
	}
	return strings.Join(names, ".")
}
