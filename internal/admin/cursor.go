package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"styx/internal/fault"
	"styx/internal/secret"
)

// cursor is the part that was asked for of a list that is read newest first: so
// many rows older than the one of an id, "" for the newest.
type cursor struct {
	size   int
	before string
}

// readCursor reads page_size and page_token. Use binds a token to its endpoint
// and filters.
func (a *API) readCursor(r *http.Request, use string, size, most int) (cursor, error) {
	query := r.URL.Query()
	if query.Has("page_size") {
		asked, err := strconv.ParseInt(query.Get("page_size"), 10, 0)
		if err != nil {
			return cursor{}, fault.Bad(err.Error())
		}
		if asked > 0 {
			size = int(min(asked, int64(most)))
		}
	}
	token := query.Get("page_token")
	if token == "" {
		return cursor{size: size}, nil
	}
	if id, err := secret.ParseUUID(token); err == nil {
		return cursor{size, id.String()}, nil
	}
	id, err := a.Ring.Open(secret.UsePage, token, use)
	if err != nil {
		return cursor{}, fault.Bad("The page token is invalid, do not craft your own page tokens")
	}
	return cursor{size, string(id)}, nil
}

// cursorLinks is the Link header of a page; next is the id that another page
// follows after, "" when nothing follows.
func (a *API) cursorLinks(asked *url.URL, use string, size int, next string) string {
	page := func(rel, after string) string {
		query := asked.Query()
		query.Set("page_size", strconv.Itoa(size))
		query.Set("page_token", a.Ring.Seal(secret.UsePage, []byte(after), use))
		return link(asked, query, rel)
	}
	links := []string{page("first", "")}
	if next != "" {
		links = append(links, page("next", next))
	}
	return strings.Join(links, ",")
}
