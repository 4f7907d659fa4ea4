// Package environment reads what a function finds where it runs. It is apart so
// that one without a table links nothing that speaks to one.
package environment

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"styx/internal/config"
)

// ErrDev refuses a file that asks for the rules of --dev where people sign up:
// mail would be kept with its codes.
var ErrDev = errors.New("dev: true is for a machine of one's own and for emulators, not for a public URL of https")

// Configuration reads the configuration of one function: the file that travels
// in its zip (STYX_CONFIG, by default styx.yml), over it the environment, over
// that the overrides. Under sam local, which says so in AWS_SAM_LOCAL, the rules
// are those of --dev; not at a public URL of https, which sam has none of: there
// somebody copied the variable. A file that asks for them there is [ErrDev].
func Configuration(getenv func(string) string, overrides map[string]any) (*config.Config, error) {
	name := cmp.Or(getenv("STYX_CONFIG"), "styx.yml")
	data, err := os.ReadFile(name) //nolint:gosec // the operator's own file
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	secure := strings.HasPrefix(strings.ToLower(getenv("SERVE_PUBLIC_BASE_URL")), "https:")
	if getenv("AWS_SAM_LOCAL") == "true" && !secure {
		overrides["dev"] = true
	}
	c, _, err := config.Load([]config.Source{{Name: name, Data: data}}, os.Environ(), overrides)
	if err == nil && c.Dev && secure {
		return nil, ErrDev
	}
	return c, err
}
