package dynamodb

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestSizes(t *testing.T) {
	for name, c := range map[string]struct {
		item attributes
		want int
	}{
		"nothing":                    {nil, 0},
		"a text":                     {attributes{"pk": {"S": "äö"}}, 2 + 4},
		"a number of three digits":   {attributes{"n": {"N": "-123"}}, 1 + 1 + 2},
		"zeros at both ends":         {attributes{"n": {"N": "1000"}}, 1 + 1 + 1},
		"bytes":                      {attributes{"b": {"B": "aGVsbG8="}}, 1 + 5},
		"names count, and all of it": {attributes{"doc": {"S": "x"}, "v": {"N": "1"}}, 4 + 3},
	} {
		if got := c.item.size(); got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, got, c.want)
		}
	}
}

// sized is an item of so many bytes, in the index where place is not "".
func sized(bytes int, place string) attributes {
	item := attributes{}
	if place != "" {
		item = attributes{"gk": {"S": place}, "gs": {"S": "1"}}
	}
	item["x"] = map[string]string{"S": strings.Repeat("x", bytes-item.size()-1)}
	return item
}

func TestReadsCostStartedUnits(t *testing.T) {
	text := func(bytes int) string { return fmt.Sprintf(`{"x":{"S":%q}}`, strings.Repeat("x", bytes-1)) }
	batch := func(consistent bool, keys int) request {
		return request{RequestItems: map[string]batch{"t": {Keys: make([]json.RawMessage, keys), ConsistentRead: consistent}}}
	}
	one := attributes{"pk": {"S": "1"}}
	for name, c := range map[string]struct {
		in     request
		answer string
		want   float64
	}{
		"an item of 4 KB":              {request{Key: one, ConsistentRead: true}, `{"Item":` + text(4096) + `}`, 1},
		"an item of a byte more":       {request{Key: one, ConsistentRead: true}, `{"Item":` + text(4097) + `}`, 2},
		"nothing there":                {request{Key: one, ConsistentRead: true}, `{}`, 1},
		"not consistently":             {request{Key: one}, `{"Item":` + text(5000) + `}`, 1},
		"a batch, each by itself":      {batch(true, 3), `{"Responses":{"t":[` + text(10) + `,` + text(4097) + `]}}`, 1 + 2 + 1},
		"a page, as a whole":           {request{ConsistentRead: true}, `{"Items":[` + text(2000) + `,` + text(2000) + `]}`, 1},
		"a page of an index":           {request{}, `{"Items":[` + text(4000) + `,` + text(4000) + `]}`, 1},
		"a page with nothing on it":    {request{}, `{"Items":[]}`, 0.5},
		"a batch, but not consistent":  {batch(false, 2), `{"Responses":{"t":[` + text(10) + `]}}`, 1},
		"an item of nothing but a key": {request{Key: one, ConsistentRead: true}, `{"Item":{"pk":{"S":"1"}}}`, 1},
	} {
		if got := readCost(c.in, []byte(c.answer)); got != (Units{Read: c.want}) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestWritesCostTheLargerItemAndTheIndex(t *testing.T) {
	plain, large := sized(1024, ""), sized(1025, "")
	here, there, grown := sized(500, "a"), sized(600, "b"), sized(1500, "a")
	for name, c := range map[string]struct {
		before, after attributes
		single, twice float64 // alone, and in a transaction
	}{
		"a new item":              {nil, plain, 1, 2},
		"one that grows":          {plain, large, 2, 4},
		"one that shrinks":        {large, plain, 2, 4},
		"one that goes":           {large, nil, 2, 4},
		"a condition that failed": {large, large, 2, 4},
		"nothing there":           {nil, nil, 1, 2},
		"into the index":          {nil, here, 2, 3},
		"out of the index":        {here, nil, 2, 3},
		"elsewhere in the index":  {here, there, 3, 4},
		"larger in its place":     {here, grown, 4, 6},
		"checked in its place":    {here, here, 1, 2},
	} {
		before, after := []attributes{c.before}, []attributes{c.after}
		if got := writeCost(before, after, false); got != (Units{Write: c.single}) {
			t.Errorf("%s: %v, want %v", name, got, c.single)
		}
		if got := writeCost(before, after, true); got != (Units{Write: c.twice}) {
			t.Errorf("%s in a transaction: %v, want %v", name, got, c.twice)
		}
	}
}
