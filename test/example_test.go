package test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestExampleSetsUpBothAuthorizers holds examples/protected-api to what the
// authorizer asks for, and each permission to one authorizer.
func TestExampleSetsUpBothAuthorizers(t *testing.T) {
	var read struct {
		Parameters map[string]struct{ Default any }
		Resources  map[string]struct {
			Type       string
			Properties map[string]any
		}
	}
	readTemplate(t, "../examples/protected-api/template.yaml", &read)
	if got := read.Parameters["TokenTtl"].Default; fmt.Sprint(got) != "0" {
		t.Errorf("verdicts are remembered for %v s, where nobody asked for it", got)
	}
	var got []string
	for id, is := range read.Resources {
		p := is.Properties
		switch is.Type {
		case "AWS::ApiGatewayV2::Authorizer":
			got = append(got, fmt.Sprintf("%s: %v %v %v by %v for %v s", id, p["AuthorizerType"], p["AuthorizerPayloadFormatVersion"],
				p["EnableSimpleResponses"], p["IdentitySource"], p["AuthorizerResultTtlInSeconds"]))
			if uri := p["AuthorizerUri"].(string); !strings.Contains(uri, "${AuthorizerArn}") {
				t.Errorf("%s asks %s", id, uri)
			}
		case "AWS::Lambda::Permission":
			source := p["SourceArn"].(string)
			got = append(got, fmt.Sprintf("%s: %v from %s", id, p["FunctionName"], source[strings.LastIndex(source, ":")+1:]))
		case "AWS::ApiGatewayV2::Route":
			got = append(got, fmt.Sprintf("%v: %v %v", p["RouteKey"], p["AuthorizationType"], p["AuthorizerId"]))
		}
	}
	slices.Sort(got)
	want := []string{
		"FunctionPermission: Function from ${Api}/*/*/*",
		"GET /me: CUSTOM SessionAuthorizer",
		"GET /things: CUSTOM TokenAuthorizer",
		"SessionAuthorizer: REQUEST 2.0 true by [] for 0 s",
		"SessionPermission: AuthorizerArn from ${Api}/authorizers/${SessionAuthorizer}",
		"TokenAuthorizer: REQUEST 2.0 true by [$request.header.Authorization] for TokenTtl s",
		"TokenPermission: AuthorizerArn from ${Api}/authorizers/${TokenAuthorizer}",
	}
	if !slices.Equal(got, want) {
		t.Errorf("it has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	documented := contextKeys(t)
	code := read.Resources["Function"].Properties["Code"].(map[string]any)["ZipFile"].(string)
	for _, key := range regexp.MustCompile(`caller\["(\w+)"\]`).FindAllStringSubmatch(code, -1) {
		if !slices.Contains(documented, key[1]) {
			t.Errorf("the example's function reads %s, which docs/authorizers.md does not list", key[1])
		}
	}
}

// contextKeys are what docs/authorizers.md says an API gets to know.
func contextKeys(t *testing.T) []string {
	t.Helper()
	doc, err := os.ReadFile("../docs/authorizers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "| key | what |")
	table, _, _ = strings.Cut(table, "\n\n")
	var keys []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)`").FindAllStringSubmatch(table, -1) {
		keys = append(keys, row[1])
	}
	if len(keys) == 0 {
		t.Fatal("docs/authorizers.md lists no key")
	}
	return keys
}
