package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Walk calls visit for every scalar of a document, as text, with the keys that
// lead there. The order is steady; a null counts as not written.
func Walk(document any, visit func(at []string, value string)) { walk(document, nil, visit) }

func walk(value any, at []string, visit func(at []string, value string)) {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			walk(value[key], append(slices.Clip(at), key), visit)
		}
	case []any:
		for i, one := range value {
			walk(one, append(slices.Clip(at), strconv.Itoa(i)), visit)
		}
	case nil:
	default:
		visit(at, fmt.Sprint(value))
	}
}
