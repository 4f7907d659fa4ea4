package identity

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"styx/internal/identity/ordered"
	"styx/internal/ui"
)

// Bounds of a schema: its bytes, its nesting, its values, and how many subschemas
// a walk along every reference may visit.
const (
	maxSchema      = 1 << 20
	maxSchemaDepth = 64
	maxSchemaSize  = 100_000
	maxSchemaWalk  = 20_000
	maxTraitDepth  = 24
	maxOptions     = 500
)

// ErrSchemaTooLarge tells that a schema exceeds a bound.
var ErrSchemaTooLarge = errors.New("identity schema is too large")

// Schema is an identity schema in its written order: what forms, labels and
// decoding need. Validating takes identity/schema.
type Schema struct {
	id     string
	raw    []byte
	leaves []Leaf
	label  ui.Message
}

// Leaf is one trait: a property below traits that is not itself a set of
// properties.
type Leaf struct {
	Name     string   // traits.name.first
	Path     []string // below traits: name, first
	Types    []string // JSON Schema types but null; nil when the schema names none
	Item     string   // type of the items of an array, "" when unknown
	Format   string
	Pattern  string
	Title    string
	Enum     []any
	Const    any  // the constant, when Constant
	Constant bool // whether the schema demands one value
	Required bool // by the direct parent
	Marks    Marks
}

// Object tells whether the trait is an object, or an array of them, that the
// schema says nothing more about.
func (l Leaf) Object() bool {
	return slices.Contains(l.Types, "object") || slices.Contains(l.Types, "array") && l.Item == "object"
}

// ParseSchema reads a schema, whose size, depth and references it bounds:
// cycles end where they begin. References to other documents contribute no
// leaves, save base64:// ones.
func ParseSchema(id string, raw []byte) (*Schema, error) {
	if len(raw) > maxSchema {
		return nil, fmt.Errorf("read identity schema %q: %w", id, ErrSchemaTooLarge)
	}
	root, err := ordered.Parse(raw, ordered.Limits{Depth: maxSchemaDepth, Values: maxSchemaSize})
	if err != nil {
		return nil, fmt.Errorf("read identity schema %q: %w", id, err)
	}
	if root.Kind() != ordered.Object {
		return nil, fmt.Errorf("read identity schema %q: not an object", id)
	}
	w := walk{found: map[string]*Leaf{}, parents: map[string]bool{}}
	if err := w.schema(place{root: root, node: root, refs: []string{"#"}}); err != nil {
		return nil, fmt.Errorf("read identity schema %q: %w", id, err)
	}
	s := &Schema{id: id, raw: raw}
	for _, name := range w.order {
		s.leaves = append(s.leaves, w.leaf(name))
	}
	s.label = identifierLabel(s.leaves)
	return s, nil
}

// ID returns the id that the configuration gives the schema.
func (s *Schema) ID() string { return s.id }

// Raw returns the document as it was read; it must not be changed.
func (s *Schema) Raw() []byte { return s.raw }

// Leaves returns the traits in the order of the document; it must not be changed.
func (s *Schema) Leaves() []Leaf { return s.leaves }

// IdentifierLabel is what a login form calls its identifier: the title of the
// one trait that identifies and has a title, else "ID".
func (s *Schema) IdentifierLabel() ui.Message { return s.label }

// DisplayNames returns the traits that name a passkey while it is made, sorted:
// those that are marked so or that identify security keys, else the first
// without a title, as Kratos does; none when there is none.
func (s *Schema) DisplayNames() []string {
	names := s.named()
	if len(names) == 0 {
		if at := slices.IndexFunc(s.leaves, func(leaf Leaf) bool { return leaf.Title == "" }); at >= 0 {
			names = []string{s.leaves[at].Name}
		}
	}
	return names
}

// DisplayName returns what the passkeys of somebody with these traits are called,
// "" when no trait says so.
func (s *Schema) DisplayName(traits json.RawMessage) string {
	texts := map[string]string{}
	for _, trait := range Flatten(traits) {
		if text, ok := trait.Value.(string); ok {
			texts[trait.Name] = text
		}
	}
	for _, name := range s.named() {
		if texts[name] != "" {
			return texts[name]
		}
	}
	return ""
}

// named returns the traits that are marked to name passkeys, sorted.
func (s *Schema) named() []string {
	var names []string
	for _, leaf := range s.leaves {
		if leaf.Marks.DisplayName || leaf.Marks.WebAuthn {
			names = append(names, leaf.Name)
		}
	}
	slices.Sort(names)
	return names
}

func identifierLabel(leaves []Leaf) ui.Message {
	label := ui.Say(ui.LabelID)
	titled := 0
	for _, leaf := range leaves {
		if leaf.Marks.Identifies() && leaf.Title != "" {
			titled++
			label = ui.Titled(leaf.Title, leaf.Name)
		}
	}
	if titled != 1 {
		return ui.Say(ui.LabelID)
	}
	return label
}

