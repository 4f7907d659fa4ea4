//go:build emulated

package main

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"styx/internal/gateway/gatewaytest"
)

// invoked is a deployed function, asked by its name.
type invoked struct {
	client *lambda.Client
	name   string
}

func (i invoked) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	said, err := i.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &i.name, Payload: event})
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", i.name, err)
	}
	if said.FunctionError != nil {
		return nil, fmt.Errorf("invoke %s: %s", i.name, said.Payload)
	}
	return said.Payload, nil
}

// TestTheAuthorizerKnowsWhoIsSignedIn: it is asked as an API of somebody else's
// asks it.
func TestTheAuthorizerKnowsWhoIsSignedIn(t *testing.T) {
	d := deployed(t)
	token, identity := d.registers(t, somebody("guarded"))
	guard := invoked{lambda.NewFromConfig(d.config()), d.Functions["authorizer"]}
	for bearer, want := range map[string]bool{token: true, token + "x": false} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.test/things", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+bearer)
		allowed, known, err := gatewaytest.API{}.Allows(t.Context(), guard, r, "Authorization")
		if err != nil || allowed != want || want && known["identity_id"] != identity {
			t.Errorf("%v: %v, %v, %v", want, allowed, known, err)
		}
	}
}
