package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"styx/internal/fault"
	"styx/internal/identity"
	"styx/internal/web"
)

const (
	// maxAnswer bounds the rows of an answer in bytes: Lambda answers with 6 MB
	// at most.
	maxAnswer = 4 << 20
	// batch is how many identities are in memory at a time.
	batch = 100
	// maxExamined is how many identities one request looks at to find those that
	// match its filter: ten full pages of the index.
	maxExamined = 10 * defaultPage
)

// listing is a list as it was asked for.
type listing struct {
	page
	selection
	show func(*identity.Identity) (identity.AdminIdentity, error)
}

func (a *API) list(w http.ResponseWriter, r *http.Request) error {
	include, bad := included(r)
	if bad != "" {
		return badParameter("include_credential", bad)
	}
	f, err := readFilter(r)
	if err != nil {
		return err
	}
	p, err := a.readPage(r, f)
	if err != nil {
		return err
	}
	chosen, err := a.choose(r.Context(), f)
	if err != nil {
		return err
	}
	withCredentials := f.showsCredentials() || len(include) > 0
	asked := listing{p, chosen, func(who *identity.Identity) (identity.AdminIdentity, error) {
		view, err := who.Admin(a.publicURL(), a.Ring, include...)
		if !withCredentials {
			view.Credentials = nil
		}
		return view, err
	}}
	rows, last, err := asked.rows(r.Context())
	if err != nil {
		return err
	}
	if err := a.head(w, r, asked, last); err != nil {
		return err
	}
	web.JSON(w, http.StatusOK, rows)
	return nil
}

// head sets the headers that lead to other pages.
func (a *API) head(w http.ResponseWriter, r *http.Request, asked listing, last string) error {
	if !asked.numbered {
		w.Header().Set("Link", a.links(asked.page, last, r.URL))
		return nil
	}
	total := asked.total
	if total < 0 {
		var err error
		if total, err = a.Store.CountIdentities(r.Context(), maxTotal); err != nil {
			return err
		}
	}
	w.Header().Set("X-Total-Count", strconv.Itoa(total))
	w.Header().Set("Link", asked.numberedLinks(total, r.URL))
	return nil
}

// rows reads the rows of the page and returns the id that the next one follows
// after, "" when there is none. A page ends early, and may be empty, when its
// rows fill an answer or too much had to be looked at; only a page that is
// numbered can not, for its successor would not begin there.
func (l listing) rows(ctx context.Context) (rows []json.RawMessage, last string, err error) {
	rows = []json.RawMessage{}
	skip, weight := 0, 0
	if l.numbered {
		skip = l.number * l.size
	}
	after := l.after
	for examined := 0; ; {
		found, more, err := l.source(ctx, after, l.limit(skip+l.size-len(rows)))
		if err != nil {
			return nil, "", err
		}
		for at, who := range found {
			switch {
			case l.matches != nil && !l.matches(who):
			case skip > 0:
				skip--
			default:
				row, err := l.row(who)
				if err != nil {
					return nil, "", err
				}
				if weight += len(row); weight > maxAnswer && len(rows) > 0 {
					return l.early(rows, after)
				}
				rows = append(rows, row)
			}
			after = who.ID
			if len(rows) == l.size {
				if more || at+1 < len(found) {
					return rows, after, nil
				}
				return rows, "", nil
			}
		}
		if examined += len(found); !more {
			return rows, "", nil
		}
		if l.matches != nil && examined >= maxExamined {
			return l.early(rows, after)
		}
	}
}

func (l listing) row(who *identity.Identity) (json.RawMessage, error) {
	view, err := l.show(who)
	if err != nil {
		return nil, err
	}
	row, err := json.Marshal(view)
	if err != nil {
		return nil, fmt.Errorf("show identity %s: %w", who.ID, err)
	}
	return row, nil
}

// limit is how many identities to read when so many rows are wanted.
func (l listing) limit(wanted int) int {
	if l.matches != nil {
		return batch
	}
	return min(wanted, batch)
}

func (l listing) early(rows []json.RawMessage, after string) ([]json.RawMessage, string, error) {
	if l.numbered {
		return nil, "", fault.Bad("This page is too large to be numbered. Please switch to using page_token and page_size.")
	}
	return rows, after, nil
}
