package config

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// settle holds a document against the schema, key by key. What does not fit is
// noted and taken out, so that the checks which follow see sane values and every
// mistake is reported at once; then defaults fill the fixed paths.
type settle struct {
	doc      *Document
	mistakes Mistakes
	notices  []Notice
}

func (s *settle) refuse(key, text string) {
	s.mistakes = append(s.mistakes, Mistake{Key: key, Place: s.doc.Place(key), Text: text})
}

// value checks v, which stands at key, and says whether it may stay.
func (s *settle) value(n *node, v any, key string, fixed bool) bool {
	switch n.mark {
	case markInert:
		s.notices = append(s.notices, Notice{Inert, key, "accepted, has no effect in Styx"})
		return true
	case markLocal:
		s.notices = append(s.notices, Notice{Local, key, "only matters to the local server"})
	}
	if problem := n.refuse(v); problem != "" {
		s.refuse(key, problem)
		return false
	}
	switch v := v.(type) {
	case map[string]any:
		s.object(n, v, key, fixed)
	case []any:
		if n.items == nil {
			return true
		}
		for i, item := range v {
			if !s.value(n.items, item, join(key, strconv.Itoa(i)), false) {
				// Indexes stay as written, for the mistakes still to come.
				v[i] = nil
			}
		}
	}
	return true
}

// object checks the members of m. fixed says that m stands at a fixed path,
// where defaults apply: not in a list or under a name of the user's choice.
func (s *settle) object(n *node, m map[string]any, key string, fixed bool) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		below := join(key, name)
		if p := n.member(name); p != nil {
			if !s.value(p, m[name], below, fixed) {
				delete(m, name)
			}
			continue
		}
		switch {
		case n.rest == nil && !n.closed && n.members == nil:
			// free-form
		case n.rest == nil && !n.closed:
			s.notices = append(s.notices, Notice{Ignored, below, "is not known and ignored" + s.meant(n, name)})
		case n.closed:
			s.refuse(below, "is not a known key"+s.meant(n, name))
			delete(m, name)
		default:
			if !s.value(n.rest, m[name], below, false) {
				delete(m, name)
			}
		}
	}
	for _, name := range n.required {
		if _, ok := m[name]; !ok && !s.refused(join(key, name)) {
			s.refuse(join(key, name), "is required"+s.wanted(n.member(name)))
		}
	}
	for _, r := range n.rules {
		if m[r.key] == r.value {
			s.branch(r.then, m, key)
		}
	}
	if fixed {
		s.fill(n, m)
	}
}

// branch checks what a condition adds: some members follow a closer schema.
func (s *settle) branch(n *node, m map[string]any, key string) {
	for _, name := range n.required {
		if _, ok := m[name]; !ok {
			s.refuse(join(key, name), "is required")
		}
	}
	for _, p := range n.members {
		if v, ok := m[p.name]; ok && !s.value(p.node, v, join(key, p.name), false) {
			delete(m, p.name)
		}
	}
}

// fill adds the defaults that m lacks, making objects on the way.
func (s *settle) fill(n *node, m map[string]any) {
	for _, p := range n.members {
		if _, ok := m[p.name]; ok {
			continue // filled when it was checked
		}
		switch {
		case p.node.preset != nil:
			m[p.name] = p.node.preset
		case p.node.members != nil:
			below := map[string]any{}
			s.fill(p.node, below)
			m[p.name] = below
		}
	}
}

func (s *settle) refused(key string) bool {
	return slices.ContainsFunc(s.mistakes, func(m Mistake) bool { return m.Key == key })
}

// meant suggests the key that an unknown one was probably meant to be.
func (s *settle) meant(n *node, name string) string {
	known := n.names()
	if hint := closest(name, known); hint != "" {
		return "; did you mean " + hint + "?"
	}
	if len(known) == 0 || len(known) > 16 {
		return ""
	}
	return "; known here: " + strings.Join(known, ", ")
}

func (s *settle) wanted(n *node) string {
	if n == nil {
		return ""
	}
	return ": " + n.allowed()
}
