package main

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"

	"styx/internal/app/routes"
)

// edged are a template with an edge at a domain, and one without a domain.
func edged() (domain, own assertions.Template) {
	return synth(map[string]any{"zips": zips, "edge": "true", "domain": "id.example.com", "zone": "Z01", "zone-name": "example.com"}),
		synth(map[string]any{"zips": zips, "edge": "true"})
}

// TestOnlyTheEdgeKnowsTheSecretOfTheAPI: the API's own host stays open, so
// whoever answers there asks for what CloudFront adds.
func TestOnlyTheEdgeKnowsTheSecretOfTheAPI(t *testing.T) {
	const secret = `{"Fn::Join":["",["{{resolve:secretsmanager:",{"Ref":"EdgeSecret1C549A72E"},":SecretString:::}}"]]}`
	domain, own := edged()
	pages := synth(map[string]any{"zips": zips, "edge": "true", "ui": "true"})
	for _, row := range []struct {
		template assertions.Template
		url      string
	}{
		{pages, `{"Fn::Join":["",["https://",{"Fn::GetAtt":["Edge","DomainName"]}]]}`},
		{domain, `"https://id.example.com"`},
		{own, `{"Fn::Join":["",["https://",{"Fn::GetAtt":["Edge","DomainName"]}]]}`},
	} {
		for name, is := range resources(t, row.template, "AWS::CloudFront::Distribution") {
			origins := plain(t, is.Properties["DistributionConfig"].(map[string]any)["Origins"])
			if strings.Count(origins, `"DomainName"`) != 1 || !strings.Contains(origins, `{"HeaderName":"X-Styx-Edge","HeaderValue":`+secret+`}`) ||
				!strings.Contains(origins, `"OriginProtocolPolicy":"https-only"`) {
				t.Errorf("%s: behind it is %s", name, origins)
			}
		}
		public := map[string]bool{}
		for _, route := range slices.Concat(routes.All, routes.Pages) {
			public[logicalName(route.Function)] = true
		}
		for name, is := range resources(t, row.template, "AWS::Lambda::Function") {
			env := is.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
			if got := plain(t, env["STYX_EDGE_SECRET"]); (got == secret) != public[name[:len(name)-8]] {
				t.Errorf("%s asks for %s", name, got)
			}
			if got := plain(t, env["SERVE_PUBLIC_BASE_URL"]); got != row.url {
				t.Errorf("%s takes %s for the public API", name, got)
			}
		}
	}
	if strings.Contains(plain(t, domain.ToJSON()), "AWS::ApiGatewayV2::DomainName") {
		t.Error("the domain leads around the edge")
	}
}

// TestTheEdgesSecretIsRotatedWithoutAGap: while CloudFront changes from one to the
// other, which takes minutes, the functions know both.
func TestTheEdgesSecretIsRotatedWithoutAGap(t *testing.T) {
	number := regexp.MustCompile(`"EdgeSecret(\d)[0-9A-F]{8}"`)
	for numbers, brought := range map[string]string{"1": "1", "1,2": "1", "2,1": "2", "2": "2"} {
		template := synth(map[string]any{"zips": zips, "edge": "true", "edge-secrets": numbers})
		named := func(in any) string {
			var all []string
			for _, found := range number.FindAllStringSubmatch(plain(t, in), -1) {
				all = append(all, found[1])
			}
			return strings.Join(all, ",")
		}
		for _, is := range resources(t, template, "AWS::CloudFront::Distribution") {
			if got := named(is.Properties); got != brought {
				t.Errorf("of %s CloudFront brings %s", numbers, got)
			}
		}
		for name, is := range resources(t, template, "AWS::Lambda::Function") {
			secret := is.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)["STYX_EDGE_SECRET"]
			if got := named(secret); secret != nil && got != numbers {
				t.Errorf("of %s %s takes %s", numbers, name, got)
			}
		}
	}
}

// TestTheEdgeKeepsAndLogsNothing: what one client is answered is not another's,
// and a query may carry a token.
func TestTheEdgeKeepsAndLogsNothing(t *testing.T) {
	domain, _ := edged()
	for _, is := range resources(t, domain, "AWS::CloudFront::Distribution") {
		config := is.Properties["DistributionConfig"].(map[string]any)
		behavior := config["DefaultCacheBehavior"].(map[string]any)
		// AWS' own policies CachingDisabled and AllViewerExceptHostHeader.
		if behavior["CachePolicyId"] != "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" || behavior["OriginRequestPolicyId"] != "b689b0a8-53d0-40ab-baf2-68738e2966ac" {
			t.Errorf("it keeps or holds back something: %s", plain(t, behavior))
		}
		if behavior["ViewerProtocolPolicy"] != "https-only" || behavior["Compress"] != false || config["CacheBehaviors"] != nil {
			t.Errorf("it behaves as %s", plain(t, config))
		}
		statuses := map[float64]bool{}
		for _, one := range config["CustomErrorResponses"].([]any) {
			answer := one.(map[string]any)
			if answer["ErrorCachingMinTTL"] != 0.0 || len(answer) != 2 {
				t.Errorf("it answers for the API: %s", plain(t, answer))
			}
			statuses[answer["ErrorCode"].(float64)] = true
		}
		for _, status := range []float64{400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504} {
			if !statuses[status] {
				t.Errorf("it keeps a %v", status)
			}
		}
		if config["Logging"] != nil {
			t.Error("it logs")
		}
		if got := plain(t, config["WebACLId"]); got != `{"Fn::GetAtt":["Firewall","Arn"]}` {
			t.Errorf("its firewall is %s", got)
		}
	}
	for _, is := range resources(t, domain, "AWS::WAFv2::WebACL") {
		wall := plain(t, is.Properties)
		if strings.Contains(wall, `"SampledRequestsEnabled":true`) {
			t.Error("the firewall keeps requests")
		}
		for _, part := range []string{`"Scope":"CLOUDFRONT"`, `"Limit":1000`, `"SearchString":"/self-service/"`, `"Name":"AWSManagedRulesCommonRuleSet"`} {
			if !strings.Contains(wall, part) {
				t.Errorf("the firewall has no %s", part)
			}
		}
	}
}

// TestTheEdgeTellsWhoseARequestIs runs the edge's function over a request that
// claims to be somebody's.
func TestTheEdgeTellsWhoseARequestIs(t *testing.T) {
	const call = `
console.log(JSON.stringify(handler({
	viewer: { ip: '203.0.113.7' },
	request: { uri: '/a', headers: { 'x-styx-client': { value: '198.51.100.1' }, cookie: { value: 'c' } } },
})))`
	out, err := exec.CommandContext(t.Context(), "node", "-e", client+call).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if want := `{"headers":{"cookie":{"value":"c"},"x-styx-client":{"value":"203.0.113.7"}},"uri":"/a"}`; plain(t, got) != want {
		t.Errorf("%s, want %s", plain(t, got), want)
	}
}
