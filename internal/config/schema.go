package config

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

//go:embed config.schema.json
var schemaJSON string

// SchemaJSON returns config.schema.json, the JSON schema (draft 2020-12) of the
// whole configuration.
func SchemaJSON() string { return schemaJSON }

// Values of the x-styx annotation.
const (
	markInert = "inert"
	markLocal = "local"
)

// node is one schema of config.schema.json, reduced to the keywords that file
// uses. schema_table.go holds that file as nodes, so that a Lambda has nothing to
// parse; TestSchemaTable keeps the two the same and rewrites the table with
// -update.
type node struct {
	kind     string   // type; "" = anything goes
	format   string   // see formatOf
	mark     string   // x-styx: markInert, markLocal
	members  []member // properties, by name
	closed   bool     // no other member is known
	rest     *node    // schema of the other members, nil = free-form or closed
	items    *node
	required []string
	enum     []string
	preset   any // default: text, bool, int or []any; nil = none
	min, max int // of a number; max 0 = none
	minLen   int // in characters
	maxLen   int // 0 = none
	minItems int
	rules    []rule
}

// member is one property of an object.
type member struct {
	name string
	node *node
}

// rule is an if/then: where the text at key is value, then holds too.
type rule struct {
	key, value string
	then       *node
}

// member finds a property, nil when the schema does not know it.
func (n *node) member(name string) *node {
	i, ok := slices.BinarySearchFunc(n.members, name, func(m member, name string) int { return strings.Compare(m.name, name) })
	if !ok {
		return nil
	}
	return n.members[i].node
}

// names lists the properties.
func (n *node) names() []string {
	out := make([]string, len(n.members))
	for i, m := range n.members {
		out[i] = m.name
	}
	return out
}

// allowed says in words what a value of n may be.
func (n *node) allowed() string {
	if len(n.enum) > 0 {
		return "one of " + strings.Join(n.enum, ", ")
	}
	if f, ok := formatOf(n.format); ok {
		return f.allowed
	}
	switch n.kind {
	case "string":
		switch {
		case n.minLen > 0 && n.minLen == n.maxLen:
			return fmt.Sprintf("text of exactly %d characters", n.minLen)
		case n.minLen == 1:
			return "text that is not empty"
		case n.minLen > 1:
			return fmt.Sprintf("text of at least %d characters", n.minLen)
		}
		return "text"
	case "integer":
		if n.max > 0 {
			return fmt.Sprintf("a whole number from %d to %d", n.min, n.max)
		}
		return fmt.Sprintf("a whole number, at least %d", n.min)
	case "boolean":
		return "true or false"
	case "array":
		if n.minItems > 0 {
			return fmt.Sprintf("a list of at least %d", n.minItems)
		}
		return "a list"
	}
	return "an object"
}

// refuse says why v is not what n allows, or "".
func (n *node) refuse(v any) string {
	ok := true
	switch n.kind {
	case "string":
		s, isText := v.(string)
		if !isText {
			return "must be " + n.allowed() + ", not " + describe(v)
		}
		return n.refuseText(s)
	case "integer":
		var i int
		if i, ok = v.(int); ok && (i < n.min || n.max > 0 && i > n.max) {
			return fmt.Sprintf("must be %s, not %d", n.allowed(), i)
		}
	case "boolean":
		_, ok = v.(bool)
	case "array":
		var list []any
		if list, ok = v.([]any); ok && len(list) < n.minItems {
			return "must be " + n.allowed() + " item, not empty"
		}
	case "object":
		_, ok = v.(map[string]any)
	}
	if !ok {
		return "must be " + n.allowed() + ", not " + describe(v)
	}
	return ""
}

func (n *node) refuseText(s string) string {
	length := utf8.RuneCountInString(s)
	switch {
	case len(n.enum) > 0 && !slices.Contains(n.enum, s):
		if hint := closest(s, n.enum); hint != "" {
			return "must be " + n.allowed() + "; did you mean " + hint + "?"
		}
		return "must be " + n.allowed()
	case length < n.minLen, n.maxLen > 0 && length > n.maxLen:
		if length == 0 {
			return "must be " + n.allowed() + ", not empty"
		}
		return "must be " + n.allowed() + ", not " + strconv.Itoa(length)
	}
	if f, ok := formatOf(n.format); ok && !f.valid(s) {
		return "must be " + f.allowed
	}
	return ""
}

// describe names the type of a value, never the value.
func describe(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case bool:
		return "true or false (put text in quotes)"
	case int:
		return "a number (put text in quotes)"
	case float64:
		return "a number with a fraction (put text in quotes)"
	case []any:
		return "a list"
	}
	return "an object"
}

// closest finds the candidate that s was probably meant to be, or "".
func closest(s string, candidates []string) string {
	best, limit := "", max(2, len(s)/3)+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(s), strings.ToLower(c)); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// distance is the number of single-byte edits that turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
