package cloud

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// Doctor looks at a deployment. It changes nothing.
type Doctor struct{ config aws.Config }

// NewDoctor returns a doctor with the credentials at hand.
func NewDoctor(ctx context.Context, profile, region string) (*Doctor, error) {
	c, err := load(ctx, profile, region)
	if err != nil {
		return nil, err
	}
	if c.Region == "" {
		return nil, errors.New("name the AWS region with --region")
	}
	if _, err := c.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("find AWS credentials: %w", err)
	}
	return &Doctor{c}, nil
}

// Deployment is what there is of Styx in an account.
type Deployment struct {
	Table       string // "" if it is not known
	Functions   []string
	PublicURL   string // where browsers reach it
	AdminURL    string
	environment map[string]string // that the functions share
}

// Environment is what the functions' environment sets, as os.Environ has it.
func (d *Deployment) Environment() (environ []string) {
	for _, name := range slices.Sorted(maps.Keys(d.environment)) {
		if value := d.environment[name]; value != "" {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

// Stack finds what a CloudFormation stack is made of.
func (d *Doctor) Stack(ctx context.Context, name string) (*Deployment, []Finding) {
	var f findings
	const check, do = "stack", "name the stack as it was deployed, in its region; cloudformation:DescribeStacks and ListStackResources are needed"
	client := cloudformation.NewFromConfig(d.config)
	found := new(Deployment)
	stacks, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		f.unread(check, err, do)
		return found, f
	}
	for _, stack := range stacks.Stacks {
		status := string(stack.StackStatus)
		f.expect(strings.HasSuffix(status, "_COMPLETE") && !strings.Contains(status, "ROLLBACK"),
			check, name+" is "+status, "look at the stack's events, and deploy again")
		for _, output := range stack.Outputs {
			switch aws.ToString(output.OutputKey) {
			case "PublicUrl":
				found.PublicURL = aws.ToString(output.OutputValue)
			case "AdminUrl":
				found.AdminURL = aws.ToString(output.OutputValue)
			case "TableName":
				found.Table = aws.ToString(output.OutputValue)
			}
		}
	}
	pages := cloudformation.NewListStackResourcesPaginator(client, &cloudformation.ListStackResourcesInput{StackName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			f.unread(check, err, do)
			return found, f
		}
		for _, resource := range page.StackResourceSummaries {
			if aws.ToString(resource.ResourceType) == "AWS::Lambda::Function" {
				found.Functions = append(found.Functions, aws.ToString(resource.PhysicalResourceId))
			}
		}
	}
	return found, f
}
