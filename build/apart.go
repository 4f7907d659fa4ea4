package main

import (
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
	// apartKeys is the file of a zip that names them, one a line.
	apartKeys = "secret-settings.txt"
	// apartValues is the file beside the zips that holds them by their keys.
	apartValues = "secret-settings.json"
)

// What stands in a secret's place: text, a URI, a document.
const (
	standIn         = "kept-apart-in-secrets-manager"
	standInURI      = "smtps://kept-apart.invalid:465/"
	standInDocument = "base64://e30="
)

// apart takes the secrets out of a configuration, and returns what is left and
// the secrets by their keys. In their place stands what the configuration takes
// for valid and nobody can use: a function that has no need of them starts all
// the same. The lists of secrets.* stay, for the stack makes its own.
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
	walk(plain, nil, func(at []string, value string) {
		if at[0] != "secrets" && !strings.Contains(strings.Join(at, "\n"), ".") && isSecret(at, value) {
			secrets[strings.Join(at, ".")] = value
		}
	})
	if len(secrets) == 0 {
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
	left, err := yaml.Marshal(&document)
	if err != nil {
		return nil, nil, fmt.Errorf("write %s: %w", configuration, err)
	}
	return left, secrets, same(content, left, secrets)
}

// find is the value at a path, nil for none.
func find(n *yaml.Node, path []string) *yaml.Node {
	switch n.Kind {
	case yaml.DocumentNode:
		return find(n.Content[0], path)
	case yaml.AliasNode:
		return find(n.Alias, path)
	case yaml.MappingNode:
		for i := 0; len(path) > 0 && i < len(n.Content); i += 2 {
			if n.Content[i].Value == path[0] {
				return find(n.Content[i+1], path[1:])
			}
		}
	case yaml.SequenceNode:
		if len(path) == 0 {
			return nil
		}
		if i, err := strconv.Atoi(path[0]); err == nil && i >= 0 && i < len(n.Content) {
			return find(n.Content[i], path[1:])
		}
	case yaml.ScalarNode:
		if len(path) == 0 {
			return n
		}
	}
	return nil
}

// same tells what is wrong where the rest and the secrets do not make the
// configuration again, as a function puts them together, or where the rest alone
// is one that a function would refuse.
func same(whole, left []byte, secrets map[string]string) error {
	overrides := map[string]any{}
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
	want, known := read(whole, nil)
	got, _ := read(left, overrides)
	a, errA := json.Marshal(want)
	b, errB := json.Marshal(got)
	if errA != nil || errB != nil || string(a) != string(b) {
		return fmt.Errorf("%s: %s can not be kept apart: give it by the functions' environment", configuration,
			strings.Join(slices.Sorted(maps.Keys(secrets)), ", "))
	}
	_, mistakes := read(left, nil)
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
