package selfservice

import (
	"fmt"
	"html"
	"net/http"
	"net/url"

	"styx/internal/identity"
)

// confirmPage asks a person to press a button. Scanners of mail open links, and
// press nothing.
const confirmPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Please confirm</title>
<main>
<h1>Please confirm</h1>
<p>You opened a link from a message. Press the button to go on.</p>
<form method="post" action="%s">
<input type="hidden" name="token" value="%s">
<button>Continue</button>
</form>
</main>
</html>
`

// looksAhead answers a link that must not be used up yet, and reports that it
// did: to who looks ahead nothing, and where the configuration wants it a page of
// one button that sends what the link says.
func (e *Engine) looksAhead(w http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodPost:
		return false
	case prefetched(r):
		w.WriteHeader(http.StatusNoContent)
		return true
	case !e.Config.Styx.ConfirmLinks || query.Get("token") == "":
		return false
	}
	action := "?" + url.Values{"flow": {query.Get("flow")}}.Encode()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = fmt.Fprintf(w, confirmPage, html.EscapeString(action), html.EscapeString(query.Get("token")))
	return true
}

// followed tells whether a submission is a link, opened or confirmed.
func followed(r *http.Request, form identity.Form) bool {
	return r.Method != http.MethodPost || form.Has("token")
}

// prefetched tells whether nobody looks at the answer: a link must not be used
// up by a mail client that looks ahead.
func prefetched(r *http.Request) bool {
	return r.Method == http.MethodHead || r.Header.Get("Purpose") == "prefetch" || r.Header.Get("Sec-Purpose") != ""
}
