package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newStack makes the whole system: a table, a function for each flow, two HTTP
// APIs, the courier with what wakes it, and the sender of mail.
func newStack(scope constructs.Construct, o options) awscdk.Stack {
	name := "styx-" + o.Stage
	stack := awscdk.NewStack(scope, &name, &awscdk.StackProps{
		Description: jsii.String("Styx, serverless identity with the Ory Kratos API"),
		Tags:        &map[string]*string{"styx:stage": &o.Stage},
	})
	var zone awsroute53.IPublicHostedZone
	if o.Zone != "" {
		zone = awsroute53.PublicHostedZone_FromPublicHostedZoneAttributes(stack, jsii.String("Zone"),
			&awsroute53.PublicHostedZoneAttributes{HostedZoneId: &o.Zone, ZoneName: &o.ZoneName})
	}
	secrets := newSecrets(stack, o)
	public := newPublicAPI(stack, o, secrets.key, zone)
	baseURL := public.url
	if o.BaseURL != "" {
		baseURL = &o.BaseURL
	}
	s := shared{
		options: o,
		table:   newTable(stack, o),
		secrets: secrets,
		log:     newLogGroup(stack, o),
		apart:   newSettings(stack, o, secrets.key),
		baseURL: baseURL,
		edge:    public.edge,
		mail:    newSender(stack, o, zone),
	}
	made := newFunctions(stack, s)
	public.routeTo(stack, o, made)
	admin := newAdminAPI(stack, o, made["admin"])
	queues := newCourier(stack, s, made["courier"])
	metrics := newMetrics(stack, measured{s, made, public.HttpApi, admin, queues})
	newDashboard(stack, o, metrics, newAlarms(stack, o, metrics))

	output(stack, "PublicUrl", "The public API", public.url)
	output(stack, "AdminUrl", "The admin API; requests must be signed", admin.ApiEndpoint())
	output(stack, "Region", "Where all of it is", stack.Region())
	output(stack, "TableName", "The table, for backups and the command line", s.table.TableName())
	output(stack, "AuthorizerArn", "The Lambda authorizer for your own HTTP APIs", made["authorizer"].FunctionArn())
	output(stack, "CourierFailuresUrl", "The queue of what the courier could not handle", queues.failures.QueueUrl())
	output(stack, "SecretArn", "The instance's secrets; losing them loses what they seal", s.secrets.secret.SecretArn())
	return stack
}

// output makes a value of the stack readable from outside.
func output(stack awscdk.Stack, id, description string, value *string) {
	awscdk.NewCfnOutput(stack, &id, &awscdk.CfnOutputProps{Description: &description, Value: value})
}

// texts are the pointers that the CDK takes for a list.
func texts(list ...string) *[]*string { return jsii.Strings(list...) }
