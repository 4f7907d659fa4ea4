package dynamo

import (
	"strconv"
	"strings"

	"styx/internal/table"
)

// writeIDs are the attributes that keep an item's newest write ids, newest first.
var writeIDs = [...]string{"w", "w1", "w2", "w3"}

// noID stands where an item has not been written that often.
const noID = "-"

// expression collects the names and values that one request's expressions speak of. Every name gets a placeholder, as
// several of ours are reserved words.
type expression struct {
	names  map[string]string
	values attributes
}

func newExpression() *expression {
	return &expression{names: map[string]string{}, values: attributes{}}
}

func (x *expression) name(attr string) string {
	x.names["#"+attr] = attr
	return "#" + attr
}

func (x *expression) str(v string) string {
	ref := ":" + strconv.Itoa(len(x.values))
	x.values[ref] = str(v)
	return ref
}

func (x *expression) num(v int64) string {
	ref := ":" + strconv.Itoa(len(x.values))
	x.values[ref] = num(v)
	return ref
}

// namesOrNil returns the names, valuesOrNil the values; DynamoDB refuses an empty map of either.
func (x *expression) namesOrNil() map[string]string {
	if len(x.names) == 0 {
		return nil
	}
	return x.names
}

func (x *expression) valuesOrNil() attributes {
	if len(x.values) == 0 {
		return nil
	}
	return x.values
}

// cond translates c. What it says of an item without the attribute agrees with table.Holds: DynamoDB itself finds every
// comparison with a missing attribute false.
func (x *expression) cond(c table.Cond) string {
	switch c.Kind {
	case table.CondAll:
		return x.join(c.Of, " AND ", " OR ")
	case table.CondAny:
		return x.join(c.Of, " OR ", " AND ")
	case table.CondNot:
		return "(NOT " + x.cond(c.Of[0]) + ")"
	case table.CondExists:
		return "(attribute_exists(" + x.name("pk") + "))"
	case table.CondIs, table.CondLess, table.CondMore:
		return x.compare(c)
	}
	return x.join(nil, " OR ", " AND ")
}

func (x *expression) compare(c table.Cond) string {
	name := x.name(string(c.Attr))
	missing := "attribute_not_exists(" + name + ")"
	switch {
	case c.Kind == table.CondIs && !c.Attr.Numeric() && c.Str == "":
		return "(" + missing + ")" // empty strings are not stored
	case c.Kind == table.CondIs && !c.Attr.Numeric():
		return "(" + name + " = " + x.str(c.Str) + ")"
	case c.Kind == table.CondIs:
		return x.orMissing(c.Num == 0, missing, name+" = "+x.num(c.Num))
	case c.Kind == table.CondLess:
		return x.orMissing(c.Num > 0, missing, name+" < "+x.num(c.Num))
	default:
		return x.orMissing(c.Num < 0, missing, name+" > "+x.num(c.Num))
	}
}

// orMissing accepts a missing number too where 0 would be accepted.
func (*expression) orMissing(zeroToo bool, missing, compare string) string {
	if zeroToo {
		return "(" + missing + " OR " + compare + ")"
	}
	return "(" + compare + ")"
}

// join puts op between conditions; none of them make a sentence that is always true for AND (opposite OR), never for OR.
func (x *expression) join(of []table.Cond, op, opposite string) string {
	if len(of) == 0 {
		pk := x.name("pk")
		return "(attribute_exists(" + pk + ")" + opposite + "attribute_not_exists(" + pk + "))"
	}
	parts := make([]string, len(of))
	for i, c := range of {
		parts[i] = x.cond(c)
	}
	return "(" + strings.Join(parts, op) + ")"
}

// notYet says that the write under id has not happened.
func (x *expression) notYet(id string) string {
	ref := x.str(id)
	parts := make([]string, len(writeIDs))
	for i, attr := range writeIDs {
		parts[i] = x.name(attr) + " = " + ref
	}
	return "(NOT (" + strings.Join(parts, " OR ") + "))"
}

// update translates changes, and shifts id into the write ids. DynamoDB reads all values before it sets any.
func (x *expression) update(changes []table.Change, id string) string {
	none := x.str(noID)
	set := []string{x.name(writeIDs[0]) + " = " + x.str(id)}
	for i, attr := range writeIDs[1:] {
		set = append(set, x.name(attr)+" = if_not_exists("+x.name(writeIDs[i])+", "+none+")")
	}
	var add, remove []string
	for _, c := range changes {
		name := x.name(string(c.Attr))
		switch {
		case c.Add:
			add = append(add, name+" "+x.num(c.Num))
		case c.Num == 0 && c.Str == "":
			remove = append(remove, name)
		case c.Attr.Numeric():
			set = append(set, name+" = "+x.num(c.Num))
		default:
			set = append(set, name+" = "+x.str(c.Str))
		}
	}
	text := "SET " + strings.Join(set, ", ")
	if len(add) > 0 {
		text += " ADD " + strings.Join(add, ", ")
	}
	if len(remove) > 0 {
		text += " REMOVE " + strings.Join(remove, ", ")
	}
	return text
}
