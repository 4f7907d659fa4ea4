package store

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"styx/internal/table"
)

// sample is a document with a member of each kind that ours have.
type sample struct {
	Name  string            `json:"name"`
	Note  string            `json:"note,omitempty"`
	Count int               `json:"count"`
	At    *time.Time        `json:"at,omitempty"`
	List  []string          `json:"list"`
	Inner inner             `json:"inner"`
	Named map[string]string `json:"named,omitempty"`
}

type inner struct {
	Flag bool   `json:"flag,omitempty"`
	Text string `json:"text"`
}

func TestDocumentsAreMerged(t *testing.T) {
	for name, c := range map[string]struct{ stored, want string }{
		"nothing stored":               {"", `{"name":"new","count":0,"list":null,"inner":{"text":""}}`},
		"nothing unknown":              {`{"name":"old","count":7,"inner":{"text":"old"}}`, `{"count":0,"inner":{"text":""},"list":null,"name":"new"}`},
		"an unknown member":            {`{"name":"old","later":[1,{"a":2}]}`, `{"count":0,"inner":{"text":""},"later":[1,{"a":2}],"list":null,"name":"new"}`},
		"an unknown member below":      {`{"inner":{"text":"old","later":1}}`, `{"count":0,"inner":{"later":1,"text":""},"list":null,"name":"new"}`},
		"a known member that was left": {`{"note":"old","inner":{"flag":true}}`, `{"count":0,"inner":{"text":""},"list":null,"name":"new"}`},
		"an entry that was removed":    {`{"named":{"a":"b"}}`, `{"count":0,"inner":{"text":""},"list":null,"name":"new"}`},
		"null below":                   {`{"inner":null,"later":null}`, `{"count":0,"inner":{"text":""},"later":null,"list":null,"name":"new"}`},
	} {
		var stored []byte
		if c.stored != "" {
			stored = []byte(c.stored)
		}
		got, err := encode(&sample{Name: "new"}, stored)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, c.want)
		}
	}
}

func TestStoredDocumentThatIsNone(t *testing.T) {
	for _, stored := range []string{"{", "[]", `"x"`, `{"count":"seven"}`, ""} {
		if got, err := encode(&sample{}, []byte(stored)); err == nil {
			t.Errorf("over %q stands %s", stored, got)
		}
	}
}

func TestVersionsOfDocuments(t *testing.T) {
	for version, reads := range map[int64]bool{0: true, documentVersion: true, documentVersion + 1: true, documentVersion + 2: false, 1 << 40: false} {
		err := decode(&table.Item{Key: table.Key{PK: "0.X#1"}, Doc: []byte(`{"name":"a"}`), DV: version}, new(sample))
		if (err == nil) != reads {
			t.Errorf("version %d: %v", version, err)
		}
	}
	err := decode(&table.Item{Key: table.Key{PK: "0.X#1"}, Doc: []byte(`{"name":`), DV: 1}, new(sample))
	if err == nil || !strings.Contains(err.Error(), "0.X#1") {
		t.Errorf("a torn document answers %v", err)
	}
}

// FuzzEncode states what a rewrite is: what the type knows is as the type has
// it, what it does not know is as it was stored.
func FuzzEncode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a","later":1}`, `{"inner":{"later":{"deep":[]}}}`, `{"named":{"a":"b"},"list":["x"],"at":"2026-07-01T12:00:00Z"}`,
		`{"inner":null}`, `{"later":null,"":{"":0}}`, `{"name":1}`, `null`, `{}`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(seed), "new", true)
	}
	f.Fuzz(func(t *testing.T, stored []byte, name string, flag bool) {
		document := sample{Name: name, Inner: inner{Flag: flag, Text: name}}
		got, err := encode(&document, stored)
		if err != nil {
			return
		}
		var before, after map[string]json.RawMessage
		if json.Unmarshal(stored, &before) != nil || !exact(before, sampleMembers) {
			return // no release writes two members that differ in case alone
		}
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%s is no object: %v", got, err)
		}
		for member, value := range before {
			if !slices.Contains(sampleMembers, member) && !same(after[member], value) {
				t.Fatalf("over %s stands %s: %q was lost", stored, got, member)
			}
		}
		for member := range after {
			_, was := before[member]
			if !was && !slices.Contains(sampleMembers, member) {
				t.Fatalf("over %s stands %s: %q is made up", stored, got, member)
			}
		}
		var read sample
		if err := json.Unmarshal(got, &read); err != nil {
			t.Fatal(err)
		}
		// Invalid UTF-8 is replaced by encoding/json, once.
		wanted, _ := json.Marshal(document)
		var want sample
		if err := json.Unmarshal(wanted, &want); err != nil {
			t.Fatal(err)
		}
		if inside := map[string]json.RawMessage{}; json.Unmarshal(before["inner"], &inside) == nil && !exact(inside, []string{"flag", "text"}) {
			return
		}
		if !reflect.DeepEqual(read, want) {
			t.Fatalf("over %s stands %s, read as %+v, want %+v", stored, got, read, want)
		}
	})
}

var sampleMembers = []string{"name", "note", "count", "at", "list", "inner", "named"}

// exact tells whether no member is one of names in another case, as which
// encoding/json would read it.
func exact(members map[string]json.RawMessage, names []string) bool {
	for member := range maps.Keys(members) {
		for _, name := range names {
			if member != name && strings.EqualFold(member, name) {
				return false
			}
		}
	}
	return true
}

func same(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(escaped(x.Bytes()), escaped(y.Bytes()))
}

// escaped writes JSON as encoding/json does when it is part of a document.
func escaped(raw []byte) []byte {
	var out bytes.Buffer
	json.HTMLEscape(&out, raw)
	return out.Bytes()
}
