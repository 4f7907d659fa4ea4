package pages

import (
	"slices"
	"strings"
)

// section is a part of a page: in settings one group with a heading, elsewhere
// one way to go on, set off from the one before by "or".
type section struct {
	Heading string
	Or      bool
	Loose   []control // what stands outside a form because nothing there can be sent
	Forms   []form
	NeedsJS bool // has buttons that only a script can serve
}

// form is one HTML form. Hidden is copied into each form that needs it.
type form struct {
	Action, Method string
	Hidden         []control
	Controls       []control
}

// Scripted says whether only a script can send the form: it has buttons, and
// none of them submits.
func (f form) Scripted() bool {
	return slices.ContainsFunc(f.Controls, func(c control) bool { return c.Kind == "button" }) &&
		!slices.ContainsFunc(f.Controls, func(c control) bool { return c.Kind == "submit" })
}

var headings = map[string]string{
	"default":       "Your account",
	"profile":       "Profile",
	"password":      "Change your password",
	"oidc":          "Sign-in providers",
	"lookup_secret": "Backup recovery codes",
	"webauthn":      "Security keys",
	"passkey":       "Passkeys",
	"totp":          "Authenticator app",
	"code":          "One-time code",
	"link":          "Link",
}

// layout divides a flow's nodes into sections and forms.
//
// The API lists nodes for one long form with many submit buttons. HTML has two
// traps there. Enter in a field presses the first submit button of the form,
// which may be "remove this key" or a sign-in provider; and a required field of
// one method stops the button of another. So each group becomes a form of its
// own with copies of the hidden inputs all groups share. Only where the groups
// share something to type (the identifier, the traits) do they stand in one
// form: then the group with fields comes first, so that Enter means it, and the
// other buttons skip the browser's validation.
type layout struct {
	kind           string
	action, method string
	ids            ids
	shared         []node
	groups         []group
}

type group struct {
	name  string
	nodes []node
}

func (g group) any(is func(node) bool) bool { return slices.ContainsFunc(g.nodes, is) }

// retreat says whether a group only leads back to an earlier step.
func (g group) retreat() bool {
	return !slices.ContainsFunc(g.nodes, func(n node) bool { return n.Attributes.Name != "screen" })
}

func newLayout(kind string, f flowJSON) *layout {
	l := &layout{kind: kind, action: href(f.UI.Action), method: "post", ids: ids{}}
	if strings.EqualFold(f.UI.Method, "get") {
		l.method = "get"
	}
	for _, n := range f.UI.Nodes {
		// In a registration the traits go with every method, whichever group
		// the configuration puts them in.
		trait := kind == "registration" && strings.HasPrefix(n.Attributes.Name, "traits.")
		switch {
		case n.Type == "script":
		case (n.Group == "default" || trait) && !n.submits() && !n.triggers():
			l.shared = append(l.shared, n)
		default:
			at := slices.IndexFunc(l.groups, func(g group) bool { return g.name == n.Group })
			if at < 0 {
				at = len(l.groups)
				l.groups = append(l.groups, group{name: n.Group})
			}
			l.groups[at].nodes = append(l.groups[at].nodes, n)
		}
	}
	// A group that shows nothing goes with all others: who it is about, once that
	// was asked, and passkeys that a browser offers where the identifier is typed.
	l.groups = slices.DeleteFunc(l.groups, func(g group) bool {
		silent := !g.any(func(n node) bool { return !n.hidden() })
		if silent {
			l.shared = append(l.shared, g.nodes...)
		}
		return silent
	})
	if kind != "settings" {
		slices.SortStableFunc(l.groups, func(a, b group) int { return rank(a) - rank(b) })
	}
	return l
}

// rank puts what a person fills in before what is only pressed, the providers
// after the rest and the way back last.
func rank(g group) int {
	switch {
	case g.retreat():
		return 3
	case g.name == "oidc":
		return 2
	case g.any(node.field) && g.any(node.submits):
		return 0
	default:
		return 1
	}
}

// parted says whether "or" stands between two groups: not between two that are
// only buttons, which read as a list of choices.
func parted(before, after group) bool {
	return !after.retreat() && (before.any(node.field) || after.any(node.field))
}

func (l *layout) sections() []section {
	if slices.ContainsFunc(l.shared, node.field) {
		return l.sharedForm()
	}
	var out []section
	if loose := l.controls(slices.DeleteFunc(slices.Clone(l.shared), node.hidden)); len(loose) > 0 {
		out = append(out, section{Loose: loose})
	}
	for i, g := range l.groups {
		s := l.ownForms(g)
		switch {
		case l.kind == "settings":
			s.Heading = headings[g.name]
			if s.Heading == "" {
				s.Heading = g.name
			}
		case i > 0:
			s.Or = parted(l.groups[i-1], g)
		}
		out = append(out, s)
	}
	l.emphasise(out)
	return out
}

