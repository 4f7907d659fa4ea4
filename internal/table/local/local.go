package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"styx/internal/table"
)

// format is the version of the file's layout. A file of another one is refused.
const format = "1"

var (
	about  = []byte("about")
	items  = []byte("items")
	index  = []byte("index")
	expiry = []byte("expiry")

	formatKey = []byte("format")
)

// lockWait is how long Open waits for another process to let go of the file: long enough for one that is ending.
const lockWait = 500 * time.Millisecond

// ErrLocked says that another process has the file open.
var ErrLocked = errors.New("in use by another process, which must end first: one file serves one process")

// Options are what a Table needs from its surroundings. Now and Rand are required.
type Options struct {
	Now    func() time.Time // for sweeping items past their ttl
	Rand   io.Reader        // of the retries' jitter; safe for concurrent use
	Faults Faults           // nil: nothing goes wrong on purpose
}

// Table is an embedded table. It implements table.Table.
type Table struct {
	db     *bbolt.DB
	now    func() time.Time
	faults Faults
	retry  table.Retry

	turn  chan struct{} // holds one value while somebody commits
	mu    sync.Mutex
	queue []*write  // not yet taken by who commits next
	swept time.Time // when the last sweep was; guarded by turn
}

// Open opens the table in the file at path, and makes both if need be. It returns ErrLocked if another process has it.
func Open(path string, opts Options) (*Table, error) {
	_, statErr := os.Stat(path)
	t, err := open(path, opts, &bbolt.Options{Timeout: lockWait})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		err = ErrLocked
	}
	if err != nil {
		return nil, fmt.Errorf("open table file %s: %w", path, err)
	}
	if os.IsNotExist(statErr) {
		if err := syncFolder(filepath.Dir(path)); err != nil {
			return nil, errors.Join(fmt.Errorf("sync folder of %s: %w", path, err), t.Close())
		}
	}
	return t, nil
}

// Memory returns an empty table that ends with the process.
func Memory(opts Options) (*Table, error) {
	t, err := open("memory", opts, &bbolt.Options{
		NoSync:       true,
		NoGrowSync:   true,
		FreelistType: bbolt.FreelistMapType,
		OpenFile:     func(string, int, os.FileMode) (*os.File, error) { return nameless() },
	})
	if err != nil {
		return nil, fmt.Errorf("open table in memory: %w", err)
	}
	return t, nil
}

func open(path string, opts Options, how *bbolt.Options) (*Table, error) {
	if opts.Now == nil || opts.Rand == nil {
		return nil, errors.New("options without Now or Rand")
	}
	db, err := bbolt.Open(path, 0o600, how)
	if err != nil {
		return nil, err
	}
	if err := prepare(db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Table{
		db:     db,
		now:    opts.Now,
		faults: opts.Faults,
		retry:  table.Retry{Rand: opts.Rand},
		turn:   make(chan struct{}, 1),
	}, nil
}

// prepare makes the buckets of a new file and checks the format of an old one.
func prepare(db *bbolt.DB) error {
	done := false
	err := db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(about)
		if b == nil {
			return nil
		}
		done = true
		if found := string(b.Get(formatKey)); found != format {
			return fmt.Errorf("the file has format %q, this build knows %q", found, format)
		}
		return nil
	})
	if err != nil || done {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{items, index, expiry} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		b, err := tx.CreateBucket(about)
		if err != nil {
			return err
		}
		return b.Put(formatKey, []byte(format))
	})
}

// Close waits for the commit under way and closes the file. Calls after it fail.
func (t *Table) Close() error {
	t.turn <- struct{}{}
	defer func() { <-t.turn }()
	return t.db.Close()
}

// Get implements table.Table.
func (t *Table) Get(ctx context.Context, keys ...table.Key) ([]*table.Item, error) {
	for _, k := range keys {
		if err := k.Validate(); err != nil {
			return nil, err
		}
	}
	if len(keys) == 0 {
		return nil, ctx.Err()
	}
	found := make([]*table.Item, len(keys))
	asked := make([]int, len(keys)) // indices of the keys still without an answer
	for i := range keys {
		asked[i] = i
	}
	entry := table.Begin(ctx, table.VerbGet, len(keys))
	err := t.retry.Do(ctx, entry, func(ctx context.Context) error {
		return t.faulty(ctx, Call{Verb: table.VerbGet, Keys: keys}, func(f Fault) error {
			answered := max(len(asked)-f.Unprocessed, 0)
			units := 0
			err := t.db.View(func(tx *bbolt.Tx) error {
				for _, i := range asked[:answered] {
					item, err := read(tx, itemKey(keys[i]))
					if err != nil {
						return err
					}
					found[i] = item
					units += readUnits(item)
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("read items: %w", err)
			}
			entry.Used(float64(units), 0)
			asked = asked[answered:]
			if len(asked) > 0 {
				return &table.Refusal{Cause: fmt.Errorf("%d keys unprocessed", len(asked))}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Query implements table.Table.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := q.Validate(); err != nil {
		return table.Page{}, err
	}
	var page table.Page
	entry := table.Begin(ctx, table.VerbQuery, 0)
	err := t.retry.Do(ctx, entry, func(ctx context.Context) error {
		return t.faulty(ctx, Call{Verb: table.VerbQuery}, func(Fault) error {
			var size int
			err := t.db.View(func(tx *bbolt.Tx) error {
				var err error
				page, size, err = readPage(tx, q)
				return err
			})
			if err != nil {
				return fmt.Errorf("read page: %w", err)
			}
			entry.Used(pageUnits(size, q.PK != ""), 0)
			return nil
		})
	})
	if err != nil {
		return table.Page{}, err
	}
	entry.Found(len(page.Items))
	return page, nil
}

// Write implements table.Table.
func (t *Table) Write(ctx context.Context, ops ...table.Op) error {
	if err := table.Validate(ops); err != nil {
		return err
	}
	if len(ops) == 0 {
		return ctx.Err()
	}
	keys := make([]table.Key, len(ops))
	for i, op := range ops {
		keys[i] = op.Key
	}
	entry := table.Begin(ctx, table.VerbWrite, len(ops))
	// While the call lasts its outcome is remembered, as DynamoDB does for a ClientRequestToken: a write whose answer a
	// fault took away is not carried out again.
	var outcome *committed
	return t.retry.Do(ctx, entry, func(ctx context.Context) error {
		return t.faulty(ctx, Call{Verb: table.VerbWrite, Keys: keys}, func(Fault) error {
			if outcome == nil {
				done, err := t.commit(ctx, ops)
				if err != nil {
					return err
				}
				outcome = &done
				entry.Used(0, done.units)
			}
			return outcome.err
		})
	})
}

// syncFolder makes a new file's name as lasting as its content.
func syncFolder(path string) error {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
