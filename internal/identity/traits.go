package identity

import (
	"encoding/json"
	"slices"
	"strconv"

	"styx/internal/identity/ordered"
)

// Trait is one scalar trait: its name from traits. on, items of arrays by their
// number, and its value as encoding/json would read it.
type Trait struct {
	Name  string
	Value any
}

// Flatten returns the scalars of an object of traits in their order. What is no
// object, or larger than a submission may be, has none.
func Flatten(traits json.RawMessage) []Trait {
	value, err := ordered.Parse(traits, ordered.Limits{Depth: maxValueDepth, Values: maxTraitValues})
	if err != nil || value.Kind() != ordered.Object {
		return nil
	}
	return flatten(nil, []string{"traits"}, value)
}

func flatten(list []Trait, path []string, value *ordered.Value) []Trait {
	below := func(name string) []string { return append(slices.Clip(path), name) }
	switch value.Kind() {
	case ordered.Object:
		for _, member := range value.Members() {
			list = flatten(list, below(member.Name), member.Value)
		}
	case ordered.Array:
		for at, item := range value.Items() {
			list = flatten(list, below(strconv.Itoa(at)), item)
		}
	default:
		list = append(list, Trait{dotted(path), value.Plain()})
	}
	return list
}
