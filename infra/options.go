package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"styx/internal/app/routes"
)

// options are what a deployment may choose, by the CDK's context: in cdk.json,
// or as -c key=value.
type options struct {
	// Stage tells deployments of one account apart: the stack is styx-<stage>.
	Stage string
	// Architecture is Lambda's: arm64, or x86_64 for an emulator on such a
	// machine.
	Architecture string
	// Domain is the host of the public API, as id.example.com. Without one it is
	// the API's own. It needs a Certificate, the ARN of one of the same region,
	// or a Zone.
	Domain, Certificate string
	// BaseURL is where browsers reach the public API when something of one's own
	// stands before it, as a content delivery network.
	BaseURL string
	// Zone is the id of a public hosted zone of Route 53, and ZoneName its
	// domain: then the records of Domain and of mail are made as well.
	Zone, ZoneName string
	// FromAddress is the sender of mail. Without one there is no SES, and the
	// configuration says how mail goes.
	FromAddress string
	// Secrets are the lists of secrets that the stack's secret holds besides
	// "default": of cookie, cipher and pagination.
	Secrets []string
	// SecretsVersion is the version of the secret that the functions get. A
	// change of it is what brings a new value to them.
	SecretsVersion string
	// Table is the ARN of the stream of a table that is there already, as one that
	// was restored: it is used in place of one that the stack makes.
	Table string
	// Version is what the admin API's /version answers.
	Version string
	// UI says whether the built-in pages are deployed, at the public API's host.
	UI bool
	// TableKey encrypts the table: "aws" for AWS' own key, "own" for one that
	// the stack makes, or the ARN of one that is there.
	TableKey string
	limits
	// LogRetention is how many days log lines are kept.
	LogRetention float64
	// Tracing sends traces of the functions to X-Ray, RouteMetrics counts each
	// route of the APIs by itself. Both are paid for by use.
	Tracing, RouteMetrics bool
	// AlarmTopic is the ARN of a topic that hears of alarms, AlarmMail the address
	// that gets mail of them, from a topic of the stack.
	AlarmTopic, AlarmMail string
	// LoginFailures is how many in five minutes are not yet an alarm.
	LoginFailures float64
	// Alarms and Dashboard say whether there are any.
	Alarms, Dashboard bool
	// Edge puts CloudFront with a firewall before the public API: the one that
	// Firewall names, the ARN of a web ACL, or one of the stack, which lets an
	// address submit EdgeRate forms in five minutes.
	Edge     bool
	Firewall string
	EdgeRate float64
	// EdgeSecrets are the numbers of the secrets that the functions take from
	// CloudFront, which brings the first. Another number is another secret.
	EdgeSecrets []string
	// Region is the one deployed to, "" where there is no account.
	Region string
	// Zips is the folder with the functions' zips, and SecretSettings the keys of
	// what the build left there beside them.
	Zips           string
	SecretSettings []string
}

