package inbox

import (
	"fmt"
	"testing"
	"time"

	"styx/internal/courier"
)

func TestNewestStay(t *testing.T) {
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	b := New(func() time.Time { return noon })
	for at := range capacity + 10 {
		if err := b.Send(t.Context(), &courier.Letter{ID: fmt.Sprint(at), Content: courier.Content{Text: "one"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Send(t.Context(), &courier.Letter{ID: "20", Content: courier.Content{Text: "two"}}); err != nil {
		t.Fatal(err)
	}
	list := b.List()
	if len(list) != capacity || list[0].ID != "20" || list[0].Text != "two" || list[1].ID != fmt.Sprint(capacity+9) || !list[0].At.Equal(noon) {
		t.Errorf("%d are kept, the newest %+v and %+v", len(list), list[0], list[1])
	}
	if _, ok := b.Message("9"); ok {
		t.Error("the oldest is still there")
	}
	if k, ok := b.Message("10"); !ok || k.Text != "one" {
		t.Errorf("found %+v, %v", k, ok)
	}
}
