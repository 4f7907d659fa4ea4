package ui

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Form is what a person fills in: {"action", "method", "nodes", "messages"?}.
type Form struct {
	Action   string    `json:"action"`
	Method   string    `json:"method"`
	Nodes    []Node    `json:"nodes"`
	Messages []Message `json:"messages,omitempty"`
}

// Find returns the first node of that name, or nil.
func (f *Form) Find(name string) *Node {
	for i := range f.Nodes {
		if f.Nodes[i].Name() == name {
			return &f.Nodes[i]
		}
	}
	return nil
}

// Upsert replaces the first node of the same name, whatever its group, or
// appends the node.
func (f *Form) Upsert(node Node) {
	if old := f.Find(node.Name()); old != nil {
		*old = node
		return
	}
	f.Nodes = append(f.Nodes, node)
}

// Append adds nodes at the end.
func (f *Form) Append(nodes ...Node) { f.Nodes = append(f.Nodes, nodes...) }

// Remove drops every node of that name.
func (f *Form) Remove(name string) {
	f.Nodes = slices.DeleteFunc(f.Nodes, func(n Node) bool { return n.Name() == name })
}

// maxEcho is how long a text may be, in bytes, to be shown again in its field.
const maxEcho = 4 << 10

// SetValue writes the value of the first node of that name. A text too long to
// be worth correcting is not shown again.
func (f *Form) SetValue(name string, value any) {
	if text, ok := value.(string); ok && len(text) > maxEcho {
		value = ""
	}
	if node := f.Find(name); node != nil {
		node.Attributes.Value = value
	}
}

// Tell adds a message: to the node of that name, to a new text input when the
// form has no such node, or to the top of the form when the name is empty.
func (f *Form) Tell(name string, message Message) {
	if name == "" {
		f.Messages = append(f.Messages, message)
		return
	}
	if f.Find(name) == nil {
		f.Append(Input(Default, name, "text", nil))
	}
	node := f.Find(name)
	node.Messages = append(node.Messages, message)
}

// Hush drops every message.
func (f *Form) Hush() {
	f.Messages = nil
	for i := range f.Nodes {
		f.Nodes[i].Messages = []Message{}
	}
}

// Order is how the nodes of a form are sorted: by group, then by name prefix.
type Order struct {
	Groups []Group
	Names  []string
}

// Sort orders the nodes: by group, where groups that the order lacks come
// first; then, among nodes of one group (and between default and password), by
// the first name in the order that is a prefix of the node's, "method" last,
// and by value. Two stable sorts: clients see exactly this order.
func (f *Form) Sort(order Order) {
	slices.SortStableFunc(f.Nodes, func(a, b Node) int {
		return cmp.Compare(slices.Index(order.Groups, a.Group), slices.Index(order.Groups, b.Group))
	})
	keys := make(map[string]int, len(f.Nodes))
	for _, node := range f.Nodes {
		keys[node.Name()] = order.position(node.Name())
	}
	// Less holds only between related groups, which is no order over all nodes:
	// the result rests on sort.SliceStable comparing neighbours first.
	sort.SliceStable(f.Nodes, func(i, j int) bool {
		a, b := f.Nodes[i], f.Nodes[j]
		if !related(a.Group, b.Group) {
			return false
		}
		if x, y := keys[a.Name()], keys[b.Name()]; x != y {
			return x < y
		}
		return fmt.Sprint(a.value()) < fmt.Sprint(b.value())
	})
}

func (o Order) position(name string) int {
	if name == "method" {
		return len(o.Names) + 1
	}
	if at := slices.IndexFunc(o.Names, func(key string) bool { return strings.HasPrefix(name, key) }); at >= 0 {
		return at
	}
	return len(o.Names)
}

func related(a, b Group) bool {
	near := func(g Group) bool { return g == Default || g == Password }
	return a == b || near(a) && near(b)
}
