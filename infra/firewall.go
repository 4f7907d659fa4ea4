package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awswafv2"
	"github.com/aws/jsii-runtime-go"
)

// firewall is the ARN of the web ACL that the options name, or of a new one. It
// turns away an address that submits forms too often, and what AWS knows as an
// attack on any application.
func firewall(stack awscdk.Stack, o options) *string {
	if o.Firewall != "" {
		return &o.Firewall
	}
	return awswafv2.NewCfnWebACL(stack, jsii.String("Firewall"), &awswafv2.CfnWebACLProps{
		Scope:            jsii.String("CLOUDFRONT"),
		DefaultAction:    &awswafv2.CfnWebACL_DefaultActionProperty{Allow: map[string]any{}},
		VisibilityConfig: seen("Firewall"),
		Rules: []any{
			&awswafv2.CfnWebACL_RuleProperty{
				Name: jsii.String("Rate"), Priority: jsii.Number(0), VisibilityConfig: seen("Rate"),
				Statement: &awswafv2.CfnWebACL_StatementProperty{
					RateBasedStatement: &awswafv2.CfnWebACL_RateBasedStatementProperty{
						AggregateKeyType: jsii.String("IP"), EvaluationWindowSec: jsii.Number(300), Limit: &o.EdgeRate,
						// An app's backend asks for sessions and flows of everybody, from
						// its one address.
						ScopeDownStatement: submissions(),
					},
				},
				Action: &awswafv2.CfnWebACL_RuleActionProperty{Block: &awswafv2.CfnWebACL_BlockActionProperty{
					CustomResponse: &awswafv2.CfnWebACL_CustomResponseProperty{ResponseCode: jsii.Number(429)},
				}},
			},
			&awswafv2.CfnWebACL_RuleProperty{
				Name: jsii.String("Common"), Priority: jsii.Number(1), VisibilityConfig: seen("Common"),
				OverrideAction: &awswafv2.CfnWebACL_OverrideActionProperty{None: map[string]any{}},
				Statement: &awswafv2.CfnWebACL_StatementProperty{
					ManagedRuleGroupStatement: &awswafv2.CfnWebACL_ManagedRuleGroupStatementProperty{
						VendorName: jsii.String("AWS"), Name: jsii.String("AWSManagedRulesCommonRuleSet"),
						RuleActionOverrides: []any{
							// Styx bounds bodies itself, and traits may be longer than 8 kB.
							counts("SizeRestrictions_BODY"),
							// An app's backend need not say what it is.
							counts("NoUserAgent_HEADER"),
						},
					},
				},
			},
		},
	}).AttrArn()
}

// submissions are the requests that submit a flow's form. The API reads a path
// as it is meant, so the firewall must.
func submissions() *awswafv2.CfnWebACL_StatementProperty {
	match := func(field *awswafv2.CfnWebACL_FieldToMatchProperty, how, with string, read ...any) *awswafv2.CfnWebACL_StatementProperty {
		return &awswafv2.CfnWebACL_StatementProperty{ByteMatchStatement: &awswafv2.CfnWebACL_ByteMatchStatementProperty{
			FieldToMatch: field, PositionalConstraint: &how, SearchString: &with, TextTransformations: read,
		}}
	}
	as := func(priority float64, kind string) *awswafv2.CfnWebACL_TextTransformationProperty {
		return &awswafv2.CfnWebACL_TextTransformationProperty{Priority: &priority, Type: &kind}
	}
	return &awswafv2.CfnWebACL_StatementProperty{AndStatement: &awswafv2.CfnWebACL_AndStatementProperty{Statements: []any{
		match(&awswafv2.CfnWebACL_FieldToMatchProperty{Method: map[string]any{}}, "EXACTLY", "POST", as(0, "NONE")),
		match(&awswafv2.CfnWebACL_FieldToMatchProperty{UriPath: map[string]any{}}, "STARTS_WITH", "/self-service/", as(0, "URL_DECODE"), as(1, "NORMALIZE_PATH")),
	}}}
}

// counts lets a rule of a group count what it finds and turn nothing away.
func counts(rule string) *awswafv2.CfnWebACL_RuleActionOverrideProperty {
	return &awswafv2.CfnWebACL_RuleActionOverrideProperty{
		Name: &rule, ActionToUse: &awswafv2.CfnWebACL_RuleActionProperty{Count: map[string]any{}},
	}
}

// seen counts what a rule finds, and keeps no samples: they have queries and
// cookies in them.
func seen(name string) *awswafv2.CfnWebACL_VisibilityConfigProperty {
	return &awswafv2.CfnWebACL_VisibilityConfigProperty{
		CloudWatchMetricsEnabled: jsii.Bool(true), MetricName: &name, SampledRequestsEnabled: jsii.Bool(false),
	}
}
