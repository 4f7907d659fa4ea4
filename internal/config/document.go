package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Document is a merged configuration before defaults and checks: plain values,
// and where each of them came from.
type Document struct {
	// Value holds text, bool, int, float64, []any and map[string]any.
	Value map[string]any

	sources  []Source
	from     map[string]string // dotted key -> "environment variable X" or "command line"
	mistakes Mistakes
}

// Read merges the sources in order, then the environment ("NAME=value"), then
// the overrides, which go by dotted key and are what the command line said.
// Maps are merged, lists replaced; a null counts as not written. The error is
// Mistakes; the document beside it holds what could be read.
func Read(sources []Source, environ []string, overrides map[string]any) (*Document, error) {
	d := &Document{Value: map[string]any{}, sources: sources, from: map[string]string{}}
	for _, src := range sources {
		d.addSource(src)
	}
	d.addEnvironment(environ)
	for _, key := range slices.Sorted(maps.Keys(overrides)) {
		v, ok := d.plain(overrides[key], Source{Name: "command line"}, key)
		if !ok || v == nil {
			continue
		}
		d.from[key] = "command line"
		if !set(d.Value, strings.Split(key, "."), v) {
			d.refuse(key, "cannot be set here")
		}
	}
	prune(&schemaRoot, d.Value)
	if len(d.mistakes) > 0 {
		return d, d.mistakes
	}
	return d, nil
}

// prune takes out the nulls: a key with nothing after it, often because all
// below it is commented out, was not written. Where the schema leaves the value
// open, null stays: it may mean something there.
func prune(n *node, v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if n.items != nil {
				prune(n.items, item)
			}
		}
	case map[string]any:
		for name, value := range v {
			below := cmp.Or(n.member(name), n.rest)
			switch {
			case value == nil && (below == nil && n.members != nil || below != nil && below.kind != ""):
				delete(v, name)
			case below != nil:
				prune(below, value)
			}
		}
	}
}

func (d *Document) refuse(key, text string) {
	d.mistakes = append(d.mistakes, Mistake{Key: key, Place: d.Place(key), Text: text})
}

func (d *Document) addSource(src Source) {
	v, err := parse(src.Data)
	if err != nil {
		d.mistakes = append(d.mistakes, Mistake{Place: src.Name, Text: "cannot be read: " + err.Error()})
		return
	}
	v, _ = d.plain(v, src, "")
	switch m := v.(type) {
	case nil: // an empty file
	case map[string]any:
		merge(d.Value, m)
	default:
		d.mistakes = append(d.mistakes, Mistake{Place: src.Name, Text: "must be an object of keys, not " + describe(v)})
	}
}

// parse reads YAML, or JSON where that is what it looks like: not every JSON
// text is YAML (tabs, surrogate pairs).
func parse(data []byte) (any, error) {
	var v any
	if looksJSON(data) && json.Unmarshal(data, &v) == nil {
		return v, nil
	}
	v = nil
	if err := yaml.Unmarshal(data, &v); err != nil {
		return nil, scrub(err)
	}
	return v, nil
}

func looksJSON(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && data[0] == '{'
}

// scrub keeps the complaint of a YAML error and drops the quoted value, which
// may be a secret: "line 3: cannot decode !!str".
func scrub(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n  ")
	text, _, _ = strings.Cut(text, " `")
	if before, _, ok := strings.Cut(text, "unknown anchor"); ok {
		text = before + "unknown anchor: put text that starts with * in quotes"
	}
	text, _, _ = strings.Cut(text, "\n")
	return errors.New(text)
}

// plain turns what a parser made of a value into the types of Document.Value.
// ok is false when there was no way; that has been noted then.
func (d *Document) plain(v any, src Source, key string) (plain any, ok bool) {
	switch v := v.(type) {
	case nil, string, bool, int:
		return v, true
	case int64:
		return int(v), true
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			break
		}
		// JSON does not tell 8 from 8.0, and neither do we.
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int(v), true
		}
		return v, true
	case time.Time:
		return v.Format(time.RFC3339Nano), true
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return list, true
	case []any:
		list := make([]any, 0, len(v))
		for i, item := range v {
			if item, ok := d.plain(item, src, join(key, strconv.Itoa(i))); ok {
				list = append(list, item)
			}
		}
		return list, true
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, item := range v {
			if item, ok := d.plain(item, src, join(key, k)); ok {
				m[k] = item
			}
		}
		return m, true
	case map[any]any: // YAML with a key that is not text
		m := make(map[string]any, len(v))
		for k, item := range v {
			name := fmt.Sprint(k)
			if item, ok := d.plain(item, src, join(key, name)); ok {
				m[name] = item
			}
		}
		return m, true
	}
	d.mistakes = append(d.mistakes, Mistake{Key: key, Place: src.Name, Text: "is a number out of range"})
	return nil, false
}

