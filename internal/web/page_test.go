package web

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// counted is the list 0, 1, … n-1.
func counted(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// sliced asks for a part of a list of n.
func sliced(t *testing.T, target string, n int) ([]int, http.Header, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	page, err := OffsetPage(r)
	if err != nil {
		return nil, nil, err
	}
	w := httptest.NewRecorder()
	return Slice(page, counted(n), w, r), w.Header(), nil
}

// TestLinksAsRecorded holds the Link header to the bytes that clients know.
func TestLinksAsRecorded(t *testing.T) {
	link := func(path, rel string, number, size int) string {
		token := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"offset":"%d","v":2}`, number*size))
		return fmt.Sprintf(`<%s?page=%d&page_size=%d&page_token=%s&per_page=%d>; rel="%s"`, path, number, size, token, size, rel)
	}
	for _, c := range []struct {
		target string
		n      int
		want   string
	}{
		{"/schemas", 1, `</schemas?page=0&page_size=1&page_token=eyJvZmZzZXQiOiIwIiwidiI6Mn0&per_page=1>; rel="first"`},
		{"/schemas", 250, link("/schemas", "first", 0, 250)},
		{"/sessions?page_size=2", 5, link("/sessions", "next", 1, 2) + "," + link("/sessions", "last", 2, 2)},
		{"/sessions?page=1&per_page=2", 5, link("/sessions", "first", 0, 2) + "," + link("/sessions", "next", 2, 2) + "," + link("/sessions", "prev", 0, 2) + "," + link("/sessions", "last", 2, 2)},
		{"/sessions?page=2&per_page=2", 5, link("/sessions", "first", 0, 2) + "," + link("/sessions", "prev", 1, 2)},
		{"/sessions", 0, link("/sessions", "first", 0, 250) + "," + link("/sessions", "next", 1, 250) + "," + link("/sessions", "prev", -1, 250)},
	} {
		_, header, err := sliced(t, c.target, c.n)
		if err != nil {
			t.Fatal(err)
		}
		if got := header.Get("Link"); got != c.want {
			t.Errorf("%s of %d:\n got %s\nwant %s", c.target, c.n, got, c.want)
		}
		if got := header.Get("X-Total-Count"); got != fmt.Sprint(c.n) {
			t.Errorf("%s of %d: the total is %s", c.target, c.n, got)
		}
	}
}

func TestOtherParametersStayInLinks(t *testing.T) {
	_, header, err := sliced(t, "/schemas?page_size=1&keep=a%26b", 2)
	if err != nil || !strings.Contains(header.Get("Link"), "keep=a%26b") {
		t.Errorf("the links are %s, %v", header.Get("Link"), err)
	}
}

// TestPageSizes also cover what SDKs send: both kinds of parameters at once.
func TestPageSizes(t *testing.T) {
	for query, want := range map[string][2]int{ // first item and number of items, of 2000
		"":                           {0, 250},
		"page_size=10":               {0, 10},
		"page_size=0":                {0, 250},
		"page_size=-1":               {0, 250},
		"page_size=many":             {0, 250},
		"page_size=5000":             {0, 1000},
		"page=1&per_page=10":         {10, 10},
		"page=-3&per_page=10":        {0, 10},
		"page=x&per_page=10":         {0, 10},
		"page=9&page_size=7":         {0, 7},
		"per_page=250&page_size=250": {0, 250},
		"page=3&per_page=1000":       {0, 0},
		"page=9223372036854775807":   {0, 0},
		"page_token=eyJvZmZzZXQiOiIyMCIsInYiOjJ9&page_size=10": {20, 10},
	} {
		got, _, err := sliced(t, "/sessions?"+query, 2000)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if len(got) != want[1] || len(got) > 0 && got[0] != want[0] {
			t.Errorf("%s: %d items from %v, want %v", query, len(got), got[:min(1, len(got))], want)
		}
	}
}

func TestForeignPageTokens(t *testing.T) {
	for _, plain := range []string{"", "{}", "null", `{"offset":"-1","v":2}`, `{"offset":"a"}`, `{"offset":1}`, `["0"]`, `{"offset":"99999999999999999999"}`} {
		token := base64.RawURLEncoding.EncodeToString([]byte(plain))
		if plain == "" {
			token = "%%%"
		}
		if _, _, err := sliced(t, "/sessions?page_token="+url.QueryEscape(token), 10); err == nil || Status(err) != http.StatusBadRequest {
			t.Errorf("the token of %q answers %v", plain, err)
		}
	}
}

// TestNextLeadsThroughTheWholeList follows rel="next" from the start.
func TestNextLeadsThroughTheWholeList(t *testing.T) {
	next := regexp.MustCompile(`<([^>]*)>; rel="next"`)
	for n := range 12 {
		var all []int
		target := "/sessions?page_size=3"
		for range n + 2 {
			got, header, err := sliced(t, target, n)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, got...)
			found := next.FindStringSubmatch(header.Get("Link"))
			if found == nil || n == 0 {
				break
			}
			target = found[1]
		}
		if !slices.Equal(all, counted(n)) {
			t.Errorf("of %d came %v", n, all)
		}
	}
}

// FuzzPage reads any query: a page is refused or is a part of the list.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{"", "page=1&per_page=2", "page_token=eyJvZmZzZXQiOiIyMCIsInYiOjJ9", "page_size=9999999999", "page_token=%00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.URL.RawQuery = query
		page, err := OffsetPage(r)
		if err != nil {
			if Status(err) != http.StatusBadRequest {
				t.Fatalf("%q answers %v", query, err)
			}
			return
		}
		list := counted(1200)
		got := Slice(page, list, httptest.NewRecorder(), r)
		if len(got) > 0 && !slices.Equal(got, list[got[0]:got[0]+len(got)]) {
			t.Fatalf("%q is %v", query, got)
		}
	})
}
