package hook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Context is what a hook's body may be made from. The engine hands over what the
// API shows; what proves who somebody is, is taken out here.
type Context struct {
	Flow           any // as the API shows it, with its transient_payload
	RequestHeaders http.Header
	RequestMethod  string
	RequestURL     string
	RequestCookies map[string]string // by name; our own are kept back unless the allow-list names Cookie
	Identity       any               // its public view; nil for nobody
	Session        any               // nil for none

	// Identifier and Password are what an older system is asked about, see Known;
	// no other hook has them.
	Identifier, Password string
}

// tree is a JSON object.
type tree = map[string]any

// shown returns ctx, as the program sees it.
func (c *Caller) shown(in Context) (tree, error) {
	flow, err := object("flow", in.Flow)
	if err != nil {
		return nil, err
	}
	person, err := object("identity", in.Identity)
	if err != nil {
		return nil, err
	}
	session, err := object("session", in.Session)
	if err != nil {
		return nil, err
	}
	discloseFlow(flow)
	discloseIdentity(person)
	discloseSession(session)
	out := tree{
		"flow":            flow,
		"request_headers": c.Headers(in.RequestHeaders),
		"request_method":  in.RequestMethod,
		"request_url":     discreetURL(in.RequestURL),
		"request_cookies": c.cookies(in.RequestCookies),
	}
	if person != nil {
		out["identity"] = person
	}
	if session != nil {
		out["session"] = session
	}
	if in.Password != "" {
		out["identifier"], out["password"] = in.Identifier, in.Password
	}
	return out, nil
}

// object returns a value as JSON has it, nil for null.
func object(name string, value any) (tree, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode the %s of a hook: %w", name, err)
	}
	reader := json.NewDecoder(bytes.NewReader(raw))
	reader.UseNumber() // large numbers stay what they are
	var out tree
	if err := reader.Decode(&out); err != nil {
		return nil, fmt.Errorf("encode the %s of a hook: %w", name, err)
	}
	return out, nil
}

// discloseFlow takes out what would let a receiver act for the person: tokens,
// codes, fresh secrets on the form, the anti-CSRF value.
func discloseFlow(flow tree) {
	if flow == nil {
		return
	}
	for _, name := range []string{"session_token", "session_token_exchange_code", "csrf_token", "internal_context"} {
		delete(flow, name)
	}
	if at, ok := flow["request_url"].(string); ok {
		flow["request_url"] = discreetURL(at)
	}
	if person, ok := flow["identity"].(tree); ok {
		discloseIdentity(person)
	}
	if next, ok := flow["continue_with"].([]any); ok {
		flow["continue_with"] = slices.DeleteFunc(next, func(step any) bool {
			members, _ := step.(tree)
			return members["action"] == "set_ory_session_token"
		})
	}
	form, _ := flow["ui"].(tree)
	nodes, _ := form["nodes"].([]any)
	if nodes == nil {
		return
	}
	form["nodes"] = slices.DeleteFunc(nodes, func(node any) bool {
		members, _ := node.(tree)
		attributes, _ := members["attributes"].(tree)
		switch attributes["id"] {
		case "totp_qr", "totp_secret_key", "lookup_secret_codes":
			return true
		}
		name, _ := attributes["name"].(string)
		if _, filled := attributes["value"]; filled && (proves(name) || attributes["type"] == "password") {
			attributes["value"] = ""
		}
		return false
	})
}

// proves tells whether the value of a form's field is a proof.
func proves(field string) bool {
	switch field {
	case "csrf_token", "password", "code", "totp_code", "lookup_secret", "token":
		return true
	}
	return false
}

func discloseIdentity(person tree) {
	delete(person, "credentials")
	delete(person, "metadata_admin")
}

func discloseSession(session tree) {
	for _, name := range []string{"token", "tokenized", "logout_token", "session_token"} {
		delete(session, name)
	}
	if person, ok := session["identity"].(tree); ok {
		discloseIdentity(person)
	}
}

// Headers returns those of a request that the allow-list names.
func (c *Caller) Headers(all http.Header) http.Header {
	out := make(http.Header, len(c.HeaderAllowlist))
	for _, name := range c.HeaderAllowlist {
		name = http.CanonicalHeaderKey(name)
		values := slices.Clone(all.Values(name))
		if len(values) == 0 {
			continue
		}
		if name == "Referer" {
			for i := range values {
				values[i] = discreetURL(values[i])
			}
		}
		out[name] = values
	}
	return out
}

func (c *Caller) cookies(all map[string]string) map[string]string {
	asked := slices.ContainsFunc(c.HeaderAllowlist, func(name string) bool { return strings.EqualFold(name, "Cookie") })
	out := make(map[string]string, len(all))
	for name, value := range all {
		if asked || !c.own(name) {
			out[name] = value
		}
	}
	return out
}

// own tells whether a cookie is one of ours, with or without the host prefix.
func (c *Caller) own(name string) bool {
	name = strings.TrimPrefix(name, "__Host-")
	return strings.HasPrefix(name, "csrf_token") || slices.ContainsFunc(c.OwnCookies, func(own string) bool {
		return name == strings.TrimPrefix(own, "__Host-")
	})
}

// discreetURL returns the URL without those parameters that are proofs: of links
// in mails and of an upstream's answer.
func discreetURL(raw string) string {
	before, rest, found := strings.Cut(raw, "?")
	if !found {
		return raw
	}
	query, fragment, hasFragment := strings.Cut(rest, "#")
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		switch name {
		case "code", "token", "state", "session_token", "id_token", "access_token":
		default:
			kept = append(kept, pair)
		}
	}
	out := before
	if len(kept) > 0 {
		out += "?" + strings.Join(kept, "&")
	}
	if hasFragment {
		out += "#" + fragment
	}
	return out
}
