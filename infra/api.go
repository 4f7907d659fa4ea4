package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	api "github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2authorizers"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53targets"
	"github.com/aws/jsii-runtime-go"
)

// publicAPI is what browsers and apps call.
type publicAPI struct {
	api.HttpApi
	stage api.HttpStage
	url   *string
	edge  *string // the secret that requests bring; nil where they come straight
}

// newPublicAPI makes the API, at its own host, at the domain or behind the edge.
// It has no CORS: the handlers answer preflights, as the configuration says.
func newPublicAPI(stack awscdk.Stack, o options, key awskms.IKey, zone awsroute53.IPublicHostedZone) publicAPI {
	mapped := o.Domain != "" && !o.Edge
	made := api.NewHttpApi(stack, jsii.String("PublicApi"), &api.HttpApiProps{
		ApiName:     jsii.String("styx-" + o.Stage + "-public"),
		Description: jsii.String("Styx: the public API"),
		// One host, the one that cookies and links are made for.
		DisableExecuteApiEndpoint: &mapped,
		CreateDefaultStage:        jsii.Bool(false),
	})
	public := publicAPI{HttpApi: made, stage: newStage(stack, o, "public", made)}
	switch {
	case o.Edge:
		edge := newEdge(stack, o, key, zone, made)
		public.url, public.edge = edge.url, edge.secrets
	case mapped:
		api.NewApiMapping(stack, jsii.String("DomainMapping"), &api.ApiMappingProps{
			Api: made, DomainName: newDomain(stack, o, zone), Stage: public.stage,
		})
		public.url = jsii.String("https://" + o.Domain)
	default:
		public.url = made.ApiEndpoint()
	}
	return public
}

// newDomain makes the API's domain. In a zone it gets its certificate and its
// records; else an output says what to point the name at.
func newDomain(stack awscdk.Stack, o options, zone awsroute53.IPublicHostedZone) api.DomainName {
	domain := api.NewDomainName(stack, jsii.String("Domain"), &api.DomainNameProps{
		DomainName:     &o.Domain,
		Certificate:    certificate(stack, o, zone),
		SecurityPolicy: api.SecurityPolicy_TLS_1_2,
	})
	if zone == nil {
		output(stack, "DomainTarget", "What a CNAME record of the domain must say", domain.RegionalDomainName())
		return domain
	}
	awsroute53.NewARecord(stack, jsii.String("DomainRecord"), &awsroute53.ARecordProps{
		Zone:       zone,
		RecordName: jsii.String(o.Domain + "."),
		Target: awsroute53.RecordTarget_FromAlias(
			awsroute53targets.NewApiGatewayv2DomainProperties(domain.RegionalDomainName(), domain.RegionalHostedZoneId())),
	})
	return domain
}

// routeTo gives each function its routes, and meta whatever is left. Where a
// password or a code can be tried, the stage allows less.
func (p publicAPI) routeTo(stack awscdk.Stack, o options, made map[string]deployed) {
	integrations := map[string]api.HttpRouteIntegration{}
	for name, function := range made {
		integrations[name] = integration(function, false)
	}
	bounded := map[string]any{}
	for _, route := range o.routes() {
		for _, key := range route.Keys() {
			method, path, _ := strings.Cut(key, " ")
			at := api.NewHttpRoute(stack, jsii.String(key), &api.HttpRouteProps{
				HttpApi:     p.HttpApi,
				Integration: integrations[route.Function],
				RouteKey:    api.HttpRouteKey_With(&path, api.HttpMethod(method)),
			})
			if tries(route) {
				bounded[key] = o.Credentials.ofRoute(o)
				// A stage can bound only what is there.
				p.stage.Node().AddDependency(at)
			}
		}
	}
	cfnStage(p.stage).SetRouteSettings(bounded)
	api.NewHttpRoute(stack, jsii.String("Unrouted"), &api.HttpRouteProps{
		HttpApi:     p.HttpApi,
		Integration: integration(made["meta"], true),
		RouteKey:    api.HttpRouteKey_DEFAULT(),
	})
}

// newAdminAPI makes the admin API. Every request is signed, and its one route is
// the only thing that may call the function: the permission names the API.
func newAdminAPI(stack awscdk.Stack, o options, admin deployed) api.HttpApi {
	made := api.NewHttpApi(stack, jsii.String("AdminApi"), &api.HttpApiProps{
		ApiName:     jsii.String("styx-" + o.Stage + "-admin"),
		Description: jsii.String("Styx: the admin API"),

		CreateDefaultStage: jsii.Bool(false),
	})
	newStage(stack, o, "admin", made)
	api.NewHttpRoute(stack, jsii.String("Everything"), &api.HttpRouteProps{
		HttpApi:     made,
		Integration: integration(admin, true),
		RouteKey:    api.HttpRouteKey_DEFAULT(),
		Authorizer:  awsapigatewayv2authorizers.NewHttpIamAuthorizer(),
	})
	return made
}

// integration lets one API call a function, and gives the function's policy one
// permission for all its routes: one for each would outgrow what it may hold.
// The ARN of a default route has a part less and needs the narrow kind.
func integration(of deployed, byDefault bool) api.HttpRouteIntegration {
	return awsapigatewayv2integrations.NewHttpLambdaIntegration(of.Node().Id(), of.Function,
		&awsapigatewayv2integrations.HttpLambdaIntegrationProps{ScopePermissionToRoute: &byDefault})
}