// Nodes returns one input per trait that fits into one.
func (s *Schema) Nodes(group ui.Group) []ui.Node {
	var nodes []ui.Node
	for _, leaf := range s.leaves {
		if node, fits := leaf.node(group); fits {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// Names returns the names of the trait nodes in order, by which forms sort.
func (s *Schema) Names() []string {
	var names []string
	for _, leaf := range s.leaves {
		if _, fits := leaf.kind(); fits {
			names = append(names, leaf.Name)
		}
	}
	return names
}

func (l Leaf) node(group ui.Group) (ui.Node, bool) {
	kind, fits := l.kind()
	if !fits {
		return ui.Node{}, false
	}
	node := ui.Input(group, l.Name, kind, nil)
	switch kind {
	case "email", "tel", "url":
		node = node.Completing(kind)
	}
	if l.Required {
		node = node.Needed()
	}
	if l.Title != "" {
		node = node.Labelled(ui.Titled(l.Title, l.Name))
	}
	node.Attributes.Pattern = l.Pattern
	for _, value := range l.Enum {
		if len(node.Attributes.Options) == maxOptions {
			break
		}
		node.Attributes.Options = append(node.Attributes.Options, ui.Option{Value: value})
	}
	return node, true
}

// kind returns the HTML input type, and whether one input can hold the trait.
func (l Leaf) kind() (string, bool) {
	if l.Object() || len(l.Types) > 2 {
		return "", false
	}
	switch l.Format {
	case "date-time":
		return "datetime-local", true
	case "date", "email", "tel":
		return l.Format, true
	case "uri":
		return "url", true
	}
	switch {
	case l.is("number"), l.is("integer"):
		return "number", true
	case l.is("boolean"):
		return "checkbox", true
	}
	if len(l.Types) == 0 && l.Constant {
		switch l.Const.(type) {
		case bool:
			return "checkbox", true
		case float64:
			return "number", true
		}
	}
	return "text", true
}

// is tells whether the type decides how the trait is written.
func (l Leaf) is(kind string) bool { return len(l.Types) > 0 && l.Types[0] == kind }

// walk collects traits along a schema, in its order.
type walk struct {
	visited int
	order   []string
	found   map[string]*Leaf
	parents map[string]bool // traits that have properties of their own
}

// place is one subschema: the document it belongs to, the path of the instance
// it applies to, and the references that led to it.
type place struct {
	document string // "", or the base64:// reference that holds the document
	root     *ordered.Value
	node     *ordered.Value
	path     []string
	required bool
	refs     []string
}

func (p place) at(node *ordered.Value) place {
	p.node = node
	return p
}

func (w *walk) schema(p place) error {
	if w.visited++; w.visited > maxSchemaWalk || len(p.path) > maxTraitDepth {
		return ErrSchemaTooLarge
	}
	if p.node.Kind() != ordered.Object {
		return nil
	}
	// Draft 7: whatever stands beside $ref is ignored.
	if ref, ok := p.node.Get("$ref").Text(); ok {
		target, known, err := p.follow(ref)
		if err != nil || !known {
			return err
		}
		return w.schema(target)
	}
	if err := w.note(p); err != nil {
		return err
	}
	if err := w.properties(p); err != nil {
		return err
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		for _, branch := range p.node.Get(keyword).Items() {
			if err := w.schema(p.at(branch)); err != nil {
				return err
			}
		}
	}
	for _, keyword := range []string{"if", "then", "else", "not"} {
		if err := w.schema(p.at(p.node.Get(keyword))); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) properties(p place) error {
	var required []string
	for _, name := range p.node.Get("required").Items() {
		if text, ok := name.Text(); ok {
			required = append(required, text)
		}
	}
	for _, property := range p.node.Get("properties").Members() {
		below := p.at(property.Value)
		below.path = append(slices.Clone(p.path), property.Name)
		below.required = slices.Contains(required, property.Name)
		if below.path[0] != "traits" {
			continue
		}
		w.parents[strings.Join(p.path, "\x00")] = true
		if err := w.schema(below); err != nil {
			return err
		}
	}
	return nil
}

// follow resolves a reference. One that is being followed already, one into
// another document and one to an anchor lead nowhere; whether they are right is
// for the compiler to say.
func (p place) follow(ref string) (place, bool, error) {
	document, fragment, _ := strings.Cut(ref, "#")
	id, _ := p.root.Get("$id").Text()
	next := p
	switch encoded, inline := strings.CutPrefix(document, "base64://"); {
	case inline:
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return place{}, false, fmt.Errorf("read $ref: %w", err)
		}
		next.document = document
		if next.root, err = ordered.Parse(raw, ordered.Limits{Depth: maxSchemaDepth, Values: maxSchemaSize}); err != nil {
			return place{}, false, fmt.Errorf("read $ref: %w", err)
		}
	case document != "" && document != strings.TrimSuffix(id, "#"):
		return place{}, false, nil
	}
	key := next.document + "#" + fragment
	next.node = pointer(next.root, fragment)
	if next.node == nil || slices.Contains(p.refs, key) {
		return place{}, false, nil
	}
	next.refs = append(slices.Clone(p.refs), key)
	return next, true, nil
}

// pointer follows a JSON pointer in its URI fragment form (RFC 6901, section 6).
func pointer(value *ordered.Value, fragment string) *ordered.Value {
	fragment, err := url.PathUnescape(fragment)
	if err != nil {
		return nil
	}
	if fragment == "" {
		return value
	}
	rest, ok := strings.CutPrefix(fragment, "/")
	if !ok {
		return nil
	}
	for token := range strings.SplitSeq(rest, "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		if value.Kind() == ordered.Array {
			at, err := strconv.Atoi(token)
			if err != nil || at < 0 || at >= len(value.Items()) {
				return nil
			}
			value = value.Items()[at]
			continue
		}
		if value = value.Get(token); value == nil {
			return nil
		}
	}
	return value
}

// note records what a subschema says about its trait. The first subschema to
// name a trait gives its place and whether it is required; the others add what
// is still unknown.
func (w *walk) note(p place) error {
	if len(p.path) < 2 {
		return nil
	}
	key := strings.Join(p.path, "\x00")
	leaf, known := w.found[key]
	if !known {
		leaf = &Leaf{Name: dotted(p.path), Path: p.path[1:], Required: p.required}
		w.found[key] = leaf
		w.order = append(w.order, key)
	}
	if leaf.Types == nil {
		leaf.Types = types(p.node)
	}
	text := func(to *string, keyword string) {
		if found, ok := p.node.Get(keyword).Text(); ok && *to == "" {
			*to = found
		}
	}
	text(&leaf.Format, "format")
	text(&leaf.Pattern, "pattern")
	text(&leaf.Title, "title")
	if leaf.Enum == nil {
		for _, value := range p.node.Get("enum").Items() {
			leaf.Enum = append(leaf.Enum, value.Plain())
		}
	}
	if constant := p.node.Get("const"); constant != nil && !leaf.Constant {
		leaf.Const, leaf.Constant = constant.Plain(), true
	}
	if err := leaf.mark(p.node); err != nil {
		return err
	}
	return w.items(p, leaf)
}

func (l *Leaf) mark(node *ordered.Value) error {
	keyword := node.Get(Keyword)
	if keyword == nil || l.Marks != (Marks{}) {
		return nil
	}
	marks, err := ParseMarks(keyword.AppendJSON(nil))
	if err != nil {
		return fmt.Errorf("%s: %w", l.Name, err)
	}
	l.Marks = marks
	return nil
}

// items records what an array holds, along references.
func (w *walk) items(p place, leaf *Leaf) error {
	items := p.at(p.node.Get("items"))
	if items.node.Kind() != ordered.Object {
		return nil
	}
	if leaf.Types == nil {
		leaf.Types = []string{"array"}
	}
	for items.node.Kind() == ordered.Object {
		if w.visited++; w.visited > maxSchemaWalk {
			return ErrSchemaTooLarge
		}
		ref, ok := items.node.Get("$ref").Text()
		if !ok {
			break
		}
		target, known, err := items.follow(ref)
		if err != nil {
			return err
		}
		if !known {
			leaf.Item = "object"
			return nil
		}
		items = target
	}
	if found := types(items.node); len(found) == 1 && leaf.Item == "" {
		leaf.Item = found[0]
	} else if items.node.Get("properties") != nil {
		leaf.Item = "object"
	}
	return leaf.mark(items.node)
}

// leaf returns what was found out about a trait.
func (w *walk) leaf(key string) Leaf {
	leaf := *w.found[key]
	if w.parents[key] {
		leaf.Types = []string{"object"}
	}
	return leaf
}

// types returns the types that a subschema allows, but null: an optional value
// is written like the value.
func types(node *ordered.Value) []string {
	var found []string
	if text, ok := node.Get("type").Text(); ok {
		found = append(found, text)
	}
	for _, item := range node.Get("type").Items() {
		if text, ok := item.Text(); ok {
			found = append(found, text)
		}
	}
	if len(found) > 1 {
		found = slices.DeleteFunc(found, func(kind string) bool { return kind == "null" })
	}
	return found
}

// dotted joins the names of a path; a dot within a name is escaped.
func dotted(path []string) string {
	escaped := make([]string, len(path))
	for at, name := range path {
		escaped[at] = strings.ReplaceAll(name, ".", `\.`)
	}
	return strings.Join(escaped, ".")
}
