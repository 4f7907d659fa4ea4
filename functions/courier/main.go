// Command courier is the Lambda function that sends mail and text messages.
package main

import (
	"styx/internal/app/delivery"
	"styx/internal/gateway"
)

func main() { gateway.Listen(delivery.Courier) }
