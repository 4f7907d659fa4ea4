package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"

	"styx/internal/table"
)

// newTable makes the one table, as its definition says. It has no name of its
// own, so that a restored table can take its place, and it outlives the stack:
// also when the stack is told to use another one.
func newTable(stack awscdk.Stack, o options) awsdynamodb.ITable {
	encryption, key := awsdynamodb.TableEncryption_AWS_MANAGED, newTableKey(stack, o)
	if o.Table != "" {
		arn, _, _ := strings.Cut(o.Table, "/stream/")
		return awsdynamodb.Table_FromTableAttributes(stack, jsii.String("Table"),
			&awsdynamodb.TableAttributes{TableArn: &arn, TableStreamArn: &o.Table, EncryptionKey: key})
	}
	is := table.Definition()
	if key != nil {
		encryption = awsdynamodb.TableEncryption_CUSTOMER_MANAGED
	}
	made := awsdynamodb.NewTable(stack, jsii.String("Table"), &awsdynamodb.TableProps{
		PartitionKey:        attribute(is.PartitionKey),
		SortKey:             attribute(is.SortKey),
		BillingMode:         awsdynamodb.BillingMode(is.BillingMode),
		TimeToLiveAttribute: &is.TTL,
		Stream:              awsdynamodb.StreamViewType(is.Stream),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: &is.PointInTimeRecovery,
		},
		DeletionProtection:   &is.DeletionProtection,
		Encryption:           encryption,
		EncryptionKey:        key,
		MaxReadRequestUnits:  ceiling(o.TableReads),
		MaxWriteRequestUnits: ceiling(o.TableWrites),
		RemovalPolicy:        awscdk.RemovalPolicy_RETAIN,
	})
	made.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:            &is.Index.Name,
		PartitionKey:         attribute(is.Index.PartitionKey),
		SortKey:              attribute(is.Index.SortKey),
		ProjectionType:       awsdynamodb.ProjectionType(is.Index.Projection),
		MaxReadRequestUnits:  ceiling(o.TableReads),
		MaxWriteRequestUnits: ceiling(o.TableWrites),
	})
	return made
}

func attribute(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
}

// newTableKey is the customer-managed key of the table, nil for AWS' own.
func newTableKey(stack awscdk.Stack, o options) awskms.IKey {
	switch o.TableKey {
	case "aws":
		return nil
	case "own":
		return awskms.NewKey(stack, jsii.String("TableKey"), &awskms.KeyProps{
			Description:       jsii.String("Encrypts the table of Styx"),
			EnableKeyRotation: jsii.Bool(true),
			// The table outlives the stack, its backups and what is restored from
			// them too.
			RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
		})
	}
	return awskms.Key_FromKeyArn(stack, jsii.String("TableKey"), &o.TableKey)
}

// throughTheTable are the calls on the table's key that DynamoDB makes for whoever
// reads or writes the table.
var throughTheTable = []string{
	"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
}

// openTable lets a role use the table's key by way of DynamoDB alone; AWS' own
// needs no permission.
func openTable(stack awscdk.Stack, role awsiam.Role, key awskms.IKey) {
	if key == nil {
		return
	}
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    texts(throughTheTable...),
		Resources:  texts(*key.KeyArn()),
		Conditions: &map[string]any{"StringEquals": map[string]any{"kms:ViaService": "dynamodb." + *stack.Region() + "." + *stack.UrlSuffix()}},
	}))
}
