package pages

import (
	"net/http"
	"net/url"
	"strconv"
)

// noticePage is a page that says something and offers a way on.
type noticePage struct {
	frame
	Paragraphs []string
	Details    []detail
	Actions    []Link
}

// detail is a name and its value in a list.
type detail struct{ Name, Value string }

func (p *pages) notice(w http.ResponseWriter, r *http.Request, status int, page noticePage) {
	page.Base = p.base
	p.show(w, r, status, "notice", page)
}

// errorPage shows what went wrong in a browser's request: the API stores the
// error and sends the browser here with its id.
func (p *pages) errorPage(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	if id == "" {
		p.gone(w, r)
		return
	}
	a, err := p.api.call(w, r, http.MethodGet, "/self-service/errors", url.Values{"id": {id}})
	switch {
	case err != nil:
		p.unreachable(w, r, err)
	case a.status == http.StatusNotFound:
		p.gone(w, r)
	default:
		p.refused(w, r, a)
	}
}

// gone says that an error page has no error to show.
func (p *pages) gone(w http.ResponseWriter, r *http.Request) {
	p.notice(w, r, http.StatusNotFound, noticePage{
		frame:      frame{Title: "Nothing to see here", Heading: "Nothing to see here"},
		Paragraphs: []string{"There is no such error, or it was a while ago."},
		Actions:    p.home(),
	})
}

// refused shows an error of the API in the API's words.
func (p *pages) refused(w http.ResponseWriter, r *http.Request, a answer) {
	fault := a.fault()
	page := noticePage{
		frame:   frame{Title: "Something went wrong", Heading: "Something went wrong"},
		Actions: p.home(),
	}
	for _, text := range []string{fault.Error.Reason, fault.Error.Message} {
		if text != "" {
			page.Paragraphs = append(page.Paragraphs, text)
		}
	}
	if len(page.Paragraphs) == 0 {
		page.Paragraphs = []string{"Please try again in a moment."}
	}
	if code := fault.Error.Code; code != 0 {
		page.Details = append(page.Details, detail{"Status", strconv.Itoa(code) + " " + http.StatusText(code)})
	}
	if fault.Error.ID != "" {
		page.Details = append(page.Details, detail{"Error", fault.Error.ID})
	}
	status := a.status
	if status < http.StatusBadRequest {
		status = http.StatusOK // a stored error, read without one
	}
	p.notice(w, r, status, page)
}

// unreachable says that the API gave no answer that can be shown.
func (p *pages) unreachable(w http.ResponseWriter, r *http.Request, err error) {
	p.log.ErrorContext(r.Context(), "page without an answer of the API", "path", r.URL.Path, "err", err)
	p.notice(w, r, http.StatusBadGateway, noticePage{
		frame:      frame{Title: "Not available", Heading: "Not available right now"},
		Paragraphs: []string{"Please try again in a moment."},
		Actions:    p.home(),
	})
}

func (p *pages) missing(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	p.notice(w, r, http.StatusNotFound, noticePage{
		frame:      frame{Title: "Page not found", Heading: "Page not found"},
		Paragraphs: []string{"There is no page at this address."},
		Actions:    p.home(),
	})
}

func (p *pages) home() []Link { return []Link{{"Your account", p.base + "/ui/welcome"}} }

// rootPage says what runs here.
type rootPage struct {
	frame
	Version string
	Flows   []Link
	Links   []Link
}

func (p *pages) root(w http.ResponseWriter, r *http.Request) {
	page := rootPage{frame: frame{Title: "Styx", Heading: "Styx", Base: p.base, Wide: true}, Version: p.version}
	for _, kind := range kinds {
		if p.offers(kind) {
			page.Flows = append(page.Flows, Link{titles[kind], p.base + "/ui/" + kind})
		}
	}
	page.Flows = append(page.Flows, Link{"Your session", p.base + "/ui/session"})
	for _, l := range p.links {
		if href(l.URL) != "" {
			page.Links = append(page.Links, l)
		}
	}
	p.show(w, r, http.StatusOK, "root", page)
}
