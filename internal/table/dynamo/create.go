package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"styx/internal/table"
)

// statusEvery is how often Create asks whether the table is there.
const statusEvery = 100 * time.Millisecond

// Create makes the table of table.Definition, for development and tests, and waits until it can be used. A table that is
// there already is left as it is.
func (t *Table) Create(ctx context.Context) error {
	def := table.Definition()
	_, err := t.client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:   &t.name,
		BillingMode: types.BillingMode(def.BillingMode),
		AttributeDefinitions: []types.AttributeDefinition{
			text(def.PartitionKey), text(def.SortKey), text(def.Index.PartitionKey), text(def.Index.SortKey),
		},
		KeySchema: keySchema(def.PartitionKey, def.SortKey),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  &def.Index.Name,
			KeySchema:  keySchema(def.Index.PartitionKey, def.Index.SortKey),
			Projection: &types.Projection{ProjectionType: types.ProjectionType(def.Index.Projection)},
		}},
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled:  new(true),
			StreamViewType: types.StreamViewType(def.Stream),
		},
	})
	_, exists := errors.AsType[*types.ResourceInUseException](err)
	if err != nil && !exists {
		return fmt.Errorf("create table %q in %s: %w", t.name, t.where, err)
	}
	if err := t.ready(ctx); err != nil {
		return fmt.Errorf("wait for table %q in %s: %w", t.name, t.where, err)
	}
	if exists {
		return nil
	}
	return t.expire(ctx, def.TTL)
}

// expire has the store delete items by the attribute.
func (t *Table) expire(ctx context.Context, attribute string) error {
	_, err := t.client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &t.name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute, Enabled: new(true)},
	})
	if err != nil {
		return fmt.Errorf("set time to live of table %q in %s: %w", t.name, t.where, err)
	}
	return nil
}

// Drop removes the table and all that is in it.
func (t *Table) Drop(ctx context.Context) error {
	if _, err := t.client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &t.name}); err != nil {
		return fmt.Errorf("drop table %q in %s: %w", t.name, t.where, err)
	}
	return nil
}

// ready waits until the table is active.
func (t *Table) ready(ctx context.Context) error {
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	for {
		out, err := t.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &t.name})
		if err != nil {
			return err
		}
		if out.Table.TableStatus == types.TableStatusActive {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func text(name string) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: &name, AttributeType: types.ScalarAttributeTypeS}
}

func keySchema(partition, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &partition, KeyType: types.KeyTypeHash},
		{AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}
