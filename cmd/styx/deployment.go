package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"styx/internal/app"
	"styx/internal/app/environment"
	"styx/internal/app/full"
	"styx/internal/config"
	"styx/internal/jsonnet"
	"styx/internal/table/local"
)

// configuration is the file of a folder that functions read, and home is where
// the folder is for them.
const (
	configuration = "styx.yml"
	home          = "/var/task/"
)

func lintDeployment() *command {
	return &command{
		name: "deployment", takes: "FOLDER", does: "check what is to travel with each function",
		about: `Judges the folder's styx.yml as a function on AWS does, with the table, the
secrets and the public URL that the stack brings and without the environment
here; reads the identity schemas and Jsonnet programs that it names, and looks for
its other files. A function finds none but those of the folder, and starts there.`,
		examples: []string{"styx lint deployment deploy"},
		prepare: func(flags *flag.FlagSet) action {
			dev := flags.Bool("dev", false, "judge it as under sam local")
			return func(ctx context.Context, c *call) error {
				if len(c.args) != 1 {
					return misused("needs the name of one folder")
				}
				if err := os.Chdir(c.args[0]); err != nil {
					return fmt.Errorf("read the configuration: %w", err)
				}
				if err := lintFolder(ctx, c, *dev); err != nil {
					return err
				}
				_, err := fmt.Fprintln(c.out, "the deployment is right")
				return err
			}
		},
	}
}

// lintFolder judges the folder that this process works in.
func lintFolder(ctx context.Context, c *call, dev bool) error {
	sources, err := read([]string{configuration})
	if err != nil {
		return err
	}
	sources[0].Data = bytes.ReplaceAll(sources[0].Data, []byte("file://"+home), []byte("file://"))
	overrides := relaxed(dev)
	maps.Copy(overrides, config.Deployed())
	configured, err := judge(c, sources, nil, overrides)
	if err != nil {
		return err
	}
	if configured.Dev && !dev {
		return environment.ErrDev
	}
	document, err := config.Read(sources, nil, overrides)
	if err != nil {
		return err
	}
	var missing []error
	config.Walk(document.Value, func(at []string, value string) {
		name, names := strings.CutPrefix(value, "file://")
		if !names {
			return
		}
		if err := fileFound(name); err != nil {
			missing = append(missing, fmt.Errorf("%s: %s: %w", configuration, strings.Join(at, "."), err))
		}
	})
	if folder := configured.Courier.TemplatePath; folder != "" {
		if err := inside(strings.TrimPrefix(folder, home)); err != nil {
			missing = append(missing, fmt.Errorf("%s: courier.template_override_path: %w", configuration, err))
		}
	}
	if missing != nil {
		return errors.Join(missing...)
	}
	return starts(ctx, configured)
}

// starts builds what functions build of a configuration, over an empty table.
func starts(ctx context.Context, c *config.Config) error {
	empty, err := local.Memory(local.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return err
	}
	built, err := full.Local(app.Parts{
		Config: c, Table: empty, Now: time.Now, Rand: rand.Reader, Client: app.Outgoing(c, ""),
	}, versionText(), slog.New(slog.DiscardHandler))
	if err == nil {
		err = built.App.Engine.Schemas.Check(ctx)
	}
	return errors.Join(err, empty.Close())
}

// fileFound tells why a function would not find a file, or could not use it.
func fileFound(name string) error {
	if err := inside(name); err != nil || filepath.Ext(name) != ".jsonnet" {
		return err
	}
	content, err := os.ReadFile(name) //nolint:gosec // within the folder that the operator names
	if err != nil {
		return err
	}
	if err := jsonnet.Check(content); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// inside tells why something is not in the folder.
func inside(name string) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("%s is outside of the folder: a function would not find it", name)
	}
	_, err := os.Stat(name)
	return err
}
