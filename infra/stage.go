package main

import (
	"encoding/json"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	api "github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// accessLog are the fields of a line of an API's access log, all there are. The
// path and the query are none of them: they carry codes, tokens and ids. A route
// stands for the path, and the request's id leads to the audit record.
var accessLog = []string{
	"requestId", "requestTimeEpoch", "sourceIp", "httpMethod", "routeKey", "protocol", "status", "responseLength",
	"responseLatency", "integrationLatency", "integrationStatus", "error",
}

// inContext is what API Gateway calls a field, where it calls it otherwise.
var inContext = map[string]string{
	"sourceIp":           "identity.sourceIp",
	"integrationLatency": "integration.latency",
	"integrationStatus":  "integration.status",
	"error":              "error.responseType",
}

// newStage makes the one stage of an API: it bounds each route, and logs each
// request, those that no function sees among them.
func newStage(stack awscdk.Stack, o options, name string, of api.HttpApi) api.HttpStage {
	made := api.NewHttpStage(stack, jsii.String(logicalName(name)+"Stage"), &api.HttpStageProps{
		HttpApi: of, StageName: jsii.String("$default"), AutoDeploy: jsii.Bool(true),
	})
	log := awslogs.NewLogGroup(stack, jsii.String(logicalName(name)+"AccessLog"), &awslogs.LogGroupProps{
		// One resource policy covers the groups with this prefix; each other one
		// takes a part of what all policies of the account may hold.
		LogGroupName:  jsii.String("/aws/vendedlogs/styx-" + o.Stage + "/" + name),
		Retention:     retentions[o.LogRetention],
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	resource := cfnStage(made)
	resource.SetDefaultRouteSettings(o.Throttle.ofStage(o))
	resource.SetAccessLogSettings(&api.CfnStage_AccessLogSettingsProperty{
		DestinationArn: log.LogGroupArn(), Format: jsii.String(accessLogFormat()),
	})
	return made
}

// cfnStage is the resource of a stage, for what the construct has no word for.
func cfnStage(of api.HttpStage) api.CfnStage {
	resource, is := of.Node().DefaultChild().(api.CfnStage)
	if !is {
		panic("a stage is made of a stage")
	}
	return resource
}

// accessLogFormat is a JSON object of texts, as API Gateway fills it in.
func accessLogFormat() string {
	fields := map[string]string{}
	for _, field := range accessLog {
		fields[field] = "$context." + field
		if name, other := inContext[field]; other {
			fields[field] = "$context." + name
		}
	}
	line, err := json.Marshal(fields)
	if err != nil {
		panic(err) // texts always are JSON
	}
	return string(line)
}
