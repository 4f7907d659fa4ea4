package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"styx/internal/identity"
)

// linked returns where the answer's link of that relation leads, "" for nowhere.
func (a answer) linked(rel string) string {
	for link := range strings.SplitSeq(a.Header().Get("Link"), ",") {
		if target, ok := strings.CutSuffix(link, fmt.Sprintf(`>; rel=%q`, rel)); ok {
			return strings.TrimPrefix(target, "<")
		}
	}
	return ""
}

// people makes identities and returns their ids in order.
func (h house) people(t *testing.T, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for at := range ids {
		ids[at] = h.customer(t, fmt.Sprintf("u%d@example.org", at))
	}
	slices.Sort(ids)
	return ids
}

func TestList(t *testing.T) {
	h := open(t)
	if got := h.expect(t, 200, "GET", "/identities", ""); got.Body.String() != "[]" {
		t.Errorf("an empty list is %s", got.Body)
	}
	h.people(t, 1)
	got := h.expect(t, 200, "GET", "/admin/identities", "")
	one := got.list(t)[0]
	if _, there := one["credentials"]; there {
		t.Errorf("a plain list has credentials: %s", got.Body)
	}
	if admin, there := one["metadata_admin"]; !there || admin != nil {
		t.Errorf("metadata_admin is %v, want a null that is there", admin)
	}
	if got, want := got.Header().Get("Link"), `</admin/identities?page_size=250&page_token=00000000-0000-0000-0000-000000000000>; rel="first"`; got != want {
		t.Errorf("Link is %s, want %s", got, want)
	}
	one = h.expect(t, 200, "GET", "/admin/identities?include_credential=code", "").list(t)[0]
	credentials := one["credentials"].(map[string]any)
	if config := credentials["code"].(map[string]any)["config"]; config == nil {
		t.Errorf("the config that was asked for is missing: %v", credentials)
	}
	if config, there := credentials["password"].(map[string]any)["config"]; there {
		t.Errorf("a config that was not asked for: %v", config)
	}
}

// TestPages holds that pages of any size, one after the other, are the list.
func TestPages(t *testing.T) {
	h := open(t)
	ids := h.people(t, 23)
	for _, target := range []string{"page_size=1", "page_size=2", "page_size=7", "page_size=23", "page_size=24", "page_size=0", "page_size=-3", "page_size=100000", "per_page=5"} {
		var walked []string
		pages := 0
		for next := "/admin/identities?" + target; next != ""; pages++ {
			got := h.expect(t, 200, "GET", next, "")
			walked = append(walked, got.ids(t)...)
			if first := got.linked("first"); !strings.Contains(first, "page_token=00000000-0000-0000-0000-000000000000") || strings.Contains(first, "per_page") {
				t.Fatalf("%s: the first page is %s", target, first)
			}
			next = got.linked("next")
		}
		if !slices.Equal(walked, ids) {
			t.Errorf("%s: %d pages hold %v, want %v", target, pages, walked, ids)
		}
	}
	if got := h.expect(t, 200, "GET", "/admin/identities?page_size=100000", ""); !strings.Contains(got.linked("first"), "page_size=500&") {
		t.Errorf("the size is not capped: %s", got.Header().Get("Link"))
	}
	if got := h.expect(t, 200, "GET", "/admin/identities?page_token="+strings.ToUpper(ids[20]), "").ids(t); !slices.Equal(got, ids[21:]) {
		t.Errorf("after a bare id come %v, want %v", got, ids[21:])
	}
	link := h.expect(t, 200, "GET", "/admin/identities?consistency=strong&page_size=2", "").Header().Get("Link")
	const grammar = `^</admin/identities\?consistency=strong&page_size=2&page_token=[0-9-]{36}>; rel="first",` +
		`</admin/identities\?consistency=strong&page_size=2&page_token=[0-9A-Za-z_.-]+>; rel="next"$`
	if !regexp.MustCompile(grammar).MatchString(link) {
		t.Errorf("Link is %s", link)
	}
}

func TestPageTokensAreBound(t *testing.T) {
	h := open(t)
	ids := h.people(t, 3)
	next, err := url.Parse(h.expect(t, 200, "GET", "/admin/identities?page_size=1", "").linked("next"))
	if err != nil {
		t.Fatal(err)
	}
	token := next.Query().Get("page_token")
	if strings.Contains(token, ids[0]) {
		t.Errorf("the token %s tells an id", token)
	}
	for _, target := range []string{
		"page_token=rubbish",
		"page_token=" + token[1:],
		"page_token=" + token + "x",
		"preview_credentials_identifier_similar=u&page_token=" + token,
		"ids=" + ids[0] + "&page_token=" + token,
	} {
		_, reason := h.expect(t, 400, "GET", "/admin/identities?"+target, "").said(t)
		if reason != "The page token is invalid, do not craft your own page tokens" {
			t.Errorf("%s: said %q", target, reason)
		}
	}
}

