package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// answer is the ResponseWriter handlers see. It behaves as net/http's does (the
// first status counts, the header is closed with it, HEAD has no body) and
// hands the adapter's writer a header in which every name has one value.
type answer struct {
	to     http.ResponseWriter
	method string
	own    http.Header // what Header returns
	status int         // 0 until the header is written
}

// Header returns the header that the first WriteHeader or Write will send.
func (a *answer) Header() http.Header { return a.own }

// WriteHeader closes the header. Informational statuses are dropped: an event
// has one answer.
func (a *answer) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid status %d", status))
	}
	if a.status != 0 || status < http.StatusOK {
		return
	}
	a.status = status
	maps.Copy(a.to.Header(), joined(a.own))
	a.to.WriteHeader(status)
}

// Write adds to the body; what an answer to HEAD is given is dropped. The
// adapter guesses a missing Content-Type from the first write.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	switch {
	case a.status == http.StatusNoContent || a.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case a.method == http.MethodHead:
		return len(p), nil
	}
	return a.to.Write(p)
}

// joined is header with one value for each name, Set-Cookie alone keeps its
// list. Line breaks become spaces, as net/http writes them, and names that are
// none are left out: API Gateway answers 500 for either.
func joined(header http.Header) http.Header {
	one := make(http.Header, len(header))
	for name, values := range header {
		if !isToken(name) || len(values) == 0 {
			continue
		}
		clean := make([]string, len(values))
		for i, value := range values {
			clean[i] = strings.TrimSpace(strings.Map(unbroken, value))
		}
		if http.CanonicalHeaderKey(name) != "Set-Cookie" {
			clean = []string{strings.Join(clean, ", ")}
		}
		one[http.CanonicalHeaderKey(name)] = clean
	}
	return one
}

func unbroken(r rune) rune {
	if r == '\r' || r == '\n' {
		return ' '
	}
	return r
}

// plain is an answer the gateway gives itself, in the contract's error body.
// method may be unknown.
func plain(method string, status int, message string) events.APIGatewayV2HTTPResponse {
	var detail struct {
		Error struct {
			Code    int    `json:"code"`
			Status  string `json:"status"`
			Message string `json:"message"`
		} `json:"error"`
	}
	detail.Error.Code, detail.Error.Status, detail.Error.Message = status, http.StatusText(status), message
	header := map[string]string{"Content-Type": "application/json", "Ory-Error-Id": ""}
	if method == http.MethodGet || method == http.MethodHead {
		header["Cache-Control"] = "private, no-cache, no-store, must-revalidate"
	}
	response := events.APIGatewayV2HTTPResponse{StatusCode: status, Headers: header, Cookies: []string{}}
	if method != http.MethodHead {
		response.Body = string(encoded(detail))
	}
	return response
}

// encoded is value as JSON, without the escapes that serve only HTML.
func encoded(value any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		// Strings, numbers and maps of strings always encode.
		panic(fmt.Errorf("encode answer: %w", err))
	}
	return buffer.Bytes()
}
