package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
)

// What follows is what a scanner of templates would look for.

// whole reads all resources of a template, by logical name.
func whole(t *testing.T, of assertions.Template) map[string]resource {
	t.Helper()
	data, err := json.Marshal(of.ToJSON())
	if err != nil {
		t.Fatal(err)
	}
	var read struct{ Resources map[string]resource }
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	return read.Resources
}

// TestOnlyKnownKindsAreMade: no bucket, no function's URL, no custom resource
// with its own functions and roles comes in unseen.
func TestOnlyKnownKindsAreMade(t *testing.T) {
	known := []string{
		"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::ApiMapping", "AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::Integration",
		"AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Stage", "AWS::CertificateManager::Certificate", "AWS::CloudWatch::Alarm",
		"AWS::CloudWatch::Dashboard", "AWS::DynamoDB::Table", "AWS::Events::Rule", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::KMS::Key",
		"AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::Lambda::Permission",
		"AWS::Logs::LogGroup", "AWS::Logs::MetricFilter", "AWS::Route53::RecordSet", "AWS::SES::ConfigurationSet",
		"AWS::SES::ConfigurationSetEventDestination", "AWS::SES::EmailIdentity", "AWS::SNS::Subscription", "AWS::SNS::Topic",
		"AWS::SNS::TopicPolicy", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::SecretsManager::Secret",
	}
	edges := []string{"AWS::CloudFront::Distribution", "AWS::CloudFront::Function", "AWS::WAFv2::WebACL"}
	edge, _ := edged()
	for _, row := range []struct {
		template assertions.Template
		known    []string
	}{{full, known}, {edge, slices.Concat(known, edges)}} {
		for name, is := range whole(t, row.template) {
			if !slices.Contains(row.known, is.Type) {
				t.Errorf("%s is an %s", name, is.Type)
			}
		}
	}
}

// statement is one of a policy, whoever's it is.
type statement struct {
	Effect           string
	Action, Resource any
}

// allowed are the statements of a template that allow something, by the name of
// what they stand in. That the account's own root may administer a key is how a
// key is made; who else may is up to the account's policies.
func allowed(t *testing.T, of assertions.Template) map[string][]statement {
	t.Helper()
	all := map[string][]statement{}
	for name, is := range whole(t, of) {
		if is.Type == "AWS::KMS::Key" {
			continue
		}
		var policy struct {
			PolicyDocument, AssumeRolePolicyDocument struct{ Statement []statement }
		}
		data, err := json.Marshal(is.Properties)
		if err != nil {
			t.Fatal(err)
		}
		// Other kinds have no such member, or one that is none.
		if json.Unmarshal(data, &policy) != nil {
			continue
		}
		for _, one := range slices.Concat(policy.PolicyDocument.Statement, policy.AssumeRolePolicyDocument.Statement) {
			if one.Effect == "Allow" {
				all[name] = append(all[name], one)
			}
		}
	}
	return all
}

// listed is one or many as many.
func listed(value any) []any {
	if several, is := value.([]any); is {
		return several
	}
	return []any{value}
}

func TestNoPolicyAllowsActionsByWildcard(t *testing.T) {
	for name, statements := range allowed(t, full) {
		for _, one := range statements {
			for _, action := range listed(one.Action) {
				if strings.Contains(fmt.Sprint(action), "*") {
					t.Errorf("%s allows %v", name, action)
				}
			}
		}
	}
}

// TestWildcardResourcesAreTheseAlone: each has its reason where it is made.
func TestWildcardResourcesAreTheseAlone(t *testing.T) {
	reasons := map[string]string{
		"dynamodb:ListStreams":                           "names no resource",
		"xray:PutTelemetryRecords xray:PutTraceSegments": "names no resource",
		"ses:SendEmail":                                  "in the sandbox the receiver's identity is asked for; the sender's address is a condition",
	}
	seen := map[string]bool{}
	for name, statements := range allowed(t, full) {
		for _, one := range statements {
			if !strings.Contains(plain(t, one.Resource), "*") {
				continue
			}
			var actions []string
			for _, action := range listed(one.Action) {
				actions = append(actions, fmt.Sprint(action))
			}
			what := strings.Join(actions, " ")
			if reasons[what] == "" {
				t.Errorf("%s allows %s on %s", name, what, plain(t, one.Resource))
			}
			seen[what] = true
		}
	}
	for what := range reasons {
		if !seen[what] {
			t.Errorf("%s is a reason for nothing", what)
		}
	}
}

func TestQueuesAndTopicsTakeSealedMessagesByTLSAlone(t *testing.T) {
	policies := ""
	for _, is := range whole(t, full) {
		if is.Type == "AWS::SQS::QueuePolicy" || is.Type == "AWS::SNS::TopicPolicy" {
			policies += plain(t, is.Properties)
		}
	}
	for name, is := range resources(t, full, "AWS::SQS::Queue") {
		if is.Properties["SqsManagedSseEnabled"] != true {
			t.Errorf("%s keeps messages in the open", name)
		}
		refuses := `"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":{"AWS":"*"},"Resource":{"Fn::GetAtt":[` + plain(t, name) + `,"Arn"]}`
		if !strings.Contains(policies, refuses) {
			t.Errorf("%s takes messages in the open", name)
		}
	}
	for name := range resources(t, full, "AWS::SNS::Topic") {
		refuses := `"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":"*","Resource":{"Ref":` + plain(t, name) + `}`
		if !strings.Contains(policies, refuses) {
			t.Errorf("%s takes messages in the open", name)
		}
	}
}

// TestEveryLogEnds: a function that names no group would get one that keeps its
// lines for ever.
func TestEveryLogEnds(t *testing.T) {
	for _, row := range []struct {
		template assertions.Template
		days     float64
	}{{bare, 30}, {full, 90}} {
		for name, is := range resources(t, row.template, "AWS::Logs::LogGroup") {
			if is.Properties["RetentionInDays"] != row.days {
				t.Errorf("%s keeps lines for %v days", name, is.Properties["RetentionInDays"])
			}
		}
		for name, is := range resources(t, row.template, "AWS::Lambda::Function") {
			if got := plain(t, is.Properties["LoggingConfig"]); !strings.Contains(got, `"LogGroup":{"Ref":"LogGroup"}`) {
				t.Errorf("%s logs to %s", name, got)
			}
		}
	}
}

func TestEveryKeyIsRotated(t *testing.T) {
	for name, is := range resources(t, full, "AWS::KMS::Key") {
		if is.Properties["EnableKeyRotation"] != true {
			t.Errorf("%s is for ever", name)
		}
	}
}

// TestSecretsAreGenerated: one that stands in a template is known to whoever
// reads it.
func TestSecretsAreGenerated(t *testing.T) {
	for name, is := range resources(t, full, "AWS::SecretsManager::Secret") {
		if is.Properties["SecretString"] != nil || is.Properties["GenerateSecretString"] == nil || is.Properties["KmsKeyId"] == nil {
			t.Errorf("%s: %s", name, plain(t, is.Properties))
		}
	}
}

// TestNobodyCallsAFunctionUnnamed: a permission for a service without a source
// is one for that service in every account.
func TestNobodyCallsAFunctionUnnamed(t *testing.T) {
	for name, is := range resources(t, full, "AWS::Lambda::Permission") {
		if is.Properties["SourceArn"] == nil || !strings.HasSuffix(fmt.Sprint(is.Properties["Principal"]), ".amazonaws.com") {
			t.Errorf("%s: %s", name, plain(t, is.Properties))
		}
	}
}
