package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// alarm says when somebody should look.
type alarm struct {
	name, says string
	of         []awscloudwatch.IMetric
	above      float64
	points     float64 // of five minutes each, in a row
}

// newAlarms makes them all, and tells the topic that the options name, and who
// reads mail at their address. Where they name nothing, an alarm is seen on the
// dashboard alone.
func newAlarms(stack awscdk.Stack, o options, m metrics) []interfacesawscloudwatch.IAlarmRef {
	if !o.Alarms {
		return nil
	}
	all := []alarm{
		{"Errors", "a function failed: it ended, or was out of time or memory", together("SUM", m.errors), 0, 1},
		{"Throttles", "a function of the account had no instance left: raise its concurrency, or what is reserved", alone(m.throttles), 0, 1},
		{"Slow", "one request of a hundred took more than 5 s", together("MAX", m.latest), 5000, 3},
		{"ServerErrors", "requests were answered with 5xx", together("SUM", m.failed), 4, 2},
		{"LoginFailures", "many logins failed: somebody may be trying passwords", alone(m.loginFailures), o.LoginFailures, 1},
		{"CourierFailed", "what the courier could not handle is in its queue of failures", alone(m.failures), 0, 1},
		// The stream drops a record after five minutes, for the sweep to find.
		{"CourierBehind", "the courier is minutes behind the table's stream: mail is late", alone(m.streamAge), 120_000, 1},
		// A retry waits there for fifteen minutes at most.
		{"RetriesBehind", "messages to be tried again wait for the courier", alone(m.retriesAge), 1800, 1},
		{"TableThrottled", "the table refused reads or writes: it is at its ceiling, or one key is too busy", together("SUM", m.tableThrottles), 0, 2},
		{"TableErrors", "DynamoDB failed", together("SUM", m.tableErrors), 4, 2},
	}
	if m.bounces != nil {
		// SES puts an account under review at 5 % and 0.1 %.
		all = append(all,
			alarm{"Bounces", "more than 4 % of the mail bounced: SES reviews an account at 5 %", alone(m.bounces), 0.04, 1},
			alarm{"Complaints", "more than 0.08 % of the mail was complained about: SES reviews an account at 0.1 %", alone(m.complaints), 0.0008, 1})
	}
	var made []interfacesawscloudwatch.IAlarmRef
	actions := newActions(stack, o)
	for _, a := range all {
		for i, metric := range a.of {
			one := a.make(stack, i, metric)
			one.AddAlarmAction(actions...)
			one.AddOkAction(actions...)
			made = append(made, one)
		}
	}
	return made
}

func alone(of awscloudwatch.IMetric) []awscloudwatch.IMetric { return []awscloudwatch.IMetric{of} }

// make makes the alarm of one of its metrics.
func (a alarm) make(stack awscdk.Stack, index int, of awscloudwatch.IMetric) awscloudwatch.Alarm {
	id := a.name
	if index > 0 {
		id += fmt.Sprint(index + 1)
	}
	return awscloudwatch.NewAlarm(stack, jsii.String(id+"Alarm"), &awscloudwatch.AlarmProps{
		AlarmDescription:   jsii.String("Styx: " + a.says),
		Metric:             of,
		Threshold:          &a.above,
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_THRESHOLD,
		EvaluationPeriods:  &a.points,
		// Nothing is asked for while nobody is there.
		TreatMissingData: awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
}

// newActions are what an alarm does.
func newActions(stack awscdk.Stack, o options) (actions []awscloudwatch.IAlarmAction) {
	if o.AlarmTopic != "" {
		actions = append(actions, awscloudwatchactions.NewSnsAction(
			awssns.Topic_FromTopicArn(stack, jsii.String("NamedAlarms"), &o.AlarmTopic)))
	}
	if o.AlarmMail == "" {
		return actions
	}
	// An alarm's text has names and numbers, so the topic has no key: AWS' own
	// shuts CloudWatch out, and another is paid for by the month.
	topic := awssns.NewTopic(stack, jsii.String("Alarms"), &awssns.TopicProps{EnforceSSL: jsii.Bool(true)})
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
		Actions:    texts("sns:Publish"),
		Resources:  texts(*topic.TopicArn()),
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": *stack.Account()}},
	}))
	topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(&o.AlarmMail, nil))
	return append(actions, awscloudwatchactions.NewSnsAction(topic))
}
