package test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"styx/internal/app/routes"
	"styx/internal/courier"
	"styx/internal/table"
)

// template is what the checks read of template.yaml. Intrinsic functions are
// taken for what they are given: !Ref X reads "X".
type template struct {
	Globals   struct{ Function json.RawMessage }
	Resources map[string]struct {
		Type       string
		Properties json.RawMessage
	}
}

// routing is the part of a route, an integration or a permission that says which
// requests a function gets.
type routing struct {
	APIID, RouteKey, AuthorizationType, Target string // a route
	IntegrationType, IntegrationURI            string // an integration
	PayloadFormat                              string `json:"PayloadFormatVersion"`
	FunctionName, Principal, SourceARN         string // a permission
}

// resources reads those of one type, by name.
func resources[T any](t *testing.T, read template, kind string) map[string]T {
	t.Helper()
	of := map[string]T{}
	for id, resource := range read.Resources {
		if resource.Type != kind {
			continue
		}
		var one T
		if err := json.Unmarshal(resource.Properties, &one); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		of[id] = one
	}
	return of
}

// readTemplate reads a template in YAML.
func readTemplate(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// JSON's names fit whatever their case, yaml's want a tag each.
	var plain any
	if err := yaml.Unmarshal(data, &plain); err != nil {
		t.Fatal(err)
	}
	if data, err = json.Marshal(plain); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// deployed reads template.yaml: which function gets which routes, as
// "api METHOD /path" or "api $default".
func deployed(t *testing.T) (template, map[string][]string) {
	t.Helper()
	var read template
	readTemplate(t, "../template.yaml", &read)
	of := map[string][]string{}
	for id, function := range resources[struct{ CodeURI string }](t, read, "AWS::Serverless::Function") {
		name := strings.ToLower(id)
		if want := "functions/" + name; function.CodeURI != want {
			t.Errorf("%s is built from %s, want %s", id, function.CodeURI, want)
		}
		of[name] = []string{}
	}
	integrations := resources[routing](t, read, "AWS::ApiGatewayV2::Integration")
	for id, route := range resources[routing](t, read, "AWS::ApiGatewayV2::Route") {
		to := integrations[strings.TrimSuffix(strings.TrimPrefix(route.Target, "integrations/${"), "}")]
		if to.APIID != route.APIID {
			t.Errorf("%s is a route of %s, its integration is of %q", id, route.APIID, to.APIID)
		}
		name := strings.ToLower(strings.TrimSuffix(to.IntegrationURI, ".Arn"))
		of[name] = append(of[name], route.APIID+" "+route.RouteKey)
	}
	for _, routes := range of {
		slices.Sort(routes)
	}
	return read, of
}

// planned is what the tables of routes ask of a template. Meta is the API's default, the
// courier and the authorizer are no API's of the stack.
func planned() map[string][]string {
	all := map[string][]string{"meta": {"PublicApi $default"}, "admin": {"AdminApi $default"}, "courier": {}, "authorizer": {}}
	for _, route := range slices.Concat(routes.All, routes.Pages) {
		for _, key := range route.Keys() {
			all[route.Function] = append(all[route.Function], "PublicApi "+key)
		}
	}
	for _, of := range all {
		slices.Sort(of)
	}
	return all
}

// TestFunctionsRoutesAndTemplateAgree holds three places together: the folders
// under functions/, the tables of routes, and template.yaml.
func TestFunctionsRoutesAndTemplateAgree(t *testing.T) {
	_, got := deployed(t)
	want := planned()
	mains, err := filepath.Glob("../functions/*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, file := range mains {
		folders = append(folders, filepath.Base(filepath.Dir(file)))
	}
	slices.Sort(folders)
	for _, of := range []map[string][]string{got, want} {
		var named []string
		for name := range of {
			named = append(named, name)
		}
		slices.Sort(named)
		if !slices.Equal(named, folders) {
			t.Errorf("functions %v, but folders %v", named, folders)
		}
	}
	for name, routes := range want {
		for _, route := range routes {
			if !slices.Contains(got[name], route) {
				t.Errorf("template.yaml does not give %s the route %s", name, route)
			}
		}
		for _, route := range got[name] {
			if !slices.Contains(routes, route) {
				t.Errorf("template.yaml gives %s the route %s, no table of routes does", name, route)
			}
		}
	}
}

// TestAPIsMayCallWhatTheyLeadTo: a route without a permission answers 500, and a
// permission that names less than the API lets others in.
func TestAPIsMayCallWhatTheyLeadTo(t *testing.T) {
	read, routes := deployed(t)
	permissions := resources[routing](t, read, "AWS::Lambda::Permission")
	integrations := resources[routing](t, read, "AWS::ApiGatewayV2::Integration")
	called := 0
	for name, of := range routes {
		if len(of) == 0 {
			continue
		}
		called++
		id := strings.ToUpper(name[:1]) + name[1:]
		api, key, _ := strings.Cut(of[0], " ")
		source := "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${" + api + "}/*/*"
		if key != "$default" {
			source += "/*"
		}
		want := routing{FunctionName: id, Principal: "apigateway.amazonaws.com", SourceARN: source}
		if got := permissions[id+"Permission"]; got != want {
			t.Errorf("%s may be called by %+v, want %+v", id, got, want)
		}
		if got := integrations[id+"Integration"]; got.IntegrationType != "AWS_PROXY" || got.PayloadFormat != "2.0" {
			t.Errorf("%s gets its events as %+v", id, got)
		}
	}
	if called == 0 || len(permissions) != called || len(integrations) != called {
		t.Errorf("%d functions are called by an API, there are %d permissions and %d integrations", called, len(permissions), len(integrations))
	}
}

// TestPublicAPITakesWhatIsLeftLocally: sam local gives what no route takes to the
// last route that takes all, of whichever API.
func TestPublicAPITakesWhatIsLeftLocally(t *testing.T) {
	data, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	admin, public := strings.Index(string(data), "\n  Everything:\n"), strings.Index(string(data), "\n  Unrouted:\n")
	if admin < 0 || public < admin {
		t.Errorf("the admin API's route stands at %d, the public API's at %d", admin, public)
	}
}

// TestTemplateMakesTheTable holds the table in template.yaml against the one
// definition of it.
func TestTemplateMakesTheTable(t *testing.T) {
	read, _ := deployed(t)
	var made struct {
		BillingMode               string
		DeletionProtectionEnabled bool
		KeySchema                 []keyPart
		GlobalSecondaryIndexes    []struct {
			IndexName  string
			KeySchema  []keyPart
			Projection struct{ ProjectionType string }
		}
		TimeToLiveSpecification struct {
			AttributeName string
			Enabled       bool
		}
		StreamSpecification              struct{ StreamViewType string }
		PointInTimeRecoverySpecification struct{ PointInTimeRecoveryEnabled bool }
	}
	if err := json.Unmarshal(read.Resources["Table"].Properties, &made); err != nil {
		t.Fatal(err)
	}
	got := table.Layout{
		PartitionKey:        keyNamed(made.KeySchema, "HASH"),
		SortKey:             keyNamed(made.KeySchema, "RANGE"),
		Stream:              made.StreamSpecification.StreamViewType,
		BillingMode:         made.BillingMode,
		PointInTimeRecovery: made.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled,
		DeletionProtection:  made.DeletionProtectionEnabled,
	}
	if made.TimeToLiveSpecification.Enabled {
		got.TTL = made.TimeToLiveSpecification.AttributeName
	}
	for _, index := range made.GlobalSecondaryIndexes {
		got.Index = table.Index{
			Name:         index.IndexName,
			PartitionKey: keyNamed(index.KeySchema, "HASH"),
			SortKey:      keyNamed(index.KeySchema, "RANGE"),
			Projection:   index.Projection.ProjectionType,
		}
	}
	if want := table.Definition(); got != want || len(made.GlobalSecondaryIndexes) != 1 {
		t.Errorf("template.yaml makes\n%+v, the definition is\n%+v", got, want)
	}
	policies, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(policies)) {
		if _, index, found := strings.Cut(line, "/index/"); found && strings.TrimSpace(index) != table.Definition().Index.Name {
			t.Errorf("a policy names the index %s", index)
		}
	}
}

