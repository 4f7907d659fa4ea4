package pages

import (
	"cmp"
	"encoding/base64"
	"html/template"
	"net/url"
	"strconv"
	"strings"
)

// control is one node, ready for the templates. Kind chooses the template:
// hidden, field, select, check, submit, button, text, codes, image, link, or.
type control struct {
	Kind, ID, Label          string
	Name, Type, Value        string
	Look                     string // submit and button: "", primary, danger, quiet
	Autocomplete, InputMode  string
	Pattern, Step, Hint      string
	Verbatim                 bool // no spell check, no capitals: identifiers and codes
	MaxLength, Width, Height int
	Required, Disabled       bool
	Checked, NoValidate      bool
	Options                  []string
	Notes                    []note
	Trigger                  string // function a button calls, or a hidden input at load
	Href                     string
	Image                    template.URL
	Codes                    []code
}

// code is one of a list of backup codes; a used one is a text that says so.
type code struct {
	Text string
	Used bool
}

// note is a message next to its control.
type note struct{ ID, Type, Text string }

// Invalid says whether a message says so.
func (c control) Invalid() bool {
	for _, n := range c.Notes {
		if n.Type == "error" {
			return true
		}
	}
	return false
}

func (c control) field() bool { return c.Kind == "field" || c.Kind == "select" || c.Kind == "check" }

// Described lists the ids of what describes the control, for aria-describedby.
func (c control) Described() string {
	var all []string
	if c.Hint != "" {
		all = append(all, c.ID+"-hint")
	}
	for _, n := range c.Notes {
		all = append(all, n.ID)
	}
	return strings.Join(all, " ")
}

// Selected says whether an option is the chosen one.
func (c control) Selected(option string) bool { return c.Value == option }

// ids hands out ids that are unique in a page: the name itself at first, since
// people and password managers know it, then the name with a number.
type ids map[string]int

func (seen ids) next(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '.', r == '-':
			return r
		}
		return '-'
	}, name)
	if name == "" {
		name = "node"
	}
	for {
		seen[name]++
		if seen[name] == 1 {
			return name
		}
		// The numbered id may be another node's name.
		name += "-" + strconv.Itoa(seen[name])
	}
}

// Messages of the API by which a node is drawn; their ids never change.
const (
	usedCode   = 1050014 // stands in a list of backup codes for one that is used
	resendCode = 1070008 // labels the button that sends a code once more
)

// triggers are the functions of the API's script a node may name. A node cannot
// make a page call anything else.
var triggers = map[string]bool{
	"oryWebAuthnLogin":                true,
	"oryWebAuthnRegistration":         true,
	"oryPasskeyLogin":                 true,
	"oryPasskeyLoginAutocompleteInit": true,
	"oryPasskeyRegistration":          true,
	"oryPasskeySettingsRegistration":  true,
}

// control turns a node into its control; the zero control where nothing is to
// be shown (an unknown type of node, or a link that may not be followed).
func (l *layout) control(n node) control {
	a := n.Attributes
	switch n.Type {
	case "input":
		return l.input(n)
	case "text":
		if a.Text == nil {
			return control{}
		}
		c := control{Kind: "text", ID: l.ids.next(a.ID), Label: n.label(), Value: a.Text.Text}
		for _, secret := range a.Text.Context.Secrets {
			c.Kind = "codes"
			c.Codes = append(c.Codes, code{Text: secret.Text, Used: secret.ID == usedCode})
		}
		return c
	case "img":
		return control{Kind: "image", ID: l.ids.next(a.ID), Label: n.label(), Image: picture(a.Src), Width: a.Width, Height: a.Height}
	case "a":
		c := control{Kind: "link", ID: l.ids.next(a.ID), Label: n.label(), Href: href(a.Href)}
		if a.Title != nil && a.Title.Text != "" {
			c.Label = a.Title.Text
		}
		if c.Href == "" {
			return control{}
		}
		return c
	}
	return control{}
}