func TestNumberedPages(t *testing.T) {
	h := open(t)
	ids := h.people(t, 5)
	for target, want := range map[string]struct {
		ids   []string
		links string
	}{
		"page=0&per_page=2": {ids[0:2], `</admin/identities?page=1&per_page=2>; rel="next",</admin/identities?page=2&per_page=2>; rel="last"`},
		"page=1&per_page=2": {ids[2:4], `</admin/identities?page=0&per_page=2>; rel="first",</admin/identities?page=2&per_page=2>; rel="next",` +
			`</admin/identities?page=0&per_page=2>; rel="prev",</admin/identities?page=2&per_page=2>; rel="last"`},
		"page=2&per_page=2":    {ids[4:5], `</admin/identities?page=0&per_page=2>; rel="first",</admin/identities?page=1&per_page=2>; rel="prev"`},
		"page=9&per_page=2":    {nil, `</admin/identities?page=0&per_page=2>; rel="first",</admin/identities?page=8&per_page=2>; rel="prev"`},
		"page=x":               {ids, `</admin/identities?page=0&per_page=250>; rel="first"`},
		"page=-1&per_page=999": {ids, `</admin/identities?page=0&per_page=500>; rel="first"`},
		"page=0&per_page=5":    {ids, `</admin/identities?page=0&per_page=5>; rel="first"`},
		"page=1&per_page=0": {ids[1:2], `</admin/identities?page=0&per_page=1>; rel="first",</admin/identities?page=2&per_page=1>; rel="next",` +
			`</admin/identities?page=0&per_page=1>; rel="prev",</admin/identities?page=4&per_page=1>; rel="last"`},
	} {
		got := h.expect(t, 200, "GET", "/admin/identities?"+target, "")
		if found := got.ids(t); !slices.Equal(found, want.ids) {
			t.Errorf("%s: %v, want %v", target, found, want.ids)
		}
		if links := got.Header().Get("Link"); links != want.links {
			t.Errorf("%s: Link is\n%s, want\n%s", target, links, want.links)
		}
		if total := got.Header().Get("X-Total-Count"); total != "5" {
			t.Errorf("%s: the total is %q", target, total)
		}
	}
	got := h.expect(t, 200, "GET", "/admin/identities?page=0&ids="+ids[3]+"&ids="+unknownID, "")
	if total := got.Header().Get("X-Total-Count"); total != "1" {
		t.Errorf("the total of a filtered list is %q", total)
	}
}

func TestListRefused(t *testing.T) {
	h := open(t)
	many := "ids=" + unknownID + strings.Repeat("&ids="+unknownID, maxIDs)
	for target, want := range map[string]string{
		"page_size=abc":                        `strconv.ParseInt: parsing "abc": invalid syntax`,
		"page_size=":                           `strconv.ParseInt: parsing "": invalid syntax`,
		"per_page=two":                         `strconv.ParseInt: parsing "two": invalid syntax`,
		"page=11&per_page=100":                 "Legacy pagination is not supported for enumerating over 1000 items. Please switch to using page_token and page_size.",
		"page=9223372036854775807&per_page=99": "Legacy pagination is not supported for enumerating over 1000 items. Please switch to using page_token and page_size.",
		"include_credential=foo":               "Invalid value `foo` for parameter `include_credential`.",
		"ids=zzz":                              "Invalid UUID value `zzz` for parameter `ids`.",
		"ids=":                                 "Invalid UUID value `` for parameter `ids`.",
		"organization_id=acme":                 "Invalid UUID value `acme` for parameter `organization_id`.",
		many:                                   "The number of `ids` to filter by must not exceed 500.",
		"ids=" + unknownID + "&credentials_identifier=x":                              "You cannot combine multiple filters in this API",
		"credentials_identifier=x&preview_credentials_identifier_similar=x":           "You cannot combine multiple filters in this API",
		"organization_id=" + unknownID + "&credentials_identifier=x&ids=" + unknownID: "You cannot combine multiple filters in this API",
	} {
		if _, reason := h.expect(t, http.StatusBadRequest, "GET", "/admin/identities?"+target, "").said(t); reason != want {
			t.Errorf("%.80s: said %q, want %q", target, reason, want)
		}
	}
}

