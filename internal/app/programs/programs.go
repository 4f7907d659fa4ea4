// Package programs makes the catalog of the operator's Jsonnet programs.
package programs

import (
	"net/http"
	"runtime"

	"styx/internal/jsonnet"
)

// New returns the operator's programs; client fetches their sources.
func New(client *http.Client) *jsonnet.Catalog {
	return &jsonnet.Catalog{
		Evaluator: jsonnet.NewEvaluator(jsonnet.DefaultLimits(), runtime.GOMAXPROCS(0)), Client: client,
	}
}
