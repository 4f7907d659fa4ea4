package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"

	"styx/internal/config"
	"styx/internal/identity"
	"styx/internal/identity/schema"
	"styx/internal/jsonnet"
	"styx/internal/outbound"
)

// maxSchema bounds a document that a schema refers to, in bytes.
const maxSchema = 1 << 20

func lintCommand() *command {
	return &command{
		name: "lint", does: "check what Styx is configured by",
		examples: []string{"styx lint config -c styx.yml", "styx lint schema person.schema.json", "styx lint jsonnet hooks/*.jsonnet", "styx lint deployment deploy"},
		parts:    []*command{lintSchema(), lintConfig(), lintJsonnet(), lintDeployment()},
	}
}

// lint judges each file that is an argument.
func lint(c *call, what string, judge func(data []byte) error) error {
	if err := c.some("the name of a " + what); err != nil {
		return err
	}
	return each(c, c.args, func(name string) error {
		data, err := os.ReadFile(name) //nolint:gosec // who runs this names it
		if err == nil {
			err = judge(data)
		}
		if err == nil {
			_, err = fmt.Fprintf(c.out, "%s is right\n", name)
		}
		return err
	})
}

func lintSchema() *command {
	return &command{
		name: "schema", takes: "FILE...", does: "check identity schemas",
		examples: []string{"styx lint schema person.schema.json"},
		prepare: func(*flag.FlagSet) action {
			return func(ctx context.Context, c *call) error {
				return lint(c, "schema", func(data []byte) error {
					_, err := compile(ctx, "", data)
					return err
				})
			}
		},
	}
}

// compile compiles an identity schema. What it refers to is read from where it
// is: whoever runs this has the schema at hand.
func compile(ctx context.Context, id string, data []byte) (*schema.Validator, error) {
	parsed, err := identity.ParseSchema(id, data)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: requestTime}
	return schema.Compile(parsed, schema.Options{Fetch: func(url string) ([]byte, error) {
		return outbound.Fetch(ctx, client, "", url, maxSchema)
	}})
}

func lintConfig() *command {
	return &command{
		name: "config", takes: "[FILE...]", does: "check the configuration, the environment's part of it included",
		about:    "Files are read as by styx serve, later ones over earlier ones. What is no mistake but deserves a look is told as well.",
		examples: []string{"styx lint config styx.yml", "styx lint config --dev -c styx.yml"},
		prepare: func(flags *flag.FlagSet) action {
			var names list
			flags.Var(&names, "c", "configuration `FILE`; may be repeated")
			flags.Var(&names, "config", "the same as -c")
			dev := flags.Bool("dev", false, "judge it as styx serve --dev would")
			return func(_ context.Context, c *call) error {
				names = append(names, c.args...)
				if len(names) == 0 {
					return misused("needs the name of a configuration file")
				}
				sources, err := read(names)
				if err != nil {
					return err
				}
				if _, err := judge(c, sources, c.environ, relaxed(*dev)); err != nil {
					return err
				}
				_, err = fmt.Fprintln(c.out, "the configuration is right")
				return err
			}
		},
	}
}

// judge reads and checks the configuration, and tells what deserves a look.
func judge(c *call, sources []config.Source, environ []string, overrides map[string]any) (*config.Config, error) {
	configured, notices, err := load(sources, environ, overrides)
	if err != nil {
		return nil, err
	}
	for _, notice := range notices {
		_, _ = fmt.Fprintf(c.out, "%s: %s\n", notice.Kind, notice)
	}
	return configured, nil
}

func lintJsonnet() *command {
	return &command{
		name: "jsonnet", takes: "FILE...", does: "check Jsonnet programs, without running them",
		examples: []string{"styx lint jsonnet claims.jsonnet hooks/*.jsonnet"},
		prepare: func(*flag.FlagSet) action {
			return func(_ context.Context, c *call) error {
				return lint(c, "program", jsonnet.Check)
			}
		},
	}
}
