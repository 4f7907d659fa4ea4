package schema

import (
	"encoding/json"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"styx/internal/identity"
)

// keyword compiles the identity schemas' own keyword.
type keyword struct{}

// mark is the compiled keyword of one subschema.
type mark struct {
	identity.Marks
	format string // that of the same subschema
}

// Compile reads the keyword's settings, once.
func (keyword) Compile(_ jsonschema.CompilerContext, node map[string]any) (jsonschema.ExtSchema, error) {
	settings, found := node[identity.Keyword]
	if !found {
		return nil, nil
	}
	raw, err := json.Marshal(settings)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", identity.Keyword, err)
	}
	marks, err := identity.ParseMarks(raw)
	if err != nil {
		return nil, err
	}
	format, _ := node["format"].(string)
	return mark{marks, format}, nil
}

const noFormat = `no format specified. A format is required if verification is enabled. ` +
	`If this was intentional, please set "format" to "no-validate"`

// Validate checks an address whose subschema names no format: mail addresses
// need none to be recognised. A format that is named was checked already.
func (m mark) Validate(ctx jsonschema.ValidationContext, value any) error {
	text, ok := value.(string)
	if !ok || m.format != "" {
		return nil
	}
	if m.Verification == identity.ViaSMS {
		return ctx.Error("format", noFormat)
	}
	switch channel := m.channel(); {
	case channel == identity.ViaEmail && !identity.IsEmail(text):
		return ctx.Error("format", "%q is not valid %q", text, formatEmail)
	case channel == identity.ViaSMS && !isTel(text):
		return ctx.Error("format", "%q is not valid %q", text, formatTel)
	}
	return nil
}

// channel is how mail would be sent to the value, "" when none is.
func (m mark) channel() identity.Via {
	switch {
	case m.Verification != "":
		return m.Verification
	case m.Recovery != "":
		return m.Recovery
	case m.Code:
		return m.codeVia()
	default:
		return ""
	}
}

// codeVia is the channel of sign-in codes: what the schema says, else what the
// format is for.
func (m mark) codeVia() identity.Via {
	switch {
	case m.CodeVia != "":
		return m.CodeVia
	case m.format == formatTel:
		return identity.ViaSMS
	default:
		return identity.ViaEmail
	}
}

// address is the value as an address: normal form where the format is one of
// addresses, otherwise what was typed, trimmed.
func (m mark) address(text string) string {
	switch m.format {
	case "", formatEmail, formatEmailLoose, formatTel:
		return identity.Normalize(text)
	default:
		return trimmed(text)
	}
}
