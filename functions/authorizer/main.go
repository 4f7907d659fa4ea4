// Command authorizer is the Lambda function that lets Styx's sessions into other APIs.
package main

import (
	"styx/internal/app"
	"styx/internal/gateway"
)

func main() { gateway.Guard(app.Authorizer) }
