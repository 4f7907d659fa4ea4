package tabletest

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"styx/internal/table"
)

func itemComesBack(t *testing.T, tab table.Table) {
	for name, i := range map[string]table.Item{
		"everything": {
			Key: key("0.T#all", "S#1"), Doc: []byte(`{"a":"b"}`), V: 7, DV: 1, Exp: 1_900_000_000_000, TTL: 1_900_000_000,
			N: 3, St: "queued", GK: "m#0", GS: "0190",
		},
		"a key alone": {Key: key("0.T#bare", "#")},
		"unicode":     {Key: key("0.T#ünï\u2028", "S#日本😀"), Doc: []byte("{\"x\":\"\u0001é日😀\\u0000\"}"), St: "ß"},
		"NUL in text": {Key: key("0.T#nul", "#"), Doc: []byte("a\x00b"), St: "\x00"},
		"negatives":   {Key: key("0.T#neg", "#"), V: -1, N: math.MinInt64, Exp: math.MaxInt64},
		"large":       {Key: key("0.T#large", "#"), Doc: letters(300 << 10)},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, tab, table.Put(i))
			want(t, tab, i.Key, &i)
			write(t, tab, table.Put(i), table.Check(key("0.T#nobody", "#"), table.Absent()))
			want(t, tab, i.Key, &i)
		})
	}
	t.Run("an empty document is none", func(t *testing.T) {
		write(t, tab, table.Put(table.Item{Key: one(), Doc: []byte{}}))
		want(t, tab, one(), &table.Item{Key: one()})
	})
	t.Run("longest keys", func(t *testing.T) {
		i := item(key(string(letters(2048)), string(letters(1024))), "{}")
		write(t, tab, table.Put(i))
		want(t, tab, i.Key, &i)
	})
}

func getAligned(t *testing.T, tab table.Table) {
	a, b := item(key("0.T#a", "#"), `"a"`), item(key("0.T#b", "#"), `"b"`)
	write(t, tab, table.Put(a))
	write(t, tab, table.Put(b))
	none := key("0.T#none", "#")
	keys := []table.Key{b.Key, none, a.Key, b.Key, none, key("0.T#a", "other")}
	got, err := tab.Get(t.Context(), keys...)
	if err != nil {
		t.Fatal(err)
	}
	wanted := []*table.Item{&b, nil, &a, &b, nil, nil}
	if len(got) != len(wanted) {
		t.Fatalf("%d answers to %d keys", len(got), len(keys))
	}
	for i := range wanted {
		if show(got[i]) != show(wanted[i]) {
			t.Errorf("key %d: got %s, want %s", i, show(got[i]), show(wanted[i]))
		}
	}
	got[0].Doc[1] = 'x'
	if string(got[3].Doc) != `"b"` {
		t.Error("two answers share one document")
	}
}

func getMany(t *testing.T, tab table.Table) {
	const n = 230
	keys := make([]table.Key, n)
	for i := range keys {
		keys[i] = key(fmt.Sprintf("0.T#%03d", i), "#")
	}
	for from := 0; from < n; from += table.MaxOps {
		var ops []table.Op
		for _, k := range keys[from:min(from+table.MaxOps, n)] {
			if k.PK[len(k.PK)-1] != '7' {
				ops = append(ops, table.Put(item(k, `"`+k.PK+`"`)))
			}
		}
		write(t, tab, ops...)
	}
	got, err := tab.Get(t.Context(), keys...)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range keys {
		switch absent := k.PK[len(k.PK)-1] == '7'; {
		case absent != (got[i] == nil):
			t.Errorf("%v: got %s", k, show(got[i]))
		case !absent && got[i].Key != k:
			t.Errorf("%v: got %s", k, show(got[i]))
		}
	}
}

