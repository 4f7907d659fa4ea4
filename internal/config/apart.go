package config

import (
	"encoding/json"
	"errors"
	"strings"
)

// ApartVariable is the variable that holds the settings which are kept apart
// from a function's configuration file. No environment has it: the gateway
// answers for it, with what it read elsewhere.
const ApartVariable = "STYX_SECRET_VALUES"

// ApartList is the file beside the configuration that names them, one a line.
const ApartList = "secret-settings.txt"

// errApart tells nothing of what was read: it may be a value.
var errApart = errors.New("secret settings must be a JSON object of keys and texts")

// Kept reads the settings of [ApartVariable], a JSON object of texts; none for "".
// A name is a dotted key and, behind an "@", what tells the place from others that
// once had this key: a list's members move.
func Kept(text string) (map[string]string, error) {
	var values map[string]string
	if text != "" && json.Unmarshal([]byte(text), &values) != nil {
		return nil, errApart
	}
	return values, nil
}

// Apart reads them as overrides for [Load], by their keys alone.
func Apart(text string) (map[string]any, error) {
	values, err := Kept(text)
	if err != nil {
		return nil, err
	}
	overrides := map[string]any{}
	for name, value := range values {
		key := name
		if at := strings.LastIndex(name, "@"); at >= 0 {
			key = name[:at]
		}
		overrides[key] = value
	}
	return overrides, nil
}
