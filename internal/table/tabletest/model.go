package tabletest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"styx/internal/table"
)

// model is a table as simple as it can be said.
type model map[table.Key]table.Item

func (m model) get(k table.Key) *table.Item {
	if i, ok := m[k]; ok {
		return &i
	}
	return nil
}

func (m model) query(q table.Query) table.Page {
	place := func(i table.Item) string {
		if q.GK != "" {
			return i.GS
		}
		return i.SK
	}
	var found []table.Item
	for _, i := range m {
		member := i.PK == q.PK && strings.HasPrefix(i.SK, q.Prefix)
		if q.GK != "" {
			member = i.GK == q.GK && i.GS != ""
		}
		up := place(i) > q.After
		if q.Reverse {
			up = q.After == "" || place(i) < q.After
		}
		if member && up {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b table.Item) int { return strings.Compare(place(a), place(b)) })
	if q.Reverse {
		slices.Reverse(found)
	}
	page := table.Page{Items: found}
	if q.Limit > 0 && len(found) > q.Limit {
		page.Items, page.More = found[:q.Limit], true
	}
	return page
}

func (m model) write(ops []table.Op) error {
	if err := table.Validate(ops); err != nil {
		return err
	}
	for i, op := range ops {
		if old := m.get(op.Key); !table.Holds(op.When, old) {
			return &table.ConditionFailed{Op: i, Item: old}
		}
	}
	for _, op := range ops {
		if now := table.Apply(op, m.get(op.Key)); now != nil {
			m[op.Key] = *now
		} else {
			delete(m, op.Key)
		}
	}
	return nil
}

// Agree plays random calls, the same for the same seed, against an empty table and the model, and fails at the first
// answer that differs.
func Agree(t *testing.T, tab table.Table, seed uint64, calls int) {
	t.Helper()
	d := dice{rand.New(rand.NewPCG(seed, 0))}
	m := model{}
	for n := range calls {
		switch d.IntN(4) {
		case 0:
			keys := d.keys(1 + d.IntN(4))
			got, err := tab.Get(t.Context(), keys...)
			if err != nil {
				t.Fatalf("seed %d, call %d: get %v: %v", seed, n, keys, err)
			}
			for i, k := range keys {
				if want := m.get(k); !reflect.DeepEqual(got[i], want) {
					t.Fatalf("seed %d, call %d: get %v:\n got %s\nwant %s", seed, n, k, show(got[i]), show(want))
				}
			}
		case 1:
			q := d.query()
			want := m.query(q)
			agreed := func() (string, bool) {
				got, err := tab.Query(t.Context(), q)
				if err != nil {
					t.Fatalf("seed %d, call %d: query %+v: %v", seed, n, q, err)
				}
				same := got.More == want.More && len(got.Items) == len(want.Items)
				for i := 0; same && i < len(got.Items); i++ {
					same = reflect.DeepEqual(got.Items[i], want.Items[i])
				}
				return fmt.Sprintf("%+v", got), same
			}
			if q.GK != "" {
				eventually(t, fmt.Sprintf("seed %d, call %d: query %+v is %+v", seed, n, q, want), func() bool { _, same := agreed(); return same })
			} else if got, same := agreed(); !same {
				t.Fatalf("seed %d, call %d: query %+v:\n got %s\nwant %+v", seed, n, q, got, want)
			}
		default:
			ops := d.ops()
			got, want := tab.Write(t.Context(), ops...), m.write(ops)
			if !sameError(got, want) {
				t.Fatalf("seed %d, call %d: write %+v:\n got %v\nwant %v", seed, n, ops, got, want)
			}
		}
	}
}

func sameError(got, want error) bool {
	var a, b *table.ConditionFailed
	if errors.As(want, &b) {
		return errors.As(got, &a) && a.Op == b.Op && reflect.DeepEqual(a.Item, b.Item)
	}
	for _, kind := range []error{table.ErrDuplicateKey, table.ErrTooLarge, table.ErrInvalid} {
		if errors.Is(got, kind) != errors.Is(want, kind) {
			return false
		}
	}
	return (got == nil) == (want == nil)
}

