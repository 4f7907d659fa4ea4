package main

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"styx/internal/app/routes"
)

// function is what a Lambda function gets.
type function struct {
	name        string
	description string
	memory      float64 // MB
	timeout     float64 // seconds
	table       []string
	list        bool // whether it reads the table's index
}

const (
	// One vCPU: the password hash is all the time a submission takes, and memory
	// is what Lambda sells CPU by. Half the memory takes twice as long and costs
	// the same.
	hashing = 1769
	// No hashing: a read and an answer. Less memory than this makes the first TLS
	// call to DynamoDB slow.
	reading = 512
	// Small answers, rarely asked for.
	small = 256

	// The HTTP API gives up after 30 s; a request's own deadline is 27 s.
	answering = 29
	// A request of another API waits for this first, and has work of its own to do.
	deciding = 10
	// Nobody waits for the courier, so it has time for slow receivers.
	sending = 60
)

// What a function does to items of the table. A transaction needs the permission
// of each of its operations; a put is an update, and nothing checks without
// writing. test/emulated holds this against what each function was seen to do.
var (
	looking  = []string{"BatchGetItem"}
	finding  = []string{"GetItem"}
	noting   = append(slices.Clip(finding), "UpdateItem")
	adding   = append(slices.Clip(noting), looking...)
	changing = append(slices.Clip(adding), "DeleteItem")
	listing  = append(slices.Clip(changing), "Query")
)

// functions are all there are; test/parity_test.go holds them against the
// folders under functions/ and against template.yaml.
var functions = []function{
	{"registration", "/self-service/registration", hashing, answering, adding, false},
	{"login", "/self-service/login", hashing, answering, changing, false},
	{"settings", "/self-service/settings", hashing, answering, changing, false},
	{"recovery", "/self-service/recovery", reading, answering, changing, false},
	{"verification", "/self-service/verification", reading, answering, changing, false},
	{"session", "sessions and logout", reading, answering, listing, false},
	{"meta", "schemas, errors, health, and every route nobody owns", small, answering, finding, false},
	// Creating an identity with a password hashes it.
	{"admin", "the admin API", hashing, answering, listing, true},
	{"authorizer", "lets sessions into other APIs", reading, deciding, looking, false},
	// They are a client of the public API: without a table, there is nothing to seal.
	{"ui", "the built-in pages", reading, answering, nil, false},
	{"courier", "sends mail and text messages", reading, sending, noting, true},
}

// shared is what the functions have in common.
type shared struct {
	options options
	table   awsdynamodb.ITable
	secrets secrets
	apart   settings
	log     awslogs.LogGroup
	baseURL *string // of the public API
	edge    *string // the secret of the way to it, nil where there is none
	mail    *sender // nil when the configuration says how mail goes
}

// deployed is a function and what it may do.
type deployed struct {
	awslambda.Function
	role awsiam.Role
}

