package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
)

// alarmsOf says what each alarm of a template looks at, and from where on it
// rings.
func alarmsOf(t *testing.T, template assertions.Template) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, is := range resources(t, template, "AWS::CloudWatch::Alarm") {
		looked := []any{is.Properties}
		if several, combined := is.Properties["Metrics"].([]any); combined {
			looked = several
		}
		var metrics []string
		for _, one := range looked {
			metric := one.(map[string]any)
			if stat, combined := metric["MetricStat"].(map[string]any); combined {
				metric = stat["Metric"].(map[string]any)
			}
			if named := metric["MetricName"]; named != nil {
				metrics = append(metrics, fmt.Sprint(metric["Namespace"], " ", named))
			}
		}
		// CloudWatch refuses more.
		if len(metrics) > 10 {
			t.Errorf("%s looks at %d metrics", name, len(metrics))
		}
		slices.Sort(metrics)
		all[strings.TrimSuffix(name[:len(name)-8], "Alarm")] = fmt.Sprint(slices.Compact(metrics), " ", is.Properties["Threshold"])
		if is.Properties["TreatMissingData"] != "notBreaching" {
			t.Errorf("%s rings where nobody is", name)
		}
	}
	return all
}

func TestAlarmsRingForWhatMatters(t *testing.T) {
	want := map[string]string{
		"Errors":         "[AWS/Lambda Errors] 0",
		"Throttles":      "[AWS/Lambda Throttles] 0",
		"Slow":           "[AWS/ApiGateway Latency] 5000",
		"ServerErrors":   "[AWS/ApiGateway 5xx] 4",
		"LoginFailures":  "[Styx/production LoginFailures] 100",
		"CourierFailed":  "[AWS/SQS ApproximateNumberOfMessagesVisible] 0",
		"CourierBehind":  "[AWS/Lambda IteratorAge] 120000",
		"RetriesBehind":  "[AWS/SQS ApproximateAgeOfOldestMessage] 1800",
		"TableThrottled": "[AWS/DynamoDB ReadThrottleEvents AWS/DynamoDB WriteThrottleEvents] 0",
		"TableErrors":    "[AWS/DynamoDB SystemErrors] 4",
	}
	if got := alarmsOf(t, bare); !maps.Equal(got, want) {
		t.Errorf("alarms %v,\nwant %v", got, want)
	}
	// With the pages there are more functions than one alarm can look at.
	want["Errors2"] = want["Errors"]
	want["LoginFailures"] = "[Styx/staging LoginFailures] 500"
	want["Bounces"] = "[AWS/SES Reputation.BounceRate] 0.04"
	want["Complaints"] = "[AWS/SES Reputation.ComplaintRate] 0.0008"
	if got := alarmsOf(t, full); !maps.Equal(got, want) {
		t.Errorf("with all that can be asked for: alarms %v,\nwant %v", got, want)
	}
}

// TestEveryFunctionIsWatched holds the alarms about errors against the functions,
// however many alarms it takes.
func TestEveryFunctionIsWatched(t *testing.T) {
	watched := ""
	for name, is := range resources(t, full, "AWS::CloudWatch::Alarm") {
		if strings.HasPrefix(name, "Errors") {
			watched += plain(t, is.Properties)
		}
	}
	for name := range resources(t, full, "AWS::Lambda::Function") {
		if !strings.Contains(watched, `{"Ref":"`+name[:len(name)-8]+`"}`) {
			t.Errorf("nobody hears when %s fails", name)
		}
	}
}

func TestAlarmsAreToldToWhomTheyConcern(t *testing.T) {
	for _, row := range []struct {
		template assertions.Template
		want     string
	}{{bare, "[]"}, {full, `["arn:aws:sns:eu-central-1:111122223333:alarms",{"Ref":"Alarms"}]`}} {
		for name, is := range resources(t, row.template, "AWS::CloudWatch::Alarm") {
			for _, actions := range []string{"AlarmActions", "OKActions"} {
				if got := plain(t, is.Properties[actions]); got != row.want {
					t.Errorf("%s tells %s, want %s", name, got, row.want)
				}
			}
		}
	}
	has(t, full, "AWS::SNS::Subscription", map[string]any{"Protocol": "email", "Endpoint": "oncall@example.com"})
	for _, policy := range resources(t, full, "AWS::SNS::TopicPolicy") {
		const ours = `{"Action":"sns:Publish","Condition":{"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}},"Effect":"Allow",` +
			`"Principal":{"Service":"cloudwatch.amazonaws.com"},"Resource":{"Ref":"Alarms"},`
		if got := plain(t, policy.Properties); !strings.Contains(got, ours) || strings.Count(got, `"Allow"`) != 1 {
			t.Errorf("who may publish: %s", got)
		}
	}
}

func TestTheDashboardShowsEveryAlarm(t *testing.T) {
	for _, board := range resources(t, full, "AWS::CloudWatch::Dashboard") {
		body := plain(t, board.Properties["DashboardBody"])
		// More are paid for. Each has its statistic.
		if n := strings.Count(body, `\\\"stat\\\":`) + strings.Count(body, `\"stat\":`); n == 0 || n > 50 {
			t.Errorf("it shows %d metrics", n)
		}
		for name := range alarmsOf(t, full) {
			if !strings.Contains(body, `{"Fn::GetAtt":["`+name+`Alarm","Arn"]}`) {
				t.Errorf("%s is not on the dashboard", name)
			}
		}
	}
	for option, kind := range map[string]string{"dashboard": "AWS::CloudWatch::Dashboard", "alarms": "AWS::CloudWatch::Alarm"} {
		without := synth(map[string]any{"zips": zips, option: "false"})
		if strings.Contains(plain(t, without.ToJSON()), kind) {
			t.Errorf("%s that nobody wants", option)
		}
	}
}
