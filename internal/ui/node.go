package ui

// Group says which method a node belongs to.
type Group string

// The groups of this contract.
const (
	Default         Group = "default"
	Password        Group = "password"
	OIDC            Group = "oidc"
	Profile         Group = "profile"
	Link            Group = "link"
	Code            Group = "code"
	TOTP            Group = "totp"
	LookupSecret    Group = "lookup_secret"
	WebAuthn        Group = "webauthn"
	Passkey         Group = "passkey"
	IdentifierFirst Group = "identifier_first"
)

// The types of node, which are also the values of attributes.node_type.
const (
	InputNode  = "input"
	TextNode   = "text"
	ImageNode  = "img"
	AnchorNode = "a"
	ScriptNode = "script"
)

// Node is one member of a form:
// {"type", "group", "attributes": {…}, "messages": […], "meta": {"label"?}}.
type Node struct {
	Type       string     `json:"type"`
	Group      Group      `json:"group"`
	Attributes Attributes `json:"attributes"`
	Messages   []Message  `json:"messages"`
	Meta       Meta       `json:"meta"`
}

// Meta holds the label of a node.
type Meta struct {
	Label *Message `json:"label,omitempty"`
}

// Attributes are the attributes of every type of node; those that a type lacks
// stay zero and are left out. Value is left out when nil and kept when "".
type Attributes struct {
	Name           string   `json:"name,omitempty"`
	Type           string   `json:"type,omitempty"`
	Value          any      `json:"value,omitempty"`
	Required       bool     `json:"required,omitempty"`
	Autocomplete   string   `json:"autocomplete,omitempty"`
	Pattern        string   `json:"pattern,omitempty"`
	Disabled       *bool    `json:"disabled,omitempty"` // set on every input and on nothing else
	OnClick        string   `json:"onclick,omitempty"`
	OnClickTrigger string   `json:"onclickTrigger,omitempty"`
	OnLoad         string   `json:"onload,omitempty"`
	OnLoadTrigger  string   `json:"onloadTrigger,omitempty"`
	MaxLength      int      `json:"maxlength,omitempty"`
	Options        []Option `json:"options,omitempty"`

	ID             string   `json:"id,omitempty"`
	Text           *Message `json:"text,omitempty"`
	Title          *Message `json:"title,omitempty"`
	Href           string   `json:"href,omitempty"`
	Src            string   `json:"src,omitempty"`
	Width          int      `json:"width,omitempty"`
	Height         int      `json:"height,omitempty"`
	Async          bool     `json:"async,omitempty"`
	ReferrerPolicy string   `json:"referrerpolicy,omitempty"`
	CrossOrigin    string   `json:"crossorigin,omitempty"`
	Integrity      string   `json:"integrity,omitempty"`
	Nonce          string   `json:"nonce,omitempty"`

	NodeType string `json:"node_type"`
}

// Option is one choice of an input that has a fixed set of values.
type Option struct {
	Value any `json:"value"`
}

// Input builds an input node; kind is the HTML input type.
func Input(group Group, name, kind string, value any) Node {
	enabled := false
	return Node{
		Type:       InputNode,
		Group:      group,
		Attributes: Attributes{Name: name, Type: kind, Value: value, Disabled: &enabled, NodeType: InputNode},
		Messages:   []Message{},
	}
}

// Submit builds the button that chooses a method.
func Submit(group Group, name, value string, label ID) Node {
	return Input(group, name, "submit", value).Labelled(Say(label))
}

// Anchor builds a link.
func Anchor(group Group, id, href string, title ID) Node {
	label := Say(title)
	return Node{
		Type: AnchorNode, Group: group, Messages: []Message{},
		Attributes: Attributes{ID: id, Href: href, Title: &label, NodeType: AnchorNode},
	}.Labelled(label)
}

// Text builds a node that shows a text.
func Text(group Group, id string, text Message) Node {
	return Node{
		Type: TextNode, Group: group, Messages: []Message{},
		Attributes: Attributes{ID: id, Text: &text, NodeType: TextNode},
	}
}

// Image builds a picture of that size in pixels.
func Image(group Group, id, src string, width, height int) Node {
	return Node{
		Type: ImageNode, Group: group, Messages: []Message{},
		Attributes: Attributes{ID: id, Src: src, Width: width, Height: height, NodeType: ImageNode},
	}
}

// Script builds a script that a page is to run.
func Script(group Group, id, src, integrity, nonce string) Node {
	return Node{
		Type: ScriptNode, Group: group, Messages: []Message{},
		Attributes: Attributes{
			ID: id, Src: src, Integrity: integrity, Nonce: nonce, Type: "text/javascript", Async: true,
			ReferrerPolicy: "no-referrer", CrossOrigin: "anonymous", NodeType: ScriptNode,
		},
	}
}

// CSRF builds the node that carries the anti-CSRF token; native flows carry "".
func CSRF(token string) Node {
	return Input(Default, "csrf_token", "hidden", token).Needed()
}

// Labelled returns the node with that label.
func (n Node) Labelled(label Message) Node {
	n.Meta.Label = &label
	return n
}

// Barred returns the input switched off.
func (n Node) Barred() Node {
	barred := true
	n.Attributes.Disabled = &barred
	return n
}

// Needed returns the node marked as required.
func (n Node) Needed() Node {
	n.Attributes.Required = true
	return n
}

// Completing returns the node with that autocomplete attribute.
func (n Node) Completing(autocomplete string) Node {
	n.Attributes.Autocomplete = autocomplete
	return n
}

// value is what forms sort by among nodes of the same name: the value of an
// input, where a script comes from.
func (n Node) value() any {
	if n.Type == ScriptNode {
		return n.Attributes.Src
	}
	return n.Attributes.Value
}

// Name is what identifies a node within its form: the name of an input, the id
// of any other node.
func (n Node) Name() string {
	if n.Type == InputNode {
		return n.Attributes.Name
	}
	return n.Attributes.ID
}
