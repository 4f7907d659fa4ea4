package dynamo

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"styx/internal/table"
)

// Get implements table.Table.
func (t *Table) Get(ctx context.Context, keys ...table.Key) ([]*table.Item, error) {
	at := make(map[table.Key][]int, len(keys)) // where each key's answer goes
	distinct := make([]table.Key, 0, len(keys))
	for i, k := range keys {
		if err := k.Validate(); err != nil {
			return nil, err
		}
		if len(at[k]) == 0 {
			distinct = append(distinct, k)
		}
		at[k] = append(at[k], i)
	}
	if len(keys) == 0 {
		return nil, ctx.Err()
	}
	entry := table.Begin(ctx, table.VerbGet, len(keys))
	var (
		found []*table.Item
		err   error
	)
	if len(distinct) == 1 {
		found, err = t.getOne(ctx, entry, distinct[0])
	} else {
		found, err = t.getMany(ctx, entry, distinct)
	}
	if err != nil {
		return nil, err
	}
	aligned := make([]*table.Item, len(keys))
	for _, item := range found {
		for n, i := range at[item.Key] {
			if n > 0 { // every place its own copy
				again := *item
				again.Doc = slices.Clone(item.Doc)
				item = &again
			}
			aligned[i] = item
		}
	}
	return aligned, nil
}

func (t *Table) getOne(ctx context.Context, entry *table.Entry, key table.Key) ([]*table.Item, error) {
	var found []*table.Item
	in := &dynamodb.GetItemInput{
		TableName:              &t.name,
		Key:                    marshalKey(key),
		ConsistentRead:         new(true),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	err := t.retry.Do(ctx, entry, func(ctx context.Context) error {
		return t.try(ctx, func(ctx context.Context) error {
			out, err := t.client.GetItem(ctx, in)
			if err != nil {
				return err
			}
			entry.Used(consumed(out.ConsumedCapacity), 0)
			if len(out.Item) == 0 {
				return nil
			}
			item, err := unmarshal(out.Item)
			if err != nil {
				return err
			}
			found = []*table.Item{item}
			return nil
		})
	})
	return found, err
}

// getMany reads distinct keys, all batches at once. A key counts as absent only when DynamoDB answered for it.
func (t *Table) getMany(ctx context.Context, entry *table.Entry, keys []table.Key) ([]*table.Item, error) {
	asked := make([]attributes, len(keys)) // keys still without an answer
	for i, k := range keys {
		asked[i] = marshalKey(k)
	}
	var found []*table.Item
	err := t.retry.Do(ctx, entry, func(ctx context.Context) error {
		batches := slices.Collect(slices.Chunk(asked, table.MaxBatch))
		answers := make([]batchAnswer, len(batches))
		var wg sync.WaitGroup
		for i, batch := range batches {
			wg.Go(func() {
				answers[i].err = t.try(ctx, func(ctx context.Context) error {
					return t.getBatch(ctx, entry, batch, &answers[i])
				})
			})
		}
		wg.Wait()
		asked = nil
		var refused error
		for i, answer := range answers {
			if answer.err != nil {
				refused = answer.err
				asked = append(asked, batches[i]...)
				continue
			}
			found = append(found, answer.found...)
			asked = append(asked, answer.unprocessed...)
		}
		if refused == nil && len(asked) > 0 {
			refused = &table.Refusal{Cause: fmt.Errorf("%d keys unprocessed", len(asked))}
		}
		return refused
	})
	return found, err
}

type batchAnswer struct {
	found       []*table.Item
	unprocessed []attributes
	err         error
}

func (t *Table) getBatch(ctx context.Context, entry *table.Entry, batch []attributes, to *batchAnswer) error {
	out, err := t.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
		RequestItems:           map[string]types.KeysAndAttributes{t.name: {Keys: batch, ConsistentRead: new(true)}},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return err
	}
	for i := range out.ConsumedCapacity {
		entry.Used(consumed(&out.ConsumedCapacity[i]), 0)
	}
	for _, from := range out.Responses[t.name] {
		item, err := unmarshal(from)
		if err != nil {
			return err
		}
		to.found = append(to.found, item)
	}
	to.unprocessed = out.UnprocessedKeys[t.name].Keys
	return nil
}

// Query implements table.Table.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := q.Validate(); err != nil {
		return table.Page{}, err
	}
	in := t.queryInput(q)
	var page table.Page
	entry := table.Begin(ctx, table.VerbQuery, 0)
	err := t.retry.Do(ctx, entry, func(ctx context.Context) error {
		return t.try(ctx, func(ctx context.Context) error {
			out, err := t.client.Query(ctx, in)
			if err != nil {
				return err
			}
			entry.Used(consumed(out.ConsumedCapacity), 0)
			page = table.Page{More: len(out.LastEvaluatedKey) > 0}
			for _, from := range out.Items {
				item, err := unmarshal(from)
				if err != nil {
					return err
				}
				page.Items = append(page.Items, *item)
			}
			return nil
		})
	})
	if err != nil {
		return table.Page{}, err
	}
	if q.Limit > 0 && len(page.Items) > q.Limit {
		page.Items, page.More = page.Items[:q.Limit], true
	}
	entry.Found(len(page.Items))
	return page, nil
}

// queryInput asks for one item more than the limit: DynamoDB's own sign of more to come also stands after the last item.
func (t *Table) queryInput(q table.Query) *dynamodb.QueryInput {
	x := newExpression()
	in := &dynamodb.QueryInput{
		TableName:              &t.name,
		ScanIndexForward:       new(!q.Reverse),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	var where string
	if q.GK != "" {
		// The index' own start key would need the item's key as well; GS is unique within GK, so its order is enough.
		in.IndexName = new(table.Definition().Index.Name)
		where = x.name("gk") + " = " + x.str(q.GK)
		switch {
		case q.After != "" && q.Reverse:
			where += " AND " + x.name("gs") + " < " + x.str(q.After)
		case q.After != "":
			where += " AND " + x.name("gs") + " > " + x.str(q.After)
		}
	} else {
		in.ConsistentRead = new(true)
		where = x.name("pk") + " = " + x.str(q.PK)
		if q.Prefix != "" {
			where += " AND begins_with(" + x.name("sk") + ", " + x.str(q.Prefix) + ")"
		}
		if q.After != "" {
			in.ExclusiveStartKey = marshalKey(table.Key{PK: q.PK, SK: q.After})
		}
	}
	if q.Limit > 0 && q.Limit < math.MaxInt32 {
		in.Limit = new(int32(q.Limit) + 1)
	}
	in.KeyConditionExpression = &where
	in.ExpressionAttributeNames = x.names
	in.ExpressionAttributeValues = x.values
	return in
}

func consumed(c *types.ConsumedCapacity) float64 {
	if c == nil || c.CapacityUnits == nil {
		return 0
	}
	return *c.CapacityUnits
}
