package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"styx/internal/app/routes"
	"styx/internal/gateway/gatewaytest"
)

// sideBySide has the functions of the previous release run beside the deployed
// ones, over the same table, as they do while a deployment goes on.
type sideBySide struct {
	current http.RoundTripper
	client  *lambda.Client
	names   map[string]string // of the previous functions
	owner   func(*http.Request) string
	admin   bool
	count   atomic.Int64
}

// previous makes the functions of another release, from its zips and with a
// configuration's files: each like the deployed one of its name. The courier
// wakes by the same stream.
func (d *deployment) previous(ctx context.Context, zips string, files []extra) (map[string]string, error) {
	client := lambda.NewFromConfig(d.config())
	names := map[string]string{}
	for name, physical := range d.Functions {
		path := filepath.Join(zips, name+"-"+runtime.GOARCH+".zip")
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			continue // that release had no such function
		}
		zip, err := repack(path, files)
		if err != nil {
			return nil, err
		}
		own := physical + "-previous"
		names[name] = own
		if _, err := client.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &own, ZipFile: zip}); err == nil {
			continue // it is there since another configuration
		}
		if err := copyFunction(ctx, client, physical, own, zip); err != nil {
			return nil, err
		}
		if name == "courier" {
			if err := wakeBoth(ctx, client, physical, own); err != nil {
				return nil, err
			}
		}
	}
	return names, nil
}

func copyFunction(ctx context.Context, client *lambda.Client, from, to string, zip []byte) error {
	is, err := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &from})
	if err != nil {
		return fmt.Errorf("look at %s: %w", from, err)
	}
	_, err = client.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &to, Code: &types.FunctionCode{ZipFile: zip},
		Role: is.Role, Runtime: is.Runtime, Handler: is.Handler, Architectures: is.Architectures,
		MemorySize: is.MemorySize, Timeout: is.Timeout, KMSKeyArn: is.KMSKeyArn,
		Environment: &types.Environment{Variables: is.Environment.Variables},
	})
	if err != nil {
		return fmt.Errorf("make %s: %w", to, err)
	}
	return nil
}

// wakeBoth gives the stream that wakes one courier to another one as well.
func wakeBoth(ctx context.Context, client *lambda.Client, courier, other string) error {
	mappings, err := client.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{FunctionName: &courier})
	if err != nil {
		return fmt.Errorf("look at what wakes %s: %w", courier, err)
	}
	for _, one := range mappings.EventSourceMappings {
		if one.StartingPosition == "" {
			continue // the queue
		}
		_, err := client.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
			FunctionName: &other, EventSourceArn: one.EventSourceArn, StartingPosition: one.StartingPosition,
			BatchSize: one.BatchSize, FilterCriteria: one.FilterCriteria, FunctionResponseTypes: one.FunctionResponseTypes,
		})
		if err != nil {
			return fmt.Errorf("wake %s: %w", other, err)
		}
	}
	return nil
}

// RoundTrip has every second request answered by the previous release.
func (s *sideBySide) RoundTrip(r *http.Request) (*http.Response, error) {
	name := s.names[s.owner(r)]
	n := s.count.Add(1)
	if name == "" || n%2 == 0 {
		return s.current.RoundTrip(r)
	}
	api := gatewaytest.API{CookiesIn: gatewaytest.InArray}
	if s.admin {
		api.IAM = gatewaytest.Signed()
	}
	event, err := api.Event(r, fmt.Sprintf("side-by-side-%d", n))
	if err != nil {
		return nil, err
	}
	said, err := s.client.Invoke(r.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: event})
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", name, err)
	}
	if said.FunctionError != nil {
		return nil, fmt.Errorf("invoke %s: %s", name, said.Payload)
	}
	answer, err := gatewaytest.Response(said.Payload)
	if err != nil {
		return nil, err
	}
	answer.Request = r
	return answer, nil
}

// owners finds the function that owns a request.
type owners struct {
	mux *http.ServeMux
	of  map[string]string // by pattern
}

func newOwners() *owners {
	o := &owners{http.NewServeMux(), map[string]string{}}
	for _, route := range routes.All {
		o.mux.Handle(route.Pattern(), http.NotFoundHandler())
		o.of[route.Pattern()] = route.Function
	}
	return o
}

func (o *owners) function(r *http.Request) string {
	_, pattern := o.mux.Handler(r)
	return cmp.Or(o.of[pattern], "meta")
}
