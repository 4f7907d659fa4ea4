package pages

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The shapes below are what the pages read of the API's answers. They are the
// published JSON, and less of it than the server's own types hold.

type flowJSON struct {
	ID             string `json:"id"`
	ReturnTo       string `json:"return_to"`
	Refresh        bool   `json:"refresh"`
	RequestedAAL   string `json:"requested_aal"`
	LoginChallenge string `json:"oauth2_login_challenge"`
	UI             struct {
		Action   string    `json:"action"`
		Method   string    `json:"method"`
		Nodes    []node    `json:"nodes"`
		Messages []message `json:"messages"`
	} `json:"ui"`
}

type message struct {
	ID      int64  `json:"id"`
	Text    string `json:"text"`
	Type    string `json:"type"` // info, error, success
	Context struct {
		Secrets []message `json:"secrets"`
	} `json:"context"`
}

// node is one node of a form: type input, text, img, a or script.
type node struct {
	Type       string     `json:"type"`
	Group      string     `json:"group"`
	Attributes attributes `json:"attributes"`
	Messages   []message  `json:"messages"`
	Meta       struct {
		Label *message `json:"label"`
	} `json:"meta"`
}

// attributes are the attributes of every node type in one.
type attributes struct {
	Name           string `json:"name"`
	Type           string `json:"type"`
	Value          scalar `json:"value"`
	Required       bool   `json:"required"`
	Disabled       bool   `json:"disabled"`
	Autocomplete   string `json:"autocomplete"`
	Pattern        string `json:"pattern"`
	MaxLength      int    `json:"maxlength"`
	OnclickTrigger string `json:"onclickTrigger"`
	OnloadTrigger  string `json:"onloadTrigger"`
	Options        []struct {
		Value scalar `json:"value"`
	} `json:"options"`

	ID             string   `json:"id"`
	Text           *message `json:"text"`
	Src            string   `json:"src"`
	Width          int      `json:"width"`
	Height         int      `json:"height"`
	Href           string   `json:"href"`
	Title          *message `json:"title"`
	Integrity      string   `json:"integrity"`
	CrossOrigin    string   `json:"crossorigin"`
	ReferrerPolicy string   `json:"referrerpolicy"`
}

// scalar is the value of an input as a form sends it: a JSON string unquoted,
// null and nothing as "", anything else as its JSON.
type scalar string

func (s *scalar) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*s = scalar(text)
		return nil
	}
	*s = scalar(raw)
	return nil
}

// apiError is an error answer of the API, and a stored error as well.
type apiError struct {
	Error struct {
		ID      string `json:"id"`
		Code    int    `json:"code"`
		Reason  string `json:"reason"`
		Message string `json:"message"`
		Details struct {
			RedirectTo string `json:"redirect_to"`
		} `json:"details"`
	} `json:"error"`
	RedirectBrowserTo string `json:"redirect_browser_to"`
}

type sessionJSON struct {
	ID              string    `json:"id"`
	ExpiresAt       time.Time `json:"expires_at"`
	AuthenticatedAt time.Time `json:"authenticated_at"`
	AAL             string    `json:"authenticator_assurance_level"`
	Methods         []struct {
		Method string `json:"method"`
	} `json:"authentication_methods"`
	Identity struct {
		ID     string         `json:"id"`
		Traits map[string]any `json:"traits"`
	} `json:"identity"`
	Devices []struct {
		IPAddress string `json:"ip_address"`
		UserAgent string `json:"user_agent"`
		Location  string `json:"location"`
	} `json:"devices"`
}

// label is what to call an input: the label the API gives, or its name in words.
func (n node) label() string {
	if n.Meta.Label != nil && n.Meta.Label.Text != "" {
		return n.Meta.Label.Text
	}
	words := strings.NewReplacer(".", " ", "_", " ", "-", " ").Replace(strings.TrimPrefix(n.Attributes.Name, "traits."))
	if words == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + words[size:]
}

func (n node) hidden() bool   { return n.Type == "input" && n.Attributes.Type == "hidden" }
func (n node) submits() bool  { return n.Type == "input" && n.Attributes.Type == "submit" }
func (n node) triggers() bool { return n.Type == "input" && n.Attributes.Type == "button" }

// field says whether a person types, picks or ticks something here.
func (n node) field() bool {
	return n.Type == "input" && !n.hidden() && !n.submits() && !n.triggers()
}
