// Package script holds the browser's part of security keys and passkeys: the
// file that the script nodes of flows point at.
package script

import (
	"crypto/sha512"
	_ "embed"
	"encoding/base64"
)

// Path is where the public API serves the script, below its base URL.
const Path = "/.well-known/ory/webauthn.js"

// Source is the script.
//
//go:embed webauthn.js
var Source string

// Integrity is the hash of Source that a script element carries, "sha512-" and
// base64 as the W3C's Subresource Integrity writes it: the browser runs these
// bytes and no others.
var Integrity = integrity(Source)

func integrity(source string) string {
	sum := sha512.Sum512([]byte(source))
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}
