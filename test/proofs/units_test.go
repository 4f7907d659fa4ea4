package proofs

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"styx/test/dynamodb"
)

var update = flag.Bool("update", false, "rewrite testdata/units.golden")

// TestUnits holds every operation to the read and write units it costs. An
// embedded table counts them as it goes; before a DynamoDB API a meter does, by
// Amazon's rule. Both must come to what is recorded, from which docs/cost.md is
// made. A line is the operation, units read and written, its waits for the
// table, its calls of it and the password hashes computed.
func TestUnits(t *testing.T) {
	const golden = "testdata/units.golden"
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			over := b.open(t)
			if over.proxy != nil {
				over.proxy.Meter()
			}
			var got strings.Builder
			for _, op := range operations(t, over) {
				if over.proxy != nil {
					over.proxy.Reset()
				}
				if a := op.do(); a.status != op.status {
					t.Errorf("%s: want %d: %v", op.name, op.status, a)
				}
				tally := op.in.tallied()
				used := dynamodb.Units{Read: tally.RCU(), Write: tally.WCU()}
				if over.proxy != nil {
					metered := over.proxy.Units()
					if used.Write != metered.Write && os.Getenv("STYX_DYNAMODB") != "local" { // which counts half a transaction
						t.Errorf("%s: %v written by the API's own count, %v by the rule", op.name, used.Write, metered.Write)
					}
					used = metered
				}
				fmt.Fprintf(&got, "%-40s %5.1f %5.1f %5s %2d %d\n", op.name, used.Read, used.Write, op.in.waits(), len(tally.Calls()), op.in.hashes())
			}
			if *update && over.proxy == nil {
				if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(string(want), "\n")
			for at, line := range strings.Split(got.String(), "\n") {
				if at >= len(lines) || line != lines[at] {
					t.Errorf("%q is recorded as %q: make golden, and read the difference", line, lines[min(at, len(lines)-1)])
				}
			}
		})
	}
}
