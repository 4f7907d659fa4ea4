package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"styx/internal/table"
)

const (
	idBytes    = 9  // of a write id; one of four in an item
	tokenBytes = 18 // of a ClientRequestToken
)

// Write implements table.Table.
func (t *Table) Write(ctx context.Context, ops ...table.Op) error {
	if err := table.Validate(ops); err != nil {
		return err
	}
	if len(ops) == 0 {
		return ctx.Err()
	}
	id, err := t.random(idBytes)
	if err != nil {
		return err
	}
	single := len(ops) == 1
	switch {
	case single && ops[0].Kind == table.OpDelete && ops[0].When.Always():
		return t.remove(ctx, ops[0].Key)
	case single && (ops[0].Kind == table.OpPut || ops[0].Kind == table.OpUpdate):
		return t.update(ctx, ops[0], id)
	default:
		return t.transact(ctx, ops, id)
	}
}

// changes are what turns whatever is stored into what op leaves behind.
func changes(op table.Op) []table.Change {
	if op.Kind == table.OpPut {
		return marshal(&op.Item)
	}
	return op.Changes
}

func (t *Table) update(ctx context.Context, op table.Op, id string) error {
	x := newExpression()
	when := x.notYet(id)
	if !op.When.Always() {
		when = x.cond(op.When) + " AND " + when
	}
	in := &dynamodb.UpdateItemInput{
		TableName:                           &t.name,
		Key:                                 marshalKey(op.Key),
		UpdateExpression:                    new(x.update(changes(op), id)),
		ConditionExpression:                 &when,
		ExpressionAttributeNames:            x.names,
		ExpressionAttributeValues:           x.values,
		ReturnConsumedCapacity:              types.ReturnConsumedCapacityTotal,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	entry := table.Begin(ctx, table.VerbWrite, 1)
	return t.retry.Do(ctx, entry, func(ctx context.Context) error {
		return t.try(ctx, func(ctx context.Context) error {
			out, err := t.client.UpdateItem(ctx, in)
			var failed *types.ConditionalCheckFailedException
			switch {
			case errors.As(err, &failed):
				return judgeFailed(failed.Item, id)
			case err != nil:
				return err
			}
			entry.Used(0, consumed(out.ConsumedCapacity))
			return nil
		})
	})
}

// judgeFailed says what a failed condition of the single write under id means, by the item that stood there.
func judgeFailed(old attributes, id string) error {
	for _, attr := range writeIDs {
		if w, ok := old[attr].(*types.AttributeValueMemberS); ok && w.Value == id {
			return nil // an earlier attempt succeeded, and its answer was lost
		}
	}
	item, err := unmarshalOld(old)
	if err != nil {
		return err
	}
	return &table.ConditionFailed{Item: item}
}

func (t *Table) remove(ctx context.Context, key table.Key) error {
	in := &dynamodb.DeleteItemInput{
		TableName:              &t.name,
		Key:                    marshalKey(key),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	entry := table.Begin(ctx, table.VerbWrite, 1)
	return t.retry.Do(ctx, entry, func(ctx context.Context) error {
		return t.try(ctx, func(ctx context.Context) error {
			out, err := t.client.DeleteItem(ctx, in)
			if err == nil {
				entry.Used(0, consumed(out.ConsumedCapacity))
			}
			return err
		})
	})
}

func (t *Table) transact(ctx context.Context, ops []table.Op, id string) error {
	token, err := t.random(tokenBytes)
	if err != nil {
		return err
	}
	in := &dynamodb.TransactWriteItemsInput{
		TransactItems:          make([]types.TransactWriteItem, len(ops)),
		ClientRequestToken:     &token,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	}
	for i, op := range ops {
		in.TransactItems[i] = t.transactItem(op, id)
	}
	entry := table.Begin(ctx, table.VerbWrite, len(ops))
	return t.retry.Do(ctx, entry, func(ctx context.Context) error {
		return t.try(ctx, func(ctx context.Context) error {
			out, err := t.client.TransactWriteItems(ctx, in)
			if err != nil {
				return cancelled(err)
			}
			for i := range out.ConsumedCapacity {
				entry.Used(transacted(&out.ConsumedCapacity[i]))
			}
			return nil
		})
	})
}

// transacted is what a transaction cost. One that was carried out before, and was sent again because its answer was lost,
// only reads.
func transacted(c *types.ConsumedCapacity) (rcu, wcu float64) {
	if c.ReadCapacityUnits != nil {
		rcu = *c.ReadCapacityUnits
	}
	return rcu, consumed(c) - rcu
}

func (t *Table) transactItem(op table.Op, id string) types.TransactWriteItem {
	x := newExpression()
	var when *string
	if !op.When.Always() {
		when = new(x.cond(op.When))
	}
	key := marshalKey(op.Key)
	const old = types.ReturnValuesOnConditionCheckFailureAllOld
	switch op.Kind {
	case table.OpDelete:
		d := &types.Delete{TableName: &t.name, Key: key, ConditionExpression: when, ReturnValuesOnConditionCheckFailure: old}
		d.ExpressionAttributeNames, d.ExpressionAttributeValues = x.namesOrNil(), x.valuesOrNil()
		return types.TransactWriteItem{Delete: d}
	case table.OpCheck:
		c := &types.ConditionCheck{TableName: &t.name, Key: key, ConditionExpression: when, ReturnValuesOnConditionCheckFailure: old}
		c.ExpressionAttributeNames, c.ExpressionAttributeValues = x.namesOrNil(), x.valuesOrNil()
		return types.TransactWriteItem{ConditionCheck: c}
	default:
		u := &types.Update{TableName: &t.name, Key: key, ConditionExpression: when, ReturnValuesOnConditionCheckFailure: old}
		u.UpdateExpression = new(x.update(changes(op), id))
		u.ExpressionAttributeNames, u.ExpressionAttributeValues = x.namesOrNil(), x.valuesOrNil()
		return types.TransactWriteItem{Update: u}
	}
}
