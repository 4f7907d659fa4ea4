package table

import (
	"context"
	"errors"
	"fmt"
)

// Table is the storage every room above works on. Its methods are safe for concurrent use.
//
// Every method returns promptly once ctx has ended, with an error that matches ctx's own, and starts no write after its
// deadline. Each may also return ErrBusy, ErrNoTable or ErrInvalid.
type Table interface {
	// Get reads items in one round trip, strongly consistent. The answer is aligned with keys, which may repeat; nil
	// stands only where the store said that there is no such item. No keys cost no call.
	Get(ctx context.Context, keys ...Key) ([]*Item, error)

	// Query reads one page of a partition (strongly consistent) or of the index (eventually consistent).
	Query(ctx context.Context, q Query) (Page, error)

	// Write stores all of ops or none. One Put, Update or unconditional Delete is a single write; anything else is a
	// transaction, which costs twice as much. It returns *ConditionFailed, ErrDuplicateKey or ErrTooLarge as well.
	// No ops cost no call.
	Write(ctx context.Context, ops ...Op) error
}

// Key names one item.
type Key struct{ PK, SK string }

// Item is one stored item. Doc is one JSON document; the other members are only what a condition, an index or a filter
// needs. A member's zero value is the same as its absence.
type Item struct {
	Key
	Doc []byte // one JSON document, UTF-8
	V   int64  // version of the item
	DV  int64  // version of the document's format
	Exp int64  // unix milliseconds, 0 = never; an expired item is not a deleted one
	TTL int64  // unix seconds, 0 = never: from when on the store may delete the item, some day
	N   int64  // counter
	St  string // status or owner
	GK  string // index partition; an item is in the index when GK and GS are both set
	GS  string // order within GK, unique there
}

// Attr names an attribute that conditions and changes may speak of.
type Attr string

// The attributes, by the name they are stored under.
const (
	AttrDoc Attr = "doc"
	AttrV   Attr = "v"
	AttrDV  Attr = "dv"
	AttrExp Attr = "exp"
	AttrTTL Attr = "ttl"
	AttrN   Attr = "n"
	AttrSt  Attr = "st"
	AttrGK  Attr = "gk"
	AttrGS  Attr = "gs"
)

// Numeric says whether a holds a number; all others hold strings.
func (a Attr) Numeric() bool {
	switch a {
	case AttrV, AttrDV, AttrExp, AttrTTL, AttrN:
		return true
	default:
		return false
	}
}

func (a Attr) known() bool {
	switch a {
	case AttrDoc, AttrV, AttrDV, AttrExp, AttrTTL, AttrN, AttrSt, AttrGK, AttrGS:
		return true
	default:
		return false
	}
}

// Query asks for one page: of the partition PK in the order of sort keys, or of the index partition GK in the order of
// GS. Exactly one of PK and GK is set. Strings are ordered by their bytes.
type Query struct {
	PK      string
	Prefix  string // of the sort key; with PK only
	GK      string
	After   string // exclusive: the sort key (or GS) to go on from; it begins with Prefix and need not exist
	Reverse bool   // downwards: from the end, or from After towards the beginning
	Limit   int    // at most so many items; 0 = as many as fit a page
}

// Page is one answer to a Query. A page ends early, short of its limit, when its items fill 1 MB.
type Page struct {
	Items []Item
	// More is false when nothing follows. When true, go on with After = the last item's SK (or GS); after a page that
	// ended early the next one may be empty.
	More bool
}

// Errors of every backend, matched with errors.Is.
var (
	// ErrBusy: throttled, in conflict or out of reach until the deadline. A write may or may not have happened.
	ErrBusy = errors.New("table is busy")
	// ErrTooLarge: an item over MaxItem, or a write over MaxOps operations or MaxWrite bytes.
	ErrTooLarge = errors.New("too large for the table")
	// ErrNoTable: there is no table of the configured name; the text around it names it.
	ErrNoTable = errors.New("no such table")
	// ErrDuplicateKey: two operations of one write name one key. A programming error.
	ErrDuplicateKey = errors.New("two operations on one key")
	// ErrInvalid: a key, operation, condition or query that no backend accepts. A programming error.
	ErrInvalid = errors.New("invalid table call")
)

// ConditionFailed says which operation's condition did not hold. Nothing was written.
type ConditionFailed struct {
	Op   int   // index of the first such operation
	Item *Item // what stood there, nil if nothing
}

func (e *ConditionFailed) Error() string {
	return fmt.Sprintf("condition of operation %d failed", e.Op)
}
