package store

import (
	"strings"
	"testing"

	"styx/internal/fault"
)

// TestShownErrors are read by their id for an hour.
func TestShownErrors(t *testing.T) {
	h := build(t)
	id, err := h.KeepError(t.Context(), []byte(`{"code":400}`))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := h.ShownError(t.Context(), strings.ToUpper(id))
	if err != nil || shown.ID != id || string(shown.Error) != `{"code":400}` || !shown.CreatedAt.Equal(h.Now()) {
		t.Errorf("shown is %+v, %v", shown, err)
	}
	for _, other := range []string{"", "x", newUUID()} {
		if _, err := h.ShownError(t.Context(), other); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q answers %v", other, err)
		}
	}
	h.pass(errorLife)
	if _, err := h.ShownError(t.Context(), id); !fault.Is(err, fault.NotFound) {
		t.Errorf("an hour later it answers %v", err)
	}
	if _, err := h.KeepError(t.Context(), []byte("{")); err == nil {
		t.Error("kept what is no JSON")
	}
}
