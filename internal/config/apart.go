package config

import (
	"encoding/json"
	"errors"
)

// ApartVariable is the variable that holds the settings which are kept apart
// from a function's configuration file. No environment has it: the gateway
// answers for it, with what it read elsewhere.
const ApartVariable = "STYX_SECRET_VALUES"

// Apart reads the settings of [ApartVariable], a JSON object of texts by dotted
// key, as overrides for [Load]; none for "".
func Apart(text string) (map[string]any, error) {
	overrides := map[string]any{}
	if text == "" {
		return overrides, nil
	}
	var values map[string]string
	if json.Unmarshal([]byte(text), &values) != nil { // its error may quote a value
		return nil, errors.New("secret settings must be a JSON object of keys and texts")
	}
	for key, value := range values {
		overrides[key] = value
	}
	return overrides, nil
}