func conditions(t *testing.T, tab table.Table) {
	full := &table.Item{Key: one(), Doc: []byte("{}"), V: 5, Exp: 1000, N: -2, St: "mine", GK: "g", GS: "s"}
	bare := &table.Item{Key: one()}
	conds := map[string]table.Cond{
		"absent":             table.Absent(),
		"exists":             table.Exists(),
		"v is 5":             table.Is(table.AttrV, 5),
		"v is 0":             table.Is(table.AttrV, int64(0)),
		"v is not 0":         table.Not(table.Is(table.AttrV, 0)),
		"v is not 5":         table.Not(table.Is(table.AttrV, 5)),
		"v under 5":          table.Less(table.AttrV, 5),
		"v under 6":          table.Less(table.AttrV, 6),
		"v under 0":          table.Less(table.AttrV, 0),
		"v over 5":           table.More(table.AttrV, 5),
		"v over 4":           table.More(table.AttrV, 4),
		"v over -1":          table.More(table.AttrV, -1),
		"v not over -1":      table.Not(table.More(table.AttrV, -1)),
		"n under -1":         table.Less(table.AttrN, -1),
		"n under 1":          table.Less(table.AttrN, 1),
		"exp over 999":       table.More(table.AttrExp, 999),
		"st is mine":         table.Is(table.AttrSt, "mine"),
		"st is empty":        table.Is(table.AttrSt, ""),
		"st is not mine":     table.Not(table.Is(table.AttrSt, "mine")),
		"st is not empty":    table.Not(table.Is(table.AttrSt, "")),
		"doc is {}":          table.Is(table.AttrDoc, []byte("{}")),
		"doc is empty":       table.Is(table.AttrDoc, ""),
		"gs is s":            table.Is(table.AttrGS, "s"),
		"absent or mine":     table.Any(table.Absent(), table.Is(table.AttrSt, "mine")),
		"absent or yours":    table.Any(table.Absent(), table.Is(table.AttrSt, "yours")),
		"mine and v 5":       table.All(table.Is(table.AttrSt, "mine"), table.Is(table.AttrV, 5)),
		"mine and v 6":       table.All(table.Is(table.AttrSt, "mine"), table.Is(table.AttrV, 6)),
		"all of none":        table.All(),
		"any of none":        table.Any(),
		"not all of none":    table.Not(table.All()),
		"exists, any of any": table.All(table.Exists(), table.Any(table.Any(), table.All())),
		"deep":               table.Not(table.Any(table.Not(table.Exists()), table.All(table.Less(table.AttrV, 9), table.Not(table.Is(table.AttrSt, "mine"))))),
	}
	for where, old := range map[string]*table.Item{"a full item": full, "a bare item": bare, "no item": nil} {
		for name, cond := range conds {
			t.Run(name+" on "+where, func(t *testing.T) {
				write(t, tab, table.Delete(one()))
				if old != nil {
					write(t, tab, table.Put(*old))
				}
				holds := table.Holds(cond, old)
				now := table.Item{Key: one(), St: "new"}
				other := key("0.T#other", "#")
				for _, call := range []struct {
					name string
					ops  []table.Op
				}{
					{"check", []table.Op{table.Check(one(), cond, table.All())}},
					{"put", []table.Op{table.Put(now, cond)}},
					{"transaction", []table.Op{table.Delete(other), table.Put(now, cond)}},
				} {
					if call.name != "check" { // a put before this one may have been let through
						write(t, tab, table.Delete(one()))
						if old != nil {
							write(t, tab, table.Put(*old))
						}
					}
					err := tab.Write(t.Context(), call.ops...)
					var failed *table.ConditionFailed
					if err != nil && !errors.As(err, &failed) {
						t.Fatalf("%s: %v", call.name, err)
					}
					if (err == nil) != holds {
						t.Errorf("%s: got %v, though Holds is %v", call.name, err, holds)
					}
				}
			})
		}
	}
}

func failedCondition(t *testing.T, tab table.Table) {
	stands := table.Item{Key: one(), Doc: []byte(`{"x":1}`), V: 3, St: "a", GK: "g", GS: "s", TTL: 1_900_000_000}
	write(t, tab, table.Put(stands))
	other := key("0.T#other", "#")

	refused(t, tab.Write(t.Context(), table.Put(item(one(), "{}"), table.Absent())), 0, &stands)
	refused(t, tab.Write(t.Context(), table.Update(one(), []table.Change{table.Set(table.AttrV, 4)}, table.Is(table.AttrV, 2))), 0, &stands)
	refused(t, tab.Write(t.Context(), table.Delete(one(), table.Is(table.AttrSt, "b"))), 0, &stands)
	refused(t, tab.Write(t.Context(), table.Check(one(), table.Absent())), 0, &stands)
	refused(t, tab.Write(t.Context(), table.Put(item(other, "{}"), table.Exists())), 0, nil)
	refused(t, tab.Write(t.Context(), table.Delete(other, table.Exists())), 0, nil)
	want(t, tab, one(), &stands)
	want(t, tab, other, nil)

	err := tab.Write(t.Context(),
		table.Put(item(other, "{}")),
		table.Check(key("0.T#third", "#"), table.Absent()),
		table.Update(one(), []table.Change{table.Add(table.AttrN, 1)}, table.Is(table.AttrV, 9)),
		table.Delete(key("0.T#fourth", "#"), table.Exists()),
	)
	refused(t, err, 2, &stands)
	want(t, tab, one(), &stands)
	want(t, tab, other, nil)
}

