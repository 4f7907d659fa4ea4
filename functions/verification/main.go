// Command verification is the Lambda function for /self-service/verification.
package main

import (
	"styx/internal/app"
	"styx/internal/gateway"
)

func main() { gateway.Main(app.Verification) }
