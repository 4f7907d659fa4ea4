package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsses"
	"github.com/aws/jsii-runtime-go"
)

// sender is who SES sends mail for.
type sender struct {
	address string
	set     awsses.ConfigurationSet
}

// newSender makes the domain of the sender's address an identity of SES, signed
// by DKIM, whose bounces and complaints go to the account's event bus. In a zone
// that holds the domain the records of DKIM are made, else outputs name them.
// Without an address there is none.
func newSender(stack awscdk.Stack, o options, zone awsroute53.IPublicHostedZone) *sender {
	if o.FromAddress == "" {
		return nil
	}
	set := awsses.NewConfigurationSet(stack, jsii.String("MailSet"), &awsses.ConfigurationSetProps{
		ReputationMetrics: jsii.Bool(true),
		// Addresses that bounced or complained get no more mail.
		SuppressionReasons: awsses.SuppressionReasons_BOUNCES_AND_COMPLAINTS,
	})
	set.AddEventDestination(jsii.String("Returned"), &awsses.ConfigurationSetEventDestinationOptions{
		// SES publishes to the default bus only.
		Destination: awsses.EventDestination_EventBus(awsevents.EventBus_FromEventBusName(stack, jsii.String("Bus"), jsii.String("default"))),
		Events: &[]awsses.EmailSendingEvent{
			awsses.EmailSendingEvent_BOUNCE, awsses.EmailSendingEvent_COMPLAINT, awsses.EmailSendingEvent_REJECT,
		},
	})
	_, domain, _ := strings.Cut(o.FromAddress, "@")
	identity := awsses.Identity_Domain(&domain)
	if zone != nil && domain == o.ZoneName {
		identity = awsses.Identity_PublicHostedZone(zone)
	}
	made := awsses.NewEmailIdentity(stack, jsii.String("MailIdentity"), &awsses.EmailIdentityProps{
		Identity: identity,
		// What it sends has the set without naming it.
		ConfigurationSet: set,
	})
	if zone == nil || domain != o.ZoneName {
		for i, record := range *made.DkimRecords() {
			at := string(rune('1' + i))
			output(stack, "DkimName"+at, "The name of a CNAME record that mail needs", record.Name)
			output(stack, "DkimValue"+at, "What that record must say", record.Value)
		}
	}
	return &sender{o.FromAddress, set}
}
