package dynamodb

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Units are read and write capacity units.
type Units struct{ Read, Write float64 }

// Add returns the sum of both.
func (u Units) Add(more Units) Units { return Units{u.Read + more.Read, u.Write + more.Write} }

// Meter has the proxy count what each later call costs on AWS, by the rule that Amazon publishes: an emulator's own count
// may be simpler. It looks at what each write finds and leaves, in calls of its own that no test sees, so it means
// something only while one call at a time is at an item. It tells one index, on gk and gs, with all attributes.
func (p *Proxy) Meter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.metered = true
}

// Units is the sum of what the calls so far cost, if they were metered.
func (p *Proxy) Units() Units {
	var sum Units
	for _, c := range p.Calls() {
		sum = sum.Add(c.Units)
	}
	return sum
}

// Bytes of one unit.
const (
	readUnit  = 4 << 10
	writeUnit = 1 << 10
)

// attributes are an item's, in DynamoDB's JSON: {"pk": {"S": "..."}}.
type attributes map[string]map[string]string

// size is what an item counts for: names and values of its attributes.
func (a attributes) size() int {
	size := 0
	for name, typed := range a {
		size += len(name)
		for kind, value := range typed {
			switch kind {
			case "S":
				size += len(value)
			case "N": // a byte, and one for each two digits that say something
				digits := strings.Trim(strings.TrimLeft(value, "-"), "0")
				size += 1 + (len(digits)+1)/2
			case "B":
				size += base64.StdEncoding.DecodedLen(len(value)) - strings.Count(value, "=")
			default:
				panic(fmt.Sprintf("attribute %s is of type %s, which is not metered", name, kind))
			}
		}
	}
	return size
}

// listed tells where the index has the item, "" for nowhere.
func (a attributes) listed() string {
	if a["gk"] == nil || a["gs"] == nil {
		return ""
	}
	return a["gk"]["S"] + "\x00" + a["gs"]["S"]
}

// units are the started ones, at least one: what is not there is not read for nothing.
func units(size, each int) float64 { return float64(max(1, (size+each-1)/each)) }

// readCost is what an answer cost. A consistent read costs twice what another does.
func readCost(in request, answer []byte) Units {
	var out struct {
		Item      attributes
		Items     []attributes
		Responses map[string][]attributes
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		panic("not an answer: " + err.Error())
	}
	consistent, cost := in.ConsistentRead, 0.0
	switch {
	case in.RequestItems != nil: // each item by itself
		for name, asked := range in.RequestItems {
			consistent = asked.ConsistentRead
			for _, item := range out.Responses[name] {
				cost += units(item.size(), readUnit)
			}
			cost += float64(len(asked.Keys) - len(out.Responses[name]))
		}
	case in.Key != nil:
		cost = units(out.Item.size(), readUnit)
	default: // a page of a query, as a whole
		total := 0
		for _, item := range out.Items {
			total += item.size()
		}
		cost = units(total, readUnit)
	}
	if !consistent {
		cost /= 2
	}
	return Units{Read: cost}
}

// writeCost is what a write cost that found and left these items: the larger of both in the table, twice that within a
// transaction; and what the index follows with, never twice. A condition that fails costs what it looked at.
func writeCost(before, after []attributes, transaction bool) Units {
	var cost Units
	for at := range before {
		own := units(max(before[at].size(), after[at].size()), writeUnit)
		if transaction {
			own *= 2
		}
		cost.Write += own + indexCost(before[at], after[at])
	}
	return cost
}

// indexCost is what the index costs when an item changes: an entry that stays in its place is written anew unless nothing
// changed, one that moves is deleted and written.
func indexCost(before, after attributes) float64 {
	was, is := before.listed(), after.listed()
	each := func(a attributes) float64 { return units(a.size(), writeUnit) }
	switch {
	case was == "" && is == "" || same(before, after):
		return 0
	case was == is:
		return max(each(before), each(after))
	}
	cost := 0.0
	if was != "" {
		cost += each(before)
	}
	if is != "" {
		cost += each(after)
	}
	return cost
}

func same(a, b attributes) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// written are the keys that a write is at, in order.
func (r request) written() []attributes {
	if r.Key != nil {
		return []attributes{r.Key}
	}
	var keys []attributes
	for _, operation := range r.TransactItems {
		for _, kind := range operation {
			keys = append(keys, kind.Key)
		}
	}
	return keys
}

// items are what stands at keys, read past the proxy with the credentials of r.
func (p *Proxy) items(r *http.Request, in request, keys []attributes) []attributes {
	found := make([]attributes, len(keys))
	own := r.Clone(r.Context())
	own.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
	for at, key := range keys {
		body, err := json.Marshal(map[string]any{"TableName": in.table(), "Key": key, "ConsistentRead": true})
		if err != nil {
			panic(err)
		}
		answer := p.forward(own, body)
		if answer == nil || answer.status != http.StatusOK {
			panic(fmt.Sprintf("the meter cannot read: %+v", answer))
		}
		var out struct{ Item attributes }
		if err := json.Unmarshal(answer.body, &out); err != nil {
			panic(err)
		}
		found[at] = out.Item
	}
	return found
}

// table is the one that a write is at.
func (r request) table() string {
	for _, operation := range r.TransactItems {
		for _, kind := range operation {
			return kind.TableName
		}
	}
	return r.TableName
}

// measured is reply with the call's cost noted.
func (p *Proxy) measured(r *http.Request, c *Call, in request, body []byte, answer Answer) *reply {
	if !c.Writes() {
		got := p.reply(r, c, in, body, answer)
		if got != nil && got.status == http.StatusOK {
			c.Units = readCost(in, got.body)
		}
		return got
	}
	keys := in.written()
	before := p.items(r, in, keys)
	got := p.reply(r, c, in, body, answer)
	c.Units = writeCost(before, p.items(r, in, keys), c.Verb == "TransactWriteItems")
	return got
}
