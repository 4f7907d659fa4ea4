// Command login is the Lambda function for /self-service/login.
package main

import (
	"styx/internal/app/flows"
	"styx/internal/gateway"
)

func main() { gateway.Main(flows.Login) }
