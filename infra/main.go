// Command infra is the AWS stack as a CDK app. It writes the templates to the
// folder that CDK_OUTDIR names; the CDK command line sets it, and so may anyone.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	options, err := read(func(key string) any {
		if key == "region" {
			// The command line finds it where AWS' own tools do.
			return os.Getenv("CDK_DEFAULT_REGION")
		}
		return app.Node().TryGetContext(&key)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	newStack(app, options)
	app.Synth(nil)
}
