package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
)

// Mail checks that SES sends, to whom, and for an address, "" for none.
func (d *Doctor) Mail(ctx context.Context, from string) []Finding {
	var f findings
	client := sesv2.NewFromConfig(d.config)
	account, err := client.GetAccount(ctx, &sesv2.GetAccountInput{})
	if err != nil {
		f.unread("mail", err, "ses:GetAccount is needed")
		return f
	}
	f.expect(account.SendingEnabled, "mail", "sending is "+map[bool]string{true: "enabled", false: "paused"}[account.SendingEnabled],
		"look at the account's reputation in the SES console")
	if account.ProductionAccessEnabled {
		f.fine("mail sandbox", "is left behind")
	} else {
		f.warn("mail sandbox", "SES sends to verified addresses alone", "ask for production access in the SES console, before anybody else signs up")
	}
	if from == "" {
		return f
	}
	_, domain, _ := strings.Cut(from, "@")
	for _, name := range []string{from, domain} {
		got, err := client.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: &name})
		if _, missing := errors.AsType[*types.NotFoundException](err); missing {
			continue
		}
		if err != nil {
			f.unread("mail identity", err, "ses:GetEmailIdentity is needed")
			return f
		}
		f.expect(got.VerifiedForSendingStatus, "mail identity", fmt.Sprintf("%s is %s", name, got.VerificationStatus),
			"put the records that SES shows into the domain's DNS, or follow the link it mailed")
		if got.DkimAttributes == nil || !got.DkimAttributes.SigningEnabled {
			f.warn("mail signature", name+" signs nothing with DKIM", "turn DKIM on in the SES console: mail ends as spam without it")
		}
		return f
	}
	f.problem("mail identity", fmt.Sprintf("SES knows neither %s nor %s", from, domain), "verify one of them: aws sesv2 create-email-identity --email-identity "+domain)
	return f
}
