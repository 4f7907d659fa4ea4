// Command session is the Lambda function for sessions and logout.
package main

import (
	"styx/internal/app"
	"styx/internal/gateway"
)

func main() { gateway.Main(app.Session) }
