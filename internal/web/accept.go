package web

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// WantsJSON tells whether a client expects JSON instead of a page or a
// redirect: it prefers application/json, or sends it.
func WantsJSON(r *http.Request) bool {
	return prefers(r, "text/html", "text/*", "*/*", "application/json") == "application/json" ||
		r.Header.Get("Content-Type") == "application/json"
}

// AcceptsJSON is WantsJSON for answers that do not depend on what was sent: the
// creation and the end of a flow.
func AcceptsJSON(r *http.Request) bool {
	return prefers(r, "text/html", "application/json") == "application/json"
}

// prefers returns the offer that the Accept header ranks highest: by quality,
// then by how exactly it is named, then by the order of offers. Without a match
// it is the first offer.
func prefers(r *http.Request, offers ...string) string {
	best, bestQuality, bestExactness := offers[0], 0.0, -1
	for _, offer := range offers {
		for _, header := range r.Header.Values("Accept") {
			for part := range strings.SplitSeq(header, ",") {
				media, quality := parseAccept(part)
				exactness := matches(media, offer)
				if quality == 0 || exactness < 0 {
					continue
				}
				if quality > bestQuality || quality == bestQuality && exactness > bestExactness {
					best, bestQuality, bestExactness = offer, quality, exactness
				}
			}
		}
	}
	return best
}

func parseAccept(part string) (media string, quality float64) {
	media, parameters, err := mime.ParseMediaType(part)
	if err != nil {
		return "", 0
	}
	given, asked := parameters["q"]
	if !asked {
		return media, 1
	}
	quality, err = strconv.ParseFloat(given, 64)
	if err != nil || quality < 0 || quality > 1 {
		return media, 0
	}
	return media, quality
}

// matches returns how exactly a media range names an offer, -1 for not at all.
func matches(media, offer string) int {
	switch {
	case media == "*/*":
		return 0
	case strings.HasSuffix(media, "/*"):
		if strings.HasPrefix(offer, strings.TrimSuffix(media, "*")) {
			return 1
		}
	case media == offer:
		return 2
	}
	return -1
}
