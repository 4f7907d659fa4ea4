package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"styx/internal/config"
)

// secretKeys are the places of a configuration that hold secrets. "*" stands
// for one key or list index, "**" for any number.
var secretKeys = []string{
	"secrets.**",
	"courier.smtp.connection_uri",
	"courier.smtp.headers.**",
	"**.auth.config.password",
	"**.auth.config.value",
	"**.client_secret",
	"**.apple_private_key",
	"oauth2_provider.headers.**",
	// The private members of a key set (RFC 7518, 6.2.2, 6.3.2, 6.4.1).
	"**.keys.*.d",
	"**.keys.*.k",
}

// credentialHeader matches names of headers by which receivers know a caller.
var credentialHeader = regexp.MustCompile(`(?i)authorization|cookie|key|password|secret|signature|token`)

// inlineKeys are places that may name a file or a host, but not hold the key.
var inlineKeys = []string{"**.jwks_url"}

// secretsIn tells where content holds what should not be in a zip. The errors
// name files and keys, never values. A file that is not YAML is searched for
// PEM keys alone. What was taken out of it has something to stand in for it.
func secretsIn(name string, content []byte, taken map[string]string) []error {
	var found []error
	if bytes.Contains(content, []byte("PRIVATE KEY-----")) {
		found = append(found, fmt.Errorf("%s holds a private key", name))
	}
	if !slices.Contains([]string{".yml", ".yaml", ".json"}, path.Ext(name)) {
		return found
	}
	for decoder := yaml.NewDecoder(bytes.NewReader(content)); ; {
		var document any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			// yaml's error may quote a value.
			return append(found, fmt.Errorf("%s is neither YAML nor JSON", name))
		}
		config.Walk(document, func(at []string, value string) {
			if !isSecret(at, value) {
				return
			}
			if standsIn(value) {
				key := strings.Join(at, ".") + "@"
				if !slices.ContainsFunc(slices.Collect(maps.Keys(taken)), func(name string) bool { return strings.HasPrefix(name, key) }) {
					found = append(found, errStandIn(name, at))
				}
				return
			}
			way := "move what it is for into " + configuration
			if slices.Contains(stacks, at[0]) {
				way = "take it out: the stack has its own, and README.md of infra says how to bring yours"
			} else if name == configuration {
				way = "keep it apart with -apart, or give it by the functions' environment"
			}
			found = append(found, fmt.Errorf("%s holds a secret: %s; %s", name, strings.Join(at, "."), way))
		})
	}
}

// isSecret tells whether a value at that place is one, or stands in for one.
func isSecret(at []string, value string) bool {
	fits := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(strings.Split(pattern, "."), at) })
	}
	header := len(at) > 1 && at[len(at)-2] == "headers" && credentialHeader.MatchString(at[len(at)-1])
	database := len(at) == 1 && at[0] == "dsn" && strings.Contains(value, "@")
	return value != "" && (header || database || fits(secretKeys) || strings.HasPrefix(value, "base64://") && fits(inlineKeys))
}

// standsIn tells whether a value is what an earlier build put in a secret's place.
func standsIn(value string) bool {
	return slices.Contains([]string{standIn, standInURI, standInDocument}, value)
}

// errStandIn refuses one: whoever took the configuration out of a zip has to put
// the secret in again.
func errStandIn(name string, at []string) error {
	return fmt.Errorf("%s has at %s what stands in for a secret: put the secret there", name, strings.Join(at, "."))
}

// matches tells whether the keys fit the pattern.
func matches(pattern, keys []string) bool {
	switch {
	case len(pattern) == 0:
		return len(keys) == 0
	case pattern[0] == "**":
		return matches(pattern[1:], keys) || len(keys) > 0 && matches(pattern, keys[1:])
	case len(keys) == 0:
		return false
	}
	return (pattern[0] == "*" || pattern[0] == keys[0]) && matches(pattern[1:], keys[1:])
}
