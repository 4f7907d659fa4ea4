package table

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of the table, as DynamoDB has them.
const (
	// MaxItem is the bytes of one item, attribute names included: DynamoDB's 400 KB less 1 KB, as it counts the
	// expression that stores an item as well. On DynamoDB an Update may grow an item into that last KB.
	MaxItem  = 399 << 10
	MaxOps   = 100     // operations of one write
	MaxWrite = 4 << 20 // bytes of one write
	MaxBatch = 100     // keys of one batch read; Get splits what is more
	MaxPage  = 1 << 20 // bytes of one page
)

const (
	maxPK = 2048 // bytes of a partition key
	maxSK = 1024 // bytes of a sort key

	// writeIDs is set aside in every item's size for what table/dynamo keeps beside our attributes (see there), so that
	// both backends end at the same document.
	writeIDs = 64
)

// Validate says what is wrong with a write before a backend sees it: ErrInvalid, ErrDuplicateKey or ErrTooLarge. The
// size of an updated item is only known where the item is; backends check it themselves.
func Validate(ops []Op) error {
	if len(ops) > MaxOps {
		return fmt.Errorf("%d operations in one write: %w", len(ops), ErrTooLarge)
	}
	first := make(map[Key]int, len(ops))
	total := 0
	for i := range ops {
		op := &ops[i]
		if before, ok := first[op.Key]; ok {
			return fmt.Errorf("operations %d and %d: %w", before, i, ErrDuplicateKey)
		}
		first[op.Key] = i
		if why := op.broken(); why != "" {
			return fmt.Errorf("operation %d: %s: %w", i, why, ErrInvalid)
		}
		size := op.size()
		if size > MaxItem {
			return fmt.Errorf("operation %d: item of %d bytes: %w", i, size, ErrTooLarge)
		}
		total += size
	}
	if total > MaxWrite {
		return fmt.Errorf("%d bytes in one write: %w", total, ErrTooLarge)
	}
	return nil
}

// Validate says what is wrong with a key: ErrInvalid.
func (k Key) Validate() error {
	if why := k.broken(); why != "" {
		return fmt.Errorf("%s: %w", why, ErrInvalid)
	}
	return nil
}

// Validate says what is wrong with a query: ErrInvalid.
func (q Query) Validate() error {
	why := ""
	switch {
	case (q.PK == "") == (q.GK == ""):
		why = "a query names either a partition or an index partition"
	case q.GK != "" && q.Prefix != "":
		why = "a prefix is of the sort key, not of the index"
	case q.PK != "" && q.After != "" && !strings.HasPrefix(q.After, q.Prefix):
		why = "a place to go on from outside the prefix"
	case q.Limit < 0:
		why = "negative limit"
	case !clean(q.PK) || !clean(q.GK) || !clean(q.Prefix) || !clean(q.After):
		why = "a key is not UTF-8 or holds a NUL"
	case len(q.PK) > maxPK || len(q.GK) > maxPK || len(q.Prefix) > maxSK || len(q.After) > maxSK:
		why = "key too long"
	default:
		return nil
	}
	return fmt.Errorf("%s: %w", why, ErrInvalid)
}

// Size is what the item counts for in bytes, by DynamoDB's rules: names and values of all attributes.
func (i *Item) Size() int {
	size := len("pk") + len(i.PK) + len("sk") + len(i.SK) + writeIDs
	for _, a := range []Attr{AttrDoc, AttrV, AttrDV, AttrExp, AttrTTL, AttrN, AttrSt, AttrGK, AttrGS} {
		str, num := i.attr(a)
		size += attrSize(a, str, num)
	}
	return size
}

// attrSize counts one attribute: nothing when it is absent, one byte and one more per two digits for a number.
func attrSize(a Attr, str string, num int64) int {
	if str != "" {
		return len(a) + len(str)
	}
	if num == 0 {
		return 0
	}
	digits := 0
	for ; num != 0; num /= 10 {
		digits++
	}
	return len(a) + 1 + (digits+1)/2
}

// size is what op adds to the size of its write.
func (o *Op) size() int {
	switch o.Kind {
	case OpPut:
		return o.Item.Size()
	case OpUpdate:
		size := len(o.Key.PK) + len(o.Key.SK)
		for _, c := range o.Changes {
			size += attrSize(c.Attr, c.Str, c.Num)
		}
		return size
	default:
		return 0
	}
}

// broken returns what makes op unacceptable, "" if nothing does.
func (o *Op) broken() string {
	if why := o.Key.broken(); why != "" {
		return why
	}
	if why := o.When.broken(); why != "" {
		return why
	}
	switch o.Kind {
	case OpPut:
		return o.Item.broken()
	case OpUpdate:
		if len(o.Changes) == 0 {
			return "an update without a change"
		}
		changed := Item{Key: o.Key}
		seen := make(map[Attr]bool, len(o.Changes))
		for _, c := range o.Changes {
			if c.bad != "" {
				return c.bad
			}
			if seen[c.Attr] {
				return fmt.Sprintf("attribute %q changed twice", c.Attr)
			}
			seen[c.Attr] = true
			changed.setAttr(c.Attr, c.Str, c.Num)
		}
		return changed.broken()
	case OpCheck:
		if o.When.Always() {
			return "a check without a condition"
		}
	case OpDelete:
	}
	return ""
}

func (i *Item) broken() string {
	switch {
	case !utf8.Valid(i.Doc):
		return "the document is not UTF-8"
	case !utf8.ValidString(i.St):
		return "the status is not UTF-8"
	case !clean(i.GK) || !clean(i.GS):
		return "an index key is not UTF-8 or holds a NUL"
	case len(i.GK) > maxPK || len(i.GS) > maxSK:
		return "index key too long"
	}
	return ""
}

func (k Key) broken() string {
	switch {
	case k.PK == "" || k.SK == "":
		return "empty key"
	case !clean(k.PK) || !clean(k.SK):
		return "a key is not UTF-8 or holds a NUL"
	case len(k.PK) > maxPK || len(k.SK) > maxSK:
		return "key too long"
	}
	return ""
}

// clean refuses what DynamoDB would not store as it is, and NUL, which table/local keeps for itself.
func clean(key string) bool {
	return utf8.ValidString(key) && !strings.Contains(key, "\x00")
}
