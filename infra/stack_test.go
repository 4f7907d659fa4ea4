package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"styx/internal/app/routes"
)

var update = flag.Bool("update", false, "rewrite testdata/stack.json")

// bare is the least one can deploy, full has all that can be asked for.
var bare, full assertions.Template

// zips is a folder with something for each function.
var zips string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		defer jsii.Close()
		var err error
		if zips, err = os.MkdirTemp("", "zips"); err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(zips) }()
		for _, f := range functions {
			// What is in a zip is not the stack's concern; that they differ is.
			if err := os.WriteFile(filepath.Join(zips, f.name+"-arm64.zip"), []byte(f.name), 0o600); err != nil {
				panic(err)
			}
		}
		bare = synth(map[string]any{"zips": zips})
		full = synth(map[string]any{
			"zips": zips, "stage": "staging", "domain": "id.example.com", "zone": "Z0123456789", "zone-name": "example.com",
			"from-address": "no-reply@example.com", "secrets": "cookie,pagination", "version": "v1", "ui": "true",
			"secrets-version": "00000000-0000-0000-0000-000000000000",
			"table-reads":     "2000", "table-writes": "500", "concurrency": "login=20,courier=5",
			"throttle": "200/400", "throttle-credentials": "20/40", "tracing": "true", "route-metrics": "true", "log-retention": "90",
			"alarm-topic": "arn:aws:sns:eu-central-1:111122223333:alarms", "alarm-mail": "oncall@example.com", "alarm-login-failures": "500",
		})
		return m.Run()
	}())
}

func synth(context map[string]any) assertions.Template {
	o, err := read(func(key string) any { return context[key] })
	if err != nil {
		panic(err)
	}
	return assertions.Template_FromStack(newStack(awscdk.NewApp(nil), o), nil)
}

// resource is one of a template.
type resource struct {
	Type           string
	Properties     map[string]any
	DeletionPolicy string
}

// resources reads those of one type, by logical name.
func resources(t *testing.T, of assertions.Template, kind string) map[string]resource {
	t.Helper()
	data, err := json.Marshal(of.FindResources(&kind, nil))
	if err != nil {
		t.Fatal(err)
	}
	var read map[string]resource
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	if len(read) == 0 {
		t.Fatalf("no %s", kind)
	}
	return read
}

// has fails unless a resource of that type has these properties.
func has(t *testing.T, template assertions.Template, kind string, properties map[string]any) {
	t.Helper()
	defer func() {
		// jsii knows no other way to say no.
		if no := recover(); no != nil {
			t.Error(no)
		}
	}()
	template.HasResourceProperties(&kind, properties)
}

// plain is a value of a template as text, without the hashes that the CDK adds
// to logical names.
func plain(t *testing.T, value any) string {
	t.Helper()
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`([A-Za-z]+)[0-9A-F]{8}"`).ReplaceAllString(strings.TrimSpace(text.String()), `$1"`)
}

