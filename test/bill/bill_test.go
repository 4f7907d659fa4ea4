package bill

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/cost.md")

const page = "../../docs/cost.md"

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// known is everything that was recorded.
func known(t *testing.T) (map[string]Operation, []string, Stack) {
	t.Helper()
	found, order, err := operations(string(read(t, "../proofs/testdata/units.golden")))
	if err != nil {
		t.Fatal(err)
	}
	s, err := readStack(read(t, "../../infra/testdata/stack.json"))
	if err != nil {
		t.Fatal(err)
	}
	return found, order, s
}

// TestThePageSaysWhatIsRecorded compares the tables of docs/cost.md with what the
// records come to.
func TestThePageSaysWhatIsRecorded(t *testing.T) {
	found, order, s := known(t)
	tables := map[string]string{"operations": operationsTable(t, found, order, s), "idle": idleTable(s), "bill": billTable(t, found, s), "use": useTable(), "stack": stackTable(s)}
	text := string(read(t, page))
	for name, want := range tables {
		block := regexp.MustCompile(`(?s)<!-- ` + name + ` -->\n.*?<!-- end -->`)
		is := block.FindString(text)
		whole := "<!-- " + name + " -->\n" + want + "<!-- end -->"
		if is == "" {
			t.Fatalf("%s has no table %q", page, name)
		}
		if is == whole {
			continue
		}
		if !*update {
			t.Errorf("the table %q should be\n%s", name, want)
		}
		text = strings.Replace(text, is, whole, 1)
	}
	if *update {
		if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func operationsTable(t *testing.T, found map[string]Operation, order []string, s Stack) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| operation | function | read units | write units | waits | ms | table and Lambda, per million |\n|---|---|--:|--:|---|--:|--:|\n")
	for _, name := range order {
		o := found[name]
		memory := s.Memory[o.Function]
		if memory == 0 {
			t.Errorf("%s: the stack has no function %s", name, o.Function)
		}
		ms := o.milliseconds(memory)
		million := 1e6 * (o.Read*readUnit + o.Write*writeUnit + invocation + memory/1024*ms/1000*gigabyteSecond)
		fmt.Fprintf(&b, "| %s | %s | %g | %g | %s | %.0f | $%.2f |\n", name, strings.ToLower(o.Function), o.Read, o.Write, o.Waits, ms, million)
	}
	return b.String()
}

func idleTable(s Stack) string {
	var b strings.Builder
	b.WriteString("| what | how much | a month |\n|---|--:|--:|\n")
	for _, line := range idle(s) {
		fmt.Fprintf(&b, "| %s | %s | $%.2f |\n", line.Name, line.Quantity, line.Dollars)
	}
	fmt.Fprintf(&b, "| **together** | | **$%.2f** |\n", Sum(idle(s)))
	return b.String()
}

func billTable(t *testing.T, found map[string]Operation, s Stack) string {
	t.Helper()
	var bills [][]Line
	for _, people := range []float64{1e3, 1e5, 1e6} {
		lines, err := month(people, found, s)
		if err != nil {
			t.Fatal(err)
		}
		bills = append(bills, lines)
	}
	var b strings.Builder
	b.WriteString("| | at 1,000,000 | 1,000 | 100,000 | 1,000,000 |\n|---|--:|--:|--:|--:|\n")
	for at := range bills[0] {
		fmt.Fprintf(&b, "| %s | %s | $%.2f | $%.2f | $%.2f |\n", bills[0][at].Name, bills[2][at].Quantity,
			bills[0][at].Dollars, bills[1][at].Dollars, bills[2][at].Dollars)
	}
	fmt.Fprintf(&b, "| **a month** | | **$%.2f** | **$%.2f** | **$%.2f** |\n", Sum(bills[0]), Sum(bills[1]), Sum(bills[2]))
	return b.String()
}

func useTable() string {
	var b strings.Builder
	b.WriteString("| operation | times a month |\n|---|--:|\n")
	for _, u := range pattern {
		fmt.Fprintf(&b, "| %s | %g |\n", u.operation, u.times)
	}
	return b.String()
}

func stackTable(s Stack) string {
	return fmt.Sprintf("| | of | the stack has |\n|---|--:|--:|\n| resources | 500 | %d |\n| bytes of the template | 1,000,000 | %d |\n| routes of both APIs | 300 each | %d |\n",
		s.Resources, s.Bytes, s.Routes)
}

func TestAShareOfACPUTakesLonger(t *testing.T) {
	o := Operation{Waits: "rt", Calls: 2, Hashes: 1}
	full, half := o.milliseconds(oneCPU), o.milliseconds(oneCPU/2)
	if computes := eventCPU + 2*callCPU + hashCPU; full != 29+computes || half != 29+2*computes || o.milliseconds(2*oneCPU) != full {
		t.Errorf("%v ms, %v ms with half a CPU", full, half)
	}
}

func TestRecordsThatAreNone(t *testing.T) {
	for _, record := range []string{"whoami", "whoami 1 2 r 1 x", "whoami 1.0 y r 1 0"} {
		if found, _, err := operations(record); err == nil {
			t.Errorf("%q is read as %v", record, found)
		}
	}
}
