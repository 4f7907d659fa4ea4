package schema

import "styx/internal/identity"

// Names of the formats that identity schemas have beyond draft 7.
const (
	formatEmail      = "email"
	formatEmailLoose = "email_loose"
	formatTel        = "tel"
	formatNone       = "no-validate"
)

func formats() map[string]func(any) bool {
	return map[string]func(any) bool{
		formatEmail:      texts(identity.IsEmail),
		formatEmailLoose: texts(identity.IsLooseEmail),
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

func isTel(text string) bool {
	_, ok := identity.Phone(text)
	return ok
}
