package local

import (
	"bytes"
	"encoding/binary"
	"errors"

	"go.etcd.io/bbolt"

	"styx/internal/table"
)

// keySize is how many bytes at the head of a key give the length of the partition key after them: keys of one
// partition stand together, in the order of their sort keys.
const keySize = 2

var errDamaged = errors.New("damaged record in the table file")

func partition(pk string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(pk))), pk...) //nolint:gosec // keys end at 2,048 bytes
}

func itemKey(k table.Key) []byte { return append(partition(k.PK), k.SK...) }

// indexKey is the item's place in the index, nil if it has none. Keys hold no NUL, so it ends GS in order.
func indexKey(key []byte, i *table.Item) []byte {
	if i == nil || i.GK == "" || i.GS == "" {
		return nil
	}
	k := append(partition(i.GK), i.GS...)
	return append(append(k, 0), key...)
}

// expiryKey is the item's place in the order of expiry, nil if it never ends.
func expiryKey(key []byte, i *table.Item) []byte {
	if i == nil || i.TTL <= 0 {
		return nil
	}
	return append(binary.BigEndian.AppendUint64(nil, uint64(i.TTL)), key...)
}

// read returns the item under key, nil if there is none.
func read(tx *bbolt.Tx, key []byte) (*table.Item, error) {
	record := tx.Bucket(items).Get(key)
	if record == nil {
		return nil, nil
	}
	return decode(key, record)
}

// readPage returns one page and the bytes of its items.
func readPage(tx *bbolt.Tx, q table.Query) (table.Page, int, error) {
	bucket, base := tx.Bucket(items), partition(q.PK)
	if q.GK != "" {
		bucket, base = tx.Bucket(index), partition(q.GK)
	}
	walk := newWalk(bucket, base, q)
	var page table.Page
	size := 0
	for k := walk.first(); k != nil; k = walk.next() {
		if (q.Limit > 0 && len(page.Items) == q.Limit) || size >= table.MaxPage {
			page.More = true
			break
		}
		key := k
		if q.GK != "" {
			end := len(base) + bytes.IndexByte(k[len(base):], 0)
			key = k[end+1:]
		}
		item, err := read(tx, key)
		if err != nil {
			return table.Page{}, 0, err
		}
		if item == nil {
			return table.Page{}, 0, errDamaged
		}
		page.Items = append(page.Items, *item)
		size += item.Size()
	}
	return page, size, nil
}

// walk goes through the keys of one page, up or down.
type walk struct {
	cursor  *bbolt.Cursor
	prefix  []byte // of every key on the way
	from    []byte // up: the least key; down: what all keys are less than
	reverse bool
}

func newWalk(bucket *bbolt.Bucket, base []byte, q table.Query) *walk {
	w := &walk{cursor: bucket.Cursor(), prefix: append(bytes.Clone(base), q.Prefix...), reverse: q.Reverse}
	switch after := append(bytes.Clone(base), q.After...); {
	case q.After != "" && q.Reverse:
		w.from = after
	case q.After != "":
		w.from = append(after, 1) // keys hold no NUL: nothing lies between
	case q.Reverse:
		// The head of every key is a length far below 0xffff, so there is always a byte to count up.
		w.from = bytes.Clone(bytes.TrimRight(w.prefix, "\xff"))
		w.from[len(w.from)-1]++
	default:
		w.from = w.prefix
	}
	return w
}

func (w *walk) first() []byte {
	k, _ := w.cursor.Seek(w.from)
	if w.reverse {
		if k == nil {
			k, _ = w.cursor.Last()
		} else {
			k, _ = w.cursor.Prev()
		}
	}
	return w.within(k)
}

func (w *walk) next() []byte {
	var k []byte
	if w.reverse {
		k, _ = w.cursor.Prev()
	} else {
		k, _ = w.cursor.Next()
	}
	return w.within(k)
}

func (w *walk) within(k []byte) []byte {
	if !bytes.HasPrefix(k, w.prefix) {
		return nil
	}
	return k
}

// encode writes an item as five varints and four strings, each behind its length; its key is not repeated.
func encode(i *table.Item) []byte {
	b := make([]byte, 0, len(i.Doc)+len(i.St)+len(i.GK)+len(i.GS)+5*binary.MaxVarintLen64+4*binary.MaxVarintLen32)
	for _, n := range []int64{i.V, i.DV, i.Exp, i.TTL, i.N} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range []string{i.St, i.GK, i.GS, string(i.Doc)} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// decode reads what encode wrote. The item shares no memory with key or record.
func decode(key, record []byte) (*table.Item, error) {
	if len(key) < keySize {
		return nil, errDamaged
	}
	pk := keySize + int(binary.BigEndian.Uint16(key))
	if len(key) < pk {
		return nil, errDamaged
	}
	item := &table.Item{Key: table.Key{PK: string(key[keySize:pk]), SK: string(key[pk:])}}
	for _, n := range []*int64{&item.V, &item.DV, &item.Exp, &item.TTL, &item.N} {
		v, size := binary.Varint(record)
		if size <= 0 {
			return nil, errDamaged
		}
		*n, record = v, record[size:]
	}
	var doc string
	for _, s := range []*string{&item.St, &item.GK, &item.GS, &doc} {
		length, size := binary.Uvarint(record)
		if size <= 0 || length > table.MaxItem || int(length) > len(record)-size {
			return nil, errDamaged
		}
		end := size + int(length)
		*s, record = string(record[size:end]), record[end:]
	}
	if doc != "" {
		item.Doc = []byte(doc)
	}
	return item, nil
}

// readUnits is what a strongly consistent read of the item costs on DynamoDB; nil is an absent item.
func readUnits(i *table.Item) int {
	if i == nil {
		return 1
	}
	return units(i.Size(), 4<<10)
}

// pageUnits is what a query of so many bytes costs on DynamoDB.
func pageUnits(size int, consistent bool) float64 {
	rcu := float64(units(size, 4<<10))
	if !consistent {
		rcu /= 2
	}
	return rcu
}

// writeUnits is what replacing old by now costs on DynamoDB: the larger of both in the table, outside a transaction, and
// what the index follows with. No write leaves an item as it was, for there is its write id.
func writeUnits(old, now *table.Item) (own, listed int) {
	was, is := listUnits(old), listUnits(now)
	listed = was + is
	if was > 0 && is > 0 && old.GK == now.GK && old.GS == now.GS {
		listed = max(was, is)
	}
	size := 0
	for _, i := range []*table.Item{old, now} {
		if i != nil {
			size = max(size, i.Size())
		}
	}
	return units(size, 1<<10), listed
}

// listUnits is what writing the item's entry in the index costs, 0 if it has none.
func listUnits(i *table.Item) int {
	if i == nil || i.GK == "" || i.GS == "" {
		return 0
	}
	return units(i.Size(), 1<<10)
}

func units(size, each int) int { return max(1, (size+each-1)/each) }
