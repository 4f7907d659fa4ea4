package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	api "github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"

	"styx/internal/app/routes"
)

// limits bound what a flood of requests can cost, and what it takes from others.
type limits struct {
	// Throttle bounds each route, Credentials those where a password or a code
	// can be tried. Who is refused gets a 429 from API Gateway.
	Throttle, Credentials throttle
	// TableReads and TableWrites are the most request units of a second that the
	// table, and its index, serve; 0 for no bound. Beyond it DynamoDB refuses and
	// a client gets a 503 with Retry-After.
	TableReads, TableWrites float64
	Concurrency             concurrency
}

// throttle is how many requests a second a route takes, and how many at once.
type throttle struct{ rate, burst float64 }

// concurrency is how many instances a function may have, kept free for it; of
// one that is not named, as many as the account has left. None is named unless
// asked for: what is reserved is taken from the account's limit, which is 10 in
// a new one, and a reservation that leaves too little fails the deployment.
type concurrency map[string]float64

// readLimits reads them. A login takes a third of a second of one vCPU, so 50 a
// second are 17 instances, and more than four million a day.
func readLimits(text func(key, preset, pattern, form string) string, number func(key, preset string) float64) limits {
	rate := func(key, preset string) (t throttle) {
		// What text refuses does not scan, and is not deployed either.
		_, _ = fmt.Sscanf(text(key, preset, `[1-9]\d{0,4}/[1-9]\d{0,4}`, "requests a second/at once, as 50/100"), "%g/%g", &t.rate, &t.burst)
		return t
	}
	reserved := concurrency{}
	for one := range strings.SplitSeq(text("concurrency", "", `[a-z]+=\d{1,4}(,[a-z]+=\d{1,4})*`, "functions and numbers, as login=20,courier=5"), ",") {
		if name, most, found := strings.Cut(one, "="); found {
			reserved[name], _ = strconv.ParseFloat(most, 64)
		}
	}
	return limits{
		Throttle:    rate("throttle", "500/1000"),
		Credentials: rate("throttle-credentials", "50/100"),
		TableReads:  number("table-reads", "0"),
		TableWrites: number("table-writes", "0"),
		Concurrency: reserved,
	}
}

// check refuses a name that no function has.
func (c concurrency) check() error {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if !slices.ContainsFunc(functions, func(f function) bool { return f.name == name }) {
			return fmt.Errorf("context concurrency: there is no function %q", name)
		}
	}
	return nil
}

// of is the bound of a function, nil for none.
func (c concurrency) of(name string) *float64 {
	if most, named := c[name]; named {
		return &most
	}
	return nil
}

// ceiling is a bound as DynamoDB takes it, nil for none.
func ceiling(units float64) *float64 {
	if units == 0 {
		return nil
	}
	return &units
}

// tries tells whether a password, a code or a token can be tried at a route.
func tries(route routes.Route) bool {
	return route.Method == "POST" && strings.HasPrefix(route.Path, "/self-service/") || route.Path == "/sessions/token-exchange"
}

// ofStage is what a stage says of all its routes.
func (t throttle) ofStage(o options) *api.CfnStage_RouteSettingsProperty {
	return &api.CfnStage_RouteSettingsProperty{
		ThrottlingRateLimit: &t.rate, ThrottlingBurstLimit: &t.burst, DetailedMetricsEnabled: &o.RouteMetrics,
	}
}

// ofRoute is what it says of one, and all of it: nothing of ofStage holds there.
func (t throttle) ofRoute(o options) map[string]any {
	return map[string]any{"ThrottlingRateLimit": t.rate, "ThrottlingBurstLimit": t.burst, "DetailedMetricsEnabled": o.RouteMetrics}
}
