package proofs

import "testing"

// TestRoundTrips holds every request to the waits it may cost (see
// docs/ARCHITECTURE.md). The tally of the seam counts them, and where a proxy
// stands before the table it has to agree.
func TestRoundTrips(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			over := b.open(t)
			for _, op := range operations(t, over) {
				if over.proxy != nil {
					over.proxy.Reset()
				}
				if a := op.do(); a.status != op.status {
					t.Errorf("%s: want %d: %v", op.name, op.status, a)
				}
				waits := op.in.tallied().RoundTrips()
				if waits > op.most {
					t.Errorf("%s waits %d times for the table, at most %d are allowed:\n%s", op.name, waits, op.most, op.in.steps())
				}
				if over.proxy != nil && over.proxy.RoundTrips() != waits {
					t.Errorf("%s: the proxy counts %d round trips, the tally %d", op.name, over.proxy.RoundTrips(), waits)
				}
				t.Logf("%-38s %d of %d", op.name, waits, op.most)
			}
		})
	}
}
