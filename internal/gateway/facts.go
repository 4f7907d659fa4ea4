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

// factsKey finds the facts of the event in a request's context.
type factsKey struct{}

type facts struct {
	requestID string
	caller    *Caller
}

// IAM is the signer of the request, and whether there was one.
func IAM(ctx context.Context) (Caller, bool) {
	known, ok := ctx.Value(factsKey{}).(facts)
	if !ok || known.caller == nil {
		return Caller{}, false
	}
	return *known.caller, true
}

// RequestID is the id API Gateway gave the request, "" outside of one.
func RequestID(ctx context.Context) string {
	known, _ := ctx.Value(factsKey{}).(facts)
	return known.requestID
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
