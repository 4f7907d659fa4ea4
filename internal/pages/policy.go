package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// secured sets the headers every page, asset and redirect carries. A page with
// scripts or images replaces the policy by a wider one.
func secured(contentPolicy string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// policy writes Content-Security-Policy headers. Sources are absolute URLs
// below the public base URL rather than 'self': the page may be open under
// another name of the same host (localhost, 127.0.0.1), and 'self' would let
// any API answer count as a script.
type policy struct {
	base    string
	targets []string // sources a form post may end at
	anyHTTP bool     // the public URL is not https, so neither are its neighbours
}

func newPolicy(base string, returnURLs []string) policy {
	p := policy{base: base, anyHTTP: strings.HasPrefix(base, "http:")}
	for _, raw := range append([]string{base}, returnURLs...) {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || !isHostSource(u.Host) {
			continue // relative URLs stay on the public origin; apps' schemes are no web origin
		}
		if (u.Scheme == "https" || u.Scheme == "http") && !slices.Contains(p.targets, u.Scheme+"://"+u.Host) {
			p.targets = append(p.targets, u.Scheme+"://"+u.Host)
		}
	}
	return p
}

// isHostSource says whether a host can stand in a policy without ending the
// source it is part of.
func isHostSource(host string) bool {
	return !strings.ContainsAny(host, " \t\r\n;,'\"")
}

// plain is the policy of a page without scripts.
func (p policy) plain() string { return p.page(nil, false, false) }

// page is the policy of a page that loads the given scripts. away says that one
// of its buttons leads to a sign-in provider: that origin is known only to the
// API, so any web origin may then be the end of a post.
func (p policy) page(scripts []script, ownJS, away bool) string {
	directives := []string{
		"default-src 'none'",
		"base-uri 'none'",
		"frame-ancestors 'none'",
		"style-src " + p.base + "/ui/styx.css",
		"img-src data: " + p.base + "/ui/styx.svg",
	}
	targets := slices.Clone(p.targets)
	if away {
		targets = append(targets, "https:")
		if p.anyHTTP {
			targets = append(targets, "http:")
		}
	}
	if len(targets) == 0 {
		targets = []string{"'self'"}
	}
	directives = append(directives, "form-action "+strings.Join(targets, " "))
	var sources []string
	for _, s := range scripts {
		sources = append(sources, s.Src)
	}
	if ownJS {
		sources = append(sources, p.base+"/ui/styx.js")
	}
	if len(sources) > 0 {
		directives = append(directives, "script-src "+strings.Join(sources, " "))
	}
	return strings.Join(directives, "; ")
}
