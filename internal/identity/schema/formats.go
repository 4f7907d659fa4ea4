package schema

import (
	"net/mail"
	"strings"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"styx/internal/identity"
)

// Names of the formats that identity schemas have beyond draft 7.
const (
	formatEmail      = "email"
	formatEmailLoose = "email_loose"
	formatTel        = "tel"
	formatNone       = "no-validate"
)

// Bounds of an e-mail address, RFC 5321 section 4.5.3.1 as corrected by
// RFC 3696 erratum 1690.
const (
	maxEmail = 254
	maxLocal = 64
)

func formats() map[string]func(any) bool {
	return map[string]func(any) bool{
		formatEmail:      texts(isEmail),
		formatEmailLoose: texts(isLooseEmail),
		formatTel:        texts(isTel),
		formatNone:       func(any) bool { return true },
	}
}

// texts makes a check of strings one of any value: a format says nothing about
// other types.
func texts(check func(string) bool) func(any) bool {
	return func(value any) bool {
		text, ok := value.(string)
		return !ok || check(text)
	}
}

// isEmail tells whether mail to the address, as it was typed and in the normal
// form that mail is sent to, reaches one mailbox. Compatibility characters make
// the difference: a full-width comma becomes a comma, which would make two.
func isEmail(text string) bool { return mailbox(text) && mailbox(identity.Normalize(text)) }

func mailbox(text string) bool {
	local, domain, ok := cut(text)
	if !ok || len(text) > maxEmail || len(local) > maxLocal || !isHost(domain) {
		return false
	}
	_, err := mail.ParseAddress(text)
	return err == nil
}

// isLooseEmail takes mailboxes that RFC 5322 does not, such as "a..b@example.org".
func isLooseEmail(text string) bool {
	local, domain, ok := cut(identity.Normalize(text))
	return ok && local != "" && len(text) <= maxEmail && isHost(domain) &&
		!strings.ContainsFunc(local, unicode.IsSpace) && !strings.ContainsAny(local, `@,;:<>()[]\"`)
}

// cut splits an address at its last at sign.
func cut(text string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return "", "", false
	}
	return text[:at], text[at+1:], true
}

func isHost(domain string) bool { return domain != "" && jsonschema.Formats["hostname"](domain) }

func isTel(text string) bool {
	_, ok := identity.Phone(text)
	return ok
}
