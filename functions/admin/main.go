// Command admin is the Lambda function for the admin API.
package main

import (
	"styx/internal/app/adminapi"
	"styx/internal/gateway"
)

func main() { gateway.Main(adminapi.Admin, gateway.SignedOnly) }
