package web

import (
	"fmt"
	"net/http"

	"styx/internal/fault"
)

const nativeText = `The HTTP Request Header included the %q key, indicating that this request was made %s. The flow however was initiated as an API request. To prevent potential misuse and mitigate several attack vectors including CSRF, the request has been blocked. Please consult the documentation.`

// CheckNative refuses a browser where only native apps may call: they have no
// anti-CSRF token, so a browser could be made to send the request.
func CheckNative(r *http.Request) error {
	if r.Header.Get("Origin") != "" {
		return fault.Bad(fmt.Sprintf(nativeText, "Origin", "as part of an AJAX request in a Browser"))
	}
	if foreignCookie(r) {
		return fault.Bad(fmt.Sprintf(nativeText, "Cookie", "by a Browser"))
	}
	return nil
}