func allOrNothing(t *testing.T, tab table.Table) {
	ops := func(last ...table.Cond) []table.Op {
		var ops []table.Op
		for i := range table.MaxOps {
			op := table.Put(item(key("0.T#many", fmt.Sprintf("%03d", i)), "{}"), table.Absent())
			if i == table.MaxOps-1 {
				op = table.Put(op.Item, last...)
			}
			ops = append(ops, op)
		}
		return ops
	}
	refused(t, tab.Write(t.Context(), ops(table.Exists())...), 99, nil)
	if page := query(t, tab, table.Query{PK: "0.T#many"}); len(page.Items) != 0 {
		t.Errorf("%d items of a refused transaction are stored", len(page.Items))
	}
	write(t, tab, ops()...)
	if page := query(t, tab, table.Query{PK: "0.T#many"}); len(page.Items) != table.MaxOps {
		t.Errorf("%d items of %d are stored", len(page.Items), table.MaxOps)
	}
}

func update(t *testing.T, tab table.Table) {
	change := func(c ...table.Change) table.Op { return table.Update(one(), c) }

	write(t, tab, change(table.Add(table.AttrN, 2), table.Set(table.AttrSt, "x")))
	want(t, tab, one(), &table.Item{Key: one(), N: 2, St: "x"})

	write(t, tab, change(table.Add(table.AttrN, -3), table.Set(table.AttrDoc, []byte("[1]")), table.Set(table.AttrV, 1)))
	want(t, tab, one(), &table.Item{Key: one(), N: -1, St: "x", V: 1, Doc: []byte("[1]")})

	write(t, tab, change(table.Add(table.AttrN, 1), table.Unset(table.AttrSt), table.Set(table.AttrDoc, ""), table.Set(table.AttrV, 0)))
	want(t, tab, one(), &table.Item{Key: one()})
	write(t, tab, table.Check(one(), table.Is(table.AttrN, 0), table.Less(table.AttrN, 1), table.More(table.AttrN, -1)))

	absent := key("0.T#absent", "#")
	refused(t, tab.Write(t.Context(), table.Update(absent, []table.Change{table.Set(table.AttrV, 1)}, table.Exists())), 0, nil)
	want(t, tab, absent, nil)
	write(t, tab, table.Update(absent, []table.Change{table.Unset(table.AttrSt)}))
	want(t, tab, absent, &table.Item{Key: absent})

	capped := table.Update(key("0.T#cap", "#"), []table.Change{table.Add(table.AttrN, 1), table.Set(table.AttrTTL, 1_900_000_000)}, table.Less(table.AttrN, 2))
	write(t, tab, capped)
	write(t, tab, capped)
	refused(t, tab.Write(t.Context(), capped), 0, &table.Item{Key: capped.Key, N: 2, TTL: 1_900_000_000})
}

func putReplaces(t *testing.T, tab table.Table) {
	full := table.Item{Key: one(), Doc: []byte("{}"), V: 5, DV: 1, Exp: 1, TTL: 1_900_000_000, N: 1, St: "s", GK: "g", GS: "s"}
	for name, ops := range map[string][]table.Op{
		"alone":            nil,
		"in a transaction": {table.Delete(key("0.T#other", "#"))},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, tab, table.Put(full))
			write(t, tab, append(ops, table.Put(table.Item{Key: one(), DV: 2}))...)
			want(t, tab, one(), &table.Item{Key: one(), DV: 2})
			eventually(t, "the item leaves the index", func() bool { return len(query(t, tab, table.Query{GK: "g"}).Items) == 0 })
		})
	}
}

func remove(t *testing.T, tab table.Table) {
	i := table.Item{Key: one(), V: 1, GK: "g", GS: "s"}
	write(t, tab, table.Delete(one()))
	write(t, tab, table.Put(i))
	write(t, tab, table.Delete(one()))
	want(t, tab, one(), nil)
	write(t, tab, table.Put(i))
	refused(t, tab.Write(t.Context(), table.Delete(one(), table.Is(table.AttrV, 2))), 0, &i)
	write(t, tab, table.Delete(one(), table.Is(table.AttrV, 1)))
	want(t, tab, one(), nil)
	refused(t, tab.Write(t.Context(), table.Delete(one(), table.Is(table.AttrV, 1))), 0, nil)
	write(t, tab, table.Delete(one(), table.Absent()), table.Put(item(key("0.T#other", "#"), "{}")))
}

func check(t *testing.T, tab table.Table) {
	i := table.Item{Key: one(), V: 1}
	write(t, tab, table.Put(i))
	other := item(key("0.T#other", "#"), "{}")
	refused(t, tab.Write(t.Context(), table.Put(other), table.Check(one(), table.Is(table.AttrV, 2))), 1, &i)
	want(t, tab, other.Key, nil)
	write(t, tab, table.Put(other), table.Check(one(), table.Is(table.AttrV, 1)))
	want(t, tab, other.Key, &other)
	want(t, tab, one(), &i)
	write(t, tab, table.Check(key("0.T#absent", "#"), table.Absent()))
	want(t, tab, key("0.T#absent", "#"), nil)
}
