package main

import (
	_ "embed"
	"errors"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	api "github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfrontorigins"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53targets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"
)

// ofCloudFront is the region that CloudFront takes certificates and firewalls
// from, wherever what is behind it stands.
const ofCloudFront = "us-east-1"

// client is a function of CloudFront's.
//
//go:embed client.js
var client string

// edge is CloudFront with a firewall before the public API.
type edge struct {
	url     *string
	secrets *string // what the functions take, comma separated
}

// newEdge makes it. The API's own host stays open, for CloudFront has no other
// way to it, so the functions ask for a secret that CloudFront adds. Nothing is
// cached, errors among it: an answer is for one client. Nothing is logged there,
// for CloudFront logs queries, and they carry tokens.
func newEdge(stack awscdk.Stack, o options, key awskms.IKey, zone awsroute53.IPublicHostedZone, of api.HttpApi) edge {
	secrets := o.edgeSecrets(stack, key)
	taken := awscdk.Fn_Join(jsii.String(","), &secrets)
	props := &awscloudfront.DistributionProps{
		Comment:  jsii.String("Styx: the public API of " + o.Stage),
		WebAclId: firewall(stack, o),
		DefaultBehavior: &awscloudfront.BehaviorOptions{
			Origin: awscloudfrontorigins.NewHttpOrigin(ownHost(stack, of), &awscloudfrontorigins.HttpOriginProps{
				ProtocolPolicy: awscloudfront.OriginProtocolPolicy_HTTPS_ONLY,
				CustomHeaders:  &map[string]*string{"X-Styx-Edge": secrets[0]},
			}),
			AllowedMethods: awscloudfront.AllowedMethods_ALLOW_ALL(),
			CachePolicy:    awscloudfront.CachePolicy_CACHING_DISABLED(),
			// Cookies and queries too. The host is the API's own.
			OriginRequestPolicy:  awscloudfront.OriginRequestPolicy_ALL_VIEWER_EXCEPT_HOST_HEADER(),
			ViewerProtocolPolicy: awscloudfront.ViewerProtocolPolicy_HTTPS_ONLY,
			// Compression tells the length of what repeats.
			Compress: jsii.Bool(false),
			FunctionAssociations: &[]*awscloudfront.FunctionAssociation{{
				EventType: awscloudfront.FunctionEventType_VIEWER_REQUEST,
				Function: awscloudfront.NewFunction(stack, jsii.String("Client"), &awscloudfront.FunctionProps{
					Code: awscloudfront.FunctionCode_FromInline(&client), Runtime: awscloudfront.FunctionRuntime_JS_2_0(),
				}),
			}},
		},
		ErrorResponses: neverCached(),
	}
	if o.Domain != "" {
		props.DomainNames = texts(o.Domain)
		props.Certificate = certificate(stack, o, zone)
	}
	made := awscloudfront.NewDistribution(stack, jsii.String("Edge"), props)
	switch {
	case o.Domain == "":
		return edge{awscdk.Fn_Join(jsii.String(""), texts("https://", *made.DistributionDomainName())), taken}
	case zone == nil:
		output(stack, "DomainTarget", "What a CNAME record of the domain must say", made.DistributionDomainName())
	default:
		target := awsroute53.RecordTarget_FromAlias(awsroute53targets.NewCloudFrontTarget(made))
		awsroute53.NewARecord(stack, jsii.String("DomainRecord"), &awsroute53.ARecordProps{Zone: zone, RecordName: jsii.String(o.Domain + "."), Target: target})
		awsroute53.NewAaaaRecord(stack, jsii.String("DomainRecord6"), &awsroute53.AaaaRecordProps{Zone: zone, RecordName: jsii.String(o.Domain + "."), Target: target})
	}
	return edge{jsii.String("https://" + o.Domain), taken}
}

// edgeSecrets are made for the numbers that the options have, and deleted with
// them.
func (o options) edgeSecrets(stack awscdk.Stack, key awskms.IKey) (made []*string) {
	for _, number := range o.EdgeSecrets {
		made = append(made, awssecretsmanager.NewSecret(stack, jsii.String("EdgeSecret"+number), &awssecretsmanager.SecretProps{
			Description:          jsii.String("Tells the requests that come by way of CloudFront from others"),
			EncryptionKey:        key,
			GenerateSecretString: &awssecretsmanager.SecretStringGenerator{PasswordLength: jsii.Number(secretLength), ExcludePunctuation: jsii.Bool(true)},
			RemovalPolicy:        awscdk.RemovalPolicy_DESTROY,
		}).SecretValue().UnsafeUnwrap())
	}
	return made
}

// ownHost is the host of an API without a domain.
func ownHost(stack awscdk.Stack, of api.HttpApi) *string {
	return awscdk.Fn_Join(jsii.String("."), texts(*of.ApiId(), "execute-api", *stack.Region(), *stack.UrlSuffix()))
}

// certificate is the domain's: in a zone it is made there, else it is named.
func certificate(stack awscdk.Stack, o options, zone awsroute53.IPublicHostedZone) awscertificatemanager.ICertificate {
	if zone == nil {
		return awscertificatemanager.Certificate_FromCertificateArn(stack, jsii.String("Certificate"), &o.Certificate)
	}
	return awscertificatemanager.NewCertificate(stack, jsii.String("Certificate"), &awscertificatemanager.CertificateProps{
		DomainName: &o.Domain,
		Validation: awscertificatemanager.CertificateValidation_FromDns(zone),
	})
}

// neverCached are all errors that CloudFront would keep for ten seconds, and
// give to others: to them, caching disabled means nothing.
func neverCached() *[]*awscloudfront.ErrorResponse {
	var errors []*awscloudfront.ErrorResponse
	for _, status := range []float64{400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504} {
		errors = append(errors, &awscloudfront.ErrorResponse{HttpStatus: &status, Ttl: awscdk.Duration_Seconds(jsii.Number(0))})
	}
	return &errors
}

// checkEdge refuses what CloudFront would refuse in the middle of a deployment.
func (o options) checkEdge() error {
	if !o.Edge {
		return nil
	}
	var wrong []error
	// Nobody knows the region where there is no account: make synth needs none.
	elsewhere := o.Region != "" && o.Region != ofCloudFront
	if elsewhere && o.Firewall == "" {
		wrong = append(wrong, errors.New("context edge: CloudFront takes a firewall from "+ofCloudFront+" alone: deploy there, or name one of there with context firewall, the ARN of a web ACL"))
	}
	if elsewhere && o.Domain != "" && o.Certificate == "" {
		wrong = append(wrong, errors.New("context edge: CloudFront takes a certificate from "+ofCloudFront+" alone: deploy there, or name one of there with context certificate"))
	}
	if len(o.EdgeSecrets) == 2 && o.EdgeSecrets[0] == o.EdgeSecrets[1] {
		wrong = append(wrong, errors.New("context edge-secrets: two numbers are two secrets"))
	}
	if o.Certificate != "" && !strings.Contains(o.Certificate, ":acm:"+ofCloudFront+":") {
		wrong = append(wrong, errors.New("context certificate: with an edge it must be of "+ofCloudFront))
	}
	return errors.Join(wrong...)
}
