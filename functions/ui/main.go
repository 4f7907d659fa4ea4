// Command ui is the Lambda function for the built-in pages.
package main

import (
	"styx/internal/app/builtin"
	"styx/internal/gateway"
)

func main() { gateway.Main(builtin.UI) }
