package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	goformat "go/format"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite schema_table.go and the golden files")

// jsonNode is what config.schema.json may use; a keyword beyond it is an error,
// because the table would lose it.
type jsonNode struct {
	Schema      string               `json:"$schema"`
	ID          string               `json:"$id"`
	Title       string               `json:"title"`
	Description string               `json:"description"`
	Defs        map[string]*jsonNode `json:"$defs"`
	Ref         string               `json:"$ref"`
	Type        string               `json:"type"`
	Format      string               `json:"format"`
	Mark        string               `json:"x-styx"`
	Properties  map[string]*jsonNode `json:"properties"`
	Additional  json.RawMessage      `json:"additionalProperties"`
	Items       *jsonNode            `json:"items"`
	Required    []string             `json:"required"`
	Enum        []string             `json:"enum"`
	Default     any                  `json:"default"`
	Minimum     *int                 `json:"minimum"`
	Maximum     int                  `json:"maximum"`
	MinLength   int                  `json:"minLength"`
	MaxLength   int                  `json:"maxLength"`
	MinItems    int                  `json:"minItems"`
	AllOf       []struct {
		If struct {
			Properties map[string]struct {
				Const string `json:"const"`
			} `json:"properties"`
			Required []string `json:"required"`
		} `json:"if"`
		Then *jsonNode `json:"then"`
	} `json:"allOf"`
}

func readStrictly(t *testing.T, data []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("config.schema.json: %v", err)
	}
}

// tableWriter prints schemas as Go literals.
type tableWriter struct {
	t *testing.T
	bytes.Buffer
	defs map[string]*jsonNode
}

func defName(name string) string {
	out := "def"
	for part := range strings.SplitSeq(name, "_") {
		out += strings.ToUpper(part[:1]) + part[1:]
	}
	return out
}

// pointer prints an expression of type *node.
func (w *tableWriter) pointer(n *jsonNode) {
	if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
		def := w.defs[name]
		if def == nil {
			w.t.Fatalf("config.schema.json: %s is not defined", n.Ref)
		}
		if n.Default == nil {
			w.WriteString("&" + defName(name))
			return
		}
		own := *def
		own.Default = n.Default
		n = &own
	}
	w.WriteString("&node{")
	w.body(n)
	w.WriteString("}")
}

func (w *tableWriter) body(n *jsonNode) {
	field := func(name string, v any, set bool) {
		if set {
			fmt.Fprintf(w, "%s: %#v, ", name, v)
		}
	}
	field("kind", n.Type, n.Type != "")
	field("format", n.Format, n.Format != "")
	field("mark", n.Mark, n.Mark != "")
	field("enum", n.Enum, n.Enum != nil)
	field("required", n.Required, n.Required != nil)
	if n.Minimum != nil {
		field("min", *n.Minimum, *n.Minimum != 0)
	} else if n.Type == "integer" {
		w.t.Fatalf("config.schema.json: an integer without minimum")
	}
	field("max", n.Maximum, n.Maximum != 0)
	field("minLen", n.MinLength, n.MinLength != 0)
	field("maxLen", n.MaxLength, n.MaxLength != 0)
	field("minItems", n.MinItems, n.MinItems != 0)
	if f, ok := n.Default.(float64); ok {
		field("preset", int(f), true)
	} else if list, ok := n.Default.([]any); ok {
		w.WriteString("preset: []any{")
		for _, item := range list {
			fmt.Fprintf(w, "%q, ", item)
		}
		w.WriteString("}, ")
	} else {
		field("preset", n.Default, n.Default != nil)
	}
	if string(n.Additional) == "false" {
		w.WriteString("closed: true, ")
	} else if n.Additional != nil {
		var rest jsonNode
		readStrictly(w.t, n.Additional, &rest)
		w.WriteString("rest: ")
		w.pointer(&rest)
		w.WriteString(", ")
	}
	if n.Items != nil {
		w.WriteString("items: ")
		w.pointer(n.Items)
		w.WriteString(", ")
	}
	if len(n.AllOf) > 0 {
		w.WriteString("rules: []rule{")
		for _, c := range n.AllOf {
			for key, want := range c.If.Properties {
				if !slices.Equal(c.If.Required, []string{key}) {
					w.t.Fatalf("config.schema.json: an if must require its one property")
				}
				fmt.Fprintf(w, "{%q, %q, ", key, want.Const)
				w.pointer(c.Then)
				w.WriteString("}, ")
			}
		}
		w.WriteString("}, ")
	}
	if len(n.Properties) > 0 {
		w.WriteString("members: []member{\n")
		for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
			fmt.Fprintf(w, "{%q, ", name)
			w.pointer(n.Properties[name])
			w.WriteString("},\n")
		}
		w.WriteString("}, ")
	}
}

// The table says what config.schema.json says.
func TestSchemaTable(t *testing.T) {
	var root jsonNode
	readStrictly(t, []byte(schemaJSON), &root)
	w := &tableWriter{t: t, defs: root.Defs}
	w.WriteString("// Code generated from config.schema.json by go test -run TestSchemaTable -update; DO NOT EDIT.\n\npackage config\n")
	w.WriteString("\n// schemaRoot is the schema of the whole configuration.\nvar schemaRoot = node{")
	w.body(&root)
	w.WriteString("}\n\n// Schemas that stand in several places.\nvar (\n")
	for _, name := range slices.Sorted(maps.Keys(root.Defs)) {
		fmt.Fprintf(w, "%s = node{", defName(name))
		w.body(root.Defs[name])
		w.WriteString("}\n")
	}
	w.WriteString(")\n")
	want, err := goformat.Source(w.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema_table.go", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile("schema_table.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("schema_table.go is not what config.schema.json says: run go test ./internal/config -run TestSchemaTable -update")
	}
}
