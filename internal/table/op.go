package table

import "fmt"

// Op is one operation of a write, made by Put, Update, Delete or Check; the members are exported for backends.
type Op struct {
	Kind    OpKind
	Key     Key
	Item    Item     // of OpPut
	Changes []Change // of OpUpdate
	When    Cond
}

// OpKind tells operations apart.
type OpKind int

// The kinds of operations.
const (
	OpPut OpKind = iota
	OpUpdate
	OpDelete
	OpCheck
)

// Put stores item in place of whatever has its key, when all conditions hold.
func Put(item Item, when ...Cond) Op {
	return Op{Kind: OpPut, Key: item.Key, Item: item, When: All(when...)}
}

// Update changes attributes of one item, when all conditions hold. It creates the item if there is none, unless a
// condition forbids it.
func Update(key Key, change []Change, when ...Cond) Op {
	return Op{Kind: OpUpdate, Key: key, Changes: change, When: All(when...)}
}

// Delete removes the item, when all conditions hold. Removing what is not there is fine.
func Delete(key Key, when ...Cond) Op {
	return Op{Kind: OpDelete, Key: key, When: All(when...)}
}

// Check changes nothing and lets the write go through only when all conditions, at least one, hold.
func Check(key Key, when ...Cond) Op {
	return Op{Kind: OpCheck, Key: key, When: All(when...)}
}

// Change is one change of an Update, made by Set, Add or Unset; an attribute may be changed once per Update.
type Change struct {
	Attr Attr
	Add  bool   // add Num to what is there, 0 if nothing is
	Str  string // the new value of a string; "" removes it
	Num  int64  // the new value of a number, 0 removes it; or what to add

	bad string
}

// Set gives attribute a the value v: an int or int64 for a number, a string (or []byte for the document) otherwise.
// A v of another type makes Write return ErrInvalid.
func Set(a Attr, v any) Change { return valueOf(a, v) }

// Add adds delta to the number a. However often the call has to be sent, it is added once.
func Add(a Attr, delta int64) Change {
	c := Change{Attr: a, Add: true, Num: delta}
	if !a.Numeric() {
		c.bad = fmt.Sprintf("attribute %q holds no number", a)
	}
	return c
}

// Unset removes attribute a.
func Unset(a Attr) Change {
	c := Change{Attr: a}
	if !a.known() {
		c.bad = fmt.Sprintf("unknown attribute %q", a)
	}
	return c
}

// Apply returns the item that op leaves behind where old stood (nil for none), nil if it leaves none. It does not look
// at the condition.
func Apply(op Op, old *Item) *Item {
	switch op.Kind {
	case OpPut:
		item := op.Item
		return &item
	case OpUpdate:
		item := Item{Key: op.Key}
		if old != nil {
			item = *old
		}
		for _, c := range op.Changes {
			num := c.Num
			if c.Add {
				_, before := item.attr(c.Attr)
				num += before
			}
			item.setAttr(c.Attr, c.Str, num)
		}
		return &item
	case OpDelete:
		return nil
	default:
		return old
	}
}

// valueOf makes the change that gives a the value v.
func valueOf(a Attr, v any) Change {
	c := Change{Attr: a}
	fits := a.known()
	switch v := v.(type) {
	case int:
		c.Num, fits = int64(v), a.Numeric()
	case int64:
		c.Num, fits = v, a.Numeric()
	case string:
		c.Str, fits = v, fits && !a.Numeric()
	case []byte:
		c.Str, fits = string(v), a == AttrDoc
	default:
		fits = false
	}
	if !fits {
		c.bad = fmt.Sprintf("attribute %q holds no %T", a, v)
	}
	return c
}
