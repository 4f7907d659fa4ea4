package config

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// assignment is one environment variable that names a key.
type assignment struct {
	path  []string
	node  *node
	name  string
	value string
}

// addEnvironment lays the environment over the document. The name of a key is
// its path in upper case with "_" for ".": SELFSERVICE_FLOWS_LOGIN_UI_URL.
// Variables that name no key are somebody else's.
func (d *Document) addEnvironment(environ []string) {
	var all []assignment
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if name == "" || name != strings.ToUpper(name) {
			continue
		}
		if path, n := match(&schemaRoot, strings.ToLower(name)); n != nil {
			all = append(all, assignment{path, n, name, value})
		}
	}
	// Objects before their members and items in the order of their index, so
	// that the more specific variable wins and lists grow from the front.
	slices.SortStableFunc(all, func(a, b assignment) int { return slices.CompareFunc(a.path, b.path, compareSegments) })
	for _, a := range all {
		key := strings.Join(a.path, ".")
		d.from[key] = "environment variable " + a.name
		v, problem := typed(a.node, a.value)
		if problem != "" {
			d.refuse(key, problem)
			continue
		}
		v, ok := d.plain(v, Source{Name: d.from[key]}, key)
		if ok && !set(d.Value, a.path, v) {
			d.refuse(key, "names an item that is not there: lists grow one index at a time")
		}
	}
}

func compareSegments(a, b string) int {
	i, errA := strconv.Atoi(a)
	j, errB := strconv.Atoi(b)
	if errA == nil && errB == nil {
		return i - j
	}
	return strings.Compare(a, b)
}

// match finds the key below n that name (lower case, "_" between segments)
// spells, and its schema. Keys that do nothing are not matched: their names are
// too common (VERSION, CONFIG) to be taken for ours.
func match(n *node, name string) ([]string, *node) {
	if n.mark == markInert {
		return nil, nil
	}
	if name == "" {
		return []string{}, n
	}
	if n.items != nil {
		index, rest, _ := strings.Cut(name, "_")
		if i, err := strconv.Atoi(index); err != nil || i < 0 || strconv.Itoa(i) != index {
			return nil, nil
		}
		if path, found := match(n.items, rest); found != nil {
			return append([]string{index}, path...), found
		}
		return nil, nil
	}
	for _, m := range n.members {
		rest, ok := strings.CutPrefix(name, m.name)
		if !ok {
			continue
		}
		if rest != "" {
			if rest, ok = strings.CutPrefix(rest, "_"); !ok || rest == "" {
				continue
			}
		}
		if path, found := match(m.node, rest); found != nil {
			return append([]string{m.name}, path...), found
		}
	}
	return nil, nil
}

// typed reads the text of an environment variable as the schema's type. The
// problem, if any, does not repeat the text.
func typed(n *node, text string) (v any, problem string) {
	var err error
	switch n.kind {
	case "boolean":
		v, err = strconv.ParseBool(text)
	case "integer":
		v, err = strconv.Atoi(text)
	case "array":
		v, err = typedList(n, text)
	case "object":
		var m map[string]any
		err = json.Unmarshal([]byte(text), &m)
		if v = m; err != nil {
			return nil, "must be a JSON object"
		}
	default:
		return text, ""
	}
	if err != nil {
		return nil, "must be " + n.allowed()
	}
	return v, ""
}

// typedList reads a JSON array, or for a list of texts comma-separated values.
func typedList(n *node, text string) (any, error) {
	var list []any
	err := json.Unmarshal([]byte(text), &list)
	if err == nil {
		return list, nil
	}
	if n.items.kind != "string" {
		return nil, err
	}
	if text == "" {
		return []any{}, nil
	}
	r := csv.NewReader(strings.NewReader(text))
	r.TrimLeadingSpace = true
	fields, err := r.Read()
	if err != nil {
		return nil, err
	}
	list = make([]any, len(fields))
	for i, f := range fields {
		list[i] = strings.TrimSpace(f)
	}
	return list, nil
}
