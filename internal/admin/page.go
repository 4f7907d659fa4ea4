package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"styx/internal/fault"
	"styx/internal/secret"
)

// Sizes of a page.
const (
	defaultPage = 250
	largestPage = 500

	// maxOffset is how far numbered pages reach: everything before one is read
	// to get there.
	maxOffset = 1000
	// maxTotal is how far a total is counted.
	maxTotal = 10_000
)

// beginning is the token of the first page: no identity has this id.
const beginning = "00000000-0000-0000-0000-000000000000"

// page is the part of a list that was asked for: so many rows after an id or,
// the old way, after so many pages of them.
type page struct {
	size     int
	after    string // an id, or beginning
	numbered bool
	number   int
	filter   filter
}

// readPage reads page_token and page_size, else page and per_page, else
// per_page for page_size.
func (a *API) readPage(r *http.Request, f filter) (page, error) {
	query := r.URL.Query()
	p := page{size: defaultPage, after: beginning, filter: f}
	size := "page_size"
	if !query.Has("page_token") && !query.Has("page_size") {
		if query.Has("page") {
			return p.readNumber(query)
		}
		size = "per_page"
	}
	if query.Has(size) {
		asked, err := strconv.ParseInt(query.Get(size), 10, 0)
		if err != nil {
			return page{}, fault.Bad(err.Error())
		}
		if asked > 0 {
			p.size = int(min(asked, largestPage))
		}
	}
	token := query.Get("page_token")
	if token == "" {
		return p, nil
	}
	if id, err := secret.ParseUUID(token); err == nil {
		p.after = id.String()
		return p, nil
	}
	id, err := a.Ring.Open(secret.UsePage, token, f.tokenUse())
	if err != nil {
		return page{}, fault.Bad("The page token is invalid, do not craft your own page tokens")
	}
	p.after = string(id)
	return p, nil
}

// readNumber reads page, from 0, and per_page. What is no number is as if it
// were not there.
func (p page) readNumber(query url.Values) (page, error) {
	p.numbered = true
	if number, err := strconv.Atoi(query.Get("page")); err == nil {
		p.number = max(0, number)
	}
	if size, err := strconv.Atoi(query.Get("per_page")); err == nil {
		p.size = max(1, min(size, largestPage))
	}
	if p.number > maxOffset/p.size {
		return page{}, fault.Bad(fmt.Sprintf("Legacy pagination is not supported for enumerating over %d items. "+
			"Please switch to using page_token and page_size.", maxOffset))
	}
	return p, nil
}

// tokenUse binds a page token to its endpoint and filter.
func (f filter) tokenUse() string { return "GET /admin/identities?" + f.binding() }

// links is the Link header of a page whose last row has the id last, "" when
// nothing follows.
func (a *API) links(p page, last string, asked *url.URL) string {
	links := []string{p.link(asked, "first", beginning)}
	if last != "" {
		links = append(links, p.link(asked, "next", a.Ring.Seal(secret.UsePage, []byte(last), p.filter.tokenUse())))
	}
	return strings.Join(links, ",")
}

func (p page) link(asked *url.URL, rel, token string) string {
	query := asked.Query()
	query.Del("per_page")
	query.Set("page_size", strconv.Itoa(p.size))
	query.Set("page_token", token)
	return link(asked, query, rel)
}

// numberedLinks is the Link header of a numbered page.
func (p page) numberedLinks(total int, asked *url.URL) string {
	last := (total - 1) / p.size // 0 for an empty list, too
	more := p.number < last
	var links []string
	for _, one := range []struct {
		rel    string
		number int
		there  bool
	}{
		{"first", 0, p.number > 0 || !more},
		{"next", p.number + 1, more},
		{"prev", p.number - 1, p.number > 0},
		{"last", last, more},
	} {
		if one.there {
			query := asked.Query()
			query.Set("page", strconv.Itoa(one.number))
			query.Set("per_page", strconv.Itoa(p.size))
			links = append(links, link(asked, query, one.rel))
		}
	}
	return strings.Join(links, ",")
}

func link(asked *url.URL, query url.Values, rel string) string {
	return fmt.Sprintf("<%s?%s>; rel=%q", asked.EscapedPath(), query.Encode(), rel)
}