// newLogGroup makes one group for all: a line names its function.
func newLogGroup(stack awscdk.Stack, o options) awslogs.LogGroup {
	return awslogs.NewLogGroup(stack, jsii.String("LogGroup"), &awslogs.LogGroupProps{
		Retention:     retentions[o.LogRetention],
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
}

// newFunctions makes every function that is wanted, by name.
func newFunctions(stack awscdk.Stack, s shared) map[string]deployed {
	// AWS gives no one this account; emulators use it.
	awscdk.NewCfnCondition(stack, jsii.String("InEmulator"), &awscdk.CfnConditionProps{
		Expression: awscdk.Fn_ConditionEquals(awscdk.Aws_ACCOUNT_ID(), jsii.String("000000000000")),
	})
	made := map[string]deployed{}
	for _, f := range functions {
		if f.name != "ui" || s.options.UI {
			made[f.name] = f.deploy(stack, s)
		}
	}
	return made
}

func (f function) deploy(stack awscdk.Stack, s shared) deployed {
	id := logicalName(f.name)
	role := awsiam.NewRole(stack, jsii.String(id+"Role"), &awsiam.RoleProps{
		Description: jsii.String("What Styx's function " + f.name + " may do"),
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	var calls []string
	for _, call := range f.table {
		calls = append(calls, "dynamodb:"+call)
	}
	if f.table != nil {
		allow(role, calls, *s.table.TableArn())
	}
	if f.list {
		allow(role, []string{"dynamodb:Query"}, *s.table.TableArn()+"/index/list")
	}
	allow(role, []string{"kms:Decrypt"}, *s.secrets.key.KeyArn())
	allow(role, []string{"logs:CreateLogStream", "logs:PutLogEvents"}, *s.log.LogGroupArn())
	if len(f.table) > 0 {
		openTable(stack, role, s.table.EncryptionKey())
	}
	if s.apart.of(f) {
		// The key is the one above.
		allow(role, []string{"secretsmanager:GetSecretValue"}, *s.apart.arn)
	}
	tracing := awslambda.Tracing_DISABLED
	if s.options.Tracing {
		// An HTTP API passes no trace on that it began itself.
		tracing = awslambda.Tracing_ACTIVE
		// They have no resource to name.
		allow(role, []string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"}, "*")
	}
	made := awslambda.NewFunction(stack, &id, &awslambda.FunctionProps{
		Description:  jsii.String("Styx: " + f.description),
		Runtime:      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture: architecture(s.options),
		Handler:      jsii.String("bootstrap"),
		Code:         awslambda.Code_FromAsset(jsii.String(s.options.zip(f.name)), nil),
		MemorySize:   &f.memory,
		Timeout:      awscdk.Duration_Seconds(&f.timeout),
		// The permissions above are all of them: no construct adds its own.
		Role:                         role.WithoutPolicyUpdates(nil),
		LogGroup:                     s.log,
		LoggingFormat:                awslambda.LoggingFormat_JSON,
		Environment:                  f.environment(s),
		EnvironmentEncryption:        s.secrets.key,
		ReservedConcurrentExecutions: s.options.Concurrency.of(f.name),
		Tracing:                      tracing,
	})
	return deployed{made, role}
}

// environment is what the function reads at its start. Names that do not begin
// with STYX are Kratos' for what its configuration file may leave out.
func (f function) environment(s shared) *map[string]*string {
	env := map[string]*string{
		"STYX_CONFIG":           jsii.String("styx.yml"),
		"SERVE_PUBLIC_BASE_URL": s.baseURL,
	}
	if f.table != nil {
		env["STYX_TABLE"] = s.table.TableName()
		maps.Copy(env, s.secrets.values)
	}
	if s.apart.of(f) {
		env["STYX_SECRET_SETTINGS"] = s.apart.arn
	}
	if s.mail != nil {
		env["COURIER_SMTP_FROM_ADDRESS"] = &s.options.FromAddress
	}
	if s.edge != nil && slices.ContainsFunc(routes.All, func(r routes.Route) bool { return r.Function == f.name }) {
		env["STYX_EDGE_SECRET"] = s.edge
	}
	if f.name == "admin" {
		env["STYX_VERSION"] = &s.options.Version
		// The function refuses events that AWS_IAM did not vouch for. Only an
		// emulator, which has no such authorizer, may lift that.
		env["STYX_ADMIN_UNSIGNED"] = awscdk.Token_AsString(
			awscdk.Fn_ConditionIf(jsii.String("InEmulator"), jsii.String("emulator"), awscdk.Aws_NO_VALUE()), nil)
	}
	return &env
}

// allow lets a role call exactly these actions on exactly these resources.
func allow(role awsiam.Role, actions []string, resources ...string) {
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: texts(actions...), Resources: texts(resources...),
	}))
}

func architecture(o options) awslambda.Architecture {
	if o.Architecture == "x86_64" {
		return awslambda.Architecture_X86_64()
	}
	return awslambda.Architecture_ARM_64()
}

// logicalName is a function's name as the template has it.
func logicalName(name string) string { return string(name[0]-'a'+'A') + name[1:] }