// dice rolls calls over a handful of keys and values, so that they meet often.
type dice struct{ *rand.Rand }

func (d dice) pick(from ...string) string { return from[d.IntN(len(from))] }

func (d dice) key() table.Key {
	return table.Key{PK: d.pick("0.A", "0.AB", "0.B"), SK: d.pick("#", "S#1", "S#2", "S#2\xc3\xbf", "S#3", "T")}
}

func (d dice) keys(n int) []table.Key {
	keys := make([]table.Key, n)
	for i := range keys {
		keys[i] = d.key()
	}
	return keys
}

// place is the only GS an item ever has, as GS is unique within GK.
func place(k table.Key) string { return k.SK + "/" + k.PK }

func (d dice) query() table.Query {
	q := table.Query{Reverse: d.IntN(2) == 0, Limit: d.IntN(5)}
	if d.IntN(3) == 0 {
		q.GK = d.pick("g", "gg")
		if d.IntN(2) == 0 {
			q.After = place(d.key())
		}
		return q
	}
	q.PK, q.Prefix = d.key().PK, d.pick("", "S", "S#", "S#2", "T", "X")
	if d.IntN(2) == 0 {
		q.After = q.Prefix + d.pick("", "1", "2", "5", "#2", "#25")
	}
	return q
}

func (d dice) number() int64 { return int64(d.IntN(5)) - 1 }

func (d dice) attr() table.Attr {
	return table.Attr(d.pick("v", "dv", "exp", "n"))
}

func (d dice) cond(depth int) table.Cond {
	roll := d.IntN(9)
	if depth == 0 {
		roll = d.IntN(6)
	}
	switch roll {
	case 0:
		return table.Absent()
	case 1:
		return table.Exists()
	case 2:
		return table.Is(d.attr(), d.number())
	case 3:
		return table.Less(d.attr(), d.number())
	case 4:
		return table.More(d.attr(), d.number())
	case 5:
		return table.Is(table.AttrSt, d.pick("", "a", "b"))
	case 6:
		return table.Not(d.cond(depth - 1))
	case 7:
		return table.All(d.cond(depth-1), d.cond(depth-1))
	default:
		return table.Any(d.cond(depth-1), d.cond(depth-1))
	}
}

func (d dice) conds() []table.Cond {
	if d.IntN(2) == 0 {
		return nil
	}
	return []table.Cond{d.cond(2)}
}

func (d dice) item() table.Item {
	i := table.Item{Key: d.key(), V: d.number(), DV: d.number(), Exp: d.number(), N: d.number(), St: d.pick("", "a", "b")}
	if doc := d.pick("", "{}", `{"a":"é"}`); doc != "" {
		i.Doc = []byte(doc)
	}
	i.GK = d.pick("", "g", "gg")
	if d.IntN(3) > 0 {
		i.GS = place(i.Key)
	}
	return i
}

func (d dice) changes(k table.Key) []table.Change {
	all := []table.Change{
		table.Add(table.AttrN, d.number()),
		table.Add(table.AttrV, 1),
		table.Set(table.AttrDV, d.number()),
		table.Set(table.AttrSt, d.pick("", "a", "b")),
		table.Set(table.AttrGK, d.pick("", "g", "gg")),
		table.Set(table.AttrGS, place(k)),
		table.Unset(table.AttrExp),
		table.Set(table.AttrDoc, d.pick("", "[]")),
	}
	d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:1+d.IntN(len(all))]
}

func (d dice) ops() []table.Op {
	ops := make([]table.Op, 1+max(0, d.IntN(6)-3))
	for i := range ops {
		switch k := d.key(); d.IntN(6) {
		case 0:
			ops[i] = table.Delete(k, d.conds()...)
		case 1:
			ops[i] = table.Check(k, d.cond(2))
		case 2, 3:
			ops[i] = table.Update(k, d.changes(k), d.conds()...)
		default:
			ops[i] = table.Put(d.item(), d.conds()...)
		}
	}
	return ops
}
