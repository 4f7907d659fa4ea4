package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"styx/internal/config"
)

const (
	// configuration is the file whose secrets are kept apart.
	configuration = "styx.yml"
	// apartValues is the file beside the zips that holds them by their keys.
	apartValues = "secret-settings.json"
)

// What stands in a secret's place: text, a URI, a document.
const (
	standIn         = "kept-apart-in-secrets-manager"
	standInURI      = "smtps://kept-apart.invalid:465/"
	standInDocument = "base64://e30="
)

// stacks are the keys that are left out: the stack has a table and secrets of its
// own, and a database's password is no function's concern.
var stacks = []string{"dsn", "secrets"}

// apart takes the secrets out of a configuration, and returns what is left and
// the secrets by their keys and places. In their place stands what the
// configuration takes for valid and nobody can use: a function that has no need
// of them starts all the same. What the stack has of its own is left out.
func apart(content []byte) ([]byte, map[string]string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, nil, fmt.Errorf("%s is neither YAML nor JSON", configuration) // yaml's error may quote a value
	}
	var plain any
	if err := document.Decode(&plain); err != nil {
		return nil, nil, fmt.Errorf("%s is neither YAML nor JSON", configuration)
	}
	secrets := map[string]string{}
	var wrong []error
	config.Walk(plain, func(at []string, value string) {
		if isSecret(at, value) && standsIn(value) {
			wrong = append(wrong, errStandIn(configuration, at))
		}
		if !slices.Contains(stacks, at[0]) && !strings.Contains(strings.Join(at, "\n"), ".") && isSecret(at, value) {
			secrets[strings.Join(at, ".")] = value
		}
	})
	if len(wrong) > 0 {
		return content, nil, errors.Join(wrong...)
	}
	taken := omit(&document)
	if len(taken) == 0 && len(secrets) == 0 {
		return content, nil, nil
	}
	for key, value := range secrets {
		at := find(&document, strings.Split(key, "."))
		switch {
		case at == nil: // same tells
		case strings.HasSuffix(key, ".connection_uri"):
			at.SetString(standInURI)
		case strings.HasPrefix(value, "base64://"):
			at.SetString(standInDocument)
		default:
			at.SetString(standIn)
		}
	}
	uncomment(&document)
	left, err := yaml.Marshal(&document)
	if err != nil {
		return nil, nil, fmt.Errorf("write %s: %w", configuration, err)
	}
	if err := same(content, left, secrets, taken); err != nil {
		return nil, nil, err
	}
	named := map[string]string{}
	for key, value := range secrets {
		place, err := around(&document, strings.Split(key, "."))
		if err != nil {
			return nil, nil, err
		}
		named[key+"@"+place] = value
	}
	return left, named, nil
}

// omit takes out what the stack brings itself, and returns its keys.
func omit(document *yaml.Node) (omitted []string) {
	root := within(document, nil)
	if root == nil || root.Kind != yaml.MappingNode {
		return nil
	}
	for i := len(root.Content) - 2; i >= 0; i -= 2 {
		if key := root.Content[i].Value; slices.Contains(stacks, key) {
			omitted = append(omitted, key)
			root.Content = slices.Delete(root.Content, i, i+2)
		}
	}
	return omitted
}

// uncomment takes the comments out: what a secret was before is often left there.
func uncomment(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	for _, one := range n.Content {
		uncomment(one)
	}
}

// around tells the place of a secret from another that had the same key, or will
// have it: were a list's members to change places, one receiver would be sent
// the other's secret until both the zips and the secrets are there. It is the
// digest of what is around the secret: the receiver, which has a URL, else the
// member of a list, else what it is a member of. No secret is in it.
func around(document *yaml.Node, path []string) (string, error) {
	at := path[:len(path)-1]
	for i := len(at); i > 0; i-- {
		_, notNumbered := strconv.Atoi(at[i-1])
		if notNumbered == nil || find(document, append(slices.Clip(at[:i]), "url")) != nil {
			at = at[:i]
			break
		}
	}
	var place any
	if err := within(document, at).Decode(&place); err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(at, "."), err)
	}
	text, err := json.Marshal(place)
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(at, "."), err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), nil
}

// find is the scalar at a path, nil for none.
func find(n *yaml.Node, path []string) *yaml.Node {
	if found := within(n, path); found != nil && found.Kind == yaml.ScalarNode {
		return found
	}
	return nil
}

// within is what stands at a path, nil for nothing.
func within(n *yaml.Node, path []string) *yaml.Node {
	switch {
	case n.Kind == yaml.DocumentNode:
		return within(n.Content[0], path)
	case n.Kind == yaml.AliasNode:
		return within(n.Alias, path)
	case len(path) == 0:
		return n
	case n.Kind == yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == path[0] {
				return within(n.Content[i+1], path[1:])
			}
		}
	case n.Kind == yaml.SequenceNode:
		if i, err := strconv.Atoi(path[0]); err == nil && i >= 0 && i < len(n.Content) {
			return within(n.Content[i], path[1:])
		}
	}
	return nil
}

// same tells what is wrong where the rest and the secrets do not make the
// configuration again, as a function puts them together, or where the rest alone
// is one that a function would refuse.
func same(whole, left []byte, secrets map[string]string, taken []string) error {
	deployed := config.Deployed()
	overrides := maps.Clone(deployed)
	for key, value := range secrets {
		overrides[key] = value
	}
	read := func(content []byte, over map[string]any) (map[string]any, config.Mistakes) {
		source := []config.Source{{Name: configuration, Data: content}}
		document, _ := config.Read(source, nil, over) // Load tells the same mistakes, and more
		_, _, err := config.Load(source, nil, over)
		var mistakes config.Mistakes
		errors.As(err, &mistakes)
		return document.Value, mistakes
	}
	want, known := read(whole, deployed)
	got, _ := read(left, overrides)
	a, errA := json.Marshal(want)
	b, errB := json.Marshal(got)
	if errA != nil || errB != nil || string(a) != string(b) {
		return fmt.Errorf("%s: %s can not be kept apart: give it by the functions' environment", configuration,
			strings.Join(slices.Concat(taken, slices.Sorted(maps.Keys(secrets))), ", "))
	}
	_, mistakes := read(left, deployed)
	for _, m := range mistakes {
		if !slices.ContainsFunc(known, func(k config.Mistake) bool { return k.Key == m.Key }) {
			return fmt.Errorf("%s: %s can not be kept apart: give it by the functions' environment", configuration, m.Key)
		}
	}
	return nil
}

// writeApart writes the secrets beside the zips, for the deployment to put them
// into Secrets Manager; what an earlier build wrote there is taken away.
func writeApart(out string, secrets map[string]string) error {
	name := filepath.Join(out, apartValues)
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take away the secrets of an earlier build: %w", err)
	}
	if len(secrets) == 0 {
		return nil
	}
	content, err := json.MarshalIndent(secrets, "", "  ")
	if err != nil {
		return fmt.Errorf("write secrets: %w", err)
	}
	if err := os.MkdirAll(out, 0o750); err != nil {
		return fmt.Errorf("write secrets: %w", err)
	}
	if err := os.WriteFile(name, content, 0o600); err != nil {
		return fmt.Errorf("write secrets: %w", err)
	}
	return nil
}