// merge puts src over dst: maps member by member, everything else whole. A null
// does not cover what is there.
func merge(dst, src map[string]any) {
	for k, v := range src {
		if m, ok := v.(map[string]any); ok {
			if old, ok := dst[k].(map[string]any); ok {
				merge(old, m)
				continue
			}
		}
		if v != nil {
			dst[k] = v
		} else if _, ok := dst[k]; !ok {
			dst[k] = nil
		}
	}
}

// set puts v at path below m, making objects on the way and appending to lists
// when the index is their length. It says whether the path can be.
func set(m map[string]any, path []string, v any) bool {
	key, rest := path[0], path[1:]
	if len(rest) == 0 {
		if over, ok := v.(map[string]any); ok {
			if old, ok := m[key].(map[string]any); ok {
				merge(old, over)
				return true
			}
		}
		m[key] = v
		return true
	}
	switch old := m[key].(type) {
	case map[string]any:
		return set(old, rest, v)
	case []any:
		list, ok := setItem(old, rest, v)
		m[key] = list
		return ok
	case nil:
		if _, err := strconv.Atoi(rest[0]); err == nil {
			list, ok := setItem(nil, rest, v)
			if ok {
				m[key] = list
			}
			return ok
		}
		below := map[string]any{}
		m[key] = below
		return set(below, rest, v)
	}
	return false
}

// setItem is set for a list; path starts with the index.
func setItem(list []any, path []string, v any) ([]any, bool) {
	i, err := strconv.Atoi(path[0])
	if err != nil || i < 0 || i > len(list) {
		return list, false
	}
	if i == len(list) {
		list = append(list, nil)
	}
	if len(path) == 1 {
		list[i] = v
		return list, true
	}
	item, ok := list[i].(map[string]any)
	if !ok {
		if list[i] != nil {
			return list, false
		}
		item = map[string]any{}
		list[i] = item
	}
	return list, set(item, path[1:], v)
}

func join(key, below string) string {
	if key == "" {
		return below
	}
	return key + "." + below
}

// Place says where a dotted key was written: "file:line:column" of the last
// file that has it, or the environment variable or flag that overrode it. For a
// key that is nowhere, it is the place of the nearest object around it. "" means
// that nothing was read at all.
func (d *Document) Place(key string) string {
	path := strings.Split(key, ".")
	if key == "" {
		path = nil
	}
	for n := len(path); n > 0; n-- {
		if from, ok := d.from[strings.Join(path[:n], ".")]; ok {
			return from
		}
	}
	place, depth := "", -1
	for _, src := range d.sources {
		line, column, found := position(src.Data, path)
		if found < depth {
			continue
		}
		place, depth = src.Name, found
		if line > 0 {
			place = fmt.Sprintf("%s:%d:%d", src.Name, line, column)
		}
	}
	return place
}

// position finds the key that path names in a YAML or JSON text: its line and
// column, and how many segments of the path exist. It parses the text anew, as
// only a mistaken configuration needs it.
func position(data []byte, path []string) (line, column, found int) {
	if looksJSON(data) {
		// YAML refuses tabs, which JSON has between its tokens only.
		data = bytes.ReplaceAll(data, []byte("\t"), []byte(" "))
	}
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) == 0 {
		return 0, 0, 0
	}
	at := doc.Content[0]
	if len(path) == 0 {
		return at.Line, at.Column, 0
	}
	for _, segment := range path {
		key, value := child(at, segment)
		if value == nil {
			return line, column, found
		}
		line, column, at = key.Line, key.Column, value
		found++
	}
	return line, column, found
}

// child finds a member of an object or an item of a list, and the node that
// shows where it is.
func child(n *yaml.Node, segment string) (key, value *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.SequenceNode {
		if i, err := strconv.Atoi(segment); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], n.Content[i]
		}
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == segment {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}
