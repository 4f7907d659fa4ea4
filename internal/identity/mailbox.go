package identity

import (
	"net/mail"
	"strings"
	"unicode"
)

// Bounds of an e-mail address, RFC 5321 section 4.5.3.1 as corrected by
// RFC 3696 erratum 1690, and of a host name, RFC 1123 section 2.1.
const (
	maxEmail = 254
	maxLocal = 64
	maxHost  = 253
	maxLabel = 63
)

// IsEmail tells whether mail to the address, as it was typed and in the normal
// form that mail is sent to, reaches one mailbox. Compatibility characters make
// the difference: a full-width comma becomes a comma, which would make two.
func IsEmail(text string) bool { return mailbox(text) && mailbox(Normalize(text)) }

func mailbox(text string) bool {
	local, domain, ok := cutAddress(text)
	if !ok || len(text) > maxEmail || len(local) > maxLocal || !isHost(domain) {
		return false
	}
	_, err := mail.ParseAddress(text)
	return err == nil
}

// IsLooseEmail takes mailboxes that RFC 5322 does not, such as "a..b@example.org".
func IsLooseEmail(text string) bool {
	local, domain, ok := cutAddress(Normalize(text))
	return ok && local != "" && len(text) <= maxEmail && isHost(domain) &&
		!strings.ContainsFunc(local, unicode.IsSpace) && !strings.ContainsAny(local, `@,;:<>()[]\"`)
}

// cutAddress splits an address at its last at sign.
func cutAddress(text string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return "", "", false
	}
	return text[:at], text[at+1:], true
}

// isHost tells whether a text is a host name: labels of letters, digits and
// inner hyphens, in ASCII.
func isHost(domain string) bool {
	domain = strings.TrimSuffix(domain, ".")
	if len(domain) > maxHost {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return !labelled(r) }) {
			return false
		}
	}
	return true
}

func labelled(r rune) bool {
	return r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}
