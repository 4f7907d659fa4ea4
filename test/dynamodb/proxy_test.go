package dynamodb

import (
	"testing"
	"time"
)

func TestChain(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	call := func(start, end int) Call { return Call{Start: at(start), End: at(end)} }
	for name, c := range map[string]struct {
		calls []Call
		want  int
	}{
		"none":                       {nil, 0},
		"one":                        {[]Call{call(0, 5)}, 1},
		"two together":               {[]Call{call(0, 5), call(1, 6)}, 1},
		"two after one another":      {[]Call{call(0, 5), call(5, 6)}, 2},
		"one along two":              {[]Call{call(0, 20), call(0, 5), call(6, 12)}, 2},
		"overlapping like a stair":   {[]Call{call(0, 5), call(4, 9), call(8, 12), call(11, 15)}, 2},
		"two, then two, out of line": {[]Call{call(10, 15), call(0, 5), call(1, 6), call(11, 14)}, 2},
	} {
		if got := chain(c.calls); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
