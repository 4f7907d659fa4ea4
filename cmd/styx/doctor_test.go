package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// healthy is what AWS answers about a deployment that is as it should be, by the
// operation that asks.
func healthy() map[string]string {
	const functions = `{"FunctionName":"%s","State":"Active","LastUpdateStatus":"Successful","Environment":{"Variables":{` +
		`"STYX_TABLE":"styx-table","SERVE_PUBLIC_BASE_URL":"https://id.invalid","SECRETS_DEFAULT":"default-default-default",` +
		`"SECRETS_COOKIE":"cookie-cookie-cookie","SECRETS_CIPHER":"cipher-cipher-cipher-cipher-ciph","SECRETS_PAGINATION":"pages-pages-pages-pages"}}}`
	return map[string]string{
		"DescribeStacks": `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>styx</StackName>` +
			`<StackStatus>UPDATE_COMPLETE</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>` +
			`<member><OutputKey>TableName</OutputKey><OutputValue>styx-table</OutputValue></member>` +
			`<member><OutputKey>PublicUrl</OutputKey><OutputValue>https://public.invalid</OutputValue></member>` +
			`</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
		"ListStackResources": `<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>` +
			resource("AWS::DynamoDB::Table", "styx-table") + resource("AWS::Lambda::Function", "login") +
			resource("AWS::Lambda::Function", "courier") + resource("AWS::Lambda::Function", "custom") +
			`</StackResourceSummaries></ListStackResourcesResult></ListStackResourcesResponse>`,
		"/2015-03-31/functions/login/configuration":   fmt.Sprintf(functions, "login"),
		"/2015-03-31/functions/courier/configuration": fmt.Sprintf(functions, "courier"),
		"/2015-03-31/functions/custom/configuration":  `{"FunctionName":"custom","State":"Active","LastUpdateStatus":"Successful","Environment":{"Variables":{}}}`,
		"/2015-03-31/event-source-mappings":           `{"EventSourceMappings":[{"State":"Enabled"}]}`,
		"DescribeTable": `{"Table":{"TableName":"styx-table","TableStatus":"ACTIVE","LatestStreamArn":"arn:stream","DeletionProtectionEnabled":true,` +
			`"BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"},"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],` +
			`"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"},"GlobalSecondaryIndexes":[{"IndexName":"list","IndexStatus":"ACTIVE",` +
			`"KeySchema":[{"AttributeName":"gk","KeyType":"HASH"},{"AttributeName":"gs","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}]}}`,
		"DescribeTimeToLive":                  `{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"ttl"}}`,
		"DescribeContinuousBackups":           `{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED","PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"ENABLED"}}}`,
		"/v2/email/account":                   `{"SendingEnabled":true,"ProductionAccessEnabled":true}`,
		"/v2/email/identities/example.org":    `{"VerifiedForSendingStatus":true,"VerificationStatus":"SUCCESS","DkimAttributes":{"SigningEnabled":true}}`,
		"/v2/email/identities/id@example.org": "",
	}
}

func resource(kind, id string) string {
	return `<member><ResourceType>` + kind + `</ResourceType><PhysicalResourceId>` + id + `</PhysicalResourceId><LogicalResourceId>x</LogicalResourceId>` +
		`<ResourceStatus>CREATE_COMPLETE</ResourceStatus><LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member>`
}

// aws answers as AWS does, in the protocols of its services; what has no answer
// is not there.
func aws(t *testing.T, answers map[string]string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation, _ := url.PathUnescape(r.URL.Path)
		missing := "ResourceNotFoundException"
		if _, name, found := strings.Cut(r.Header.Get("X-Amz-Target"), "."); found {
			operation = name
		} else if body, _ := io.ReadAll(r.Body); operation == "/" {
			form, _ := url.ParseQuery(string(body))
			operation = form.Get("Action")
		} else if strings.HasPrefix(operation, "/v2/email/") {
			missing = "NotFoundException"
		}
		if answers[operation] == "" {
			w.Header().Set("X-Amzn-Errortype", missing)
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"__type":"`+missing+`","message":"it is not there"}`)
			return
		}
		_, _ = io.WriteString(w, answers[operation])
	}))
	t.Cleanup(server.Close)
	credentials(t, keyID, secretKey)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
}

const deployed = `
identity: {schemas: [{id: default, url: "base64://eyJwcm9wZXJ0aWVzIjp7InRyYWl0cyI6eyJ0eXBlIjoib2JqZWN0In19fQ=="}]}
selfservice: {default_browser_return_url: "https://id.invalid/"}
courier: {smtp: {from_address: id@example.org}}
`

// TestDoctor finds what is not as it should be, and says what to do about it.
func TestDoctor(t *testing.T) {
	for _, c := range []struct {
		name, operation, old, new string
		want                      []string // parts of lines, "" for a line that is not there
	}{
		{"healthy", "", "", "", []string{
			"ok stack styx is UPDATE_COMPLETE", "ok functions 2 can run", "ok secrets are set", "ok configuration is right", "ok table styx-table is ACTIVE",
			"ok table keys pk, sk", "ok index list is ACTIVE, keys gk, gs", "ok stream has NEW_IMAGE", "ok time to live is ENABLED ttl", "ok deletion protection is on",
			"ok backups point-in-time recovery is on", "ok courier the stream's reader is Enabled", "ok mail sending is enabled", "ok mail sandbox is left behind",
			"ok mail identity example.org is SUCCESS",
		}},
		{"a deployment that failed", "DescribeStacks", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", []string{"problem stack styx is UPDATE_ROLLBACK_COMPLETE", "deploy again"}},
		{"no stack", "DescribeStacks", "", "none", []string{"problem stack ", "in its region"}},
		{"no table", "DescribeTable", "", "none", []string{"problem table ", "name the table with --table"}},
		{"a table that is made", "DescribeTable", `"TableStatus":"ACTIVE"`, `"TableStatus":"CREATING"`, []string{"problem table styx-table is CREATING", "wait until"}},
		{"other keys", "DescribeTable", `"AttributeName":"sk"`, `"AttributeName":"id"`, []string{"problem table keys pk, id", "make the table anew with the keys pk and sk"}},
		{"no index", "DescribeTable", `"IndexName":"list"`, `"IndexName":"lost"`, []string{"problem index is not there", `add the index "list" with the keys gk and gs`}},
		{"half an index", "DescribeTable", `"ProjectionType":"ALL"`, `"ProjectionType":"KEYS_ONLY"`, []string{"problem index list", "all attributes projected"}},
		{"an index that is made", "DescribeTable", `"IndexStatus":"ACTIVE"`, `"IndexStatus":"CREATING"`, []string{"problem index list is CREATING"}},
		{"no stream", "DescribeTable", `"StreamEnabled":true`, `"StreamEnabled":false`, []string{"problem stream is off", "enable the table's stream with NEW_IMAGE"}},
		{"a stream of keys", "DescribeTable", "NEW_IMAGE", "KEYS_ONLY", []string{"problem stream has KEYS_ONLY"}},
		{"provisioned", "DescribeTable", "PAY_PER_REQUEST", "PROVISIONED", []string{"warning billing the capacity is provisioned"}},
		{"unprotected", "DescribeTable", `"DeletionProtectionEnabled":true`, `"DeletionProtectionEnabled":false`, []string{"warning deletion protection is off"}},
		{"nothing expires", "DescribeTimeToLive", "ENABLED", "DISABLED", []string{"problem time to live is DISABLED ttl", `time to live on the attribute "ttl"`}},
		{"something else expires", "DescribeTimeToLive", `"ttl"`, `"exp"`, []string{"problem time to live is ENABLED exp"}},
		{"no backups", "DescribeContinuousBackups", `"PointInTimeRecoveryStatus":"ENABLED"`, `"PointInTimeRecoveryStatus":"DISABLED"`, []string{"warning backups point-in-time recovery is off"}},
		{"nobody reads the stream", "/2015-03-31/event-source-mappings", `{"State":"Enabled"}`, ``, []string{"problem courier no function reads the stream"}},
		{"the reader rests", "/2015-03-31/event-source-mappings", "Enabled", "Disabled", []string{"problem courier the stream's reader is Disabled"}},
		{"a function that failed", "/2015-03-31/functions/login/configuration", `"State":"Active"`, `"State":"Failed"`, []string{"problem function login is Failed", "deploy it again"}},
		{"an environment under another key", "/2015-03-31/functions/login/configuration", `"Environment":{`, `"Environment":{"Error":{"ErrorCode":"AccessDenied"},`, []string{"warning function login its environment can not be read", "kms:Decrypt"}},
		{"functions that differ", "/2015-03-31/functions/login/configuration", "cookie-cookie-cookie", "other-other-other-other", []string{"problem environment SECRETS_COOKIE differs between functions"}},
		{"secrets of the quickstart", "/2015-03-31/functions/%/configuration", "default-default-default", "quickstart-secret-not-for-production", []string{"problem secrets SECRETS_DEFAULT is the quickstart's", "openssl rand"}},
		{"no secret", "/2015-03-31/functions/%/configuration", "default-default-default", "", []string{"problem secrets SECRETS_DEFAULT is not set"}},
		{"one secret for all", "/2015-03-31/functions/%/configuration", "cookie-cookie-cookie", "default-default-default", []string{"ok secrets are set"}},
		{"the stack's admin API", "DescribeStacks", "PublicUrl</OutputKey><OutputValue>https://public", "AdminUrl</OutputKey><OutputValue>https://admin", []string{"problem admin URL https://admin.invalid"}},
		{"another table", "/2015-03-31/functions/%/configuration", `"styx-table"`, `"old-table"`, []string{"problem functions' table old-table", "set STYX_TABLE of the functions to styx-table"}},
		{"a URL of plain http", "/2015-03-31/functions/%/configuration", "https://id.invalid", "http://id.invalid", []string{"problem", "base_url"}},
		{"the sandbox", "/v2/email/account", `"ProductionAccessEnabled":true`, `"ProductionAccessEnabled":false`, []string{"warning mail sandbox SES sends to verified addresses alone", "ask for production access"}},
		{"paused", "/v2/email/account", `"SendingEnabled":true`, `"SendingEnabled":false`, []string{"problem mail sending is paused"}},
		{"nobody to send for", "/v2/email/identities/example.org", "", "none", []string{"problem mail identity SES knows neither id@example.org nor example.org", "create-email-identity --email-identity example.org"}},
		{"the stack's sender", "/2015-03-31/functions/%/configuration", `"SECRETS_DEFAULT"`, `"COURIER_SMTP_FROM_ADDRESS":"id@example.com","SECRETS_DEFAULT"`, []string{"SES knows neither id@example.com nor example.com"}},
		{"unverified", "/v2/email/identities/example.org", "true,", "false,", []string{"problem mail identity example.org is SUCCESS", "DNS"}},
		{"unsigned mail", "/v2/email/identities/example.org", `"SigningEnabled":true`, `"SigningEnabled":false`, []string{"warning mail signature example.org signs nothing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			answers := healthy()
			for operation, answer := range answers {
				if operation == c.operation || strings.Contains(c.operation, "%") && answer != "" && strings.HasPrefix(operation, "/2015-03-31/functions/") {
					if c.old == "" {
						answers[operation] = ""
					} else if answers[operation] = strings.ReplaceAll(answer, c.old, c.new); answers[operation] == answer && !strings.Contains(operation, "custom") {
						t.Fatalf("%s says nothing of %s", operation, c.old)
					}
				}
			}
			aws(t, answers)
			// id.invalid answers nobody, so there is always that problem.
			code, out, errs := ended(t, nil, "doctor", "--stack", "styx", "-c", file(t, deployed), "--region", region)
			said := strings.Join(strings.Fields(out), " ")
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not said:\n%s", want, out)
				}
			}
			if code != 1 || !strings.Contains(errs, "found a problem") {
				t.Errorf("exits with %d: %s", code, errs)
			}
			if c.name == "healthy" && (strings.Count(said, "problem") != 1 || strings.Contains(said, "warning")) {
				t.Errorf("a healthy deployment: %s", out)
			}
			for _, secret := range []string{"default-default", "cookie-cookie", "cipher-cipher", "pages-pages", secretKey} {
				if strings.Contains(out+errs, secret) {
					t.Errorf("a secret is shown: %s", out)
				}
			}
		})
	}
}

// TestDoctorOfOneTable looks at what is named alone, in each format.
func TestDoctorOfOneTable(t *testing.T) {
	aws(t, healthy())
	if code, out, errs := ended(t, nil, "doctor", "--table", "styx-table", "--region", region); code != 0 || errs != "" || strings.Contains(out, "mail") {
		t.Errorf("exits with %d: %s%s", code, out, errs)
	}
	if code, out, _ := ended(t, nil, "doctor", "--table", "styx-table", "--region", region, "--format", "json"); code != 0 || !strings.Contains(out, `"check": "time to live"`) {
		t.Errorf("exits with %d: %s", code, out)
	}
	if _, out, _ := ended(t, nil, "doctor", "--stack", "styx", "--region", region); !strings.Contains(out, "https://id.invalid: the API does not answer") || strings.Contains(out, "mail identity") {
		t.Errorf("of a stack: %s", out)
	}
	if code, _, errs := ended(t, nil, "doctor"); code != 2 || !strings.Contains(errs, "--stack, --table or -c") {
		t.Errorf("exits with %d: %s", code, errs)
	}
	if code, _, errs := ended(t, nil, "doctor", "--table", "styx-table"); code != 1 || !strings.Contains(errs, "--region") {
		t.Errorf("without a region: %d, %s", code, errs)
	}
	if code, _, errs := ended(t, nil, "doctor", "-c", "missing.yml", "--region", region); code != 1 || !strings.Contains(errs, "missing.yml") {
		t.Errorf("without its file: %d, %s", code, errs)
	}
	wrong := file(t, deployed+"log: {level: loud}\n")
	if code, out, _ := ended(t, nil, "doctor", "-c", wrong, "--table", "styx-table", "--region", region); code != 1 || !strings.Contains(out, "log.level") {
		t.Errorf("with a mistake in it: %d, %s", code, out)
	}
	smtp := file(t, strings.Replace(deployed, "smtp: {", `smtp: {connection_uri: "smtps://mail.example.org:465/", `, 1))
	if _, out, _ := ended(t, nil, "doctor", "-c", smtp, "--stack", "styx", "--region", region); !strings.Contains(out, "not by SES") || strings.Contains(out, "mail identity") {
		t.Errorf("with a mail server: %s", out)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if code, _, errs := ended(t, nil, "doctor", "--table", "styx-table", "--region", region); code != 1 || !strings.Contains(errs, "find AWS credentials") {
		t.Errorf("without credentials: %d, %s", code, errs)
	}
}

// TestDoctorAtTheDoor finds an admin API that answers everybody.
func TestDoctorAtTheDoor(t *testing.T) {
	aws(t, healthy())
	s := started(t, nil, "--dev", "-c", file(t, settings))
	args := []string{"doctor", "--table", "styx-table", "--region", region, "--sign", "-e"}
	if code, out, _ := ended(t, nil, append(args, s.admin)...); code != 1 || !strings.Contains(out, "answers without a signature") {
		t.Errorf("an open door: %d, %s", code, out)
	}
	if code, out, errs := ended(t, nil, append(args, gateway(t, s.admin))...); code != 0 || strings.Contains(out, "answers without a signature") {
		t.Errorf("a closed one: %d, %s%s", code, out, errs)
	}
	if code, out, _ := ended(t, nil, append(args, "http://127.0.0.1:1")...); code != 1 || !strings.Contains(out, "execute-api:Invoke") {
		t.Errorf("none: %d, %s", code, out)
	}
}