func TestFilters(t *testing.T) {
	h := open(t)
	ann, bea, cleo := h.customer(t, "ann@example.org"), h.customer(t, "bea@example.org"), h.customer(t, "cleo@example.net")
	made := h.expect(t, 201, "POST", "/admin/identities",
		`{"schema_id":"employee","traits":{"username":"dock"},"organization_id":"`+unknownID+`"}`)
	dock := made.object(t)["id"].(string)
	for _, row := range []struct {
		target string
		want   []string
	}{
		{"ids=" + ann + "&ids=" + cleo + "&ids=" + ann, []string{ann, cleo}},
		{"ids=" + strings.ToUpper(ann) + "&ids=" + unknownID, []string{ann}},
		{"credentials_identifier=bea@example.org", []string{bea}},
		{"credentials_identifier=%20BEA@example.org", []string{bea}},
		{"credentials_identifier=bea", nil},
		{"credentials_identifier=dock", []string{dock}},
		{"credentials_identifier=nobody@example.org", nil},
		{"credentials_identifier=" + ann, nil},
		{"credentials_identifier=%00", nil},
		{"preview_credentials_identifier_similar=EXAMPLE.org", []string{ann, bea}},
		{"preview_credentials_identifier_similar=%20", nil},
		{"organization_id=" + strings.ToUpper(unknownID), []string{dock}},
	} {
		got := h.expect(t, 200, "GET", "/admin/identities?"+row.target, "")
		slices.Sort(row.want)
		if found := got.ids(t); !slices.Equal(found, row.want) {
			t.Errorf("%s: %v, want %v", row.target, found, row.want)
		}
		for _, one := range got.list(t) {
			_, there := one["credentials"]
			if want := strings.Contains(row.target, "identifier"); there != want {
				t.Errorf("%s: credentials are there: %v, want %v", row.target, there, want)
			}
		}
	}
	link := h.expect(t, 200, "GET", "/admin/identities?credentials_identifier=bea@example.org", "").Header().Get("Link")
	if want := `</admin/identities?credentials_identifier=bea%40example.org&page_size=250&page_token=00000000-0000-0000-0000-000000000000>; rel="first"`; link != want {
		t.Errorf("Link is %s, want %s", link, want)
	}
}

// TestFilteredPages holds that filters and pages go together.
func TestFilteredPages(t *testing.T) {
	h := open(t)
	ids := h.people(t, 12)
	h.customer(t, "another@example.net")
	for _, filter := range []string{"preview_credentials_identifier_similar=example.org", "ids=" + strings.Join(ids, "&ids=")} {
		var walked []string
		for next := "/admin/identities?page_size=5&" + filter; next != ""; {
			got := h.expect(t, 200, "GET", next, "")
			if len(got.ids(t)) > 5 {
				t.Fatalf("%d rows on a page of 5", len(got.ids(t)))
			}
			walked = append(walked, got.ids(t)...)
			next = got.linked("next")
		}
		if !slices.Equal(walked, ids) {
			t.Errorf("%.50s: pages hold %v, want %v", filter, walked, ids)
		}
	}
}

// TestPagesFitAnAnswer holds that a page ends before it is larger than what a
// Lambda can answer, and that nothing is lost by that.
func TestPagesFitAnAnswer(t *testing.T) {
	h := open(t)
	const people, size = 17, 300 << 10
	for at := range people {
		h.expect(t, 201, "POST", "/admin/identities", fmt.Sprintf(
			`{"traits":{"email":"u%d@example.org"},"metadata_admin":%q}`, at, strings.Repeat("x", size)))
	}
	seen := 0
	next, pages := "/admin/identities", 0
	for ; next != ""; pages++ {
		got := h.expect(t, 200, "GET", next, "")
		if got.Body.Len() > maxAnswer+people {
			t.Errorf("an answer has %d bytes", got.Body.Len())
		}
		seen += len(got.ids(t))
		next = got.linked("next")
	}
	if seen != people || pages != 2 {
		t.Errorf("%d pages hold %d identities, want 2 and %d", pages, seen, people)
	}
	if _, reason := h.expect(t, 400, "GET", "/admin/identities?page=0", "").said(t); !strings.Contains(reason, "page_token") {
		t.Errorf("a numbered page can not end early: said %q", reason)
	}
}

// TestFilterLooksAtSoManyOnly holds that a filter that finds nobody ends, and
// that its pages go on where they ended.
func TestFilterLooksAtSoManyOnly(t *testing.T) {
	const people = 2*maxExamined + 7
	looked := 0
	source := func(_ context.Context, after string, limit int) ([]*identity.Identity, bool, error) {
		from, err := strconv.Atoi(after)
		if err != nil {
			return nil, false, err
		}
		var found []*identity.Identity
		for at := from + 1; at <= min(from+limit, people); at++ {
			found = append(found, &identity.Identity{ID: strconv.Itoa(at)})
		}
		looked += len(found)
		return found, from+limit < people, nil
	}
	chosen := selection{source, func(*identity.Identity) bool { return false }, -1}
	var ends []string
	for after := "0"; after != ""; {
		asked := listing{page: page{size: 10, after: after}, selection: chosen}
		rows, last, err := asked.rows(t.Context())
		if err != nil || len(rows) != 0 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		ends = append(ends, last)
		after = last
	}
	if want := []string{"2500", "5000", ""}; !slices.Equal(ends, want) || looked != people {
		t.Errorf("pages end at %v after a look at %d, want %v and %d", ends, looked, want, people)
	}
}