// read takes the options from the context and says all that is wrong with them.
func read(context func(key string) any) (options, error) {
	var wrong []error
	text := func(key, preset, pattern, form string) string {
		value, _ := context(key).(string)
		if value == "" {
			return preset
		}
		if !regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(value) {
			wrong = append(wrong, fmt.Errorf("context %s: %q is not %s", key, value, form))
		}
		return value
	}
	yes := func(key, preset string) bool { return text(key, preset, `true|false`, "true or false") == "true" }
	number := func(key, preset string) float64 {
		value, _ := strconv.ParseFloat(text(key, preset, `\d{1,9}`, "a number"), 64) // the pattern leaves no other error
		return value
	}
	const host = `([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}`
	o := options{
		Stage:          text("stage", "production", `[a-z][a-z0-9-]{0,31}`, "lower-case letters, digits and dashes"),
		Architecture:   text("architecture", "arm64", `arm64|x86_64`, "arm64 or x86_64"),
		Domain:         text("domain", "", host, "a host name"),
		BaseURL:        text("base-url", "", `https://`+host+`(:\d+)?(/[^?#\s]*)?|http://127\.0\.0\.1:\d+/?`, "an https URL, or one of this machine for an emulator"),
		Certificate:    text("certificate", "", `arn:[a-z-]+:acm:[^:]+:\d+:certificate/.+`, "the ARN of a certificate"),
		Zone:           text("zone", "", `Z[A-Z0-9]+`, "the id of a hosted zone"),
		ZoneName:       text("zone-name", "", host, "a domain"),
		FromAddress:    text("from-address", "", `[^@\s]+@`+host, "a mail address"),
		SecretsVersion: text("secrets-version", "", `[A-Za-z0-9-]{32,64}`, "the id of a secret's version"),
		Table:          text("table", "", `arn:[a-z-]+:dynamodb:[^:]+:\d+:table/[A-Za-z0-9_.-]+/stream/[0-9T:.-]+`, "the ARN of a table's stream"),
		Version:        text("version", "unreleased", `[!-~]+`, "a version"),
		UI:             yes("ui", "false"),
		TableKey:       text("table-key", "aws", `aws|own|arn:[a-z-]+:kms:[^:]+:\d+:key/.+`, "aws, own or the ARN of a key"),
		LogRetention:   number("log-retention", "30"),
		Tracing:        yes("tracing", "false"),
		RouteMetrics:   yes("route-metrics", "false"),
		AlarmTopic:     text("alarm-topic", "", `arn:[a-z-]+:sns:[^:]+:\d+:[A-Za-z0-9_-]+`, "the ARN of a topic"),
		AlarmMail:      text("alarm-mail", "", `[^@\s]+@`+host, "a mail address"),
		LoginFailures:  number("alarm-login-failures", "100"),
		Edge:           yes("edge", "false"),
		Firewall:       text("firewall", "", `arn:[a-z-]+:wafv2:us-east-1:\d+:global/webacl/.+`, "the ARN of a web ACL of CloudFront"),
		EdgeRate:       number("edge-rate", "1000"),
		EdgeSecrets:    strings.Split(text("edge-secrets", "1", `[1-9]\d?(,[1-9]\d?)?`, "a number, or two"), ","),
		Region:         text("region", "", `[a-z0-9-]+`, "a region"),
		Alarms:         yes("alarms", "true"),
		Dashboard:      yes("dashboard", "true"),
		Zips:           text("zips", "../dist", `.+`, "a folder"),
	}
	if lists := text("secrets", "", `(cookie|cipher|pagination)(,(cookie|cipher|pagination))*`, "a list of cookie, cipher, pagination"); lists != "" {
		o.Secrets = strings.Split(lists, ",")
	}
	o.limits = readLimits(text, number)
	var err error
	o.SecretSettings, err = o.readSettings()
	wrong = append(wrong, o.Concurrency.check(), checkRetention(o.LogRetention), o.checkEdge(), err)
	if (o.Zone == "") != (o.ZoneName == "") {
		wrong = append(wrong, errors.New("context zone and zone-name: one needs the other"))
	}
	if o.Domain != "" && (o.Certificate == "") == (o.Zone == "") {
		wrong = append(wrong, errors.New("context domain: needs either a certificate or a zone"))
	}
	if o.Domain != "" && o.BaseURL != "" {
		wrong = append(wrong, errors.New("context domain and base-url: one excludes the other"))
	}
	if o.Zone != "" && o.Domain != "" && !within(o.Domain, o.ZoneName) {
		wrong = append(wrong, fmt.Errorf("context domain: %s is not in the zone %s", o.Domain, o.ZoneName))
	}
	return o, errors.Join(wrong...)
}

// within tells whether host is domain, or below it.
func within(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// routes are those of the public API.
func (o options) routes() []routes.Route {
	if o.UI {
		return slices.Concat(routes.All, routes.Pages)
	}
	return routes.All
}

// zip is the path of a function's zip, as build names it.
func (o options) zip(function string) string {
	suffix := "arm64"
	if o.Architecture == "x86_64" {
		suffix = "amd64"
	}
	return o.Zips + "/" + function + "-" + suffix + ".zip"
}

// secretOf is the member of the stack's secret that holds a list of secrets.
func (o options) secretOf(list string) string {
	if slices.Contains(o.Secrets, list) {
		return list
	}
	return "default"
}
