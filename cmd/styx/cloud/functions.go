package cloud

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// secrets are the lists of secrets that a function's environment sets.
func secrets() []string {
	return []string{"SECRETS_DEFAULT", "SECRETS_COOKIE", "SECRETS_CIPHER", "SECRETS_PAGINATION"}
}

// Functions checks that every function can run, and that all have the same table,
// URL and secrets: one that differs takes no cookie that another made. Secrets
// are compared and never shown.
func (d *Doctor) Functions(ctx context.Context, deployed *Deployment) []Finding {
	var f findings
	client := lambda.NewFromConfig(d.config)
	shared, differ := map[string]string{}, map[string]bool{}
	running := 0
	for _, name := range deployed.Functions {
		got, err := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
		if err != nil {
			f.unread("function "+name, err, "lambda:GetFunctionConfiguration is needed")
			continue
		}
		if got.State != types.StateActive && got.State != types.StateInactive || got.LastUpdateStatus == types.LastUpdateStatusFailed {
			f.problem("function "+name, fmt.Sprintf("is %s, its update %s: %s", got.State, got.LastUpdateStatus,
				aws.ToString(got.StateReason)+aws.ToString(got.LastUpdateStatusReason)), "deploy it again")
			continue
		}
		if got.Environment == nil || got.Environment.Error != nil {
			f.warn("function "+name, "its environment can not be read", "kms:Decrypt on the key of its environment is needed")
			continue
		}
		// Others of the stack, as those of a custom resource, know nothing of a table.
		if got.Environment.Variables["STYX_TABLE"] == "" {
			continue
		}
		running++
		for _, key := range append(secrets(), "STYX_TABLE", "STYX_BASE_PATH", "SERVE_PUBLIC_BASE_URL", "COURIER_SMTP_FROM_ADDRESS") {
			value := got.Environment.Variables[key]
			if known, there := shared[key]; there && known != value {
				differ[key] = true
			}
			shared[key] = value
		}
	}
	if running == 0 {
		f.problem("functions", "none that could be read has a table", "deploy the stack")
		return f
	}
	f.fine("functions", fmt.Sprintf("%d can run", running))
	for _, key := range slices.Sorted(maps.Keys(differ)) {
		f.problem("environment", key+" differs between functions", "deploy the stack again, so that all have the same")
	}
	f.secrets(shared)
	if deployed.Table == "" {
		deployed.Table = shared["STYX_TABLE"]
	}
	f.expect(deployed.Table == shared["STYX_TABLE"], "functions' table", shared["STYX_TABLE"], "set STYX_TABLE of the functions to "+deployed.Table)
	deployed.environment = shared
	return f
}

func (f *findings) secrets(environment map[string]string) {
	const fresh = "openssl rand -hex 16"
	good := true
	for _, key := range secrets() {
		list := environment[key]
		switch {
		case list == "" && key == "SECRETS_DEFAULT":
			good = false
			f.problem("secrets", key+" is not set: every function makes its own, and sessions end with it", "set it to what "+fresh+" prints, and deploy")
		case strings.Contains(list, "quickstart-secret"):
			good = false
			f.problem("secrets", key+" is the quickstart's, which everybody can read", "set it to what "+fresh+" prints, and deploy")
		}
	}
	if good {
		f.fine("secrets", "are set")
	}
}

// Courier checks that the stream wakes a function.
func (d *Doctor) Courier(ctx context.Context, name string) []Finding {
	var f findings
	const do = "deploy the stack again: mail waits for the courier's schedule without it"
	described, err := dynamodb.NewFromConfig(d.config).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil || described.Table.LatestStreamArn == nil {
		return nil // Table tells
	}
	mappings, err := lambda.NewFromConfig(d.config).ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{EventSourceArn: described.Table.LatestStreamArn})
	if err != nil {
		f.unread("courier", err, "lambda:ListEventSourceMappings is needed")
		return f
	}
	var states []string
	for _, mapping := range mappings.EventSourceMappings {
		states = append(states, aws.ToString(mapping.State))
	}
	found := "no function reads the stream"
	if len(states) > 0 {
		found = "the stream's reader is " + strings.Join(states, ", ")
	}
	f.expect(slices.Contains(states, "Enabled"), "courier", found, do)
	return f
}
