package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdadestinations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdaeventsources"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"styx/internal/table"
)

// queues are the courier's.
type queues struct{ retries, failures awssqs.Queue }

// newCourier gives the function that sends what wakes it. The table's stream
// does so for a message that was just written, the queue for one to be tried
// again, the schedule for what was lost on the way; SES reports what became of a
// mail.
func newCourier(stack awscdk.Stack, s shared, courier deployed) queues {
	// What nobody could handle, for somebody to look at. No message is lost with
	// it: the sweep finds it in the table.
	failures := awssqs.NewQueue(stack, jsii.String("CourierFailures"), &awssqs.QueueProps{
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
	})
	// Ids of messages that are to be tried again. One that is lost is the sweep's.
	retries := awssqs.NewQueue(stack, jsii.String("CourierQueue"), &awssqs.QueueProps{
		// Six times the function's timeout, as Lambda advises.
		VisibilityTimeout: awscdk.Duration_Seconds(jsii.Number(6 * sending)),
		RetentionPeriod:   awscdk.Duration_Hours(jsii.Number(1)),
		Encryption:        awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		DeadLetterQueue:   &awssqs.DeadLetterQueue{Queue: failures, MaxReceiveCount: jsii.Number(5)},
	})
	courier.AddEnvironment(jsii.String("STYX_COURIER_QUEUE"), retries.QueueUrl(), nil)
	allow(courier.role, []string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}, *s.table.TableStreamArn())
	// It has no resource to name.
	allow(courier.role, []string{"dynamodb:ListStreams"}, "*")
	allow(courier.role, []string{"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, *retries.QueueArn())
	allow(courier.role, []string{"sqs:SendMessage"}, *failures.QueueArn())
	if s.mail != nil {
		s.mail.letSend(stack, courier.role)
	}

	awslambda.NewEventSourceMapping(stack, jsii.String("CourierStream"), &awslambda.EventSourceMappingProps{
		Target:         courier.Function,
		EventSourceArn: s.table.TableStreamArn(),
		// What was written before is the sweep's.
		StartingPosition:      awslambda.StartingPosition_LATEST,
		BatchSize:             jsii.Number(10),
		ParallelizationFactor: jsii.Number(10),
		Filters: &[]*map[string]any{awslambda.FilterCriteria_Filter(&map[string]any{
			"dynamodb": map[string]any{"NewImage": map[string]any{string(table.AttrSt): map[string]any{"S": []string{"queued"}}}},
		})},
		ReportBatchItemFailures: jsii.Bool(true),
		BisectBatchOnError:      jsii.Bool(true),
		// Then the sweep has found it, and newer mail waits no longer.
		MaxRecordAge:  awscdk.Duration_Minutes(jsii.Number(5)),
		RetryAttempts: jsii.Number(5),
		OnFailure:     awslambdaeventsources.NewSqsDlq(failures),
	})
	awslambda.NewEventSourceMapping(stack, jsii.String("CourierRetries"), &awslambda.EventSourceMappingProps{
		Target:                  courier.Function,
		EventSourceArn:          retries.QueueArn(),
		BatchSize:               jsii.Number(10),
		ReportBatchItemFailures: jsii.Bool(true),
	})
	awslambda.NewEventInvokeConfig(stack, jsii.String("CourierEvents"), &awslambda.EventInvokeConfigProps{
		Function:  courier.Function,
		OnFailure: awslambdadestinations.NewSqsDestination(failures),
	})
	target := func() *[]awsevents.IRuleTarget {
		return &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(courier.Function, nil)}
	}
	awsevents.NewRule(stack, jsii.String("Sweep"), &awsevents.RuleProps{
		Description: jsii.String("Styx: send what was lost on the way"),
		Schedule:    awsevents.Schedule_Rate(awscdk.Duration_Minutes(jsii.Number(5))),
		Targets:     target(),
	})
	if s.mail != nil {
		awsevents.NewRule(stack, jsii.String("Returned"), &awsevents.RuleProps{
			Description: jsii.String("Styx: note what SES reports about a mail"),
			EventPattern: &awsevents.EventPattern{
				Source:     texts("aws.ses"),
				DetailType: texts("Email Bounced", "Email Complaint Received", "Email Rejected"),
			},
			Targets: target(),
		})
	}
	return queues{retries, failures}
}

// letSend lets a role send mail from the sender's address. While an account is
// in SES' sandbox, SES asks for permission on the receiver's identity as well,
// so the address is a condition, and the identity any of the account.
func (s *sender) letSend(stack awscdk.Stack, role awsiam.Role) {
	arn := func(kind, name string) string {
		return *stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("ses"), Resource: &kind, ResourceName: &name})
	}
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    texts("ses:SendEmail"),
		Resources:  texts(arn("identity", "*"), arn("configuration-set", *s.set.ConfigurationSetName())),
		Conditions: &map[string]any{"StringEquals": map[string]any{"ses:FromAddress": s.address}},
	}))
}
