package local_test

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"styx/internal/table"
	"styx/internal/table/local"
	"styx/internal/table/tabletest"
)

func options() local.Options { return local.Options{Now: time.Now, Rand: rand.Reader} }

// must ends the test unless opening went well, and closes the table with it.
func must(t *testing.T) func(*local.Table, error) *local.Table {
	t.Helper()
	return func(tab *local.Table, err error) *local.Table {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := tab.Close(); err != nil {
				t.Error(err)
			}
		})
		return tab
	}
}

func memory(t *testing.T) table.Table {
	t.Helper()
	return must(t)(local.Memory(options()))
}

func TestMemory(t *testing.T) { tabletest.Run(t, memory) }

func TestFile(t *testing.T) {
	tabletest.Run(t, func(t *testing.T) table.Table {
		t.Helper()
		return must(t)(local.Open(filepath.Join(t.TempDir(), "styx.db"), options()))
	})
}

func TestFaults(t *testing.T) {
	tabletest.RunFaults(t, func(t *testing.T, script tabletest.Script) table.Table {
		t.Helper()
		opts := options()
		opts.Faults = func(c local.Call) local.Fault {
			switch script(c.Verb) {
			case tabletest.Throttle:
				return local.Fault{Kind: local.Throttle}
			case tabletest.Conflict:
				return local.Fault{Kind: local.Conflict}
			case tabletest.LostAnswer:
				return local.Fault{Kind: local.LostAnswer}
			case tabletest.Unprocessed:
				return local.Fault{Unprocessed: (len(c.Keys) + 1) / 2}
			default:
				return local.Fault{}
			}
		}
		return must(t)(local.Memory(opts))
	})
}

func FuzzAgree(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		tabletest.Agree(t, memory(t), seed, 300)
	})
}
