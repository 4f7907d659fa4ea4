package local_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"styx/internal/table"
	"styx/internal/table/local"
)

// childFile names the file that this binary, started again by a test, writes to until it is killed.
const childFile = "STYX_TEST_CHILD_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		if err := register(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// register stores pairs of an identity and its guard, 200 writers at once, and prints each pair it has been told is stored.
func register(path string) error {
	tab, err := local.Open(path, options())
	if err != nil {
		return err
	}
	var out sync.Mutex
	fns := make([]func(context.Context) error, 200)
	for w := range fns {
		fns[w] = func(ctx context.Context) error {
			for {
				id := rand.Text()
				err := tab.Write(ctx,
					table.Put(table.Item{Key: identity(id), Doc: []byte(`"` + id + `"`)}, table.Absent()),
					table.Put(table.Item{Key: guard(id), St: id}, table.Absent()))
				if err != nil {
					return err
				}
				out.Lock()
				fmt.Println(id)
				out.Unlock()
			}
		}
	}
	return table.Together(context.Background(), fns...)
}

func identity(id string) table.Key { return table.Key{PK: "0.I#" + id, SK: "#"} }
func guard(id string) table.Key    { return table.Key{PK: "0.C#password#" + id, SK: "#"} }

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "styx.db")
	for round := range 3 {
		acknowledged := killedAfter(t, path, 300)
		tab := must(t)(local.Open(path, options()))
		for _, id := range acknowledged {
			got, err := tab.Get(t.Context(), identity(id), guard(id))
			if err != nil {
				t.Fatal(err)
			}
			if got[0] == nil || got[1] == nil || string(got[0].Doc) != `"`+id+`"` || got[1].St != id {
				t.Fatalf("round %d: %s was acknowledged and is %v", round, id, got)
			}
		}
		if err := tab.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killedAfter runs a child that registers, kills it once it has acknowledged n, and returns all it acknowledged.
func killedAfter(t *testing.T, path string, n int) []string {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childFile+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what it did not finish writing, it did not acknowledge
		}
		ids = append(ids, strings.TrimSpace(line))
		if len(ids) == n {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the child was to be killed: %v", err)
	}
	if len(ids) < n {
		t.Fatalf("%d acknowledged, want %d", len(ids), n)
	}
	return ids
}

func TestLockedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "styx.db")
	must(t)(local.Open(path, options()))
	_, err := local.Open(path, options())
	if !errors.Is(err, local.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestCopyBetweenWrites(t *testing.T) {
	dir := t.TempDir()
	path, backup := filepath.Join(dir, "styx.db"), filepath.Join(dir, "copy.db")
	tab := must(t)(local.Open(path, options()))
	for n := range 20 {
		if err := tab.Write(t.Context(), table.Put(table.Item{Key: identity(fmt.Sprint(n)), Doc: make([]byte, 10_000)})); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(backup, content, 0o600); err != nil {
			t.Fatal(err)
		}
		second, err := local.Open(backup, options())
		if err != nil {
			t.Fatal(err)
		}
		for i := range n + 1 {
			got, err := second.Get(t.Context(), identity(fmt.Sprint(i)))
			if err != nil || got[0] == nil {
				t.Errorf("copy after write %d: item %d is %v, %v", n, i, got, err)
			}
		}
		if err := second.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFileComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "styx.db")
	item := table.Item{Key: identity("1"), Doc: []byte("{}"), GK: "g", GS: "s"}
	for round := range 3 {
		tab, err := local.Open(path, options())
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			err = tab.Write(t.Context(), table.Put(item))
		} else if page, queryErr := tab.Query(t.Context(), table.Query{GK: "g"}); queryErr != nil || len(page.Items) != 1 {
			t.Errorf("round %d: %v, %v", round, page, queryErr)
		}
		if err := errors.Join(err, tab.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := tab.Get(t.Context(), item.Key); err == nil {
			t.Error("a closed table answers")
		}
		if err := tab.Write(t.Context(), table.Put(item)); err == nil {
			t.Error("a closed table writes")
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file is open to others: %v", info.Mode())
	}
}

func TestOtherFiles(t *testing.T) {
	dir := t.TempDir()
	newer := filepath.Join(dir, "newer.db")
	db, err := bbolt.Open(newer, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("about"))
		if err != nil {
			return err
		}
		return b.Put([]byte("format"), []byte("2"))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a table\n", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, problem := range map[string]string{
		newer:                           `format "2"`,
		text:                            "invalid database",
		filepath.Join(dir, "no", "dir"): "no such file",
		dir:                             "is a directory",
	} {
		if _, err := local.Open(path, options()); err == nil || !strings.Contains(err.Error(), problem) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want %q", path, err, problem)
		}
	}
}

func TestSweep(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	tab := must(t)(local.Memory(local.Options{Now: func() time.Time { return now }, Rand: rand.Reader}))
	write := func(ops ...table.Op) {
		t.Helper()
		if err := tab.Write(t.Context(), ops...); err != nil {
			t.Fatal(err)
		}
	}
	in := func(d time.Duration) int64 { return now.Add(d).Unix() }
	item := func(id string, ttl int64) table.Op {
		return table.Put(table.Item{Key: identity(id), TTL: ttl, GK: "g", GS: id})
	}
	left := func() string {
		t.Helper()
		page, err := tab.Query(t.Context(), table.Query{GK: "g"})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, i := range page.Items {
			ids = append(ids, i.GS)
		}
		return strings.Join(ids, " ")
	}
	write(item("never", 0), item("hour", in(time.Hour)), item("day", in(24*time.Hour)), item("moved", in(time.Hour)))
	write(table.Update(identity("moved"), []table.Change{table.Set(table.AttrTTL, in(48*time.Hour))}))
	if got := left(); got != "day hour moved never" {
		t.Errorf("at first: %s", got)
	}
	now = now.Add(2 * time.Hour)
	if got := left(); got != "day hour moved never" {
		t.Errorf("before anything is written: %s", got)
	}
	write(table.Put(table.Item{Key: identity("other")}))
	if got := left(); got != "day moved never" {
		t.Errorf("after two hours: %s", got)
	}
	now = now.Add(30 * 24 * time.Hour)
	// A write whose condition fails is one too.
	if err := tab.Write(t.Context(), table.Put(table.Item{Key: identity("other")}, table.Absent())); err == nil {
		t.Error("a failed condition went through")
	}
	if got := left(); got != "never" {
		t.Errorf("after a month: %s", got)
	}
}

func TestDelay(t *testing.T) {
	opts := options()
	opts.Faults = func(local.Call) local.Fault { return local.Fault{Delay: 50 * time.Millisecond} }
	tab := must(t)(local.Memory(opts))
	start := time.Now()
	if _, err := tab.Get(t.Context(), identity("1")); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("took %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := tab.Write(ctx, table.Put(table.Item{Key: identity("1")})); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
