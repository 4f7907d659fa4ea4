package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"styx/internal/identity"
	"styx/internal/identity/ordered"
)

// maxSteps bounds a walk: no submission is that large, so only a schema whose
// branches multiply gets there.
const maxSteps = 100_000

// walk goes along an instance and every subschema that applies to it.
type walk struct {
	// everywhere also enters the branches of anyOf, oneOf and if that the
	// instance does not satisfy.
	everywhere bool
	meet       func(mark, *ordered.Value, []string)
	steps      int
}

func (w *walk) visit(s *jsonschema.Schema, value *ordered.Value, path []string) {
	if w.steps++; s == nil || w.steps > maxSteps {
		return
	}
	if m, ok := s.Extensions[identity.Keyword].(mark); ok {
		w.meet(m, value, path)
	}
	w.visit(s.Ref, value, path)
	w.members(s, value, path)
	w.items(s, value, path)
	w.branches(s, value, path)
}

func (w *walk) members(s *jsonschema.Schema, value *ordered.Value, path []string) {
	for _, member := range value.Members() {
		below := append(slices.Clip(path), member.Name)
		known := s.Properties[member.Name]
		w.visit(known, member.Value, below)
		for pattern, sub := range s.PatternProperties {
			if pattern.MatchString(member.Name) {
				known = sub
				w.visit(sub, member.Value, below)
			}
		}
		if rest, ok := s.AdditionalProperties.(*jsonschema.Schema); ok && known == nil {
			w.visit(rest, member.Value, below)
		}
	}
}

func (w *walk) items(s *jsonschema.Schema, value *ordered.Value, path []string) {
	for at, item := range value.Items() {
		below := append(slices.Clip(path), strconv.Itoa(at))
		switch items := s.Items.(type) {
		case *jsonschema.Schema:
			w.visit(items, item, below)
		case []*jsonschema.Schema:
			if at < len(items) {
				w.visit(items[at], item, below)
			} else if rest, ok := s.AdditionalItems.(*jsonschema.Schema); ok {
				w.visit(rest, item, below)
			}
		}
		if at < len(s.PrefixItems) {
			w.visit(s.PrefixItems[at], item, below)
		} else {
			w.visit(s.Items2020, item, below)
		}
	}
}

func (w *walk) branches(s *jsonschema.Schema, value *ordered.Value, path []string) {
	for _, branch := range s.AllOf {
		w.visit(branch, value, path)
	}
	for _, branch := range slices.Concat(s.AnyOf, s.OneOf) {
		if w.everywhere || satisfies(branch, value) {
			w.visit(branch, value, path)
		}
	}
	if s.If == nil {
		return
	}
	holds := satisfies(s.If, value)
	if w.everywhere || holds {
		w.visit(s.If, value, path)
		w.visit(s.Then, value, path)
	}
	if w.everywhere || !holds {
		w.visit(s.Else, value, path)
	}
}

func satisfies(s *jsonschema.Schema, value *ordered.Value) bool {
	return s.Validate(value.Any()) == nil
}

// Found is what a schema says that traits are.
type Found struct {
	Password   []string // identifiers in normal form
	WebAuthn   []string
	Code       []identity.CodeAddress
	Verifiable []identity.Address
	Recovery   []identity.Address
}

// find collects identifiers and addresses, in the order of the traits' names in
// the schema.
func (v *Validator) find(instance *ordered.Value) Found {
	type meeting struct {
		mark
		text string
		rank int
	}
	var met []meeting
	w := walk{meet: func(m mark, value *ordered.Value, path []string) {
		if text, ok := value.Literal(); ok && trimmed(text) != "" {
			met = append(met, meeting{m, text, v.rank(path)})
		}
	}}
	w.visit(v.root, instance, nil)
	slices.SortStableFunc(met, func(a, b meeting) int { return a.rank - b.rank })

	var found Found
	for _, m := range met {
		name := identity.Normalize(m.text)
		if name == "" {
			continue
		}
		if m.Password {
			found.Password = once(found.Password, name)
		}
		if m.WebAuthn {
			found.WebAuthn = once(found.WebAuthn, name)
		}
		if m.Code {
			found.Code = once(found.Code, identity.CodeAddress{Channel: m.codeVia(), Address: name})
		}
		if m.Verification != "" {
			found.Verifiable = onceNormal(found.Verifiable, identity.Address{Via: m.Verification, Value: m.address(m.text)})
		}
		if m.Recovery != "" {
			found.Recovery = onceNormal(found.Recovery, identity.Address{Via: m.Recovery, Value: m.address(m.text)})
		}
	}
	return found
}

func once[T comparable](list []T, entry T) []T {
	if slices.Contains(list, entry) {
		return list
	}
	return append(list, entry)
}

// onceNormal adds an address unless one equal in normal form is there.
func onceNormal(list []identity.Address, entry identity.Address) []identity.Address {
	if slices.ContainsFunc(list, func(old identity.Address) bool {
		return old.Via == entry.Via && identity.Normalize(old.Value) == identity.Normalize(entry.Value)
	}) {
		return list
	}
	return append(list, entry)
}

// canonical rewrites telephone numbers that are identifiers or addresses to
// E.164, wherever the schema may have them.
func (v *Validator) canonical(instance *ordered.Value) {
	w := walk{everywhere: true, meet: func(m mark, value *ordered.Value, _ []string) {
		text, ok := value.Text()
		if !ok || m.format != formatTel || !m.Addresses() {
			return
		}
		if phone, ok := identity.Phone(text); ok {
			value.SetText(phone)
		}
	}}
	w.visit(v.root, instance, nil)
}

func trimmed(text string) string { return strings.TrimSpace(text) }
