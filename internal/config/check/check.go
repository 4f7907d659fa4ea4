package check

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"styx/internal/config"
)

// Validate returns every mistake of a configuration, each with its key, its
// place and what is allowed there; none when [config.Load] would take it. The
// arguments are Load's.
//
// Most mistakes are Load's own. What only the validator finds is added, without
// its message: that could repeat a secret.
func Validate(sources []config.Source, environ []string, overrides map[string]any) []config.Mistake {
	schema, err := compile()
	if err != nil {
		return []config.Mistake{{Text: err.Error()}}
	}
	return validate(schema, sources, environ, overrides)
}

func validate(schema *jsonschema.Schema, sources []config.Source, environ []string, overrides map[string]any) []config.Mistake {
	var mistakes config.Mistakes
	_, _, err := config.Load(sources, environ, overrides)
	if err != nil && !errors.As(err, &mistakes) {
		return []config.Mistake{{Text: err.Error()}}
	}
	found, err := findings(schema, sources, environ, overrides)
	if err != nil {
		return append(mistakes, config.Mistake{Text: err.Error()})
	}
	for _, f := range found {
		if !slices.ContainsFunc(mistakes, f.covers) {
			mistakes = append(mistakes, config.Mistake{
				Key:   f.key,
				Place: f.place,
				Text:  "does not satisfy " + f.keyword + " in the configuration's JSON schema",
			})
		}
	}
	slices.SortStableFunc(mistakes, func(a, b config.Mistake) int { return cmp.Compare(a.Key, b.Key) })
	return mistakes
}

// finding is one violation that the validator saw. Required and
// additionalProperties are found on the object, not on the member.
type finding struct {
	key     string // dotted
	place   string
	keyword string
}

// covers says whether m is about what f found.
func (f finding) covers(m config.Mistake) bool {
	if f.keyword != "required" && f.keyword != "additionalProperties" {
		return m.Key == f.key
	}
	parent := ""
	if i := strings.LastIndexByte(m.Key, '.'); i >= 0 {
		parent = m.Key[:i]
	}
	// A key of the user's choice may itself have dots.
	return parent == f.key || f.key == "" || strings.HasPrefix(parent, f.key+".")
}

// findings returns what the validator alone has to say.
func findings(schema *jsonschema.Schema, sources []config.Source, environ []string, overrides map[string]any) ([]finding, error) {
	doc, err := config.Read(sources, environ, overrides)
	if err != nil && !errors.As(err, new(config.Mistakes)) {
		return nil, err
	}
	var invalid *jsonschema.ValidationError
	err = schema.Validate(doc.Value)
	if err != nil && !errors.As(err, &invalid) {
		return nil, fmt.Errorf("validate the configuration: %w", err)
	}
	if invalid == nil {
		return nil, nil
	}
	var out []finding
	for _, leaf := range leaves(invalid) {
		key := dotted(leaf.InstanceLocation)
		keyword := leaf.KeywordLocation[strings.LastIndexByte(leaf.KeywordLocation, '/')+1:]
		out = append(out, finding{key: key, place: doc.Place(key), keyword: keyword})
	}
	return out, nil
}

func compile() (*jsonschema.Schema, error) {
	const name = "https://styx.local/config.schema.json"
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft2020
	c.AssertFormat = true
	for format, valid := range config.Formats() {
		c.Formats[format] = func(v any) bool {
			s, ok := v.(string)
			return !ok || valid(s)
		}
	}
	if err := c.AddResource(name, strings.NewReader(config.SchemaJSON())); err != nil {
		return nil, fmt.Errorf("read the configuration's JSON schema: %w", err)
	}
	schema, err := c.Compile(name)
	if err != nil {
		return nil, fmt.Errorf("compile the configuration's JSON schema: %w", err)
	}
	return schema, nil
}

// leaves are the errors that have no cause of their own.
func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	var out []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		out = append(out, leaves(cause)...)
	}
	return out
}

// dotted turns a JSON pointer into a key.
func dotted(pointer string) string {
	segments := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, s := range segments {
		segments[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
	}
	return strings.Join(segments, ".")
}
