package ui

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite testdata/text.golden")

// The golden file is what a person reviews when a text changes. Ids are never
// reused, so a line of it may change its words and never its meaning.
func TestTexts(t *testing.T) {
	var got strings.Builder
	for _, id := range slices.Sorted(maps.Keys(texts)) {
		fmt.Fprintf(&got, "%d %s %s\n", id, texts[id].kind, texts[id].text)
	}
	const golden = "testdata/text.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("texts differ from %s; if that is meant, run this test with -update\n%s", golden, got.String())
	}
}

func TestTextsFollowTheirBlock(t *testing.T) {
	for id, row := range texts {
		switch {
		case id < 2_000_000 && row.kind == Failure, id >= 4_000_000 && row.kind != Failure:
			t.Errorf("%d is of kind %s", id, row.kind)
		case row.text == "":
			t.Errorf("%d says nothing", id)
		}
	}
	var successes []ID
	for id, row := range texts {
		if row.kind == Success {
			successes = append(successes, id)
		}
	}
	slices.Sort(successes)
	if want := []ID{1050001, 1060001, 1080002, 1080005}; !slices.Equal(successes, want) {
		t.Errorf("successes are %v, want %v", successes, want)
	}
}

func TestSayFillsIn(t *testing.T) {
	for want, message := range map[string]Message{
		"length must be >= 5, but got 3":                             Say(TooShort, Context{"min_length": 5, "actual_length": 3.0}),
		"must be >= 1000000 but found 0.5":                           Say(BelowMinimum, Context{"minimum": 1e6, "actual": 0.5}),
		"expected string or null, but got number":                    Say(WrongType, Context{"allowed_types": []string{"string", "null"}, "actual_type": "number"}),
		`does not match pattern "^{actual}{2}$"`:                     Say(NotThePattern, Context{"pattern": "^{actual}{2}$", "actual": "x"}),
		"The password can not be used because {reason}.":             Say(PasswordUnusable),
		"Property email is missing.":                                 Missing("email"),
		"no {reason} at all":                                         Reason("no {reason} at all"),
		"The login flow expired 1.50 minutes ago, please try again.": Expired(LoginExpired, time.Unix(0, 0), time.Unix(90, 0)),
	} {
		if message.Text != want {
			t.Errorf("got %q, want %q", message.Text, want)
		}
	}
}

func TestSayOfAnUnknownIDPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a text was made up")
		}
	}()
	Say(1)
}

