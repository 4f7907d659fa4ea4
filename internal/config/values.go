package config

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// values reads one object of a settled document. Types have been checked by
// then, so what is absent, or was taken out as a mistake, reads as zero.
type values map[string]any

func (v values) has(key string) bool { _, ok := v[key]; return ok }

func (v values) at(key string) values {
	m, _ := v[key].(map[string]any)
	return m
}

func (v values) text(key string) string   { s, _ := v[key].(string); return s }
func (v values) flag(key string) bool     { b, _ := v[key].(bool); return b }
func (v values) number(key string) int    { i, _ := v[key].(int); return i }
func (v values) secret(key string) Secret { return Secret(v.text(key)) }

func (v values) texts(key string) []string {
	list, _ := v[key].([]any)
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func (v values) secrets(key string) []Secret {
	var out []Secret
	for _, s := range v.texts(key) {
		out = append(out, Secret(s))
	}
	return out
}

// items returns the objects of a list.
func (v values) items(key string) []values {
	list, _ := v[key].([]any)
	var out []values
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// keys returns the names in an object, sorted.
func (v values) keys() []string { return slices.Sorted(maps.Keys(v)) }

func (v values) headers(key string) map[string]Secret {
	var out map[string]Secret
	for name := range v.at(key) {
		if out == nil {
			out = make(map[string]Secret)
		}
		out[name] = v.at(key).secret(name)
	}
	return out
}

func (v values) duration(key string) time.Duration {
	d, _ := time.ParseDuration(v.text(key)) // the format go-duration, or absent
	return d
}

// url reads a URL, nil when absent.
func (v values) url(key string) *url.URL {
	s := v.text(key)
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil // the formats uri and uri-reference let none through
	}
	return u
}

// raw is the JSON of an object, nil when absent.
func (v values) raw(key string) json.RawMessage {
	if !v.has(key) {
		return nil
	}
	data, err := json.Marshal(v[key])
	if err != nil {
		return nil // plain values always encode
	}
	return data
}

// on says whether a dotted key is true, or is text or an object with something
// in it.
func (v values) on(key string) bool {
	path := strings.Split(key, ".")
	for _, segment := range path[:len(path)-1] {
		v = v.at(segment)
	}
	last := path[len(path)-1]
	return v.flag(last) || v.text(last) != "" || len(v.at(last)) > 0
}
