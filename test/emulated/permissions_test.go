//go:build emulated

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// unseen is what a role grants although no call shows it, and who it is for: an
// action alone, or a function and an action.
var unseen = map[string]string{
	"kms:Decrypt":                      "Lambda, which opens the function's environment",
	"logs:CreateLogStream":             "Lambda, which keeps what the function writes",
	"logs:PutLogEvents":                "Lambda, which keeps what the function writes",
	"dynamodb:DescribeStream":          "Lambda, which reads the stream for the courier",
	"dynamodb:GetRecords":              "Lambda, which reads the stream for the courier",
	"dynamodb:GetShardIterator":        "Lambda, which reads the stream for the courier",
	"dynamodb:ListStreams":             "Lambda, which reads the stream for the courier",
	"sqs:ReceiveMessage":               "Lambda, which empties the queue for the courier",
	"sqs:DeleteMessage":                "Lambda, which empties the queue for the courier",
	"sqs:GetQueueAttributes":           "Lambda, which empties the queue for the courier",
	"session dynamodb:GetItem":         "who exchanges a code of a sign-in provider for a token",
	"settings dynamodb:GetItem":        "who lost a race, and reads again",
	"settings dynamodb:DeleteItem":     "who gives up an identifier",
	"login dynamodb:DeleteItem":        changedSchema,
	"recovery dynamodb:DeleteItem":     changedSchema,
	"verification dynamodb:DeleteItem": changedSchema,
	"session dynamodb:DeleteItem":      changedSchema,
}

// Whoever writes an identity frees the identifiers that a schema, changed
// meanwhile, no longer gives it.
const changedSchema = "whoever signed up under another schema"

// secretSettings is what roles grant while there are secret settings, which one
// journey deploys and takes away again.
const secretSettings = "secretsmanager:GetSecretValue"

// TestEachFunctionDoesWhatItMay compares what each function's role grants with
// what the recorder saw the function do since the deployment: all of it, and no
// more. The emulator refuses more; what nobody used should not be granted.
func TestEachFunctionDoesWhatItMay(t *testing.T) {
	d := deployed(t)
	seen := d.seen(t)
	for _, name := range slices.Sorted(maps.Keys(d.Functions)) {
		role, session := d.role(t, name)
		granted := map[string]bool{}
		_, document := d.policy(t, role)
		for _, one := range document.Statement {
			for _, action := range one.Action {
				if _, index, found := strings.Cut(one.Resource[0], "/index/"); found {
					action += " index/" + index
				}
				granted[action] = true
			}
		}
		for _, action := range seen[session] {
			if !granted[action] && action != secretSettings {
				t.Errorf("%s did %s, which its role does not grant", name, action)
			}
			delete(granted, action)
		}
		for _, action := range slices.Sorted(maps.Keys(granted)) {
			if unseen[action] == "" && unseen[name+" "+action] == "" {
				t.Errorf("%s may %s and never did", name, action)
			}
		}
	}
}

// TestAFunctionWithoutAPermissionFails: the emulator holds functions to their
// roles. Without that the test above would show little.
func TestAFunctionWithoutAPermissionFails(t *testing.T) {
	d := deployed(t)
	admin := d.administrator(t)
	admin.wants(http.StatusOK, http.MethodGet, "/admin/identities", nil)
	giveBack := d.without(t, "admin", "dynamodb:Query")
	admin.wants(http.StatusInternalServerError, http.MethodGet, "/admin/identities", nil)
	giveBack()
	admin.wants(http.StatusOK, http.MethodGet, "/admin/identities", nil)
}

// seen are the actions that the recorder saw, by access key.
func (d *deployment) seen(t *testing.T) map[string][]string {
	t.Helper()
	said := newClient(t, d.Endpoint, http.DefaultTransport).wants(http.StatusOK, http.MethodGet, recordPath, nil)
	seen := map[string][]string{}
	if err := json.Unmarshal(said.body, &seen); err != nil {
		t.Fatal(err)
	}
	return seen
}

// role is the name of a function's role, and the access key that the emulator
// gives to the function.
func (d *deployment) role(t *testing.T, function string) (name, session string) {
	t.Helper()
	physical := d.Functions[function]
	is, err := lambda.NewFromConfig(d.config()).GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &physical})
	if err != nil {
		t.Fatal(err)
	}
	_, name, _ = strings.Cut(*is.Role, ":role/")
	sum := sha256.Sum256([]byte(*is.FunctionArn + ":" + *is.Role))
	return name, "ASIA" + strings.ToUpper(hex.EncodeToString(sum[:8]))
}

// policy is the one policy of a role.
func (d *deployment) policy(t *testing.T, role string) (string, policy) {
	t.Helper()
	names := d.iam(t, "ListRolePolicies", "RoleName", role)
	if strings.Count(names, "<member>") != 1 {
		t.Fatalf("the policies of %s: %s", role, names)
	}
	name := element(names, "member")
	document, err := url.QueryUnescape(element(d.iam(t, "GetRolePolicy", "RoleName", role, "PolicyName", name), "PolicyDocument"))
	if err != nil {
		t.Fatal(err)
	}
	var is policy
	if err := json.Unmarshal([]byte(document), &is); err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	return name, is
}

// without takes an action away from a function's role. It returns what gives it
// back; the end of the test does so, too.
func (d *deployment) without(t *testing.T, function, action string) (giveBack func()) {
	t.Helper()
	role, _ := d.role(t, function)
	name, is := d.policy(t, role)
	put := func(is policy) {
		t.Helper()
		document, err := json.Marshal(is)
		if err != nil {
			t.Fatal(err)
		}
		d.iam(t, "PutRolePolicy", "RoleName", role, "PolicyName", name, "PolicyDocument", string(document))
	}
	less := policy{Version: is.Version}
	found := false
	for _, one := range is.Statement {
		found = found || slices.Contains(one.Action, action)
		one.Action = slices.DeleteFunc(slices.Clone(one.Action), func(a string) bool { return a == action })
		if len(one.Action) > 0 {
			less.Statement = append(less.Statement, one)
		}
	}
	if !found {
		t.Fatalf("%s is not granted %s", function, action)
	}
	put(less)
	giveBack = func() { put(is) }
	t.Cleanup(giveBack)
	return giveBack
}

// physical is what AWS calls the stack's resource of that name.
func (d *deployment) physical(t *testing.T, name string) string {
	t.Helper()
	stack := stackName
	list, err := cloudformation.NewFromConfig(d.config()).DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: &stack})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range list.StackResources {
		logical := aws.ToString(one.LogicalResourceId)
		// The CDK puts eight hexadecimal digits after its own names.
		if len(logical) == len(name)+8 && strings.HasPrefix(logical, name) {
			return aws.ToString(one.PhysicalResourceId)
		}
	}
	t.Fatalf("the stack has no %s", name)
	return ""
}