func (l *layout) input(n node) control {
	a := n.Attributes
	c := control{
		Kind: "field", Name: a.Name, Type: a.Type, Value: string(a.Value), Label: n.label(),
		Autocomplete: a.Autocomplete, MaxLength: a.MaxLength, Required: a.Required, Disabled: a.Disabled,
	}
	switch a.Type {
	case "hidden":
		c.Kind = "hidden"
		if triggers[a.OnloadTrigger] {
			c.Trigger = a.OnloadTrigger
		}
		return c
	case "submit":
		c.Kind, c.NoValidate, c.Look = "submit", a.Name != "method", look(n)
		if n.Meta.Label == nil && c.Value != "" {
			c.Label = c.Value
		}
	case "button":
		c.Kind = "button"
		if triggers[a.OnclickTrigger] {
			c.Trigger = a.OnclickTrigger
		}
	case "checkbox":
		// A schema requires the property, not the tick: a hidden "false" goes
		// before the box so that an empty one is sent, too.
		c.Kind, c.Required, c.Checked = "check", false, a.Value == "true"
	case "password":
		c.Value = "" // an answer never holds one; a page must not either
	case "number":
		c.Step = "any" // a node does not tell integers from other numbers
	case "datetime-local":
		// The browser's picker sends a time without a zone, and RFC 3339, which
		// the schema asks for, has one.
		c.Type, c.Hint, c.Verbatim = "text", "For example 2026-01-31T18:30:00Z", true
	case "text", "email", "tel", "url", "date":
	default:
		c.Type = "text"
	}
	if len(a.Options) > 0 && c.Kind == "field" {
		c.Kind = "select"
		for _, o := range a.Options {
			c.Options = append(c.Options, string(o.Value))
		}
	}
	if c.Kind == "field" {
		c.assist(a)
	}
	c.ID = l.ids.next(a.Name)
	for i, m := range n.Messages {
		c.Notes = append(c.Notes, note{ID: c.ID + "-note" + strconv.Itoa(i+1), Type: m.Type, Text: m.Text})
	}
	return c
}

// assist adds what helps to type a value right.
func (c *control) assist(a attributes) {
	if !strings.HasPrefix(a.Name, "traits.") {
		// A trait's pattern is the schema's, which may match a part of the
		// value; HTML's has to match all of it. The API checks it.
		c.Pattern = a.Pattern
	}
	known := "" // what the field is for, where the API does not say
	switch a.Name {
	case "identifier", "recovery_address":
		c.Verbatim, known = true, "username"
	case "totp_code", "code":
		c.Verbatim, c.InputMode, known = true, "numeric", "one-time-code"
	case "lookup_secret":
		c.Verbatim, known = true, "off"
	}
	switch a.Type {
	case "email", "tel", "url":
		known = a.Type
	}
	c.Autocomplete = cmp.Or(c.Autocomplete, known)
}

// look is how a submit button looks by what it does.
func look(n node) string {
	name := n.Attributes.Name
	switch {
	case strings.HasSuffix(name, "_remove"), strings.HasSuffix(name, "unlink"), strings.HasSuffix(name, "_disable"):
		return "danger"
	case name == "lookup_secret_confirm":
		return "primary"
	case name == "screen", n.Meta.Label != nil && n.Meta.Label.ID == resendCode:
		return "quiet"
	}
	return ""
}

// href lets pass what a link or form may lead to: a web URL or a path here. ""
// is anything else.
func href(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return raw
}

// picture lets pass a PNG in a data URL, the form of the API's QR codes. "" is
// anything else.
func picture(src string) template.URL {
	const prefix = "data:image/png;base64,"
	data, found := strings.CutPrefix(src, prefix)
	if !found {
		return ""
	}
	if _, err := base64.StdEncoding.DecodeString(data); err != nil {
		return ""
	}
	return template.URL(src) //nolint:gosec // base64 of an image holds no markup
}