// TestStreamWakesTheCourier holds each stack's mapping, and the sample event,
// against what the function reads of a stream.
func TestStreamWakesTheCourier(t *testing.T) {
	read, _ := deployed(t)
	// The CDK ends its names with eight digits.
	for id, resource := range recordedStack(t).Resources {
		if strings.HasPrefix(id, "CourierStream") {
			read.Resources["CourierStream of the CDK"] = resource
		}
	}
	want := `{"dynamodb":{"NewImage":{"` + string(table.AttrSt) + `":{"S":["` + string(courier.Queued) + `"]}}}}`
	for _, id := range []string{"CourierStream", "CourierStream of the CDK"} {
		var mapping struct {
			FunctionName, EventSourceArn any
			FilterCriteria               struct {
				Filters []struct{ Pattern string }
			}
			FunctionResponseTypes []string
		}
		if err := json.Unmarshal(read.Resources[id].Properties, &mapping); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(fmt.Sprint(mapping.FunctionName), "Courier") || !strings.Contains(fmt.Sprint(mapping.EventSourceArn), "StreamArn") ||
			!slices.Equal(mapping.FunctionResponseTypes, []string{"ReportBatchItemFailures"}) {
			t.Errorf("%s: the stream is mapped by %+v", id, mapping)
		}
		if filters := mapping.FilterCriteria.Filters; len(filters) != 1 || filters[0].Pattern != want {
			t.Errorf("%s: the stream is filtered by %v, want %s", id, filters, want)
		}
	}
	data, err := os.ReadFile("../functions/courier/event.json")
	if err != nil {
		t.Fatal(err)
	}
	var sample struct {
		Records []struct {
			EventSource string
			DynamoDB    struct {
				NewImage map[table.Attr]struct{ S string }
			}
		}
	}
	if err := json.Unmarshal(data, &sample); err != nil {
		t.Fatal(err)
	}
	for _, record := range sample.Records {
		if image := record.DynamoDB.NewImage; record.EventSource != "aws:dynamodb" || image[table.AttrSt].S != string(courier.Queued) {
			t.Errorf("the filter lets no %+v through", record)
		}
	}
	if len(sample.Records) == 0 {
		t.Error("the sample event is empty")
	}
}

