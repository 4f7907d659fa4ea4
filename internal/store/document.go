package store

import (
	"encoding/json"
	"fmt"

	"styx/internal/table"
)

// documentVersion is the version of every document this release writes. It
// reads documents up to one version above and leaves what it does not know.
const documentVersion = 1

// decode reads an item's document.
func decode(item *table.Item, into any) error {
	if item.DV > documentVersion+1 {
		return fmt.Errorf("document %s has version %d, this release reads up to %d", item.PK, item.DV, documentVersion+1)
	}
	if err := json.Unmarshal(item.Doc, into); err != nil {
		return fmt.Errorf("decode document %s: %w", item.PK, err)
	}
	return nil
}

// encode writes a document anew over the one it was read from, nil for none.
// What the stored document holds and T does not know is kept: a member is
// unknown when T, read from the stored document and written again, lacks it.
func encode[T any](document *T, stored []byte) ([]byte, error) {
	fresh, err := json.Marshal(document)
	if err != nil || stored == nil {
		return fresh, err
	}
	var before T
	if err := json.Unmarshal(stored, &before); err != nil {
		return nil, fmt.Errorf("read stored document: %w", err)
	}
	known, err := json.Marshal(&before)
	if err != nil {
		return nil, err
	}
	return keepUnknown(fresh, stored, known)
}

// keepUnknown adds to fresh the members of stored that known lacks, at every
// depth of nested objects.
func keepUnknown(fresh, stored, known json.RawMessage) (json.RawMessage, error) {
	var into, from, knows map[string]json.RawMessage
	for document, members := range map[*json.RawMessage]*map[string]json.RawMessage{&fresh: &into, &stored: &from, &known: &knows} {
		if err := json.Unmarshal(*document, members); err != nil || *members == nil {
			return fresh, nil //nolint:nilerr // not an object: it has no members to keep
		}
	}
	for name, value := range from {
		was, isKnown := knows[name]
		now, isThere := into[name]
		switch {
		case !isKnown && !isThere:
			into[name] = value
		case isKnown && isThere:
			kept, err := keepUnknown(now, value, was)
			if err != nil {
				return nil, err
			}
			into[name] = kept
		}
	}
	return json.Marshal(into)
}

// writable refuses to overwrite a document of a release that is not known here.
var writable = table.Not(table.More(table.AttrDV, documentVersion))