func TestMessageJSON(t *testing.T) {
	for want, message := range map[string]Message{
		`{"id":1070004,"text":"ID","type":"info"}`:                                                        Say(LabelID),
		`{"id":1070002,"text":"E-mail","type":"info","context":{"name":"traits.email","title":"E-mail"}}`: Titled("E-mail", "traits.email"),
		`{"id":4010001,"text":"The login flow expired 0.00 minutes ago, please try again.","type":"error","context":{"expired_at":"1970-01-01T00:00:00Z","expired_at_unix":0}}`: Expired(LoginExpired, time.Unix(0, 0), time.Unix(0, 0)),
	} {
		if got := printed(t, message); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func printed(t *testing.T, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestNodeJSON(t *testing.T) {
	for want, node := range map[string]Node{
		`{"type":"input","group":"default","attributes":{"name":"csrf_token","type":"hidden","value":"","required":true,"disabled":false,"node_type":"input"},"messages":[],"meta":{}}`:                                                         CSRF(""),
		`{"type":"input","group":"password","attributes":{"name":"method","type":"submit","value":"password","disabled":false,"node_type":"input"},"messages":[],"meta":{"label":{"id":1010022,"text":"Sign in with password","type":"info"}}}`: Submit(Password, "method", "password", SignInWithPassword),
		`{"type":"input","group":"default","attributes":{"name":"x","type":"email","autocomplete":"email","disabled":false,"node_type":"input"},"messages":[],"meta":{}}`:                                                                       Input(Default, "x", "email", nil).Completing("email"),
		`{"type":"script","group":"webauthn","attributes":{"id":"s","src":"/x.js","async":true,"node_type":"script"},"messages":[],"meta":{}}`:                                                                                                  {Type: ScriptNode, Group: WebAuthn, Attributes: Attributes{ID: "s", Src: "/x.js", Async: true, NodeType: ScriptNode}, Messages: []Message{}},
	} {
		if got := printed(t, node); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func names(form Form) []string {
	var all []string
	for _, node := range form.Nodes {
		name := string(node.Group) + "/" + node.Name()
		if node.Attributes.Value != nil {
			name += fmt.Sprintf("=%v", node.Attributes.Value)
		}
		all = append(all, name)
	}
	return all
}

func TestSort(t *testing.T) {
	login := Order{
		Groups: []Group{OIDC, Default, WebAuthn, Passkey, Code, Password, TOTP, LookupSecret},
		Names:  []string{"csrf_token", "identifier", "password"},
	}
	registration := Order{
		Groups: []Group{OIDC, Default, WebAuthn, Passkey, Code, Password, Profile},
		Names:  []string{"csrf_token", "traits.email", "password", "traits.email", "traits.name.first", "traits.age"},
	}
	for name, row := range map[string]struct {
		order Order
		nodes []Node
		want  []string
	}{
		"login": {login, []Node{
			Submit(Password, "method", "password", SignInWithPassword), Input(Password, "password", "password", nil),
			Input(Code, "method", "submit", "code"), Input(Default, "identifier", "text", ""), CSRF(""),
			Input(OIDC, "provider", "submit", "zeta"), Input(OIDC, "provider", "submit", "acme"),
		}, []string{"oidc/provider=acme", "oidc/provider=zeta", "default/csrf_token=", "default/identifier=", "code/method=code", "password/password", "password/method=password"}},
		"a group that the order lacks comes first": {login, []Node{
			CSRF(""), Input(IdentifierFirst, "method", "submit", "identifier_first"), Input(IdentifierFirst, "identifier", "text", ""),
		}, []string{"identifier_first/identifier=", "identifier_first/method=identifier_first", "default/csrf_token="}},
		"traits in the schema's order, an error's password behind the first": {registration, []Node{
			Submit(Profile, "method", "profile", SignUp), Input(Default, "traits.age", "number", nil), Input(Default, "traits.name.first", "text", nil),
			Input(Default, "traits.email", "email", nil), CSRF(""), Input(Default, "password", "text", nil), Input(Default, "traits", "text", nil),
		}, []string{"default/csrf_token=", "default/traits.email", "default/password", "default/traits.name.first", "default/traits.age", "default/traits", "profile/method=profile"}},
		"equal names by value, an unset one behind an empty one": {Order{}, []Node{
			Input(Default, "x", "text", "{"), Input(Default, "x", "text", nil), Input(Default, "x", "text", ""),
		}, []string{"default/x=", "default/x", "default/x={"}},
		"unknown names behind known ones, method last": {login, []Node{
			Input(Default, "method", "submit", "m"), Input(Default, "zzz", "text", nil), Input(Default, "identifier", "text", nil),
		}, []string{"default/identifier", "default/zzz", "default/method=m"}},
	} {
		t.Run(name, func(t *testing.T) {
			form := Form{Nodes: row.nodes}
			form.Sort(row.order)
			if got := names(form); !slices.Equal(got, row.want) {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
			form.Sort(row.order)
			if got := names(form); !slices.Equal(got, row.want) {
				t.Errorf("sorted again: %q", got)
			}
		})
	}
}

func TestUpsertReplacesWhateverTheGroup(t *testing.T) {
	form := Form{Nodes: []Node{Input(Default, "identifier", "text", ""), CSRF("a")}}
	form.Upsert(Input(IdentifierFirst, "identifier", "hidden", "ann"))
	form.Upsert(Input(Password, "password", "password", nil))
	if got, want := names(form), []string{"identifier_first/identifier=ann", "default/csrf_token=a", "password/password"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	form.Append(Input(Default, "identifier", "text", nil))
	form.Remove("identifier")
	if got, want := names(form), []string{"default/csrf_token=a", "password/password"}; !slices.Equal(got, want) {
		t.Errorf("after removing %q, want %q", got, want)
	}
}

func TestSetValueWritesTheFirstMatch(t *testing.T) {
	form := Form{Nodes: []Node{Input(Default, "x", "email", nil), Input(Code, "x", "text", nil)}}
	form.SetValue("x", "v")
	form.SetValue("nowhere", "v")
	want := []string{"default/x=v", "code/x"}
	if got := names(form); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSetValueDoesNotEchoWhatIsTooLong(t *testing.T) {
	form := Form{Nodes: []Node{Input(Default, "x", "text", nil)}}
	form.SetValue("x", strings.Repeat("a", maxEcho+1))
	if got := form.Find("x").Attributes.Value; got != "" {
		t.Errorf("a text of %d bytes is shown again", len(got.(string)))
	}
}

func TestTellAndHush(t *testing.T) {
	form := Form{Nodes: []Node{CSRF(""), Input(Default, "traits.email", "email", "x")}}
	form.Tell("", Say(CredentialsInvalid))
	form.Tell("traits.email", Say(NotAnEmail))
	form.Tell("traits.email", Missing("email"))
	form.Tell("traits", Reason("no"))
	if len(form.Messages) != 1 || len(form.Find("traits.email").Messages) != 2 || form.Find("traits").Attributes.Type != "text" {
		t.Errorf("got %s", printed(t, form))
	}
	form.Hush()
	if got := printed(t, form); strings.Contains(got, "4000") || !strings.Contains(got, `"messages":[]`) {
		t.Errorf("hushed is %s", got)
	}
}

// TestScriptsSortByTheirSource among nodes that no name in the order is of.
func TestScriptsSortByTheirSource(t *testing.T) {
	script := Script(WebAuthn, "script", "https://id.example.org/a.js", "sha512-x", "n")
	f := Form{Nodes: []Node{Input(WebAuthn, "data", "hidden", "{}"), script, Input(WebAuthn, "empty", "hidden", ""), Input(WebAuthn, "unset", "hidden", nil)}}
	f.Sort(Order{Groups: []Group{WebAuthn}})
	var names []string
	for _, node := range f.Nodes {
		names = append(names, node.Name())
	}
	if got := strings.Join(names, " "); got != "empty unset script data" {
		t.Errorf("sorted %s", got)
	}
}
