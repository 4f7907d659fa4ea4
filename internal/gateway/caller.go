package gateway

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
)

// Caller is who signed a request, as API Gateway's AWS_IAM authorizer found out.
type Caller struct {
	AccountID string
	UserARN   string
	UserID    string
	AccessKey string // the key's id, not its secret
}

// callerKey finds the caller, nil for none, in a request's context.
type callerKey struct{}

// IAM is the signer of the request, and whether there was one.
func IAM(ctx context.Context) (Caller, bool) {
	caller, _ := ctx.Value(callerKey{}).(*Caller)
	if caller == nil {
		return Caller{}, false
	}
	return *caller, true
}

// callerOf is the signer the event names, nil when it names none.
func callerOf(event events.APIGatewayV2HTTPRequest) *Caller {
	authorizer := event.RequestContext.Authorizer
	if authorizer == nil || authorizer.IAM == nil || authorizer.IAM.UserARN == "" {
		return nil
	}
	return &Caller{
		AccountID: authorizer.IAM.AccountID,
		UserARN:   authorizer.IAM.UserARN,
		UserID:    authorizer.IAM.UserID,
		AccessKey: authorizer.IAM.AccessKey,
	}
}
