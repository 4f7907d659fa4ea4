// Command recovery is the Lambda function for /self-service/recovery.
package main

import (
	"styx/internal/app/flows"
	"styx/internal/gateway"
)

func main() { gateway.Main(flows.Recovery) }
