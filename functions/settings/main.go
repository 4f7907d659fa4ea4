// Command settings is the Lambda function for /self-service/settings.
package main

import (
	"styx/internal/app/signup"
	"styx/internal/gateway"
)

func main() { gateway.Main(signup.Settings) }
