package totp

import (
	"cmp"
	"encoding/base32"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"styx/internal/identity"
)

// written is how apps take a key over as text.
func written() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// linkOf is what an app takes over: an otpauth:// URL.
func linkOf(issuer, account, key string) string {
	query := url.Values{
		"algorithm": {"SHA1"}, "digits": {strconv.Itoa(digits)}, "issuer": {issuer}, "period": {strconv.Itoa(period)}, "secret": {key},
	}
	// An app shows a plus sign as such: it is not the space of a form.
	return "otpauth://totp/" + url.PathEscape(issuer) + ":" + url.PathEscape(account) + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}

// keyIn returns the key in an otpauth:// URL, nil when there is none. An imported
// one may be written in small letters, spaced or padded.
func keyIn(link string) []byte {
	parsed, err := url.Parse(link)
	if err != nil {
		return nil
	}
	text := strings.TrimRight(strings.ToUpper(strings.TrimSpace(parsed.Query().Get("secret"))), "=")
	key, err := written().DecodeString(text)
	if err != nil {
		return nil
	}
	return key
}

// maxAccount bounds the name that an app shows, in bytes: as long as an email
// address may be, and short enough for a QR code however it is escaped.
const maxAccount = 255

// account is the name under which an app keeps the secret: the trait that the
// schema marks for it, else the identity's id.
func account(schema *identity.Schema, who *identity.Identity) string {
	marked := map[string]bool{}
	for _, leaf := range schema.Leaves() {
		marked[leaf.Name] = leaf.Marks.AccountName
	}
	name := who.ID
	for _, trait := range identity.Flatten(who.Traits) {
		if !marked[trait.Name] || trait.Value == nil {
			continue
		}
		name = cmp.Or(strings.TrimSpace(fmt.Sprint(trait.Value)), name)
	}
	for len(name) > maxAccount {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}
