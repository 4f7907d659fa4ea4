// Command meta is the Lambda function for errors, schemas, health and every route that no other owns.
package main

import (
	"styx/internal/app"
	"styx/internal/gateway"
)

func main() { gateway.Main(app.Meta) }
