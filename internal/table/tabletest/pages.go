package tabletest

import (
	"fmt"
	"testing"
	"time"

	"styx/internal/table"
)

func fill(t *testing.T, tab table.Table, pk string, sks ...string) {
	t.Helper()
	for _, sk := range sks {
		write(t, tab, table.Put(item(key(pk, sk), "{}")))
	}
}

func pages(t *testing.T, tab table.Table) {
	const pk = "0.T#p"
	fill(t, tab, pk, "S#3", "S#1", "#", "S#5", "S#2", "S#4", "T#9")
	fill(t, tab, "0.T#o", "S#0")
	fill(t, tab, "0.T#pp", "S#9")
	for _, c := range []struct {
		q     table.Query
		pages string
	}{
		{table.Query{}, "# S#1 S#2 S#3 S#4 S#5 T#9"},
		{table.Query{Reverse: true}, "T#9 S#5 S#4 S#3 S#2 S#1 #"},
		{table.Query{Limit: 3}, "# S#1 S#2|S#3 S#4 S#5|T#9"},
		{table.Query{Limit: 7}, "# S#1 S#2 S#3 S#4 S#5 T#9"},
		{table.Query{Limit: 100}, "# S#1 S#2 S#3 S#4 S#5 T#9"},
		{table.Query{Prefix: "S#"}, "S#1 S#2 S#3 S#4 S#5"},
		{table.Query{Prefix: "S#", Limit: 2}, "S#1 S#2|S#3 S#4|S#5"},
		{table.Query{Prefix: "S#", Limit: 2, Reverse: true}, "S#5 S#4|S#3 S#2|S#1"},
		{table.Query{Prefix: "S#", Limit: 1, After: "S#3"}, "S#4|S#5"},
		{table.Query{Prefix: "S#", After: "S#3", Reverse: true}, "S#2 S#1"},
		{table.Query{Prefix: "S#", After: "S#25"}, "S#3 S#4 S#5"},
		{table.Query{Prefix: "S#", After: "S#25", Reverse: true}, "S#2 S#1"},
		{table.Query{Prefix: "S#", After: "S#5"}, ""},
		{table.Query{Prefix: "S#", After: "S#1", Reverse: true}, ""},
		{table.Query{After: "S#5"}, "T#9"},
		{table.Query{After: "S#1", Reverse: true}, "#"},
		{table.Query{Prefix: "S#3"}, "S#3"},
		{table.Query{Prefix: "X"}, ""},
	} {
		c.q.PK = pk
		t.Run(fmt.Sprintf("%+v", c.q), func(t *testing.T) {
			if got := walk(t, tab, c.q); got != c.pages {
				t.Errorf("got %q, want %q", got, c.pages)
			}
		})
	}
	if page := query(t, tab, table.Query{PK: "0.T#nobody"}); len(page.Items) != 0 || page.More {
		t.Errorf("an empty partition answers %+v", page)
	}
	// Exactly the limit, and nothing after it.
	if page := query(t, tab, table.Query{PK: pk, Prefix: "S#", Limit: 5}); len(page.Items) != 5 || page.More {
		t.Errorf("%d items, more %v; want 5, false", len(page.Items), page.More)
	}
}

func prefixes(t *testing.T, tab table.Table) {
	const pk = "0.T#p"
	fill(t, tab, pk, "a", "a\x7f", "aÿ", "a\U0010ffff", "a\U0010ffffb", "b", "A", "é", "日")
	for prefix, wanted := range map[string]string{
		"a":           "a a\x7f aÿ a\U0010ffff a\U0010ffffb",
		"a\U0010ffff": "a\U0010ffff a\U0010ffffb",
		"":            "A a a\x7f aÿ a\U0010ffff a\U0010ffffb b é 日",
		"日":           "日",
	} {
		up := query(t, tab, table.Query{PK: pk, Prefix: prefix})
		if got := sortKeys(up); got != wanted {
			t.Errorf("prefix %q: got %q, want %q", prefix, got, wanted)
		}
		down := query(t, tab, table.Query{PK: pk, Prefix: prefix, Reverse: true})
		for i, n := 0, len(down.Items); i < n && n == len(up.Items); i++ {
			if down.Items[i].SK != up.Items[n-1-i].SK {
				t.Errorf("prefix %q: down is %q", prefix, sortKeys(down))
				break
			}
		}
		if len(down.Items) != len(up.Items) {
			t.Errorf("prefix %q: %d up, %d down", prefix, len(up.Items), len(down.Items))
		}
	}
}

