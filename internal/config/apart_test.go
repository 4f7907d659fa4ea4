package config_test

import (
	"maps"
	"testing"

	"styx/internal/config"
)

func TestSettingsKeptApartGoByTheirKeys(t *testing.T) {
	for text, want := range map[string]map[string]any{
		``:   {},
		`{}`: {},
		`{"a.0.b@1f2e":"x","c":"y","d@e.f@1f2e":"z"}`: {"a.0.b": "x", "c": "y", "d@e.f": "z"},
	} {
		if got, err := config.Apart(text); err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{`[]`, `{"a":1}`, `hunter2`} {
		if got, err := config.Apart(text); err == nil || err.Error() != "secret settings must be a JSON object of keys and texts" {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}
