package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"

	"styx/internal/table"
)

// newTable makes the one table, as its definition says. It has no name of its
// own, so that a restored table can take its place, and it outlives the stack:
// also when the stack is told to use another one.
func newTable(stack awscdk.Stack, o options) awsdynamodb.ITable {
	if o.Table != "" {
		arn, _, _ := strings.Cut(o.Table, "/stream/")
		return awsdynamodb.Table_FromTableAttributes(stack, jsii.String("Table"),
			&awsdynamodb.TableAttributes{TableArn: &arn, TableStreamArn: &o.Table})
	}
	is := table.Definition()
	made := awsdynamodb.NewTable(stack, jsii.String("Table"), &awsdynamodb.TableProps{
		PartitionKey:        key(is.PartitionKey),
		SortKey:             key(is.SortKey),
		BillingMode:         awsdynamodb.BillingMode(is.BillingMode),
		TimeToLiveAttribute: &is.TTL,
		Stream:              awsdynamodb.StreamViewType(is.Stream),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: &is.PointInTimeRecovery,
		},
		DeletionProtection: &is.DeletionProtection,
		Encryption:         awsdynamodb.TableEncryption_AWS_MANAGED,
		RemovalPolicy:      awscdk.RemovalPolicy_RETAIN,
	})
	made.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:      &is.Index.Name,
		PartitionKey:   key(is.Index.PartitionKey),
		SortKey:        key(is.Index.SortKey),
		ProjectionType: awsdynamodb.ProjectionType(is.Index.Projection),
	})
	return made
}

func key(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
}
