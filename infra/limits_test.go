package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
)

// stageOf finds the stage of an API, "Public" or "Admin".
func stageOf(t *testing.T, template assertions.Template, api string) map[string]any {
	t.Helper()
	for name, is := range resources(t, template, "AWS::ApiGatewayV2::Stage") {
		if strings.HasPrefix(name, api) {
			return is.Properties
		}
	}
	t.Fatalf("the %s API has no stage", api)
	return nil
}

func bound(rate, burst float64, metrics bool) string {
	text, err := json.Marshal(map[string]any{"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst, "DetailedMetricsEnabled": metrics})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestRoutesWhereSecretsAreTriedAllowLess holds what each API takes in a second,
// as is and as asked for.
func TestRoutesWhereSecretsAreTriedAllowLess(t *testing.T) {
	tight := []string{
		"GET /sessions/token-exchange", "HEAD /sessions/token-exchange", "POST /self-service/login", "POST /self-service/recovery",
		"POST /self-service/registration", "POST /self-service/settings", "POST /self-service/verification",
	}
	for _, row := range []struct {
		template     assertions.Template
		each, bounds string
	}{
		{bare, bound(500, 1000, false), bound(50, 100, false)},
		{full, bound(200, 400, true), bound(20, 40, true)},
	} {
		for _, api := range []string{"Public", "Admin"} {
			if got := plain(t, stageOf(t, row.template, api)["DefaultRouteSettings"]); got != row.each {
				t.Errorf("a route of the %s API takes %s, want %s", api, got, row.each)
			}
		}
		settings := stageOf(t, row.template, "Public")["RouteSettings"].(map[string]any)
		if got := slices.Sorted(maps.Keys(settings)); !slices.Equal(got, tight) {
			t.Errorf("bounded are %v, want %v", got, tight)
		}
		for route, is := range settings {
			if got := plain(t, is); got != row.bounds {
				t.Errorf("%s takes %s, want %s", route, got, row.bounds)
			}
		}
	}
}

// TestAccessLogsTellNoSecret: a path or a query may carry a code or a token, and
// a header a cookie, so no field is made of them.
func TestAccessLogsTellNoSecret(t *testing.T) {
	may := []string{
		"$context.error.responseType", "$context.httpMethod", "$context.identity.sourceIp", "$context.integration.latency",
		"$context.integration.status", "$context.protocol", "$context.requestId", "$context.requestTimeEpoch",
		"$context.responseLatency", "$context.responseLength", "$context.routeKey", "$context.status",
	}
	for _, api := range []string{"Public", "Admin"} {
		log := stageOf(t, full, api)["AccessLogSettings"].(map[string]any)
		if destination := plain(t, log["DestinationArn"]); destination != `{"Fn::GetAtt":["`+api+`AccessLog","Arn"]}` {
			t.Errorf("the %s API logs to %s", api, destination)
		}
		var fields map[string]string
		if err := json.Unmarshal([]byte(log["Format"].(string)), &fields); err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(maps.Values(fields)); !slices.Equal(got, may) {
			t.Errorf("the %s API logs %v", api, got)
		}
	}
}

func TestTheBillHasACeilingWhereAsked(t *testing.T) {
	is := func(template assertions.Template) string {
		for _, table := range resources(t, template, "AWS::DynamoDB::Table") {
			index := table.Properties["GlobalSecondaryIndexes"].([]any)[0].(map[string]any)
			return plain(t, []any{table.Properties["OnDemandThroughput"], index["OnDemandThroughput"]})
		}
		return ""
	}
	if got := is(bare); got != "[null,null]" {
		t.Errorf("unasked: %s", got)
	}
	const both = `{"MaxReadRequestUnits":2000,"MaxWriteRequestUnits":500}`
	if got := is(full); got != "["+both+","+both+"]" {
		t.Errorf("asked: %s", got)
	}
}

func TestConcurrencyIsReservedWhereAsked(t *testing.T) {
	for _, row := range []struct {
		template assertions.Template
		want     map[string]float64
	}{{bare, map[string]float64{}}, {full, map[string]float64{"Login": 20, "Courier": 5}}} {
		got := map[string]float64{}
		for name, is := range resources(t, row.template, "AWS::Lambda::Function") {
			if most, reserved := is.Properties["ReservedConcurrentExecutions"].(float64); reserved {
				got[name[:len(name)-8]] = most
			}
		}
		if !maps.Equal(got, row.want) {
			t.Errorf("reserved %v, want %v", got, row.want)
		}
	}
}

func TestTracesAreSentWhereAsked(t *testing.T) {
	for _, row := range []struct {
		template assertions.Template
		want     string
	}{{bare, "null"}, {full, `{"Mode":"Active"}`}} {
		for name, is := range resources(t, row.template, "AWS::Lambda::Function") {
			if got := plain(t, is.Properties["TracingConfig"]); got != row.want {
				t.Errorf("%s: %s, want %s", name, got, row.want)
			}
		}
	}
	for name, is := range resources(t, bare, "AWS::IAM::Policy") {
		if strings.Contains(plain(t, is.Properties), "xray:") {
			t.Errorf("%s allows traces that nobody asked for", name)
		}
	}
}

func TestTheTablesKeyIsTheOneAskedFor(t *testing.T) {
	const named = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"
	const calls = `"Action":["kms:Decrypt","kms:DescribeKey","kms:Encrypt","kms:GenerateDataKey","kms:GenerateDataKeyWithoutPlaintext","kms:ReEncryptFrom","kms:ReEncryptTo"],` +
		`"Condition":{"StringEquals":{"kms:ViaService":{"Fn::Join":["",["dynamodb.",{"Ref":"AWS::Region"},".",{"Ref":"AWS::URLSuffix"}]]}}},"Effect":"Allow","Resource":`
	for _, row := range []struct {
		template          assertions.Template
		seals, permission string
	}{
		{bare, `{"SSEEnabled":true}`, ""},
		{
			synth(map[string]any{"zips": zips, "table-key": "own"}),
			`{"KMSMasterKeyId":{"Fn::GetAtt":["TableKey","Arn"]},"SSEEnabled":true,"SSEType":"KMS"}`,
			calls + `{"Fn::GetAtt":["TableKey","Arn"]}`,
		},
		{
			synth(map[string]any{"zips": zips, "table-key": named}),
			`{"KMSMasterKeyId":"` + named + `","SSEEnabled":true,"SSEType":"KMS"}`,
			calls + `"` + named + `"`,
		},
	} {
		for _, table := range resources(t, row.template, "AWS::DynamoDB::Table") {
			if got := plain(t, table.Properties["SSESpecification"]); got != row.seals {
				t.Errorf("the table is sealed by %s, want %s", got, row.seals)
			}
		}
		for name, key := range resources(t, row.template, "AWS::KMS::Key") {
			if key.DeletionPolicy != "Retain" || key.Properties["EnableKeyRotation"] != true {
				t.Errorf("%s: %+v", name, key)
			}
		}
		for name, is := range resources(t, row.template, "AWS::IAM::Policy") {
			policy := plain(t, is.Properties)
			if !strings.Contains(policy, row.permission) || row.permission == "" && strings.Contains(policy, "kms:ViaService") {
				t.Errorf("with %s, %s: %s", row.seals, name, policy)
			}
		}
	}
}