// given is what a template gives a function.
type given struct {
	Description, Runtime, Handler string
	MemorySize, Timeout           int
	Environment                   struct{ Variables map[string]any }
}

// setup is given, and what the function may do, in words that compare.
func (g given) setup(actions []string) string {
	var names []string
	for name := range g.Environment.Variables {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Sort(actions)
	return fmt.Sprintf("%s\n%s %s\n%d MB, %d s\n%v\n%v", g.Description, g.Runtime, g.Handler, g.MemorySize, g.Timeout, names, slices.Compact(actions))
}

// statements are the part of a policy that names actions, one or many.
type statements []struct{ Action any }

func (s statements) actions() []string {
	var all []string
	for _, one := range s {
		switch action := one.Action.(type) {
		case string:
			all = append(all, action)
		case []any:
			for _, name := range action {
				all = append(all, name.(string))
			}
		}
	}
	return all
}

// recordedStack reads the template that the CDK made last; infra's tests hold it
// to be what the CDK makes now.
func recordedStack(t *testing.T) template {
	t.Helper()
	data, err := os.ReadFile("../infra/testdata/stack.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded template
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	return recorded
}

// TestBothStacksGiveAFunctionTheSame holds template.yaml against the recorded
// template of the CDK: memory, time, names of the environment, allowed actions.
func TestBothStacksGiveAFunctionTheSame(t *testing.T) {
	// What only one of them has: SAM takes the base path as a parameter, takes away
	// what all functions are given by naming no value, and its role may log without
	// being told; the CDK can be asked for traces, and for a key of the table's own.
	ours := func(name string, value any) bool { return name == "STYX_BASE_PATH" || value == "AWS::NoValue" }
	extra := func(action string) bool {
		kind, call, _ := strings.Cut(action, ":")
		return kind == "logs" || kind == "xray" || kind == "kms" && call != "Decrypt"
	}

	recorded := recordedStack(t)
	want := map[string]string{}
	policies := map[string]statements{}
	for id, resource := range recorded.Resources {
		if resource.Type != "AWS::IAM::Policy" {
			continue
		}
		var policy struct {
			PolicyDocument struct{ Statement statements }
		}
		if err := json.Unmarshal(resource.Properties, &policy); err != nil {
			t.Fatal(err)
		}
		policies[strings.TrimSuffix(id[:len(id)-8], "RoleDefaultPolicy")] = policy.PolicyDocument.Statement
	}
	for id, resource := range recorded.Resources {
		if resource.Type != "AWS::Lambda::Function" {
			continue
		}
		var function given
		if err := json.Unmarshal(resource.Properties, &function); err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(function.Environment.Variables, ours)
		id = id[:len(id)-8]
		want[id] = function.setup(slices.DeleteFunc(policies[id].actions(), extra))
	}

	read, _ := deployed(t)
	got := map[string]string{}
	for id, resource := range read.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		var function given
		var policy struct {
			Policies []struct{ Statement statements }
		}
		for _, part := range []json.RawMessage{read.Globals.Function, resource.Properties} {
			if err := errors.Join(json.Unmarshal(part, &function), json.Unmarshal(part, &policy)); err != nil {
				t.Fatal(err)
			}
		}
		maps.DeleteFunc(function.Environment.Variables, ours)
		got[id] = function.setup(policy.Policies[0].Statement.actions())
	}
	if len(want) == 0 || !maps.Equal(got, want) {
		for id := range want {
			if got[id] != want[id] {
				t.Errorf("%s in template.yaml\n%s\nand in the CDK's stack\n%s", id, got[id], want[id])
			}
		}
		t.Errorf("%d functions in template.yaml, %d in the CDK's stack", len(got), len(want))
	}
}

// TestBothStacksBoundAndLogTheSameRoutes holds what an API's stage says in
// template.yaml against the CDK's: which routes allow less, and what a line of
// the access log tells.
func TestBothStacksBoundAndLogTheSameRoutes(t *testing.T) {
	// saying is it in words that compare; the API goes by its name's beginning.
	saying := func(of template) map[string]string {
		all := map[string]string{}
		for id, resource := range of.Resources {
			if resource.Type != "AWS::ApiGatewayV2::Stage" {
				continue
			}
			var stage struct {
				AccessLogSettings    struct{ Format string }
				DefaultRouteSettings struct{ ThrottlingRateLimit, ThrottlingBurstLimit any }
				RouteSettings        map[string]any
			}
			if err := json.Unmarshal(resource.Properties, &stage); err != nil {
				t.Fatal(err)
			}
			each := stage.DefaultRouteSettings
			all[id[:5]] = fmt.Sprint(slices.Sorted(maps.Keys(stage.RouteSettings)), stage.AccessLogSettings.Format,
				each.ThrottlingRateLimit != nil && each.ThrottlingBurstLimit != nil)
		}
		return all
	}
	read, _ := deployed(t)
	got, want := saying(read), saying(recordedStack(t))
	if len(want) != 2 || !maps.Equal(got, want) {
		t.Errorf("template.yaml says\n%v\nand the CDK's stack\n%v", got, want)
	}
}

type keyPart struct{ AttributeName, KeyType string }

func keyNamed(schema []keyPart, kind string) string {
	for _, part := range schema {
		if part.KeyType == kind {
			return part.AttributeName
		}
	}
	return ""
}

// TestOnlySignedRequestsReachTheAdminAPI holds the three parts of that promise
// that stand in template.yaml.
func TestOnlySignedRequestsReachTheAdminAPI(t *testing.T) {
	read, routes := deployed(t)
	for id, route := range resources[routing](t, read, "AWS::ApiGatewayV2::Route") {
		if signed := route.AuthorizationType == "AWS_IAM"; signed != (route.APIID == "AdminApi") {
			t.Errorf("%s is authorized by %q", id, route.AuthorizationType)
		}
	}
	for name, of := range routes {
		for _, route := range of {
			if onAdmin := strings.HasPrefix(route, "AdminApi "); onAdmin != (name == "admin") {
				t.Errorf("%s is reached by %s", name, route)
			}
		}
	}
	var admin struct {
		Environment struct {
			Variables struct {
				Unsigned []string `json:"STYX_ADMIN_UNSIGNED"`
			}
		}
	}
	if err := json.Unmarshal(read.Resources["Admin"].Properties, &admin); err != nil {
		t.Fatal(err)
	}
	if got := admin.Environment.Variables.Unsigned; !slices.Equal(got, []string{"InEmulator", "emulator", "AWS::NoValue"}) {
		t.Errorf("unsigned requests are let in: %v", got)
	}
}

// TestSampleEventsBelongToTheirFunctions holds each functions/*/event.json to
// be an event that the API would hand to that function.
func TestSampleEventsBelongToTheirFunctions(t *testing.T) {
	for name, routes := range planned() {
		if len(routes) == 0 {
			continue // no API calls it
		}
		data, err := os.ReadFile("../functions/" + name + "/event.json")
		if err != nil {
			t.Error(err)
			continue
		}
		var event struct {
			Version, RouteKey, RawPath string
			RequestContext             struct {
				Authorizer struct{ IAM map[string]any }
				HTTP       struct{ Method string }
			}
		}
		if err := json.Unmarshal(data, &event); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		route := event.RequestContext.HTTP.Method + " " + event.RawPath
		api := "PublicApi"
		switch name {
		case "admin":
			if event.RequestContext.Authorizer.IAM == nil {
				t.Error("the admin function's event is not signed")
			}
			api, route = "AdminApi", "$default"
		case "meta":
			route = "$default"
		default:
			if slices.Contains(routes, api+" ANY "+event.RawPath) {
				route = "ANY " + event.RawPath
			}
		}
		if event.Version != "2.0" || event.RouteKey != route || !slices.Contains(routes, api+" "+route) {
			t.Errorf("%s: its event has the route key %q, its routes are %v", name, event.RouteKey, routes)
		}
	}
}

// TestSampleEnvironmentSetsWhatSAMCannot: sam local drops a variable that the
// template does not give the function, and leaves one empty whose value is made
// by a deployment. Parameters' defaults it knows.
func TestSampleEnvironmentSetsWhatSAMCannot(t *testing.T) {
	data, err := os.ReadFile("../functions/env.json")
	if err != nil {
		t.Fatal(err)
	}
	var sample map[string]map[string]string
	if err := json.Unmarshal(data, &sample); err != nil {
		t.Fatal(err)
	}
	read, _ := deployed(t)
	var shared given
	if err := json.Unmarshal(read.Globals.Function, &shared); err != nil {
		t.Fatal(err)
	}
	known := func(name string, value any) bool {
		return value == "AWS::NoValue" || slices.Contains([]string{"STYX_CONFIG", "STYX_BASE_PATH", "STYX_VERSION"}, name)
	}
	want := map[string]map[string]any{"Parameters": shared.Environment.Variables}
	for id, function := range resources[given](t, read, "AWS::Serverless::Function") {
		maps.DeleteFunc(function.Environment.Variables, known)
		if len(function.Environment.Variables) > 0 {
			want[id] = function.Environment.Variables
		}
	}
	for id, variables := range want {
		maps.DeleteFunc(variables, known)
		if got, want := slices.Sorted(maps.Keys(sample[id])), slices.Sorted(maps.Keys(variables)); !slices.Equal(got, want) {
			t.Errorf("functions/env.json sets %s of %s, template.yaml %s", got, id, want)
		}
	}
	if len(sample) != len(want) {
		t.Errorf("functions/env.json has %s, the template %s", slices.Sorted(maps.Keys(sample)), slices.Sorted(maps.Keys(want)))
	}
}

// TestEmulatorHasWhatTheStacksAreMadeOf holds localstack/compose.yaml against the
// types of resources of both stacks.
func TestEmulatorHasWhatTheStacksAreMadeOf(t *testing.T) {
	data, err := os.ReadFile("../localstack/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services struct {
			LocalStack struct {
				Environment struct {
					Services string `yaml:"SERVICES"`
				}
			} `yaml:"localstack"`
		}
	}
	if err := yaml.Unmarshal(data, &compose); err != nil {
		t.Fatal(err)
	}
	has := strings.Split(compose.Services.LocalStack.Environment.Services, ",")
	// Where a type's name is not the service's.
	named := map[string]string{"certificatemanager": "acm", "serverless": "lambda", "ses": "sesv2"}
	read, _ := deployed(t)
	for _, stack := range []template{read, recordedStack(t)} {
		for id, resource := range stack.Resources {
			service := strings.ToLower(strings.Split(resource.Type, "::")[1])
			if service = cmp.Or(named[service], service); !slices.Contains(has, service) {
				t.Errorf("%s is of %s, which %s does not have", id, service, has)
			}
		}
	}
}
