package table

import "fmt"

// Cond is one condition on the item as it stands before the write. An absent item is judged as one without attributes:
// a missing number counts as 0, a missing string as "".
//
// The zero Cond always holds. Conditions are made by the functions below; the members are exported for backends, which
// translate them.
type Cond struct {
	Kind CondKind
	Attr Attr   // of CondIs, CondLess, CondMore
	Str  string // of CondIs on a string
	Num  int64  // of CondIs on a number, CondLess, CondMore
	Of   []Cond // of CondAll, CondAny, CondNot (exactly one)

	bad string // why the condition cannot be evaluated
}

// CondKind tells conditions apart.
type CondKind int

// The kinds of conditions.
const (
	CondAll    CondKind = iota // every one of Of; none: holds
	CondAny                    // at least one of Of; none: does not hold
	CondNot                    // not Of[0]
	CondExists                 // the item is there
	CondIs                     // Attr equals Str or Num
	CondLess                   // Attr < Num
	CondMore                   // Attr > Num
)

// Absent holds when there is no item.
func Absent() Cond { return Not(Exists()) }

// Exists holds when there is an item, expired or not.
func Exists() Cond { return Cond{Kind: CondExists} }

// Is holds when attribute a equals v: an int or int64 for a number, a string (or []byte for the document) otherwise.
// A v of another type makes Write return ErrInvalid.
func Is(a Attr, v any) Cond {
	value := valueOf(a, v)
	return Cond{Kind: CondIs, Attr: a, Str: value.Str, Num: value.Num, bad: value.bad}
}

// Less holds when number a is less than v.
func Less(a Attr, v int64) Cond { return number(CondLess, a, v) }

// More holds when number a is more than v.
func More(a Attr, v int64) Cond { return number(CondMore, a, v) }

// All holds when each of c does.
func All(c ...Cond) Cond {
	if len(c) == 1 {
		return c[0]
	}
	return Cond{Kind: CondAll, Of: c}
}

// Any holds when at least one of c does.
func Any(c ...Cond) Cond {
	if len(c) == 1 {
		return c[0]
	}
	return Cond{Kind: CondAny, Of: c}
}

// Not holds when c does not.
func Not(c Cond) Cond { return Cond{Kind: CondNot, Of: []Cond{c}} }

// Always says whether c is the condition that every item and its absence meet because it demands nothing.
func (c Cond) Always() bool { return c.Kind == CondAll && len(c.Of) == 0 }

// Holds evaluates c on item, nil for an absent one. It is what each backend's own evaluation must agree with.
func Holds(c Cond, item *Item) bool {
	switch c.Kind {
	case CondAll:
		for _, each := range c.Of {
			if !Holds(each, item) {
				return false
			}
		}
		return true
	case CondAny:
		for _, each := range c.Of {
			if Holds(each, item) {
				return true
			}
		}
		return false
	case CondNot:
		return !Holds(c.Of[0], item)
	case CondExists:
		return item != nil
	case CondIs, CondLess, CondMore:
		return c.compare(item)
	}
	return false
}

func (c Cond) compare(item *Item) bool {
	if item == nil {
		item = &Item{}
	}
	str, num := item.attr(c.Attr)
	if c.Kind == CondIs {
		return str == c.Str && num == c.Num
	}
	return c.Kind == CondLess && num < c.Num || c.Kind == CondMore && num > c.Num
}

func number(kind CondKind, a Attr, v int64) Cond {
	c := Cond{Kind: kind, Attr: a, Num: v}
	if !a.Numeric() {
		c.bad = fmt.Sprintf("attribute %q holds no number", a)
	}
	return c
}

// broken returns why c cannot be evaluated, "" if it can.
func (c Cond) broken() string {
	if c.bad != "" {
		return c.bad
	}
	for _, each := range c.Of {
		if why := each.broken(); why != "" {
			return why
		}
	}
	return ""
}

// attr returns the value of one attribute: the string or the number, the other being zero.
func (i *Item) attr(a Attr) (string, int64) {
	switch a {
	case AttrDoc:
		return string(i.Doc), 0
	case AttrV:
		return "", i.V
	case AttrDV:
		return "", i.DV
	case AttrExp:
		return "", i.Exp
	case AttrTTL:
		return "", i.TTL
	case AttrN:
		return "", i.N
	case AttrSt:
		return i.St, 0
	case AttrGK:
		return i.GK, 0
	case AttrGS:
		return i.GS, 0
	}
	return "", 0
}

func (i *Item) setAttr(a Attr, str string, num int64) {
	switch a {
	case AttrDoc:
		i.Doc = nil
		if str != "" {
			i.Doc = []byte(str)
		}
	case AttrV:
		i.V = num
	case AttrDV:
		i.DV = num
	case AttrExp:
		i.Exp = num
	case AttrTTL:
		i.TTL = num
	case AttrN:
		i.N = num
	case AttrSt:
		i.St = str
	case AttrGK:
		i.GK = str
	case AttrGS:
		i.GS = str
	}
}
