package web

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"styx/internal/fault"
)

// Sizes of a page that is counted by offset.
const (
	defaultPage = 250
	largestPage = 1000
)

// Page is a slice of a list that fits in memory: so many items after the first.
type Page struct {
	Number, Size int
}

// pageToken is what a page_token says once it is decoded.
type pageToken struct {
	Offset  string `json:"offset"`
	Version int    `json:"v"`
}

// OffsetPage reads page_size and page_token, or page and per_page where neither
// is there.
func OffsetPage(r *http.Request) (Page, error) {
	query := r.URL.Query()
	if !query.Has("page_size") && !query.Has("page_token") {
		page := Page{Size: size(query.Get("per_page"))}
		page.Number, _ = strconv.Atoi(query.Get("page")) // what is no number is the first page
		page.Number = max(0, page.Number)
		return page, nil
	}
	page := Page{Size: size(query.Get("page_size"))}
	if given := query.Get("page_token"); given != "" {
		offset, err := readOffset(given)
		if err != nil {
			return Page{}, fault.Bad("The page token is invalid, do not craft your own page tokens")
		}
		page.Number = offset / page.Size
	}
	return page, nil
}

func readOffset(token string) (int, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, err
	}
	var decoded pageToken
	if err := json.Unmarshal(raw, &decoded); err != nil {
		return 0, err
	}
	offset, err := strconv.Atoi(decoded.Offset)
	if err != nil || offset < 0 {
		return 0, fmt.Errorf("offset %q", decoded.Offset)
	}
	return offset, nil
}

func size(given string) int {
	asked, err := strconv.Atoi(given)
	if err != nil || asked <= 0 {
		return defaultPage
	}
	return min(asked, largestPage)
}

// Slice returns the page's part of a list and sets the headers X-Total-Count
// and Link, whose links are relative.
func Slice[T any](page Page, list []T, w http.ResponseWriter, r *http.Request) []T {
	total := len(list)
	w.Header().Set("X-Total-Count", strconv.Itoa(total))
	w.Header().Set("Link", page.links(total, r.URL))
	if page.Number > total/page.Size {
		return nil
	}
	from := page.Number * page.Size
	return list[min(from, total):min(from+page.Size, total)]
}

// links names the pages around this one as clients have them recorded: a list
// of one page knows only the first, an empty one also those that do not exist.
func (p Page) links(total int, asked *url.URL) string {
	last := (total+p.Size-1)/p.Size - 1
	type link struct {
		rel    string
		number int
	}
	first, next, prev, end := link{"first", 0}, link{"next", p.Number + 1}, link{"prev", p.Number - 1}, link{"last", last}
	var links []link
	switch {
	case total == 0:
		links = []link{first, next, prev}
	case last == 0:
		p.Size = total
		links = []link{first}
	case p.Number == 0:
		links = []link{next, end}
	case p.Number >= last:
		links = []link{first, prev}
	default:
		links = []link{first, next, prev, end}
	}
	parts := make([]string, 0, len(links))
	for _, one := range links {
		query := asked.Query()
		token, _ := json.Marshal(pageToken{Offset: strconv.Itoa(one.number * p.Size), Version: 2}) // plain members
		query.Set("page_token", base64.RawURLEncoding.EncodeToString(token))
		query.Set("page", strconv.Itoa(one.number))
		query.Set("page_size", strconv.Itoa(p.Size))
		query.Set("per_page", strconv.Itoa(p.Size))
		parts = append(parts, fmt.Sprintf("<%s?%s>; rel=%q", asked.Path, query.Encode(), one.rel))
	}
	return strings.Join(parts, ",")
}
