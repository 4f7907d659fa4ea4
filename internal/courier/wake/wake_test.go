package wake

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"styx/internal/courier"
)

// What is still under way when the function's time is up would take the answer
// and the process with it.
func TestDeadlineLeavesTimeToAnswer(t *testing.T) {
	var until time.Time
	h := Handler{
		Courier: &courier.Courier{Now: time.Now, Rand: rand.Reader},
		Remark: func(ctx context.Context, _ string, _ courier.Dispatch) error {
			until, _ = ctx.Deadline()
			return nil
		},
	}
	end := time.Now().Add(time.Minute)
	ctx, cancel := context.WithDeadline(t.Context(), end)
	defer cancel()
	returned := `{"source":"aws.ses","detail":{"eventType":"Complaint","mail":{"tags":{"styx-message":["0198"]}}}}`
	if _, err := h.Invoke(ctx, []byte(returned)); err != nil || !until.Equal(end.Add(-reserve)) {
		t.Errorf("the work may take until %v of %v (%v)", until, end, err)
	}
}