func TestTemplateIsTheRecordedOne(t *testing.T) {
	got, err := json.MarshalIndent(full.ToJSON(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const name = "testdata/stack.json"
	if *update {
		if err := os.WriteFile(name, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) == string(want) {
		return
	}
	is, was := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range is {
		if i >= len(was) || is[i] != was[i] {
			t.Fatalf("%s differs from line %d on: %q. make golden, and read the difference", name, i+1, is[i])
		}
	}
	t.Fatalf("%s has lines too many", name)
}

// restored is the stream of a table that the stack did not make.
const restored = "arn:aws:dynamodb:eu-central-1:111122223333:table/restored/stream/2026-11-26T16:00:00.000"

// TestAnotherTableTakesThePlace: after a restore, everything is about that table
// and nothing about one of the stack's own.
func TestAnotherTableTakesThePlace(t *testing.T) {
	template := synth(map[string]any{"zips": zips, "table": restored})
	template.ResourceCountIs(jsii.String("AWS::DynamoDB::Table"), jsii.Number(0))
	for name, function := range resources(t, template, "AWS::Lambda::Function") {
		environment := function.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
		if environment["STYX_TABLE"] != "restored" {
			t.Errorf("%s uses the table %v", name, environment["STYX_TABLE"])
		}
	}
	has(t, template, "AWS::Lambda::EventSourceMapping", map[string]any{"EventSourceArn": restored})
	arn, _, _ := strings.Cut(restored, "/stream/")
	policies := plain(t, resources(t, template, "AWS::IAM::Policy"))
	for _, of := range []string{arn, arn + "/index/list", restored} {
		if !strings.Contains(policies, `"`+of+`"`) {
			t.Errorf("nobody may use %s", of)
		}
	}
}

func TestTheTableOutlivesTheStack(t *testing.T) {
	for name, is := range resources(t, bare, "AWS::DynamoDB::Table") {
		if is.DeletionPolicy != "Retain" || is.Properties["DeletionProtectionEnabled"] != true {
			t.Errorf("%s: %+v", name, is)
		}
	}
	for _, kind := range []string{"AWS::KMS::Key", "AWS::SecretsManager::Secret"} {
		for name, is := range resources(t, full, kind) {
			if is.DeletionPolicy != "Retain" {
				t.Errorf("%s, which seals what the table holds, does not", name)
			}
		}
	}
}

func TestTheTableIsTheOneOfTheDefinition(t *testing.T) {
	has(t, bare, "AWS::DynamoDB::Table", map[string]any{
		"BillingMode":                      "PAY_PER_REQUEST",
		"TimeToLiveSpecification":          map[string]any{"AttributeName": "ttl", "Enabled": true},
		"StreamSpecification":              map[string]any{"StreamViewType": "NEW_IMAGE"},
		"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": true},
		"TableName":                        assertions.Match_Absent(),
	})
}

// TestNoAPIAnswersForItself: CORS is the handlers' to answer, as the
// configuration says.
func TestNoAPIAnswersForItself(t *testing.T) {
	for _, template := range []assertions.Template{bare, full} {
		apis := resources(t, template, "AWS::ApiGatewayV2::Api")
		for name, is := range apis {
			if _, cors := is.Properties["CorsConfiguration"]; cors {
				t.Errorf("%s has CORS", name)
			}
		}
		if len(apis) != 2 {
			t.Errorf("%d APIs", len(apis))
		}
	}
}

// TestEachRouteHasItsFunction, and the pages have theirs only where they are
// asked for.
func TestEachRouteHasItsFunction(t *testing.T) {
	routed(t, bare, routes.All)
	routed(t, full, slices.Concat(routes.All, routes.Pages))
}

func routed(t *testing.T, template assertions.Template, all []routes.Route) {
	t.Helper()
	want := []string{"public $default meta", "admin $default admin"}
	for _, route := range all {
		for _, key := range route.Keys() {
			want = append(want, "public "+key+" "+route.Function)
		}
	}
	integrations := resources(t, template, "AWS::ApiGatewayV2::Integration")
	var got []string
	for _, is := range resources(t, template, "AWS::ApiGatewayV2::Route") {
		api := "public"
		if strings.Contains(plain(t, is.Properties["ApiId"]), "AdminApi") {
			api = "admin"
		}
		for name, integration := range integrations {
			if strings.Contains(plain(t, is.Properties["Target"]), plain(t, name)) {
				function := plain(t, integration.Properties["IntegrationUri"])
				function = strings.ToLower(strings.Split(function, `"`)[3])
				got = append(got, api+" "+is.Properties["RouteKey"].(string)+" "+function)
			}
		}
		if auth := is.Properties["AuthorizationType"]; (api == "admin") != (auth == "AWS_IAM") {
			t.Errorf("%s of the %s API is authorized by %v", is.Properties["RouteKey"], api, auth)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("routes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestOnlyItsAPICallsAFunction: a permission names the API, or the rule, that
// may call, and the admin function is called by the admin API alone.
func TestOnlyItsAPICallsAFunction(t *testing.T) {
	for name, is := range resources(t, full, "AWS::Lambda::Permission") {
		function, source := plain(t, is.Properties["FunctionName"]), plain(t, is.Properties["SourceArn"])
		var from string
		switch {
		case strings.Contains(function, `"Admin"`):
			from = `"AdminApi"},"/*/*"`
		case strings.Contains(function, `"Courier"`):
			from = `{"Fn::GetAtt":["` // a rule of this stack
		case strings.Contains(function, `"Meta"`):
			from = `"PublicApi"},"/*/*"`
		default:
			from = `"PublicApi"},"/*/*/*"`
		}
		if !strings.Contains(source, from) {
			t.Errorf("%s: %s is called from %s", name, function, source)
		}
	}
}

func TestPoliciesAllowEachFunctionItsCallsOnly(t *testing.T) {
	const (
		table  = `{"Fn::GetAtt":["Table","Arn"]}`
		index  = `{"Fn::Join":["",[{"Fn::GetAtt":["Table","Arn"]},"/index/list"]]}`
		stream = `{"Fn::GetAtt":["Table","StreamArn"]}`
		// A function opens its environment, and writes its log and its traces.
		always = "kms:Decrypt " + `{"Fn::GetAtt":["SecretsKey","Arn"]}` + "\n" +
			"logs:CreateLogStream logs:PutLogEvents " + `{"Fn::GetAtt":["LogGroup","Arn"]}` + "\n" +
			"xray:PutTelemetryRecords xray:PutTraceSegments \"*\"" // they have no resource to name
		ours = `arn:",{"Ref":"AWS::Partition"},":ses:",{"Ref":"AWS::Region"},":",{"Ref":"AWS::AccountId"},":`

		find   = "dynamodb:GetItem " + table
		note   = "dynamodb:GetItem dynamodb:UpdateItem " + table
		add    = "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:UpdateItem " + table
		change = "dynamodb:BatchGetItem dynamodb:DeleteItem dynamodb:GetItem dynamodb:UpdateItem " + table
		list   = "dynamodb:BatchGetItem dynamodb:DeleteItem dynamodb:GetItem dynamodb:Query dynamodb:UpdateItem " + table
	)
	want := map[string][]string{
		"Registration": {add}, "Login": {change}, "Settings": {change}, "Recovery": {change}, "Verification": {change},
		"Session":    {list},
		"Meta":       {find},
		"Authorizer": {"dynamodb:BatchGetItem " + table},
		"Ui":         {}, // it asks the public API
		"Admin":      {list, "dynamodb:Query " + index},
		"Courier": {
			note,
			"dynamodb:Query " + index,
			"dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator " + stream,
			"dynamodb:ListStreams \"*\"", // it has no resource to name
			"sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage " + `{"Fn::GetAtt":["CourierQueue","Arn"]}`,
			"sqs:SendMessage " + `{"Fn::GetAtt":["CourierFailures","Arn"]}`,
			"ses:SendEmail " + `[{"Fn::Join":["",["` + ours + `identity/*"]]},{"Fn::Join":["",["` + ours + `configuration-set/",{"Ref":"MailSet"}]]}]` +
				` if {"StringEquals":{"ses:FromAddress":"no-reply@example.com"}}`,
		},
	}
	policies := resources(t, full, "AWS::IAM::Policy")
	if len(policies) != len(want) {
		t.Errorf("%d policies for %d functions", len(policies), len(want))
	}
	for name, is := range policies {
		name, _, _ = strings.Cut(name, "Role")
		var got []string
		for _, one := range is.Properties["PolicyDocument"].(map[string]any)["Statement"].([]any) {
			statement := one.(map[string]any)
			var actions []string
			switch named := statement["Action"].(type) {
			case string:
				actions = []string{named}
			case []any:
				for _, action := range named {
					actions = append(actions, action.(string))
				}
			}
			if slices.ContainsFunc(actions, func(action string) bool { return strings.Contains(action, "*") }) {
				t.Errorf("%s may do %v", name, actions)
			}
			slices.Sort(actions)
			line := strings.Join(actions, " ") + " " + plain(t, statement["Resource"])
			if condition := statement["Condition"]; condition != nil {
				line += " if " + plain(t, condition)
			}
			got = append(got, line)
		}
		wanted := append(strings.Split(always, "\n"), want[name]...)
		slices.Sort(wanted)
		slices.Sort(got)
		if !slices.Equal(got, wanted) {
			t.Errorf("%s may\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(wanted, "\n"))
		}
	}
	for name, is := range resources(t, full, "AWS::IAM::Role") {
		if is.Properties["ManagedPolicyArns"] != nil || is.Properties["Policies"] != nil {
			t.Errorf("%s may more than its policy says", name)
		}
	}
}

// TestTheAuthorizerIsOthersToCall: the stack names its ARN, and lets none of its
// own APIs call it; an API of another stack brings its permission.
func TestTheAuthorizerIsOthersToCall(t *testing.T) {
	for name, is := range resources(t, full, "AWS::Lambda::Permission") {
		if strings.Contains(plain(t, is.Properties["FunctionName"]), `"Authorizer"`) {
			t.Errorf("%s lets somebody call it: %s", name, plain(t, is.Properties))
		}
	}
	outputs, err := json.Marshal(full.FindOutputs(jsii.String("AuthorizerArn"), nil))
	if err != nil || !strings.Contains(plain(t, json.RawMessage(outputs)), `"Value":{"Fn::GetAtt":["Authorizer","Arn"]}`) {
		t.Errorf("outputs %s, %v", outputs, err)
	}
}

func TestStreamWakesTheCourier(t *testing.T) {
	has(t, bare, "AWS::Lambda::EventSourceMapping", map[string]any{
		"FilterCriteria":        map[string]any{"Filters": []any{map[string]any{"Pattern": `{"dynamodb":{"NewImage":{"st":{"S":["queued"]}}}}`}}},
		"FunctionResponseTypes": []any{"ReportBatchItemFailures"},
		"DestinationConfig":     assertions.Match_AnyValue(),
	})
	has(t, bare, "AWS::Events::Rule", map[string]any{"ScheduleExpression": "rate(5 minutes)"})
}

func TestFunctionsSealTheirEnvironment(t *testing.T) {
	functions := resources(t, bare, "AWS::Lambda::Function")
	for name, is := range functions {
		p := is.Properties
		if p["Runtime"] != "provided.al2023" || plain(t, p["Architectures"]) != `["arm64"]` || plain(t, p["KmsKeyArn"]) != `{"Fn::GetAtt":["SecretsKey","Arn"]}` {
			t.Errorf("%s: %s", name, plain(t, p))
		}
		if !strings.Contains(plain(t, p["LoggingConfig"]), `"LogFormat":"JSON"`) {
			t.Errorf("%s logs %s", name, plain(t, p["LoggingConfig"]))
		}
		env := p["Environment"].(map[string]any)["Variables"].(map[string]any)
		if got := plain(t, env["SERVE_PUBLIC_BASE_URL"]); got != `{"Fn::GetAtt":["PublicApi","ApiEndpoint"]}` {
			t.Errorf("%s takes %s for the public API", name, got)
		}
		for variable, value := range env {
			if strings.HasPrefix(variable, "SECRETS_") && !strings.Contains(plain(t, value), `"{{resolve:secretsmanager:",{"Ref":"Secrets"},":SecretString:default::}}"`) {
				t.Errorf("%s: %s is %s", name, variable, plain(t, value))
			}
		}
		unsigned := plain(t, env["STYX_ADMIN_UNSIGNED"])
		if admin := strings.HasPrefix(name, "Admin"); admin != (unsigned == `{"Fn::If":["InEmulator","emulator",{"Ref":"AWS::NoValue"}]}`) {
			t.Errorf("%s lets unsigned requests in: %s", name, unsigned)
		}
	}
	if got := plain(t, (*bare.ToJSON())["Conditions"]); got != `{"InEmulator":{"Fn::Equals":[{"Ref":"AWS::AccountId"},"000000000000"]}}` {
		t.Errorf("conditions: %s", got)
	}
}

func TestADomainIsTheOnlyHost(t *testing.T) {
	has(t, full, "AWS::ApiGatewayV2::Api", map[string]any{"Name": "styx-staging-public", "DisableExecuteApiEndpoint": true})
	for name, is := range resources(t, full, "AWS::Lambda::Function") {
		env := is.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
		if env["SERVE_PUBLIC_BASE_URL"] != "https://id.example.com" {
			t.Errorf("%s takes %v for the public API", name, env["SERVE_PUBLIC_BASE_URL"])
		}
		_, secret := env["SECRETS_DEFAULT"]
		_, table := env["STYX_TABLE"]
		if pages := strings.HasPrefix(name, "Ui"); pages == secret || pages == table {
			t.Errorf("%s knows the secrets: %v, the table: %v", name, secret, table)
		}
	}
}

func TestWhatStandsBeforeTheAPIIsItsURL(t *testing.T) {
	before := synth(map[string]any{"zips": zips, "base-url": "https://example.com/id/"})
	for name, is := range resources(t, before, "AWS::Lambda::Function") {
		env := is.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
		if env["SERVE_PUBLIC_BASE_URL"] != "https://example.com/id/" {
			t.Errorf("%s takes %v for the public API", name, env["SERVE_PUBLIC_BASE_URL"])
		}
	}
}
