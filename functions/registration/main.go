// Command registration is the Lambda function for /self-service/registration.
package main

import (
	"styx/internal/app/signup"
	"styx/internal/gateway"
)

func main() { gateway.Main(signup.Registration) }
