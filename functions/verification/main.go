// Command verification is the Lambda function for /self-service/verification.
package main

import (
	"styx/internal/app/flows"
	"styx/internal/gateway"
)

func main() { gateway.Main(flows.Verification) }
