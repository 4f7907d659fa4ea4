package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"styx/cmd/styx/cloud"
	"styx/internal/config"
)

func doctorCommand() *command {
	return &command{
		name: "doctor", does: "check a deployment on AWS, and say what to do",
		about: `Looks at the table with its index, its stream and its time to live, at the
functions and their secrets, at SES, and whether both APIs answer as they should.
It changes nothing, and needs read access alone. --stack finds all of it; without
one, what the flags and the configuration name is looked at.`,
		examples: []string{
			"styx doctor --stack styx-production -c styx.yml --region eu-central-1",
			"styx doctor --table styx-production-Table-1ABC --profile production",
		},
		prepare: func(flags *flag.FlagSet) action {
			target, format := targetFlags(flags), formatFlag(flags)
			var names list
			flags.Var(&names, "c", "configuration `FILE` that was deployed; may be repeated")
			flags.Var(&names, "config", "the same as -c")
			stack := flags.String("stack", "", "`NAME` of the CloudFormation stack")
			tableName := flags.String("table", "", "`NAME` of the table")
			return func(ctx context.Context, c *call) error {
				if err := c.none(); err != nil {
					return err
				}
				if *stack == "" && *tableName == "" && len(names) == 0 {
					return misused("name what to look at: --stack, --table or -c")
				}
				doctor, err := cloud.NewDoctor(ctx, target.profile, target.region)
				if err != nil {
					return err
				}
				found, err := examine(ctx, c, doctor, target, *stack, *tableName, names)
				if err != nil {
					return err
				}
				return report(c, format.value, found)
			}
		},
	}
}

// examine makes every check that something is known for.
func examine(ctx context.Context, c *call, doctor *cloud.Doctor, target *target, stack, tableName string, names []string) ([]cloud.Finding, error) {
	deployed := new(cloud.Deployment)
	var found []cloud.Finding
	if stack != "" {
		deployed, found = doctor.Stack(ctx, stack)
		found = append(found, doctor.Functions(ctx, deployed)...)
	}
	deployed.Table = cmp.Or(tableName, deployed.Table)
	var configured *config.Config
	if len(names) > 0 {
		sources, err := read(names)
		if err != nil {
			return nil, err
		}
		var judged cloud.Finding
		configured, judged = deployedConfig(c, sources, deployed)
		found = append(found, judged)
	}
	if configured != nil && configured.DSN.Kind == config.DynamoDB {
		deployed.Table = cmp.Or(deployed.Table, configured.DSN.Table)
	}
	if deployed.Table != "" {
		found = append(found, doctor.Table(ctx, deployed.Table)...)
		found = append(found, doctor.Courier(ctx, deployed.Table)...)
	}
	from, public := "", lookup(deployed.Environment())("SERVE_PUBLIC_BASE_URL")
	if configured != nil {
		from, public = configured.Courier.SMTP.FromAddress, configured.Serve.Public.BaseURL.String()
	}
	if stack != "" || configured != nil {
		if configured != nil && otherwise(configured.Courier) {
			found = append(found, cloud.Finding{State: cloud.Fine, Check: "mail", Found: "goes by what the configuration names, not by SES"})
		} else {
			found = append(found, doctor.Mail(ctx, from)...)
		}
		found = append(found, publicAnswers(ctx, public))
	}
	if target.endpoint = cmp.Or(target.endpoint, lookup(c.environ)("STYX_ADMIN_URL"), deployed.AdminURL); target.endpoint != "" {
		found = append(found, adminAnswers(ctx, c, target)...)
	}
	return found, nil
}

// otherwise tells whether mail goes by another way than SES.
func otherwise(c config.Courier) bool { return c.SMTP.URI != "" || c.Strategy == "http" }

// deployedConfig judges the configuration as the functions see it: the files, and
// over them the functions' environment. It returns nil for one with a mistake.
func deployedConfig(c *call, sources []config.Source, deployed *cloud.Deployment) (*config.Config, cloud.Finding) {
	environ := c.environ
	if there := deployed.Environment(); there != nil {
		environ = there
	}
	overrides := map[string]any{}
	if deployed.Table != "" {
		overrides["dsn"] = "dynamodb://" + deployed.Table
	}
	configured, _, err := config.Load(sources, environ, overrides)
	if err != nil {
		return nil, cloud.Finding{
			State: cloud.Problem, Check: "configuration", Found: err.Error(), Do: "put it right, and deploy; styx lint config tells the same",
		}
	}
	return configured, cloud.Finding{State: cloud.Fine, Check: "configuration", Found: "is right"}
}

// publicAnswers checks that the public API is where links lead.
func publicAnswers(ctx context.Context, public string) cloud.Finding {
	finding := cloud.Finding{State: cloud.Problem, Check: "public URL"}
	base, err := url.Parse(strings.TrimSuffix(public, "/"))
	if err != nil || base.Scheme != "https" {
		finding.Found = fmt.Sprintf("%q is no https:// URL", public)
		finding.Do = "set serve.public.base_url (PublicBaseUrl of the stack) to where browsers reach it"
		return finding
	}
	if _, err := newAPI(base, http.DefaultTransport).get(ctx, "/health/ready", nil); err != nil {
		finding.Found = fmt.Sprintf("%s: %v", base, err)
		finding.Do = "point the domain at the public API, and look at the logs of the function meta"
		return finding
	}
	return cloud.Finding{State: cloud.Fine, Check: finding.Check, Found: public + " answers"}
}

// adminAnswers checks that the admin API answers who signs, and nobody else.
func adminAnswers(ctx context.Context, c *call, target *target) (found []cloud.Finding) {
	const check = "admin URL"
	base, err := target.at(c)
	if err != nil {
		return []cloud.Finding{{State: cloud.Problem, Check: check, Found: err.Error(), Do: "name it with --endpoint"}}
	}
	signed, err := target.open(ctx, c)
	if err == nil {
		_, err = signed.get(ctx, "/admin/health/ready", nil)
	}
	if err != nil {
		found = append(found, cloud.Finding{
			State: cloud.Problem, Check: check, Found: fmt.Sprintf("%s: %v", base, err),
			Do: "see that your credentials may execute-api:Invoke it, and look at the logs of the function admin",
		})
	} else {
		found = append(found, cloud.Finding{State: cloud.Fine, Check: check, Found: base.String() + " answers"})
	}
	if _, err := newAPI(base, http.DefaultTransport).get(ctx, "/admin/health/ready", nil); err == nil {
		found = append(found, cloud.Finding{
			State: cloud.Problem, Check: "admin access", Found: "the admin API answers without a signature",
			Do: "take it off the network at once: whoever reaches it owns every identity; deploy it behind AWS_IAM",
		})
	}
	return found
}

// report prints the findings, and fails when one is a problem.
func report(c *call, format string, found []cloud.Finding) error {
	problems := 0
	for _, one := range found {
		if one.State == cloud.Problem {
			problems++
		}
	}
	if format != "table" {
		if err := (printer{to: c.out, format: format}).tell(map[string]any{"findings": found}); err != nil {
			return err
		}
	} else {
		for _, one := range found {
			_, _ = fmt.Fprintf(c.out, "%-8s %-20s %s\n", one.State, one.Check, strings.ReplaceAll(one.Found, "\n", "\n"+strings.Repeat(" ", 30)))
			if one.Do != "" {
				_, _ = fmt.Fprintf(c.out, "%30s%s\n", "-> ", one.Do)
			}
		}
	}
	if problems > 0 {
		return fmt.Errorf("%d of %d checks found a problem", problems, len(found))
	}
	return nil
}
