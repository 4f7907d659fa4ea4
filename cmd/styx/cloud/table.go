package cloud

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"styx/internal/table"
)

// Table checks the table: its keys, its index, its stream, and what keeps its
// data.
func (d *Doctor) Table(ctx context.Context, name string) []Finding {
	var f findings
	client := dynamodb.NewFromConfig(d.config)
	described, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		f.unread("table", err, "deploy the stack, or name the table with --table; dynamodb:DescribeTable is needed")
		return f
	}
	t, want := described.Table, table.Definition()
	f.expect(t.TableStatus == types.TableStatusActive, "table", fmt.Sprintf("%s is %s", name, t.TableStatus), "wait until it is ACTIVE")
	f.expect(keyed(t.KeySchema, want.PartitionKey, want.SortKey), "table keys", spelled(t.KeySchema),
		fmt.Sprintf("make the table anew with the keys %s and %s: they can not be changed", want.PartitionKey, want.SortKey))
	d.index(&f, t, want)
	stream := t.StreamSpecification
	streams := stream != nil && aws.ToBool(stream.StreamEnabled) && strings.HasPrefix(string(stream.StreamViewType), "NEW_")
	f.expect(streams, "stream", streamText(stream), fmt.Sprintf("enable the table's stream with %s: mail waits for the courier's schedule without it", want.Stream))
	d.expiry(ctx, &f, client, name, want)
	if t.BillingModeSummary == nil || string(t.BillingModeSummary.BillingMode) != want.BillingMode {
		f.warn("billing", "the capacity is provisioned", "choose on-demand, unless you watch the capacity: sign-ins fail when it is used up")
	}
	if aws.ToBool(t.DeletionProtectionEnabled) {
		f.fine("deletion protection", "is on")
	} else {
		f.warn("deletion protection", "is off", "turn it on: the table holds everything there is")
	}
	backups, err := client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
	switch {
	case err != nil:
		f.warn("backups", err.Error(), "dynamodb:DescribeContinuousBackups is needed")
	case recoverable(backups):
		f.fine("backups", "point-in-time recovery is on")
	default:
		f.warn("backups", "point-in-time recovery is off", "turn it on: nothing else brings back what was deleted by mistake")
	}
	return f
}

func (d *Doctor) index(f *findings, t *types.TableDescription, want table.Layout) {
	at := slices.IndexFunc(t.GlobalSecondaryIndexes, func(i types.GlobalSecondaryIndexDescription) bool {
		return aws.ToString(i.IndexName) == want.Index.Name
	})
	do := fmt.Sprintf("add the index %q with the keys %s and %s, all attributes projected: the admin API lists by it",
		want.Index.Name, want.Index.PartitionKey, want.Index.SortKey)
	if at < 0 {
		f.problem("index", "is not there", do)
		return
	}
	index := t.GlobalSecondaryIndexes[at]
	good := index.IndexStatus == types.IndexStatusActive && keyed(index.KeySchema, want.Index.PartitionKey, want.Index.SortKey) &&
		index.Projection != nil && string(index.Projection.ProjectionType) == want.Index.Projection
	f.expect(good, "index", fmt.Sprintf("%s is %s, keys %s", want.Index.Name, index.IndexStatus, spelled(index.KeySchema)), do)
}

func (d *Doctor) expiry(ctx context.Context, f *findings, client *dynamodb.Client, name string, want table.Layout) {
	do := fmt.Sprintf("enable time to live on the attribute %q: what has expired is kept for ever without it", want.TTL)
	got, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil {
		f.unread("time to live", err, "dynamodb:DescribeTimeToLive is needed")
		return
	}
	ttl := got.TimeToLiveDescription
	if ttl == nil {
		ttl = new(types.TimeToLiveDescription)
	}
	on := ttl.TimeToLiveStatus == types.TimeToLiveStatusEnabled || ttl.TimeToLiveStatus == types.TimeToLiveStatusEnabling
	f.expect(on && aws.ToString(ttl.AttributeName) == want.TTL, "time to live",
		strings.TrimSpace(fmt.Sprintf("is %s %s", ttl.TimeToLiveStatus, aws.ToString(ttl.AttributeName))), do)
}

func keyed(schema []types.KeySchemaElement, partition, sort string) bool {
	return spelled(schema) == partition+", "+sort
}

// spelled names keys, the partition key first.
func spelled(schema []types.KeySchemaElement) string {
	var names []string
	for _, kind := range []types.KeyType{types.KeyTypeHash, types.KeyTypeRange} {
		for _, key := range schema {
			if key.KeyType == kind {
				names = append(names, aws.ToString(key.AttributeName))
			}
		}
	}
	return strings.Join(names, ", ")
}

func streamText(stream *types.StreamSpecification) string {
	if stream == nil || !aws.ToBool(stream.StreamEnabled) {
		return "is off"
	}
	return "has " + string(stream.StreamViewType)
}

func recoverable(backups *dynamodb.DescribeContinuousBackupsOutput) bool {
	d := backups.ContinuousBackupsDescription
	return d != nil && d.PointInTimeRecoveryDescription != nil &&
		d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled
}
