package main

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// newDashboard shows the metrics and which alarms ring. An account has three
// dashboards for nothing, of up to fifty metrics.
func newDashboard(stack awscdk.Stack, o options, m metrics, alarms []interfacesawscloudwatch.IAlarmRef) {
	if !o.Dashboard {
		return
	}
	var rows [][]awscloudwatch.IWidget
	if len(alarms) > 0 {
		rows = append(rows, []awscloudwatch.IWidget{awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{
			Title: jsii.String("Alarms"), Alarms: &alarms, Width: jsii.Number(24),
		})})
	}
	rows = append(rows, [][]awscloudwatch.IWidget{
		{
			graph("Requests", slices.Concat(m.requests, m.refused, m.failed)...),
			graph("Latency, ms", slices.Concat(m.median, m.latest)...),
			graph("Sign-ins", m.logins, m.loginFailures, m.registrations, m.busy),
		},
		{
			graph("Functions: errors", m.errors...),
			graph("Functions: throttles", m.throttles),
			graph("Functions: duration p99, ms", m.slowest...),
		},
		{
			graph("Courier: what waits", m.streamAge, m.retriesAge),
			graph("Courier: failures", m.failures),
			graph("Table: units", m.tableReads, m.tableWrites),
		},
		{
			graph("Table: throttled", m.tableThrottles...),
			graph("Table: errors", m.tableErrors...),
		},
	}...)
	if m.bounces != nil {
		last := len(rows) - 1
		rows[last] = append(rows[last], graph("Mail: bounces and complaints", m.bounces, m.complaints))
	}
	var widgets []*[]awscloudwatch.IWidget
	for _, row := range rows {
		widgets = append(widgets, &row)
	}
	// A dashboard's name is the account's, whatever the region.
	name := awscdk.Fn_Join(jsii.String("-"), texts("styx", o.Stage, *stack.Region()))
	awscloudwatch.NewDashboard(stack, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{DashboardName: name, Widgets: &widgets})
	output(stack, "DashboardUrl", "The dashboard", awscdk.Fn_Sub(jsii.String(
		"https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}#dashboards/dashboard/styx-"+o.Stage+"-${AWS::Region}"), nil))
}

func graph(title string, of ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{Title: &title, Left: &of, Width: jsii.Number(8)})
}