// sharedForm is the layout for groups that share fields.
func (l *layout) sharedForm() []section {
	together, apart := l.groups, []group(nil)
	for i, g := range l.groups {
		// Providers and the way back need nothing of what is typed, unless a
		// provider's button is the one way to send it.
		if i > 0 && rank(g) >= 2 {
			together, apart = l.groups[:i], l.groups[i:]
			break
		}
	}
	f := form{Action: l.action, Method: l.method}
	var rest []section
	main := section{}
	for _, n := range l.shared {
		f.add(l.control(n))
	}
	for i, g := range together {
		main.NeedsJS = main.NeedsJS || g.any(node.triggers)
		if i > 0 && parted(together[i-1], g) {
			f.Controls = append(f.Controls, control{Kind: "or"})
		}
		sent := i > 0
		for _, n := range g.nodes {
			c := l.control(n)
			if n.submits() {
				c.NoValidate = sent
				sent = true
			}
			f.add(c)
		}
	}
	main.Forms = []form{f}
	for i, g := range apart {
		s := l.ownForms(g)
		s.Or = !g.retreat() && (i == 0 && len(together) == 1 || i > 0 && parted(apart[i-1], g))
		rest = append(rest, s)
	}
	out := append([]section{main}, rest...)
	l.emphasise(out)
	return out
}

// ownForms is the layout of one group that shares nothing visible with others.
func (l *layout) ownForms(g group) section {
	s := section{NeedsJS: g.any(node.triggers)}
	if !g.any(node.submits) && !g.any(node.triggers) && !g.any(node.field) {
		s.Loose = l.controls(slices.DeleteFunc(slices.Clone(g.nodes), node.hidden))
		return s
	}
	// With a field, the form keeps one submit button, and Enter means it: the
	// one called method, or the first where no script's button sends the form.
	// The others (resend, remove, back) get a form each.
	kept := slices.IndexFunc(g.nodes, func(n node) bool { return n.submits() && n.Attributes.Name == "method" })
	if kept < 0 && !g.any(node.triggers) {
		kept = slices.IndexFunc(g.nodes, node.submits)
	}
	alone := func(i int) bool { return i != kept && g.nodes[i].submits() && g.any(node.field) }
	main := form{Action: l.action, Method: l.method, Hidden: l.hiddenShared()}
	for i, n := range g.nodes {
		if alone(i) {
			continue
		}
		c := l.control(n)
		c.NoValidate = c.NoValidate && i != kept
		main.add(c)
	}
	s.Forms = append(s.Forms, main)
	for i, n := range g.nodes {
		if !alone(i) {
			continue
		}
		f := form{Action: l.action, Method: l.method, Hidden: l.hiddenShared()}
		for _, h := range g.nodes {
			// An empty hidden input waits for a script's result in the main form.
			if h.hidden() && h.Attributes.Value != "" && h.Attributes.OnloadTrigger == "" {
				f.add(l.control(h))
			}
		}
		f.add(l.control(n))
		s.Forms = append(s.Forms, f)
	}
	return s
}

func (l *layout) hiddenShared() []control {
	var out []control
	for _, n := range l.shared {
		if n.hidden() {
			out = append(out, l.control(n))
		}
	}
	return out
}

func (l *layout) controls(nodes []node) []control {
	var out []control
	for _, n := range nodes {
		out = append(out, l.control(n))
	}
	return out
}

func (f *form) add(c control) {
	switch c.Kind {
	case "":
	case "hidden":
		f.Hidden = append(f.Hidden, c)
	default:
		f.Controls = append(f.Controls, c)
	}
}

// emphasise makes one button stand out: the first of the page, in settings the
// first of each form that has fields. Equal choices stay equal.
func (l *layout) emphasise(sections []section) {
	for s := range sections {
		for f := range sections[s].Forms {
			controls := sections[s].Forms[f].Controls
			at := slices.IndexFunc(controls, func(c control) bool { return c.Kind == "submit" && c.Look == "" })
			if at < 0 {
				continue
			}
			if l.kind == "settings" && !slices.ContainsFunc(controls, control.field) {
				continue
			}
			if !slices.ContainsFunc(controls[at+1:], func(c control) bool { return c.Kind == "submit" && c.Name == controls[at].Name && c.Name != "method" }) {
				controls[at].Look = "primary"
			}
			if l.kind != "settings" {
				return
			}
		}
	}
}