func fullPage(t *testing.T, tab table.Table) {
	const pk, n = "0.T#big", 8
	for i := range n {
		write(t, tab, table.Put(table.Item{Key: key(pk, fmt.Sprint(i)), Doc: letters(300 << 10)}))
	}
	for _, limit := range []int{0, n, 100} {
		page := query(t, tab, table.Query{PK: pk, Limit: limit})
		if len(page.Items) < 2 || len(page.Items) > 4 || !page.More {
			t.Errorf("limit %d: a page of %d items of 300 KB, more %v", limit, len(page.Items), page.More)
		}
		seen := len(page.Items)
		for page.More {
			page = query(t, tab, table.Query{PK: pk, Limit: limit, After: page.Items[len(page.Items)-1].SK})
			seen += len(page.Items)
			if len(page.Items) == 0 {
				break
			}
		}
		if seen != n {
			t.Errorf("limit %d: %d items of %d on all pages", limit, seen, n)
		}
	}
}

func indexMembers(t *testing.T, tab table.Table) {
	members := func(gk string) string { return sortKeys(query(t, tab, table.Query{GK: gk})) }
	becomes := func(gk, wanted string) {
		t.Helper()
		eventually(t, fmt.Sprintf("index %s is %q", gk, wanted), func() bool { return members(gk) == wanted })
	}
	full := table.Item{Key: key("0.T#1", "both"), Doc: []byte(`{"a":1}`), V: 1, St: "x", GK: "g", GS: "1"}
	write(t, tab, table.Put(full))
	write(t, tab, table.Put(table.Item{Key: key("0.T#2", "gk"), GK: "g"}))
	write(t, tab, table.Put(table.Item{Key: key("0.T#3", "gs"), GS: "3"}))
	becomes("g", "both")
	if got := query(t, tab, table.Query{GK: "g"}).Items[0]; show(&got) != show(&full) {
		t.Errorf("the index holds %s, want %s", show(&got), show(&full))
	}
	write(t, tab, table.Update(key("0.T#2", "gk"), []table.Change{table.Set(table.AttrGS, "0")}))
	becomes("g", "gk both")
	write(t, tab, table.Update(key("0.T#1", "both"), []table.Change{table.Set(table.AttrGK, "h"), table.Set(table.AttrSt, "y")}),
		table.Update(key("0.T#3", "gs"), []table.Change{table.Set(table.AttrGK, "h")}))
	becomes("g", "gk")
	becomes("h", "both gs")
	if got := query(t, tab, table.Query{GK: "h", Limit: 1}).Items[0].St; got != "y" {
		t.Errorf("the index has status %q", got)
	}
	write(t, tab, table.Update(key("0.T#3", "gs"), []table.Change{table.Unset(table.AttrGS)}))
	becomes("h", "both")
	write(t, tab, table.Delete(key("0.T#1", "both")))
	becomes("h", "")
}

func indexPages(t *testing.T, tab table.Table) {
	for _, gs := range []string{"3", "1", "5", "2", "4", "25"} {
		write(t, tab, table.Put(table.Item{Key: key("0.T#"+gs, gs), GK: "g", GS: gs}))
	}
	write(t, tab, table.Put(table.Item{Key: key("0.T#x", "x"), GK: "gg", GS: "3"}))
	eventually(t, "all are in the index", func() bool { return len(query(t, tab, table.Query{GK: "g"}).Items) == 6 })
	for _, c := range []struct {
		q     table.Query
		pages string
	}{
		{table.Query{}, "1 2 25 3 4 5"},
		{table.Query{Reverse: true}, "5 4 3 25 2 1"},
		{table.Query{Limit: 2}, "1 2|25 3|4 5"},
		{table.Query{Limit: 4, Reverse: true}, "5 4 3 25|2 1"},
		{table.Query{After: "2", Limit: 1}, "25|3|4|5"},
		{table.Query{After: "22"}, "25 3 4 5"},
		{table.Query{After: "25", Reverse: true}, "2 1"},
		{table.Query{After: "5"}, ""},
		{table.Query{After: "1", Reverse: true}, ""},
	} {
		c.q.GK = "g"
		t.Run(fmt.Sprintf("%+v", c.q), func(t *testing.T) {
			if got := walk(t, tab, c.q); got != c.pages {
				t.Errorf("got %q, want %q", got, c.pages)
			}
		})
	}
}

func expired(t *testing.T, tab table.Table) {
	// Expired an hour ago by any clock a test may have; the store may delete it in a century.
	i := table.Item{Key: one(), Exp: 1000, TTL: time.Now().AddDate(100, 0, 0).Unix(), GK: "g", GS: "s"}
	write(t, tab, table.Put(i))
	want(t, tab, one(), &i)
	if page := query(t, tab, table.Query{PK: one().PK}); len(page.Items) != 1 {
		t.Error("an expired item is missing in its partition")
	}
	eventually(t, "an expired item is in the index", func() bool { return len(query(t, tab, table.Query{GK: "g"}).Items) == 1 })
	refused(t, tab.Write(t.Context(), table.Put(i, table.Absent())), 0, &i)
	write(t, tab, table.Put(i, table.Any(table.Absent(), table.Less(table.AttrExp, 2000))))
}
