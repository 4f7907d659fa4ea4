package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"styx/internal/table"
)

// metrics are what the alarms and the dashboard look at.
type metrics struct {
	errors, slowest                            []awscloudwatch.IMetric // a function each
	throttles                                  awscloudwatch.IMetric   // of all functions of the account, for it is that which has too few
	requests, refused, failed, median, latest  []awscloudwatch.IMetric // an API each
	logins, loginFailures, registrations, busy awscloudwatch.IMetric
	failures, streamAge, retriesAge            awscloudwatch.IMetric
	tableReads, tableWrites                    awscloudwatch.IMetric
	tableThrottles, tableErrors                []awscloudwatch.IMetric
	bounces, complaints                        awscloudwatch.IMetric // nil without a sender
}

// measured is what the metrics are of.
type measured struct {
	shared
	functions     map[string]deployed
	public, admin awsapigatewayv2.HttpApi
	queues        queues
}

func newMetrics(stack awscdk.Stack, of measured) metrics {
	m := metrics{
		logins:        noted(stack, of, "Logins", "login", "success"),
		loginFailures: noted(stack, of, "LoginFailures", "login", "failure"),
		registrations: noted(stack, of, "Registrations", "registration", "success"),
		// A 503 with Retry-After: the table was throttled, at its ceiling, or away.
		busy: counted(stack, of, "Busy", map[string]string{"$.msg": "request", "$.err_kind": "busy"}),

		throttles: metric("AWS/Lambda", "Throttles", "Sum", nil),

		failures:    of.queues.failures.MetricApproximateNumberOfMessagesVisible(every("Maximum", "courier failures")),
		streamAge:   of.functions["courier"].Metric(jsii.String("IteratorAge"), every("Maximum", "stream, ms")),
		retriesAge:  of.queues.retries.MetricApproximateAgeOfOldestMessage(every("Maximum", "retries, s")),
		tableReads:  of.table.MetricConsumedReadCapacityUnits(every("Sum", "reads")),
		tableWrites: of.table.MetricConsumedWriteCapacityUnits(every("Sum", "writes")),
	}
	for _, name := range slices.Sorted(maps.Keys(of.functions)) {
		function := of.functions[name]
		m.errors = append(m.errors, function.MetricErrors(every("Sum", name)))
		// Nobody waits for the courier.
		if name != "courier" {
			m.slowest = append(m.slowest, function.MetricDuration(every("p99", name)))
		}
	}
	apis := map[string]awsapigatewayv2.HttpApi{"admin": of.admin, "public": of.public}
	for _, name := range slices.Sorted(maps.Keys(apis)) {
		api := apis[name]
		m.requests = append(m.requests, api.MetricCount(every("Sum", name)))
		m.refused = append(m.refused, api.MetricClientError(every("Sum", name+" 4xx")))
		m.failed = append(m.failed, api.MetricServerError(every("Sum", name+" 5xx")))
		m.median = append(m.median, api.MetricLatency(every("p50", name+" p50")))
		m.latest = append(m.latest, api.MetricLatency(every("p99", name+" p99")))
	}
	name := of.table.TableName()
	for _, kind := range []string{"ReadThrottleEvents", "WriteThrottleEvents"} {
		m.tableThrottles = append(m.tableThrottles,
			metric("AWS/DynamoDB", kind, "Sum", map[string]*string{"TableName": name}),
			metric("AWS/DynamoDB", kind, "Sum", map[string]*string{"TableName": name, "GlobalSecondaryIndexName": jsii.String(table.Definition().Index.Name)}))
	}
	// Each metric under an alarm is paid for; no login does without these. Nothing
	// is put: a single write is an update.
	for _, operation := range []string{"BatchGetItem", "UpdateItem", "TransactWriteItems"} {
		m.tableErrors = append(m.tableErrors, metric("AWS/DynamoDB", "SystemErrors", "Sum", map[string]*string{"TableName": name, "Operation": &operation}))
	}
	if of.mail != nil {
		set := map[string]*string{"ses:configuration-set": of.mail.set.ConfigurationSetName()}
		m.bounces = metric("AWS/SES", "Reputation.BounceRate", "Maximum", set)
		m.complaints = metric("AWS/SES", "Reputation.ComplaintRate", "Maximum", set)
	}
	return m
}

// period is what a point of a metric is about.
func period() awscdk.Duration { return awscdk.Duration_Minutes(jsii.Number(5)) }

func every(statistic, label string) *awscloudwatch.MetricOptions {
	return &awscloudwatch.MetricOptions{Statistic: &statistic, Label: &label, Period: period()}
}

func metric(namespace, name, statistic string, dimensions map[string]*string) awscloudwatch.IMetric {
	props := &awscloudwatch.MetricProps{Namespace: &namespace, MetricName: &name, Statistic: &statistic, Period: period()}
	if dimensions != nil {
		props.DimensionsMap = &dimensions
	}
	return awscloudwatch.NewMetric(props)
}

// noted counts the audit's records of an event that had that outcome.
func noted(stack awscdk.Stack, of measured, name, event, outcome string) awscloudwatch.IMetric {
	return counted(stack, of, name, map[string]string{"$.styx": "audit", "$.event": event, "$.outcome": outcome})
}

// counted makes a metric of the log lines that have these members. It has no
// dimension: each value of one would be paid for.
func counted(stack awscdk.Stack, of measured, name string, members map[string]string) awscloudwatch.IMetric {
	var conditions []awslogs.JsonPattern
	for _, at := range slices.Sorted(maps.Keys(members)) {
		conditions = append(conditions, awslogs.FilterPattern_StringValue(&at, jsii.String("="), jsii.String(members[at])))
	}
	return awslogs.NewMetricFilter(stack, &name, &awslogs.MetricFilterProps{
		LogGroup:      of.log,
		FilterPattern: awslogs.FilterPattern_All(conditions...),
		// The stage tells deployments apart.
		MetricNamespace: jsii.String("Styx/" + of.options.Stage),
		MetricName:      &name,
		MetricValue:     jsii.String("1"),
	}).Metric(every("Sum", name))
}

// together combines metrics by a function of CloudWatch, SUM or MAX. An alarm
// looks at ten of them at most, so there may be more than one result. What has
// no data counts as nothing.
func together(by string, of []awscloudwatch.IMetric) (results []awscloudwatch.IMetric) {
	for some := range slices.Chunk(of, 10) {
		using := map[string]awscloudwatch.IMetric{}
		var terms []string
		for i, one := range some {
			id := fmt.Sprintf("m%d", i)
			using[id] = one
			terms = append(terms, "FILL("+id+", 0)")
		}
		results = append(results, awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
			Expression: jsii.String(by + "([" + strings.Join(terms, ", ") + "])"), UsingMetrics: &using, Period: period(),
		}))
	}
	return results
}
